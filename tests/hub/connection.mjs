// One agent's connection: what it says is checked, counted, kept and acknowledged; requests wait for their answers.
// Who may be connected is hub.mjs's business.
import path from 'node:path';
import { inflateSync } from 'node:zlib';
import { Acks } from './acks.mjs';
import { headerOf, kAccessUnit, kDeflatedJson, kFirstOneShot, kJpeg } from './frames.mjs';
import { eventTroubles, gapTroubles } from './journal_check.mjs';
import { MediaCheck } from './media_check.mjs';
import { garbageOf } from './misbehaviour.mjs';
import { Recording } from './recording.mjs';
import { Requests } from './requests.mjs';
import { messageComplaint } from './schema_check.mjs';

const kMaxMessageBytes = 1 << 20;
const kMaxInflatedBytes = 64 << 20;
const kMediaAckMs = 200;

/** Thousandths are enough, and keep lines short. */
const round = (ms) => Math.round(ms * 1000) / 1000;

export class Connection {
    #hub;
    #tcp;
    #recording;
    #batchAsked;
    #ackedBefore = null;
    #snapshots = new Map(); // channel → the event whose picture comes on it
    #mediaAckedAt = -Infinity;
    #count = 0; // messages since auth
    #timers = new Set();
    /** The agent's auth; undefined before it. */
    auth;
    /** Whether auth was answered. */
    authenticated = false;
    /** Replaced by a newer one: what still comes counts for nothing. */
    superseded = false;
    /** Features in force, once authenticated. */
    features = [];
    /** Text messages in order, those of batches singly. */
    messages = [];
    /** Bounds `messages`: a hub that runs for days forgets the oldest. */
    keepMessages = 10_000;

    /** @param {import('./hub.mjs').Hub} hub  @param {number} number  @param {import('ws').WebSocket} socket */
    constructor(hub, number, socket, request) {
        this.#hub = hub;
        this.#tcp = request.socket;
        this.number = number;
        this.socket = socket;
        this.connectedAt = this.heardAt = Date.now();
        const violate = (rule, text, message) => this.violate(rule, text, message);
        this.media = new MediaCheck(violate);
        this.requests = new Requests(violate);
        this.acks = new Acks((seq) => this.#ack(seq), () => hub.settings.ack);
        this.closed = new Promise((done) => {
            socket.on('close', (code, reason) => done({ code, reason: reason.toString() }));
        });
        socket.on('message', (data, isBinary) => this.#take(data, isBinary));
        socket.on('error', (error) => this.say('socket_error', { text: error.message }));
        this.closed.then((how) => this.#ended(how));
    }

    get agentId() { return this.auth?.agent_id; }
    get open() { return this.socket.readyState === 1 && !this.superseded; }
    /** All that TCP brought, with framing. */
    get bytes() { return this.#tcp.bytesRead; }

    say(event, fields = {}) { this.#hub.say({ event, connection: this.number, agent: this.agentId, ...fields }); }

    violate(rule, text, message) {
        this.#hub.violate({ rule, text, connection: this.number, agent: this.agentId, message });
    }

    /** Acts in `ms`, unless the connection is closed by then. */
    after(ms, act) {
        const timer = setTimeout(() => {
            this.#timers.delete(timer);
            act();
        }, ms);
        this.#timers.add(timer);
    }

    /** Sends a message as it is. */
    send(message) {
        if (message.type === 'subscribe' && message.batch_ms > 0) this.#batchAsked = true;
        this.socket.send(JSON.stringify(message), () => {});
    }

    /** Sends a request and resolves with { answer, roundTripMs }; it gets an id if it has none. */
    ask(request, options = {}) {
        const asked = { id: this.#hub.nextId(), ...request };
        this.send(asked);
        return this.requests.sent(asked, { excused: () => this.socket.isPaused, ...options });
    }

    garbage(kind) {
        const [data, binary] = garbageOf(kind);
        this.socket.send(data, { binary }, () => {});
    }

    /** Gone without a close frame: the agent sees 1006. */
    destroy() { this.socket.terminate(); }

    /** From now on the agent is connected as it said. */
    welcome({ features, ackedSeq, subscriptions }) {
        this.authenticated = true;
        this.features = features;
        this.#ackedBefore = ackedSeq ?? null;
        this.#batchAsked ||= Object.values(subscriptions ?? {}).some(({ batch_ms: ms }) => ms > 0);
    }

    #ended({ code, reason }) {
        for (const timer of this.#timers) clearTimeout(timer);
        this.acks.stop();
        this.requests.close();
        this.say('closed', { code, reason, bytes: this.bytes });
    }

    #take(data, isBinary) {
        this.heardAt = Date.now();
        if (this.superseded) return;
        if (data.length > kMaxMessageBytes) {
            this.violate('too_big', `a message of ${data.length} bytes`, data.toString('latin1', 0, 100));
        }
        if (isBinary) this.#takeBinary(data);
        else this.#takeText(data.toString());
        const { close_after: limit } = this.#hub.settings;
        if (this.auth && limit !== null && this.#count++ >= limit) this.destroy();
    }

    #takeText(text) {
        let message;
        try {
            message = JSON.parse(text);
        } catch (error) {
            return this.violate('bad_json', error.message, text.slice(0, 1000));
        }
        this.#takeMessage(message, false);
    }

    #takeMessage(message, inBatch) {
        const complaint = messageComplaint(message);
        if (complaint) this.violate('schema', complaint, message);
        if (typeof message?.type !== 'string') return;
        if (message.type === 'batch') return this.#takeBatch(message, inBatch);
        this.messages.push(message);
        if (this.messages.length > this.keepMessages) this.messages.shift();
        this.say('message', { message });
        if (message.type === 'heartbeat' && message.data === undefined) return this.#answerHeartbeat(message);
        if (!complaint || message.type === 'auth') this.#dispatch(message);
    }

    /** Only a flat one asks: an answer to an answer would go on for ever. */
    #answerHeartbeat({ id, t0 }) {
        const now = Date.now();
        this.send({ type: 'heartbeat', id, data: { t0, t1: now * 1000, t2: now * 1000, timestamp: now / 1000 } });
    }

    #takeBatch(message, inBatch) {
        if (inBatch) return this.violate('batch', 'a batch in a batch', message);
        if (!this.#batchAsked) this.violate('batch', 'batch_ms was not asked for', message);
        this.#takeEach(message);
    }

    #takeEach({ data }) {
        for (const message of Array.isArray(data?.messages) ? data.messages : []) this.#takeMessage(message, true);
    }

    #dispatch(message) {
        if (message.type === 'auth') {
            this.auth = message;
            this.#count = 0;
            this.#hub.authenticate(this);
            return;
        }
        if (!this.#mayTalk(message)) return;
        const { type, data, id } = message;
        if (type === 'face_detected') this.#takeEvent(message);
        else if (type === 'gap') this.#takeGap(data);
        else if (type === 'stream_status') this.media.streamStatus(data, message);
        else if (type === 'transfer') this.media.transfer(data);
        else if (type === 'drop' && data.channel >= kFirstOneShot) this.#lostOneShot(data);
        else if (type === 'drop') this.media.drop(data, message);
        else if (type === 'error') this.#hub.errors.push({ agent: this.agentId, ...data, id });
        if (id !== undefined) this.#takeAnswer(message);
    }

    #mayTalk(message) {
        if (!this.auth) this.violate('first_message', 'auth comes first', message);
        else if (!this.authenticated) this.violate('before_authenticated', 'auth was not answered yet', message);
        return this.auth !== undefined;
    }

    #lostOneShot({ channel }) {
        this.media.forget(channel);
        this.#takeSnapshot(channel, null);
    }

    #takeAnswer(message) {
        const request = this.requests.answered(message);
        if (request?.action !== 'stop') return;
        const results = message.data?.results ?? [{ type: message.type, data: message.data }];
        for (const { type, data } of results) {
            if (type === 'stream_status' && data.streaming === false) this.media.stopped(data.camera_id, request.format);
        }
    }

    #takeEvent(message) {
        const { data } = message;
        if (data.snapshot?.channel) this.#expectSnapshot(data);
        if (data.replay && data.seq === undefined) return; // the present state, no news
        const { journal = null, seq = null, prev_seq = null, event_id } = data;
        const record = { agent: this.agentId, journal, seq, prev_seq, event_id };
        const delayMs = round(Date.now() - data.timestamp * 1000);
        if (!this.#rightJournal(message)) return;
        const seen = this.#hub.store.seen(record);
        if (seen === 'reused') return this.violate('event_id_reused', 'another event has this event_id', message);
        if (seen === 'duplicate') return this.#takeDuplicate(record);
        if (journal !== null) this.#judge(eventTroubles(this.#hub.store.position(record.agent, journal), data), message);
        this.#hub.eventDelay.add(delayMs);
        this.#keep({ kind: 'event', ...record, message }, seq, () => {
            this.say('stored', { journal, seq, event_id, delay_ms: delayMs });
        });
    }

    #expectSnapshot({ snapshot, journal = null, seq = null, event_id, replay }) {
        this.media.transfer(snapshot);
        this.#snapshots.set(snapshot.channel, { agent: this.agentId, journal, seq, event_id });
        if (seq !== null && !replay) this.acks.awaits(seq);
    }

    /** An event is acknowledged when its picture is safe too. */
    #takeSnapshot(channel, jpeg) {
        const expected = this.#snapshots.get(channel);
        if (!expected) return;
        this.#snapshots.delete(channel);
        const record = { kind: 'snapshot', ...expected, bytes: jpeg?.length ?? null, jpeg: jpeg?.toString('base64') ?? null };
        this.#hub.store.keep(record).then(() => {
            if (this.open && expected.seq !== null) this.acks.completed(expected.seq);
        }, (error) => this.say('store_failed', { text: error.message }));
    }

    #takeDuplicate({ prev_seq, ...record }) {
        this.#hub.duplicates++;
        this.say('duplicate', record);
        this.#keep({ kind: 'duplicate', ...record }, record.seq);
    }

    #takeGap(data) {
        if (!this.#rightJournal({ type: 'gap', data })) return;
        const { journal, from_seq, to_seq, count, reason } = data;
        this.#judge(gapTroubles(this.#ackedBefore, data), { type: 'gap', data });
        const record = { agent: this.agentId, journal, from_seq, to_seq, count, reason };
        this.#keep({ kind: 'gap', ...record }, to_seq, () => this.say('gap', record));
    }

    /** Where ack is in force, what has a number is of the journal that auth named; without one: the disk is not writable. */
    #rightJournal(message) {
        const { journal, seq } = message.data;
        const named = this.features.includes('ack') ? this.auth.journal : undefined;
        if (named !== undefined && journal !== undefined && journal !== named) {
            this.violate('journal', `auth named ${this.auth.journal}`, message);
        } else if ((journal === undefined) !== (seq === undefined) && message.type !== 'gap') {
            this.violate('journal', 'journal and seq go together', message);
            return false;
        }
        if (named !== undefined && journal === undefined) this.#hub.unplaced++;
        return true;
    }

    #judge(troubles, message) {
        for (const [rule, text] of troubles) this.violate(rule, text, message);
    }

    /** Safe first, acknowledged then. */
    #keep(record, seq, then = () => {}) {
        this.#hub.store.keep(record).then(() => {
            then();
            if (this.open && seq !== null && this.features.includes('ack')) this.acks.safe(seq, record.kind === 'duplicate');
        }, (error) => this.say('store_failed', { text: error.message }));
    }

    #ack(seq) {
        const { journal } = this.auth;
        if (!this.open || journal === undefined) return;
        this.send({ type: 'ack', journal, seq });
        this.#hub.store.keep({ kind: 'acked', agent: this.agentId, journal, seq }).catch(() => {});
        this.say('acked', { journal, seq });
    }

    #takeBinary(data) {
        if (!this.#mayTalk({ binary: data.toString('hex', 0, 32) })) return;
        const taken = this.media.take(data);
        if (!taken) return;
        const { frame, payload, delayMs } = taken;
        if (frame.kind === kDeflatedJson) return this.#inflate(payload);
        if (frame.channel >= kFirstOneShot) this.#takeSnapshot(frame.channel, payload);
        this.#record(frame, payload);
        const { part_offset: _, ...header } = headerOf(frame);
        this.say('payload', { ...header, delay_ms: delayMs && round(delayMs) });
        this.#acknowledgeMedia(frame);
        this.#hub.onPayload?.(this, frame, payload);
    }

    /** The newest picture there is, as soon as it is there, five times a second. */
    #acknowledgeMedia({ kind, channel, sequence }) {
        const picture = kind === kAccessUnit || (kind === kJpeg && channel < kFirstOneShot);
        const now = performance.now();
        if (!picture || !this.features.includes('media_ack') || now < this.#mediaAckedAt + kMediaAckMs) return;
        this.#mediaAckedAt = now;
        this.send({ type: 'media_ack', channel, sequence, received_us: Date.now() * 1000, buffered_ms: 0 });
    }

    #record(frame, payload) {
        if (!this.#hub.recordFolder) return;
        this.#recording ??= new Recording(path.join(this.#hub.recordFolder, `connection-${this.number}`));
        this.#recording.keep(frame, payload);
    }

    #inflate(payload) {
        let batch;
        try {
            batch = JSON.parse(inflateSync(payload, { maxOutputLength: kMaxInflatedBytes }).toString());
        } catch (error) {
            return this.violate('deflate', error.message, payload.toString('hex', 0, 32));
        }
        if (!this.features.includes('deflate')) this.violate('deflate', 'the feature is not in force', batch);
        const complaint = batch?.type === 'batch' ? messageComplaint(batch) : 'it holds no batch';
        if (complaint) this.violate('deflate', complaint, batch);
        this.#takeEach(batch ?? {});
    }
}
