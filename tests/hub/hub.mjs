// A hub of the wire contract (docs/protocol.md), for tests and as a start for the author of a real one: accepts agents,
// keeps their durable events and acknowledges them, commands, and holds all that an agent says against the contract.
//
//   const hub = await Hub.listen({ token: 'secret', store: folder });
//   ... an agent dials hub.url ...
//   await hub.until(() => hub.live('box-7'), 'the agent');
//   const { answer } = await hub.ask({ type: 'status' });
//   assert.deepEqual(hub.violations, []);
//   await hub.stop();
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { STATUS_CODES, createServer as createPlain } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { WebSocketServer } from 'ws';
import { Connection } from './connection.mjs';
import { Series } from './measures.mjs';
import { changed, garbageOf, kBehaved } from './misbehaviour.mjs';
import { Store } from './store.mjs';

const kMaxTakenBytes = 16 << 20; // more than the contract allows, so that a breach is seen and not only refused
const kMaxViolations = 1000;
const kDefaults = {
    host: '127.0.0.1',
    port: 0,
    token: 'secret',
    features: ['ack'],
    subscriptions: undefined, // by topic, as in docs/protocol/request.schema.json; undefined: the agent's default
    store: undefined, // folder; undefined: in memory
    record: undefined, // folder; undefined: payloads are counted and thrown away
    tls: undefined, // { cert, key, ca }: files; with ca agents need a certificate of that authority
    misbehave: {},
    authWithinMs: 5000,
    pingAfterMs: 10_000,
    deadAfterMs: 25_000,
    probeMs: 2000, // how long an older instance may take to prove that it lives
};

const kRefusals = { 4401: ['unauthorized', 'unknown agent'], 4403: ['forbidden', 'not here'] };

export class Hub extends EventEmitter {
    #options;
    #server;
    #sockets;
    #tick;
    #lastId = 0;
    /** Every connection there was, in order. */
    connections = [];
    /** Breaches of the contract: { rule, text, connection, agent, message, at }. At most 1000; all are counted. */
    violations = [];
    violationCount = 0;
    /** The data of every `error` that an agent sent. */
    errors = [];
    duplicates = 0;
    /** Events without journal and seq where ack is in force: right only while the agent's disk cannot be written. */
    unplaced = 0;
    /** Milliseconds from an event's timestamp to its first delivery, by this machine's clock. */
    eventDelay = new Series();
    /** Milliseconds from a request to its answer. */
    roundTrip = new Series();
    /** What is done wrong now (misbehaviour.mjs). */
    settings = kBehaved;
    /** Called with (connection, frame, payload) for whole payloads, if set. */
    onPayload;

    /** @param {Partial<typeof kDefaults>} [options] */
    static async listen(options = {}) {
        const hub = new Hub().setMaxListeners(0); // each until() is one
        hub.#options = { ...kDefaults, ...options };
        hub.settings = changed(kBehaved, hub.#options.misbehave);
        hub.store = await Store.open(hub.#options.store);
        await hub.#listen();
        hub.#tick = setInterval(() => hub.#watch(), 1000);
        return hub;
    }

    async #listen() {
        const { host, port, tls } = this.#options;
        this.#server = tls
            ? createSecure({ cert: readFileSync(tls.cert), key: readFileSync(tls.key),
                ...(tls.ca && { ca: readFileSync(tls.ca), requestCert: true }) })
            : createPlain();
        this.#server.on('request', (request, response) => response.writeHead(426).end());
        this.#server.on('tlsClientError', (error) => this.say({ event: 'tls_error', text: error.message }));
        this.#sockets = new WebSocketServer({
            noServer: true,
            maxPayload: kMaxTakenBytes,
            handleProtocols: (offered) => offered.has('edgecam.v1') && 'edgecam.v1',
        });
        this.#server.on('upgrade', (...upgrade) => this.#upgrade(...upgrade));
        await new Promise((listening, failed) => {
            this.#server.once('error', failed);
            this.#server.listen(port, host, listening);
        });
    }

    get port() { return this.#server.address().port; }
    get url() {
        const { host, tls } = this.#options;
        return `${tls ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${this.port}/v1/stream`;
    }
    get recordFolder() { return this.#options.record; }

    nextId() { return ++this.#lastId; }

    /** Tells listeners of 'event' what happened. */
    say(event) { this.emit('event', event); }

    violate(violation) {
        this.violationCount++;
        const kept = { ...violation, at: Date.now() };
        if (this.violations.length < kMaxViolations) this.violations.push(kept);
        this.say({ event: 'violation', ...kept });
    }

    // ---- who may be connected

    #upgrade(request, socket, head) {
        const { handshake } = this.settings;
        if (handshake) {
            this.say({ event: 'handshake_answered', ...handshake });
            socket.on('error', () => {});
            socket.end(handshakeAnswer(handshake));
            return;
        }
        this.#sockets.handleUpgrade(request, socket, head, (accepted) => this.#accept(accepted, request));
    }

    #accept(socket, request) {
        const connection = new Connection(this, this.connections.length, socket, request);
        this.connections.push(connection);
        for (const sign of ['ping', 'pong']) socket.on(sign, () => { connection.heardAt = Date.now(); });
        connection.say('connected', { path: request.url, protocol: socket.protocol, extensions: socket.extensions,
            server_name: request.socket.servername });
        connection.after(this.#options.authWithinMs, () => {
            if (!connection.auth) this.#refuse(connection, 4408);
        });
        const range = this.settings.close_within_ms;
        if (range) connection.after(range[0] + Math.random() * (range[1] - range[0]), () => connection.destroy());
    }

    /** Takes a connection's auth; called by it. */
    async authenticate(connection) {
        const { accept, garbage, refuse } = this.settings;
        if (accept === 'never') return connection.say('auth_ignored');
        if (accept !== 'now') await new Promise((done) => { connection.after(accept, done); });
        if (garbage) return connection.garbage(garbage);
        if (refuse) return this.#refuse(connection, refuse);
        const { token, protocol } = connection.auth;
        if (token !== this.#options.token) return this.#refuse(connection, 4401);
        if (!protocol?.includes(1)) return this.#refuse(connection, 4403, ['unsupported', 'protocol 1 is spoken here']);
        if (await this.#isConflict(connection)) return this.#refuse(connection, 1013, ['conflict', 'another instance is here']);
        this.#supersede(connection);
        await this.store.flush();
        if (connection.open) this.#welcome(connection);
        return undefined;
    }

    #refuse(connection, code, why = kRefusals[code]) {
        if (why) connection.send({ type: 'error', data: { code: why[0], message: why[1] } });
        connection.socket.close(code);
        connection.say('refused', { code, why: why?.[0] });
    }

    #others({ auth, number }) {
        const isOther = (c) => c.number !== number && c.open && c.authenticated && c.agentId === auth.agent_id;
        return this.connections.filter(isOther);
    }

    /** Whether another instance of the agent is alive. One whose machine lost power is not, though TCP thinks so. */
    async #isConflict(connection) {
        const strangers = this.#others(connection).filter((c) => c.auth.instance !== connection.auth.instance);
        const alive = await Promise.all(strangers.map((stranger) => this.#isAlive(stranger)));
        strangers.filter((_, i) => !alive[i]).forEach((stranger) => stranger.destroy());
        return alive.includes(true);
    }

    #isAlive({ socket }) {
        return new Promise((answer) => {
            const timer = setTimeout(() => answer(false), this.#options.probeMs);
            const settle = (alive) => {
                clearTimeout(timer);
                answer(alive);
            };
            for (const sign of ['pong', 'message']) socket.once(sign, () => settle(true));
            socket.once('close', () => settle(false));
            socket.ping(() => {});
        });
    }

    /** The same agent, instance and purpose again: the newest is the one that lives. */
    #supersede(connection) {
        for (const older of this.#others(connection)) {
            if (older.auth.purpose !== connection.auth.purpose) continue;
            older.superseded = true;
            older.socket.close(4409);
            older.say('superseded', { by: connection.number });
        }
    }

    #welcome(connection) {
        const { subscriptions } = this.#options;
        const { plain, foreign_journal: foreign, pause } = this.settings;
        const features = plain ? [] : this.#options.features;
        const known = features.includes('ack') ? this.#known(connection, foreign) : {};
        const data = { features, ...known, ...(subscriptions && { subscriptions }) };
        connection.send({ type: 'system', event: 'authenticated', id: connection.auth.id, data });
        connection.welcome({ features, ackedSeq: foreign ? null : known.acked_seq, subscriptions });
        const { instance, purpose, cameras } = connection.auth;
        connection.say('authenticated', { instance, purpose, cameras, ...data });
        if (pause) connection.socket.pause();
    }

    /** How far the hub is in the agent's journal: all that is safe with its pictures, or where it does not acknowledge, what it has told. */
    #known({ auth }, foreign) {
        if (foreign) return { journal: '00000000-0000-4000-8000-000000000000', acked_seq: 1_000_000 };
        if (auth.journal === undefined) return {};
        const { covered, acked, awaited } = this.store.position(auth.agent_id, auth.journal);
        const honest = this.settings.ack === 'now' || this.settings.ack.every !== undefined;
        const whole = Math.min(covered ?? 0, ...[...awaited].map((seq) => seq - 1));
        return { journal: auth.journal, acked_seq: honest ? whole : acked ?? 0 };
    }

    /** Pings who is silent, and gives up who is dead. */
    #watch() {
        for (const connection of this.connections.filter((c) => c.open && !c.socket.isPaused)) {
            const silentMs = Date.now() - connection.heardAt;
            if (silentMs > this.#options.deadAfterMs) connection.destroy();
            else if (silentMs > this.#options.pingAfterMs) connection.socket.ping(() => {});
        }
    }

    // ---- what a test does with it

    /** The newest authenticated open connection, of the agent if given; undefined when there is none. */
    live(agentId) {
        const isMeant = (c) => c.open && c.authenticated && (agentId === undefined || c.agentId === agentId);
        return this.connections.findLast(isMeant);
    }

    /** Resolves with the first truthy value of `find()`, asked after everything that happens; rejects after `ms`. */
    until(find, what, ms = 20_000) {
        return new Promise((found, late) => {
            const settle = (act, value) => {
                clearTimeout(timer);
                this.off('event', look);
                act(value);
            };
            const look = () => {
                const value = find();
                if (value) settle(found, value);
            };
            const timer = setTimeout(() => settle(late, new Error(`not within ${ms} ms: ${what}`)), ms);
            this.on('event', look);
            look();
        });
    }

    /** Sends a request to a live agent and resolves with its one answer: { answer, roundTripMs }. */
    async ask(request, { agent, ...options } = {}) {
        const answered = await this.#liveOr(agent).ask(request, options);
        this.roundTrip.add(answered.roundTripMs);
        return answered;
    }

    /** Sends a message as it is, without waiting for anything. */
    send(message, { agent } = {}) { this.#liveOr(agent).send(message); }

    #liveOr(agent) {
        const connection = this.live(agent);
        if (!connection) throw new Error(`no agent ${agent ?? ''} is connected`);
        return connection;
    }

    get #open() { return this.connections.filter((c) => c.open); }

    /**
     * Misbehaves from now on, or behaves again: `hub.misbehave({ ack: 'never' })`, `hub.misbehave({ ack: 'now' })`. The
     * settings that concern acks and reading act on connections that are there, the rest on the next.
     * @param {Partial<typeof kBehaved>} changes
     */
    misbehave(changes) {
        this.settings = changed(this.settings, changes);
        for (const connection of this.#open) {
            if (changes.ack === 'now' && connection.authenticated) connection.acks.tell();
            if (changes.pause !== undefined) connection.socket[changes.pause ? 'pause' : 'resume']();
        }
        this.say({ event: 'misbehaving', settings: this.settings });
    }

    /** Sends garbage (misbehaviour.mjs) to all. */
    garbage(kind) {
        garbageOf(kind);
        for (const connection of this.#open) connection.garbage(kind);
    }

    /** Destroys all sockets: the agents see 1006. */
    cut() { for (const connection of this.#open) connection.destroy(); }

    /** Closes all with a close frame. */
    close(code, reason) { for (const connection of this.#open) connection.socket.close(code, reason); }

    /** Says when to come again, and closes. */
    goingAway(retryAfterS) {
        for (const connection of this.#open) {
            connection.send({ type: 'system', event: 'going_away', data: { retry_after_s: retryAfterS } });
            connection.socket.close(1001);
        }
    }

    /** Loses all that was kept, and the connections. The store's file stays aside. */
    async forget() {
        this.cut();
        await this.store.forget();
        this.say({ event: 'forgot' });
    }

    /** Counts and measures, as plain data. */
    summary() {
        const channels = this.connections.flatMap(({ number, media }) => (
            [...media.channels].map(([channel, counts]) => ({ connection: number, channel, ...counts.toJSON() }))));
        const sum = (of) => this.connections.reduce((total, { media }) => total + media[of], 0);
        return JSON.parse(JSON.stringify({
            connections: this.connections.length, violations: this.violationCount, errors: this.errors.length,
            events: this.store.eventCount, duplicates: this.duplicates,
            unplaced: this.unplaced, event_delay_ms: this.eventDelay,
            round_trip_ms: this.roundTrip, drops: sum('drops'), incomplete: sum('incomplete'), channels,
            bytes: this.connections.reduce((total, { bytes }) => total + bytes, 0),
        }));
    }

    /** Ends it; all that was kept is safe then. */
    async stop() {
        clearInterval(this.#tick);
        for (const { socket } of this.connections) socket.terminate();
        const gone = new Promise((done) => { this.#server.close(done); });
        this.#server.closeAllConnections();
        await gone;
        await this.store.close();
    }
}

function handshakeAnswer({ status, location, retry_after_s: retryAfterS }) {
    const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Answer'}`, 'Connection: close', 'Content-Length: 0'];
    if (location) lines.push(`Location: ${location}`);
    if (retryAfterS !== undefined) lines.push(`Retry-After: ${retryAfterS}`);
    return `${lines.join('\r\n')}\r\n\r\n`;
}
