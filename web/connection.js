// The one WebSocket to the agent: authentication, requests with an id, heartbeats, and coming back by itself.
// It knows no camera and no DOM.

import { localUs } from './clock.js';

const kFirstDelayMs = 500;
const kLongestDelayMs = 10_000;
/** A connection that lived this long was a good one: the next failure starts with short delays again. */
const kHealthyAfterMs = 10_000;
const kAnswerWithinMs = 12_000;
const kHeartbeatMs = 3_000;
/** The first exchange waits while the page starts, so it tells the clock's offset badly: more follow soon. */
const kEarlyHeartbeatsMs = [400, 1200];
/**
 * A heartbeat of this age and so many beats without a word in answer: the peer is gone, whatever TCP thinks. Beats
 * count since time alone proves nothing: a page that slept may find what came meanwhile only after its timers ran.
 */
const kSilenceMs = 10_000;
const kLeastUnanswered = 3;
const kRefused = 'the agent refused this token';

/**
 * How long to wait before the next try: full jitter, 0.5 s doubling to 10 s.
 * @param {number} failures tries that failed in a row, from 1
 * @param {number} random in [0, 1)
 * @returns {number} milliseconds
 */
export function retryDelayMs(failures, random) {
    return random * Math.min(kLongestDelayMs, kFirstDelayMs * 2 ** Math.min(failures, 16));
}

/** What a close code of the contract means, for people. */
export function closeReason(code, reason) {
    const known = {
        1001: 'the agent is stopping',
        1006: 'the connection was lost',
        1013: 'the agent asked to try later',
        4400: 'the agent did not understand this page',
        4409: 'a newer connection took its place',
        4408: 'the agent waited too long for the token',
        4410: 'this device reads too slowly',
        4411: 'the token has ended',
    };
    if (code === 4429) return reason || 'too many connections';
    return known[code] ?? (reason || `connection closed (${code})`);
}

/** An `error` answer of the agent. */
export class RequestError extends Error {
    constructor(data) {
        super(data.message || data.code || 'refused');
        this.code = data.code;
        this.field = data.field;
    }
}

/**
 * Events: `state` (no detail: read the properties), `message` (detail: a parsed text message), `binary`
 * (detail: ArrayBuffer), `heartbeat` (detail: {t0, t1, t2, t3}, µs).
 */
export class Connection extends EventTarget {
    /** 'idle', 'connecting', 'authenticating', 'open', 'waiting' (for the next try) or 'refused' (needs a token). */
    state = 'idle';
    /** Why it is not open, a phrase; empty while it is. */
    reason = '';
    /** When the next try is due, by performance.now(), ms; 0 when none is. */
    nextTryAt = 0;
    /** 'viewer', 'operator' or 'admin'; empty until authenticated. */
    role = '';
    /** Times it was open. */
    opened = 0;

    #url;
    #token = '';
    /** By which the agent knows that a connection of ours that looks alive to it is the one before. No secret. */
    #instance = Math.floor(Math.random() * 2 ** 52).toString(16);
    #socket = null;
    #failures = 0;
    #nextId = 1;
    #waiting = new Map();
    #retryTimer = 0;
    #heartbeatTimer = 0;
    /** Beats since anything was heard, and when the first of them was. */
    #unanswered = 0;
    #askedAt = 0;
    #authId = 0;
    #retryAfterMs = 0;
    #healthyTimer = 0;

    /** @param {string} url of the agent's stream, ws: or wss: */
    constructor(url) {
        super();
        this.#url = url;
    }

    /** Opens with this token, and keeps open until `close()`. */
    open(token) {
        this.close();
        this.#token = token;
        this.#failures = 0;
        this.#connect();
    }

    close() {
        clearTimeout(this.#retryTimer);
        this.#dropSocket();
        this.#become('idle', '');
    }

    /** Tries now instead of when the delay is over: the network or the page came back. */
    retryNow() {
        if (this.state === 'waiting') this.#connect();
    }

    /** Sends without wanting an answer. False: not open. */
    send(message) {
        if (this.state !== 'open') return false;
        this.#socket.send(JSON.stringify(message));
        return true;
    }

    /**
     * Sends with an id and waits for the one answer.
     * @returns {Promise<object>} the answering message
     * @throws {RequestError} the agent refused; or code 'unavailable': not connected, or no answer in time
     */
    request(message) {
        return new Promise((resolve, reject) => {
            const id = this.#nextId++;
            if (!this.send({ ...message, id })) {
                reject(new RequestError({ code: 'unavailable', message: 'not connected' }));
                return;
            }
            const timer = setTimeout(() => this.#settle(id, { type: 'error',
                data: { code: 'unavailable', message: 'the agent gave no answer' } }), kAnswerWithinMs);
            this.#waiting.set(id, { resolve, reject, timer });
        });
    }

    #become(state, reason) {
        this.state = state;
        this.reason = reason;
        this.dispatchEvent(new Event('state'));
    }

    #connect() {
        clearTimeout(this.#retryTimer);
        this.nextTryAt = 0;
        this.#retryAfterMs = 0;
        const socket = new WebSocket(this.#url);
        socket.binaryType = 'arraybuffer';
        this.#socket = socket;
        this.#unanswered = 0;
        socket.onopen = () => {
            this.#unanswered = 0;
            this.#authId = this.#nextId++;
            socket.send(JSON.stringify({ type: 'auth', token: this.#token, instance: this.#instance, id: this.#authId }));
            this.#become('authenticating', 'checking the token');
        };
        socket.onmessage = (event) => this.#receive(event.data);
        socket.onclose = (event) => this.#ended(event.code, closeReason(event.code, event.reason));
        this.#heartbeatTimer = setInterval(() => this.#beat(), kHeartbeatMs);
        this.#become('connecting', this.reason || 'connecting');
    }

    #receive(data) {
        this.#unanswered = 0;
        if (typeof data !== 'string') {
            this.dispatchEvent(new CustomEvent('binary', { detail: data }));
            return;
        }
        let message;
        try {
            message = JSON.parse(data);
        } catch {
            return;
        }
        if (message.type === 'batch') message.data.messages.forEach((one) => this.#understand(one));
        else this.#understand(message);
    }

    #understand(message) {
        const data = message.data ?? {};
        if (message.type === 'system' && message.event === 'authenticated') this.#authenticated(data);
        else if (message.type === 'system' && message.event === 'going_away') {
            this.#retryAfterMs = (data.retry_after_s ?? 0) * 1000;
        } else if (message.type === 'error' && this.state === 'authenticating' && message.id === this.#authId) {
            this.#refusedToSignIn(data);
            return;
        } else if (message.type === 'heartbeat' && data.t0 !== undefined) {
            this.dispatchEvent(new CustomEvent('heartbeat', { detail: { ...data, t3: localUs() } }));
        }
        if (message.id !== undefined) this.#settle(message.id, message);
        this.dispatchEvent(new CustomEvent('message', { detail: message }));
    }

    #authenticated(data) {
        this.role = data.role ?? '';
        if (this.state === 'open') return;
        this.opened += 1;
        this.#healthyTimer = setTimeout(() => { this.#failures = 0; }, kHealthyAfterMs);
        this.#become('open', '');
        this.#beat();
        for (const afterMs of kEarlyHeartbeatsMs) setTimeout(() => this.#askTime(), afterMs);
    }

    /** Only a clear no costs the token; whatever else went wrong may go right the next time. */
    #refusedToSignIn({ code, message }) {
        if (code === 'unauthorized' || code === 'forbidden') this.#refuse(kRefused);
        else this.#retryLater(message || code || 'the agent could not sign this page in');
    }

    #settle(id, message) {
        const waiting = this.#waiting.get(id);
        if (!waiting) return;
        this.#waiting.delete(id);
        clearTimeout(waiting.timer);
        if (message.type === 'error') waiting.reject(new RequestError(message.data ?? {}));
        else waiting.resolve(message);
    }

    #beat() {
        const now = performance.now();
        if (this.#unanswered >= kLeastUnanswered && now - this.#askedAt >= kSilenceMs) {
            this.#ended(1006, 'the agent does not answer');
            return;
        }
        if (this.#unanswered === 0) this.#askedAt = now;
        this.#unanswered += 1;
        this.#askTime();
    }

    #askTime() { this.send({ type: 'heartbeat', t0: Math.round(localUs()) }); }

    #ended(code, reason) {
        if (code === 4401 || code === 4403) this.#refuse(kRefused);
        else if (code === 4411) this.#refuse(reason);
        else this.#retryLater(reason);
    }

    #refuse(reason) {
        this.#dropSocket();
        this.#become('refused', reason);
    }

    #retryLater(reason) {
        const asked = this.#retryAfterMs * (1 + Math.random());
        this.#dropSocket();
        this.#failures += 1;
        const delay = Math.max(asked, retryDelayMs(this.#failures, Math.random()));
        this.nextTryAt = performance.now() + delay;
        this.#retryTimer = setTimeout(() => this.#connect(), delay);
        this.#become('waiting', reason);
    }

    #dropSocket() {
        clearInterval(this.#heartbeatTimer);
        clearTimeout(this.#healthyTimer);
        const socket = this.#socket;
        this.#socket = null;
        this.role = '';
        if (socket) {
            socket.onopen = socket.onmessage = socket.onclose = null;
            socket.close();
        }
        for (const id of [...this.#waiting.keys()]) {
            this.#settle(id, { type: 'error', data: { code: 'unavailable', message: 'the connection was lost' } });
        }
    }
}
