// The uplink end to end: the agent dials a hub written from the contract alone, says who it is, pushes video and events,
// obeys, and comes back when the hub was away.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { AgentProcess, freePort, within } from '../support/agent.mjs';
import { parseFrame } from '../support/peer.mjs';

/** A hub that keeps what its one agent says. */
class Hub {
    #waiters = new Set();
    connections = [];

    static async listen(port) {
        const hub = new Hub();
        hub.server = new WebSocketServer({ host: '127.0.0.1', port, path: '/v1/stream' });
        hub.server.on('connection', (socket, request) => hub.#accept(socket, request));
        await new Promise((done) => hub.server.once('listening', done));
        return hub;
    }

    #accept(socket, request) {
        const connection = { socket, protocol: request.headers['sec-websocket-protocol'], messages: [], frames: [] };
        this.connections.push(connection);
        socket.on('message', (data, isBinary) => {
            if (isBinary) connection.frames.push(parseFrame(data));
            else this.#takeText(connection, JSON.parse(data.toString()));
            for (const waiter of [...this.#waiters]) waiter();
        });
        socket.on('close', () => { connection.closed = true; });
    }

    #takeText(connection, message) {
        connection.messages.push(message);
        if (message.type !== 'auth') return;
        const answer = { type: 'system', event: 'authenticated', data: { features: [], session: 's1' } };
        connection.socket.send(JSON.stringify(message.token === 'hub-secret' ? answer : { type: 'error', data: { code: 'unauthorized', message: 'unknown agent' } }));
    }

    until(find, what, ms = 30_000) {
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

    async close() {
        for (const { socket } of this.connections) socket.terminate();
        await new Promise((done) => this.server.close(done));
    }
}

let agent;
let hub;
let port;
before(async () => {
    port = await freePort();
    hub = await Hub.listen(port);
    agent = await AgentProcess.start({
        agent_id: 'box-7',
        cameras: [{ id: 'cam_123', source: 'test://faces?width=640&height=360&fps=30' }],
        uplinks: [{ url: `ws://127.0.0.1:${port}/v1/stream`, token: 'hub-secret', start: ['cam_123'] }],
    });
});
after(async () => {
    await agent.remove();
    await hub.close();
});

test('the agent says who it is before anything else', async () => {
    const auth = await hub.until(() => hub.connections[0]?.messages[0], 'auth');
    assert.equal(auth.type, 'auth');
    assert.equal(auth.token, 'hub-secret');
    assert.equal(auth.agent_id, 'box-7');
    assert.ok(auth.instance && auth.version);
    assert.deepEqual(auth.protocol, [1]);
});

test('video of the configured cameras and face events flow unasked', async () => {
    await hub.until(() => hub.connections[0].frames.some((f) => f.kind === 2 && f.flags & 1), 'a key frame');
    assert.equal(hub.connections[0].frames[0].kind, 1, 'an init segment comes first');
    const face = await hub.until(() => hub.connections[0].messages.find((m) => m.type === 'face_detected'), 'a face');
    assert.equal(face.data.camera_id, 'cam_123');
});

test('the hub commands with the role the config gives it', async () => {
    const [connection] = hub.connections;
    const send = (message) => connection.socket.send(JSON.stringify(message));
    send({ type: 'stream_control', action: 'stop', camera_id: 'cam_123', id: 'h1' });
    await hub.until(() => connection.messages.find((m) => m.id === 'h1'), 'the answer to stop');
    send({ type: 'sessions', id: 'h2' });
    const refused = await hub.until(() => connection.messages.find((m) => m.id === 'h2'), 'the answer to sessions');
    assert.equal(refused.data.code, 'forbidden');
});

test('a hub that was away gets the agent, its video and a new session again', async () => {
    await hub.close();
    hub = await Hub.listen(port);
    await hub.until(() => hub.connections[0]?.messages.some((m) => m.type === 'auth'), 'auth again');
    await hub.until(() => hub.connections[0].frames.some((f) => f.kind === 2 && f.flags & 1), 'video again');
});
