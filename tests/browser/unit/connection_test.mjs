import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { Connection } from '../../../web/connection.js';
import { FakeTimers } from './fake_timers.mjs';

/** The socket's side of the seam: what the page sent, and a way to answer. */
class FakeSocket {
    static all = [];
    sent = [];
    constructor(url) {
        this.url = url;
        FakeSocket.all.push(this);
    }
    send(text) { this.sent.push(JSON.parse(text)); }
    close() { this.closed = true; }
    tell(message) { this.onmessage({ data: JSON.stringify(message) }); }
    end(code) { this.onclose({ code, reason: '' }); }
}

let nowMs, timers, connection;
const socket = () => FakeSocket.all.at(-1);
const advance = (ms) => {
    nowMs += ms;
    timers.tick(ms);
};

/** A connection that is open. */
function open() {
    connection.open('secret');
    socket().onopen();
    socket().tell({ type: 'system', event: 'authenticated', id: socket().sent[0].id, data: { role: 'operator' } });
}

beforeEach(() => {
    nowMs = 1000;
    FakeSocket.all = [];
    globalThis.WebSocket = FakeSocket;
    timers = new FakeTimers();
    mock.method(performance, 'now', () => nowMs);
    mock.method(Math, 'random', () => 0.5);
    connection = new Connection('ws://box/v1/stream');
});
afterEach(() => {
    connection.close();
    timers.restore();
    mock.restoreAll();
    delete globalThis.WebSocket;
});

test('the token is the first thing said, and nothing else before it was accepted', async () => {
    connection.open('secret');
    assert.equal(connection.send({ type: 'status' }), false);
    await assert.rejects(connection.request({ type: 'status' }), { code: 'unavailable' });
    socket().onopen();
    assert.equal(socket().sent.length, 1);
    assert.deepEqual([socket().sent[0].type, socket().sent[0].token], ['auth', 'secret']);
    assert.equal(connection.state, 'authenticating');
});

test('it says each time which page it is, so that the agent knows its half-dead self', () => {
    open();
    const [{ instance }] = socket().sent;
    assert.match(instance, /^[0-9a-f]{8,13}$/);
    socket().end(1006);
    advance(60_000);
    socket().onopen();
    assert.equal(socket().sent[0].instance, instance);
    assert.equal(FakeSocket.all.length, 2);
});

test('authenticated: it is open, knows its role and asks for the time', () => {
    open();
    assert.deepEqual([connection.state, connection.role, connection.reason], ['open', 'operator', '']);
    const heartbeats = () => socket().sent.filter(({ type }) => type === 'heartbeat').length;
    assert.equal(heartbeats(), 1);
    advance(2000);
    assert.equal(heartbeats(), 3, 'the first answer tells the time badly');
});

test('a request gets the answer with its id; an error is thrown with its code and field', async () => {
    open();
    const status = connection.request({ type: 'status' });
    const quality = connection.request({ type: 'stream_control', action: 'quality' });
    const [first, second] = socket().sent.slice(-2);
    socket().tell({ type: 'error', id: second.id, data: { code: 'bad_request', message: 'too wide', field: 'quality.width' } });
    socket().tell({ type: 'system', event: 'status', id: first.id, data: { status: 'online' } });
    assert.equal((await status).data.status, 'online');
    await assert.rejects(quality, { code: 'bad_request', field: 'quality.width', message: 'too wide' });
});

test('a request without an answer fails instead of waiting for ever', async () => {
    open();
    const asked = connection.request({ type: 'status' });
    const failed = assert.rejects(asked, { code: 'unavailable' });
    for (let second = 0; second < 13; second += 1) {
        advance(1000);
        socket().tell({ type: 'heartbeat', data: {} });  // the agent lives, it only does not answer
    }
    await failed;
});

test('a lost connection fails what was asked and comes back after the jittered wait', async () => {
    open();
    const asked = connection.request({ type: 'status' });
    socket().end(1006);
    await assert.rejects(asked, { code: 'unavailable' });
    assert.deepEqual([connection.state, connection.reason], ['waiting', 'the connection was lost']);
    advance(499);
    assert.equal(FakeSocket.all.length, 1);
    advance(1);  // half of one second: the first failure
    assert.equal(FakeSocket.all.length, 2);
    socket().end(1006);
    advance(999);
    assert.equal(FakeSocket.all.length, 2);
    advance(1);
    assert.equal(FakeSocket.all.length, 3);
});

test('a healthy connection makes the waits short again', () => {
    connection.open('secret');
    for (let tries = 0; tries < 5; tries += 1) {
        socket().end(1006);
        advance(10_000);
    }
    socket().onopen();
    socket().tell({ type: 'system', event: 'authenticated', data: { role: 'viewer' } });
    for (let second = 0; second < 11; second += 1) {
        advance(1000);
        socket().tell({ type: 'heartbeat', data: {} });
    }
    const before = FakeSocket.all.length;
    socket().end(1006);
    advance(500);
    assert.equal(FakeSocket.all.length, before + 1);
});

test('an agent that goes away is left alone for as long as it asked', () => {
    open();
    socket().tell({ type: 'system', event: 'going_away', data: { retry_after_s: 8 } });
    socket().end(1001);
    advance(11_900);
    assert.equal(FakeSocket.all.length, 1);
    advance(200);
    assert.equal(FakeSocket.all.length, 2);
});

test('silence means that the peer is gone, though the socket says nothing', () => {
    open();
    advance(3000);
    advance(3000);
    assert.equal(connection.state, 'open');
    advance(3000);
    advance(3000);
    assert.deepEqual([connection.state, connection.reason], ['waiting', 'the agent does not answer']);
    assert.equal(FakeSocket.all[0].closed, true);
});

test('a refused token is not tried again', () => {
    for (const refuse of [() => socket().end(4401), () => socket().end(4403),
        () => socket().tell({ type: 'error', id: socket().sent[0].id, data: { code: 'unauthorized', message: 'no' } })]) {
        connection.open('wrong');
        socket().onopen();
        refuse();
        assert.deepEqual([connection.state, connection.reason], ['refused', 'the agent refused this token']);
        const sockets = FakeSocket.all.length;
        advance(60_000);
        assert.equal(FakeSocket.all.length, sockets);
    }
});

test('what goes wrong while signing in and is no clear no, is tried again with the same token', () => {
    const inAnswer = (code) => ({ type: 'error', id: socket().sent[0].id, data: { code, message: 'not now' } });
    for (const [go, reason] of [
        [() => {
            socket().tell({ type: 'error', data: { code: 'unauthorized', message: 'no auth in time' } });
            assert.equal(connection.state, 'authenticating');
            socket().end(4408);
        }, 'the agent waited too long for the token'],
        [() => socket().tell(inAnswer('busy')), 'not now'],
        [() => socket().tell(inAnswer('internal')), 'not now']]) {
        connection.open('secret');
        socket().onopen();
        go();
        assert.deepEqual([connection.state, connection.reason], ['waiting', reason]);
        advance(500);
        socket().onopen();
        assert.equal(socket().sent[0].token, 'secret');
    }
});

test('a page that slept for minutes does not blame the agent', () => {
    open();
    nowMs += 300_000;  // its timers stood still; the answer to the last heartbeat is read only after they ran
    timers.tick(3000);
    assert.equal(connection.state, 'open');
    socket().tell({ type: 'heartbeat', data: {} });
    advance(3000);
    advance(3000);
    assert.equal(connection.state, 'open');
});

test('a connection that does not come about is given up', () => {
    connection.open('secret');
    for (let second = 0; second < 16; second += 1) advance(1000);
    assert.equal(FakeSocket.all[0].closed, true);
    assert.equal(connection.reason, 'the agent does not answer');
});

test('a batch is its messages, one by one; text that is no JSON is passed over', () => {
    open();
    const seen = [];
    connection.addEventListener('message', ({ detail }) => seen.push(detail.type));
    socket().onmessage({ data: 'not json' });
    socket().tell({ type: 'batch', data: { messages: [{ type: 'detections', data: {} }, { type: 'drop', data: {} }] } });
    assert.deepEqual(seen, ['detections', 'drop']);
});

test('binary goes its own way', () => {
    open();
    const seen = [];
    connection.addEventListener('binary', ({ detail }) => seen.push(detail.byteLength));
    socket().onmessage({ data: new ArrayBuffer(40) });
    assert.deepEqual(seen, [40]);
});
