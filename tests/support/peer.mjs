// A peer of the wire contract for tests: authenticates, sends requests, keeps what it got, and lets a test wait for
// a message by condition. Written on the npm package `ws`, so the other side is not our own code.
import WebSocket from 'ws';
import { within } from './agent.mjs';

/** Reads the 32-byte header of a binary message (docs/protocol.md). */
export function parseFrame(message) {
    const headerLength = message.readUInt8(3);
    return {
        version: message.readUInt8(0),
        kind: message.readUInt8(1),
        flags: message.readUInt8(2),
        channel: message.readUInt16BE(4),
        sequence: message.readUInt32BE(8),
        offset: message.readUInt32BE(12),
        captureUs: Number(message.readBigUInt64BE(16)),
        total: message.readUInt32BE(24),
        part: message.subarray(headerLength),
    };
}

export class Peer {
    #waiters = new Set();
    #nextId = 1;
    messages = [];
    frames = []; // whole payloads: { kind, flags, channel, sequence, captureUs, payload }
    #parts = new Map();

    /** Connects and, with a token, authenticates. */
    static async connect(url, token, options = {}) {
        const peer = new Peer();
        peer.socket = new WebSocket(url, options.protocols ?? [], options.ws ?? {});
        peer.socket.binaryType = 'nodebuffer';
        peer.closed = new Promise((done) => {
            peer.socket.on('close', (code, reason) => done({ code, reason: reason.toString() }));
        });
        peer.socket.on('message', (data, isBinary) => peer.#take(data, isBinary));
        peer.socket.on('error', () => {});
        await within(10_000, new Promise((open, fail) => {
            peer.socket.once('open', open);
            peer.socket.once('error', fail);
        }), `connection to ${url}`);
        if (token !== undefined) {
            peer.send({ type: 'auth', token, ...options.auth });
            await peer.message((m) => m.type === 'system' && m.event === 'authenticated');
        }
        return peer;
    }

    #take(data, isBinary) {
        if (isBinary) this.#takeFrame(data);
        else this.messages.push(JSON.parse(data.toString()));
        for (const waiter of [...this.#waiters]) waiter();
    }

    #takeFrame(data) {
        const { part, offset, total, ...frame } = parseFrame(data);
        const parts = offset === 0 ? [] : this.#parts.get(frame.channel) ?? [];
        parts.push(part);
        this.#parts.set(frame.channel, parts);
        if (offset + part.length === total) {
            this.frames.push({ ...frame, payload: Buffer.concat(parts), at: Date.now() });
            this.#parts.delete(frame.channel);
        }
    }

    /** Resolves with the first truthy value of `find()`, asked after every message; rejects after `ms`. */
    until(find, what, ms = 20_000) {
        return within(ms, new Promise((found) => {
            const look = () => {
                const result = find();
                if (!result) return;
                this.#waiters.delete(look);
                found(result);
            };
            this.#waiters.add(look);
            look();
        }), what);
    }

    message(match, ms) {
        return this.until(() => this.messages.find(match), `a message like ${match}`, ms);
    }

    frame(match, ms) {
        return this.until(() => this.frames.find(match), `a frame like ${match}`, ms);
    }

    send(message) {
        this.socket.send(JSON.stringify(message));
    }

    /** Sends a request with an id and resolves with its one answer. */
    async ask(request, ms) {
        const id = this.#nextId++;
        this.send({ ...request, id });
        return this.message((m) => m.id === id, ms);
    }

    control(action, cameraId, more = {}) {
        return this.ask({ type: 'stream_control', action, camera_id: cameraId, ...more });
    }

    async close() {
        this.socket.terminate();
        await this.closed;
    }
}
