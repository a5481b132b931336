// A TCP connection that says whatever a test wants, and what became of it. Bytes of RFC 6455 are put together by hand, so
// that they can be wrong.
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { within } from './agent.mjs';

const kWithinMs = 30_000;
const kHandshake = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' };

/**
 * A frame of a client, masked with zeros unless `masked` is false.
 * @param {number} first byte: FIN, reserved bits and opcode
 * @param {Buffer | string} [payload]
 * @param {{masked?: boolean, announced?: bigint, width?: 1 | 2 | 8}} [odd] the length to announce, and in how many bytes
 */
export function frame(first, payload = '', { masked = true, announced, width } = {}) {
    const bytes = Buffer.from(payload);
    const length = announced ?? BigInt(bytes.length);
    const bits = masked ? 0x80 : 0;
    const size = width ?? (length < 126n ? 1 : length < 65536n ? 2 : 8);
    const head = Buffer.alloc(size === 1 ? 2 : 2 + size);
    head[0] = first;
    head[1] = bits | (size === 1 ? Number(length) : size === 2 ? 126 : 127);
    if (size === 2) head.writeUInt16BE(Number(length), 2);
    if (size === 8) head.writeBigUInt64BE(length, 2);
    return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), bytes]);
}

export const text = (message) => frame(0x81, JSON.stringify(message));

/** Header lines, each with CR LF, and the empty one. */
export const request = (line, headers = {}) => [line, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '', ''].join('\r\n');

export const handshake = (headers = {}, line = 'GET /v1/stream HTTP/1.1') =>
    request(line, { Host: '127.0.0.1', ...kHandshake, ...headers });

export class RawSocket {
    #received = Buffer.alloc(0);
    #listeners = new Set();
    ended = false;

    /**
     * @param {string} [from] an address of loopback, e.g. "127.0.0.2"
     * @param {object} [tls] options of node:tls, where the server speaks it
     */
    static async open(port, from = '127.0.0.1', tls = undefined) {
        const raw = new RawSocket();
        const to = { port, host: '127.0.0.1', localAddress: from };
        raw.socket = tls ? connectTls({ ...to, ...tls }) : connect(to);
        raw.socket.on('data', (data) => raw.#take(data));
        for (const name of ['end', 'close', 'error']) raw.socket.on(name, () => raw.#end());
        await raw.until(() => raw.ended || !raw.socket.connecting || undefined, 'connection');
        return raw;
    }

    /** A WebSocket; with a token, signed in. */
    static async stream(port, { token, from, headers, tls } = {}) {
        const raw = await RawSocket.open(port, from, tls);
        raw.send(handshake(headers));
        await raw.says('\r\n\r\n');
        if (token === undefined) return raw;
        raw.send(text({ type: 'auth', token, features: [] }));
        await raw.says('"authenticated"');
        return raw;
    }

    #take(data) {
        this.#received = Buffer.concat([this.#received, data]);
        this.#tell();
    }
    #end() {
        this.ended = true;
        this.#tell();
    }
    #tell() { for (const look of [...this.#listeners]) look(); }

    /** What came so far, a byte a character. */
    get answer() { return this.#received.toString('latin1'); }

    send(bytes) { if (!this.ended) this.socket.write(bytes); }
    forget() { this.#received = Buffer.alloc(0); }
    drop() { this.socket.destroy(); }

    until(find, what, ms = kWithinMs) {
        return within(ms, new Promise((found) => {
            const look = () => {
                const result = find();
                if (result === undefined) return;
                this.#listeners.delete(look);
                found(result);
            };
            this.#listeners.add(look);
            this.socket.once('connect', look);
            look();
        }), what);
    }

    /** What came, once it holds `part` or the other side ended. */
    says(part) { return this.until(() => (this.ended || this.answer.includes(part) ? this.answer : undefined), part); }

    /** Everything until the other side ends. */
    whole(what = 'the end') { return this.until(() => (this.ended ? this.answer : undefined), what); }

    /** How the other side ends it: the code of its close frame, or 1006. Without an answer from here. */
    async closed(what = 'the end') {
        await this.whole(what);
        const bytes = this.#received;
        const headEnd = bytes.indexOf('\r\n\r\n');
        let at = headEnd < 0 ? 0 : headEnd + 4;
        let code = 1006;
        while (at + 2 <= bytes.length) {
            const small = bytes[at + 1] & 0x7f;
            const head = small < 126 ? 2 : small === 126 ? 4 : 10;
            if (at + head > bytes.length) break;
            const length = small < 126 ? small : small === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
            if (code !== 1006) return -1;  // nothing may follow a close frame
            if ((bytes[at] & 0xf) === 8) code = length >= 2 ? bytes.readUInt16BE(at + head) : 1005;
            at += head + length;
        }
        return code;
    }
}
