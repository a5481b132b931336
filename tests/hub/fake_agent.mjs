// A small agent for the hub's own tests, written from the contract: it says what a test tells it to, right or wrong.
import WebSocket from 'ws';
import { buildFrame, kAccessUnit, kInitSegment, kKeyFrame } from './frames.mjs';

export const kJournal = '5b1f6a2c-31f0-4f3e-8a55-0a8a2ad8f2f9';
const kAuth = {
    type: 'auth', token: 'secret', agent_id: 'box-7', instance: 'a3c8e1d2', session: '3', purpose: 'all',
    version: '0.1.0', protocol: [1], features: ['ack'], journal: kJournal, cameras: ['cam_123'],
};

export class FakeAgent {
    #waiters = new Set();
    messages = [];
    isClosed = false;

    /** Dials; `auth` changes what it says, null says nothing. Resolves when the socket is open. */
    static async dial(url, auth = {}, options = {}) {
        const agent = new FakeAgent();
        agent.socket = new WebSocket(url, 'edgecam.v1', options);
        agent.socket.on('message', (data, isBinary) => agent.#take(isBinary ? { binary: data } : data.toString()));
        agent.socket.on('error', (error) => { agent.error = error; });
        agent.closed = new Promise((done) => {
            agent.socket.on('close', (code) => {
                agent.isClosed = true;
                done(code);
                agent.#look();
            });
        });
        await Promise.race([new Promise((open) => { agent.socket.on('open', open); }), agent.closed]);
        if (auth !== null) agent.say({ ...kAuth, ...auth });
        return agent;
    }

    /** Dials and waits for the hub's welcome. */
    static async connect(url, auth, options) {
        const agent = await FakeAgent.dial(url, auth, options);
        agent.welcome = (await agent.message((m) => m.event === 'authenticated')).data;
        return agent;
    }

    #take(message) {
        try {
            this.messages.push(typeof message === 'string' ? JSON.parse(message) : message);
        } catch {
            this.messages.push({ unreadable: message });
        }
        this.#look();
    }

    #look() { for (const look of [...this.#waiters]) look(); }

    /** The first message that matches, also of those that came before. */
    message(match, ms = 5000) {
        return new Promise((found, failed) => {
            const settle = (act, value) => {
                clearTimeout(timer);
                this.#waiters.delete(look);
                act(value);
            };
            const look = () => {
                const message = this.messages.find(match);
                if (message) settle(found, message);
                else if (this.isClosed) settle(failed, new Error(`closed before a message like ${match}`));
            };
            const timer = setTimeout(() => settle(failed, new Error(`not within ${ms} ms: ${match}`)), ms);
            this.#waiters.add(look);
            look();
        });
    }

    acked(seq) { return this.message((m) => m.type === 'ack' && m.seq === seq); }

    say(message) { this.socket.send(typeof message === 'string' ? message : JSON.stringify(message)); }

    /** A durable event; its event_id is "event-SEQ" unless `more` has another. */
    event(seq, prevSeq, more = {}) {
        this.say(faceDetected({ seq, prev_seq: prevSeq, ...more }));
    }

    gap(from, to, count = to - from + 1) {
        const data = { journal: kJournal, from_seq: from, to_seq: to, count, reason: 'the journal is full' };
        this.say({ type: 'gap', data });
    }

    announce(channel, more = {}) {
        const data = {
            camera_id: 'cam_123', state: 'live', streaming: true, channel, format: 'cmaf', codec: 'avc1.64001f',
            width: 640, height: 360, timestamp: Date.now() / 1000, ...more,
        };
        this.say({ type: 'stream_status', data });
    }

    frame(fields) { this.socket.send(buildFrame({ captureUs: Date.now() * 1000, channel: 1, ...fields })); }
    init(bytes = 16) { this.frame({ kind: kInitSegment, part: Buffer.alloc(bytes) }); }
    key(sequence, bytes = 100) { this.frame({ kind: kAccessUnit, flags: kKeyFrame, sequence, part: Buffer.alloc(bytes) }); }
    delta(sequence, bytes = 50) { this.frame({ kind: kAccessUnit, sequence, part: Buffer.alloc(bytes) }); }
    drop(from, to, frames = to - from + 1) {
        const data = {
            camera_id: 'cam_123', channel: 1, from_sequence: from, to_sequence: to, frames, bytes: 10 * frames, reason: 'slow',
        };
        this.say({ type: 'drop', data });
    }

    async close() {
        this.socket.terminate();
        await this.closed;
    }
}

export function faceDetected({ seq, ...more }) {
    const now = Date.now() / 1000;
    return {
        type: 'face_detected',
        data: {
            event_id: `event-${seq}`, journal: kJournal, seq, camera_id: 'cam_123', phase: 'enter', track_id: 42,
            timestamp: now, clock_synced: true, first_seen: now, last_seen: now,
            face: { box: [0.1, 0.2, 0.1, 0.2], confidence: 0.9 }, frame: { sequence: 7, capture_us: Math.round(now * 1e6) },
            ...more,
        },
    };
}
