// The hub itself, against a small agent that does right and wrong as each test says.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { tempFolder, within } from '../support/agent.mjs';
import { FakeAgent, faceDetected, kJournal } from './fake_agent.mjs';
import {
    buildFrame, headerOf, kAccessUnit, kDeflatedJson, kInitSegment, kJpeg, kKeyFrame, parseFrame,
} from './frames.mjs';
import { Hub } from './hub.mjs';
import { kGarbage, parseMisbehaviour } from './misbehaviour.mjs';
import { messageComplaint, requestComplaint } from './schema_check.mjs';
import { compareEvents, readStore } from './store.mjs';

const protocol = fileURLToPath(new URL('../../docs/protocol/', import.meta.url));
const program = fileURLToPath(new URL('main.mjs', import.meta.url));
const jsonOf = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** A hub for one test. */
async function listen(t, options) {
    const hub = await Hub.listen(options);
    t.after(() => hub.stop());
    return hub;
}

/** A hub, and an agent that it has welcomed. */
async function connected(t, options, auth) {
    const hub = await listen(t, options);
    const agent = await FakeAgent.connect(hub.url, auth);
    t.after(() => agent.close());
    return { hub, agent };
}

function folder(t) {
    const made = tempFolder();
    t.after(() => made.remove());
    return made.path;
}

const rules = (hub) => hub.violations.map(({ rule }) => rule);
const clean = (hub) => assert.deepEqual(hub.violations, []);
/** All that the agent said before is dealt with: it is asked, and answers behind it. */
async function settled(hub, agent) {
    const answer = hub.ask({ type: 'heartbeat' });
    const { id } = await agent.message((m) => m.type === 'heartbeat' && !m.answered);
    agent.messages.find((m) => m.id === id).answered = true;
    agent.say({ type: 'heartbeat', id, data: { t1: 1, t2: 2, timestamp: 3 } });
    await answer;
}

test('examples of the contract keep to the schema, here too', () => {
    for (const [direction, complaint] of [['agent_to_peer', messageComplaint], ['peer_to_agent', requestComplaint]]) {
        const examples = path.join(protocol, 'examples', direction);
        for (const name of readdirSync(examples)) assert.equal(complaint(jsonOf(path.join(examples, name))), undefined, name);
    }
});

test('examples of binary messages are read as they say', () => {
    const binary = path.join(protocol, 'binary');
    for (const name of readdirSync(binary).filter((file) => file.endsWith('.json'))) {
        const hex = readFileSync(path.join(binary, name.replace('.json', '.hex')), 'utf8').replace(/#.*|\s/g, '');
        const frame = parseFrame(Buffer.from(hex, 'hex'));
        const { about, discontinuity, last_part, part, ...header } = jsonOf(path.join(binary, name));
        assert.deepEqual({ ...headerOf(frame), part: frame.part.toString('hex') }, { ...header, part }, name);
        assert.equal(frame.offset + frame.part.length === frame.total, last_part, name);
    }
});

test('an agent is welcomed with the journal and where the hub is in it', async (t) => {
    const { hub, agent } = await connected(t, { subscriptions: { '*/face_detected': {} } });
    assert.deepEqual(agent.welcome, {
        features: ['ack'], journal: kJournal, acked_seq: 0, subscriptions: { '*/face_detected': {} },
    });
    assert.equal(agent.socket.protocol, 'edgecam.v1');
    assert.equal(requestComplaint(agent.messages[0]), undefined);
    clean(hub);
});

test('pictures are acknowledged as they come, five times a second, to who heard of the feature', async (t) => {
    const { hub, agent } = await connected(t, { features: ['media_ack'] });
    agent.announce(1);
    agent.init();
    agent.key(1);
    const { channel, sequence, received_us: at } = await agent.message((m) => m.type === 'media_ack');
    assert.deepEqual([channel, sequence], [1, 1]);
    assert.ok(Math.abs(at / 1000 - Date.now()) < 5000);
    assert.equal(requestComplaint(agent.messages.find((m) => m.type === 'media_ack')), undefined);
    for (let next = 2; agent.messages.filter((m) => m.type === 'media_ack').length < 2; next++) {
        agent.delta(next);
        await new Promise((later) => { setTimeout(later, 10); });
    }
    assert.ok(agent.messages.filter((m) => m.type === 'media_ack')[1].sequence > 5, 'not each of them');
    clean(hub);

    const { hub: other, agent: plain } = await connected(t, {});
    plain.announce(1);
    plain.init();
    plain.key(1);
    await other.until(() => other.connections[0].media.channels.get(1)?.frames === 1, 'the picture');
    plain.event(1, 0); // what is acknowledged comes after what would have been
    await plain.acked(1);
    assert.equal(plain.messages.some((m) => m.type === 'media_ack'), false);
});

for (const [what, auth, code, error] of [
    ['a wrong token', { token: 'guess' }, 4401, 'unauthorized'],
    ['another protocol', { protocol: [2] }, 4403, 'unsupported'],
]) {
    test(`${what} is refused`, async (t) => {
        const hub = await listen(t);
        const agent = await FakeAgent.dial(hub.url, auth);
        assert.equal((await agent.message((m) => m.type === 'error')).data.code, error);
        assert.equal(await agent.closed, code);
    });
}

test('who does not authenticate in time is closed with 4408', async (t) => {
    const hub = await listen(t, { authWithinMs: 20 });
    assert.equal(await (await FakeAgent.dial(hub.url, null)).closed, 4408);
});

test('events are kept, acknowledged and measured', async (t) => {
    const store = folder(t);
    const { hub, agent } = await connected(t, { store });
    agent.event(1, null);
    agent.event(4, 1); // a filter, or the journal's own leaps
    const ack = await agent.acked(4);
    assert.equal(requestComplaint(ack), undefined);
    const [read] = readStore(store);
    assert.deepEqual(read.events.map(({ event_id: id }) => id), ['event-1', 'event-4']);
    const { count, max } = hub.eventDelay.summary();
    assert.equal(count, 2);
    assert.ok(max >= 0 && max < 5000, `${max} ms`);
    clean(hub);
});

test('an event without a place is kept and breaks nothing: the agent\'s disk is not writable', async (t) => {
    const { hub, agent } = await connected(t);
    agent.event(1, null);
    agent.event(undefined, undefined, { journal: undefined, event_id: 'unstored' });
    agent.event(2, 1);
    await agent.acked(2);
    assert.equal(hub.store.eventCount, 3);
    assert.equal(hub.unplaced, 1);
    clean(hub);
});

test('duplicates are dropped, counted and acknowledged again', async (t) => {
    const store = folder(t);
    const { hub, agent } = await connected(t, { store });
    agent.event(1, null);
    agent.event(2, 1);
    await agent.acked(2);
    agent.messages.length = 0;
    agent.event(2, 1);
    await agent.acked(2);
    assert.equal(hub.duplicates, 1);
    assert.equal(hub.store.eventCount, 2);
    const [{ events }] = readStore(store);
    assert.deepEqual(compareEvents(['event-1', 'event-3'], events.map((event) => event.event_id)),
        { missing: ['event-3'], unexpected: ['event-2'], duplicates: ['event-2'] });
    clean(hub);
});

test('acks wait for a number or a time', async (t) => {
    const { agent } = await connected(t, { misbehave: { ack: { every: 3, within_ms: 60_000 } } });
    for (const seq of [1, 2, 3]) agent.event(seq, seq - 1);
    await agent.acked(3);
    assert.equal(agent.messages.filter((m) => m.type === 'ack').length, 1);
    const timed = await connected(t, { misbehave: { ack: { every: 100, within_ms: 20 } } });
    timed.agent.event(1, null);
    await timed.agent.acked(1);
});

test('the store survives a restart, and a last line that was torn', async (t) => {
    const store = folder(t);
    const hub = await Hub.listen({ store });
    const agent = await FakeAgent.connect(hub.url);
    agent.event(1, null);
    agent.gap(2, 5);
    agent.event(6, 5);
    await agent.acked(6);
    await hub.stop();
    appendFileSync(path.join(store, 'events.jsonl'), '{"kind":"event","agent":"bo');
    const { hub: second, agent: again } = await connected(t, { store });
    assert.equal(again.welcome.acked_seq, 6);
    again.event(6, 5);
    again.event(7, 6);
    await again.acked(7);
    assert.equal(second.duplicates, 1);
    await second.store.flush();
    const [{ events, gaps, acked }] = readStore(store);
    assert.deepEqual(events.map(({ seq }) => seq), [1, 6, 6, 7]);
    assert.deepEqual(gaps.map(({ from_seq: from, to_seq: to }) => [from, to]), [[2, 5]]);
    assert.equal(acked, 7);
    clean(second);
});

for (const [what, wrong, rule] of [
    ['a seq that goes back', (a) => { a.event(5, null); a.event(3, 1); }, 'seq_order'],
    ['a hole in prev_seq', (a) => { a.event(1, null); a.event(3, 2); }, 'prev_seq'],
    ['a prev_seq that was never the last', (a) => { a.event(1, null); a.event(2, 1); a.event(3, 1); }, 'prev_seq'],
    ['no prev_seq', (a) => { a.event(1, null); a.event(2, undefined); }, 'prev_seq'],
    ['an event out of a gap', (a) => { a.event(1, null); a.gap(2, 5); a.event(4, 1); }, 'seq_in_gap'],
    ['a gap that ends before it begins', (a) => a.gap(5, 2, 1), 'gap_range'],
    ['a gap of more than it spans', (a) => a.gap(2, 5, 9), 'gap_range'],
    ['an event_id of two events', (a) => { a.event(1, null); a.event(2, 1, { event_id: 'event-1' }); }, 'event_id_reused'],
    ['another journal than auth named', (a) => a.event(1, null, { journal: 'other' }), 'journal'],
    ['a number without its journal', (a) => a.event(1, null, { journal: undefined }), 'journal'],
    ['a breach of the schema', (a) => a.event(1, null, { phase: 'here' }), 'schema'],
    ['no JSON', (a) => a.say('{"type":'), 'bad_json'],
    ['a batch that nobody asked for', (a) => a.say({ type: 'batch', data: { messages: [{ type: 'ok', data: {} }] } }), 'batch'],
    ['an answer that nobody asked for', (a) => a.say({ type: 'ok', id: 99, data: {} }), 'answer_unasked'],
    ['media on a channel that was not announced', (a) => a.key(1), 'channel_unannounced'],
    ['no init segment', (a) => { a.announce(1); a.key(1); }, 'init_first'],
    ['no key frame at first', (a) => { a.announce(1); a.init(); a.delta(1); }, 'key_after_init'],
    ['a delta after a drop', (a) => { a.announce(1); a.init(); a.key(1); a.drop(2, 4); a.delta(5); }, 'key_after_drop'],
    ['a delta before a late notice of a drop', (a) => { a.announce(1); a.init(); a.key(1); a.delta(5); a.drop(2, 4); }, 'key_after_drop'],
    ['what was dropped', (a) => { a.announce(1); a.init(); a.key(1); a.drop(2, 4); a.key(3); }, 'dropped_comes'],
    ['pictures out of order', (a) => { a.announce(1); a.init(); a.key(4); a.delta(3); }, 'sequence_order'],
    ['a channel of another size', (a) => { a.announce(1); a.announce(1, { width: 1280 }); }, 'channel_changed'],
    ['a header that is none', (a) => a.socket.send(Buffer.alloc(40)), 'frame_header'],
    ['a header with a value where 0 must be', (a) => {
        a.announce(1);
        const frame = buildFrame({ kind: kInitSegment, channel: 1, part: Buffer.alloc(5) });
        frame.writeUInt16BE(1, 6);
        a.socket.send(frame);
    }, 'frame_header'],
    ['a part too many bytes away', (a) => {
        a.announce(1);
        a.frame({ kind: kInitSegment, total: 9000, part: Buffer.alloc(3000) });
        a.frame({ kind: kInitSegment, total: 9000, offset: 6000, part: Buffer.alloc(3000) });
    }, 'frame_part'],
    ['a frame that begins anew', (a) => {
        a.announce(1);
        for (const _ of [1, 2]) a.frame({ kind: kInitSegment, total: 9000, captureUs: 1, part: Buffer.alloc(3000) });
    }, 'frame_part'],
    ['deflated messages without the feature', (a) => a.frame({
        kind: kDeflatedJson, channel: 0, part: deflateSync('{"type":"batch","data":{"messages":[{"type":"ok","data":{}}]}}'),
    }), 'deflate'],
]) {
    test(`a violation is found: ${what}`, async (t) => {
        const { hub, agent } = await connected(t);
        wrong(agent);
        await settled(hub, agent);
        assert.deepEqual(rules(hub), [rule]);
        assert.ok(hub.violations[0].message !== undefined && hub.violations[0].text);
    });
}

test('who talks before auth is answered is told of', async (t) => {
    const hub = await listen(t, { misbehave: { accept: 'never' } });
    const agent = await FakeAgent.dial(hub.url);
    agent.event(1, null);
    await hub.until(() => hub.violations.length > 0, 'the violation');
    assert.deepEqual(rules(hub), ['before_authenticated']);
    const silent = await FakeAgent.dial(hub.url, null);
    silent.event(1, null);
    await hub.until(() => hub.violations.length > 1, 'the violation');
    assert.equal(rules(hub)[1], 'first_message');
});

test('a gap explains a hole, whether prev_seq counts it or not', async (t) => {
    for (const previous of [1, 5]) {
        const { hub, agent } = await connected(t);
        agent.event(1, null);
        agent.gap(2, 5, 2);
        agent.event(6, previous);
        await agent.acked(6);
        clean(hub);
    }
});

test('a gap may not take back what was acknowledged when the connection began', async (t) => {
    const { hub, agent } = await connected(t);
    agent.event(1, null);
    agent.event(2, 1);
    await agent.acked(2);
    await agent.close();
    const again = await FakeAgent.connect(hub.url);
    again.gap(2, 3);
    await hub.until(() => hub.violations.length > 0, 'the violation');
    assert.deepEqual(rules(hub), ['gap_range']);
});

test('video is reassembled, counted and recorded', async (t) => {
    const record = folder(t);
    const { hub, agent } = await connected(t, { record });
    const unit = Buffer.from('x'.repeat(5000));
    agent.announce(1);
    agent.announce(2);
    agent.init();
    agent.frame({ kind: kInitSegment, channel: 2, part: Buffer.from('init') });
    const part = { kind: kAccessUnit, flags: kKeyFrame, channel: 2, sequence: 7, captureUs: 1e15, total: 5000 };
    agent.frame({ ...part, part: unit.subarray(0, 3000) });
    agent.key(7);
    agent.frame({ ...part, offset: 3000, part: unit.subarray(3000) });
    await settled(hub, agent);
    const [one, two] = hub.summary().channels;
    assert.deepEqual([one.frames, one.key_frames, one.init_segments, one.bytes], [1, 1, 1, 116]);
    assert.deepEqual([two.frames, two.bytes, two.camera_id], [1, 5004, 'cam_123']);
    assert.equal(readFileSync(path.join(record, 'connection-0', 'channel-2-1.mp4'), 'utf8'), `init${unit}`);
    clean(hub);
});

test('another sequence replaces an incomplete frame, and a fresh init may repeat pictures', async (t) => {
    const { hub, agent } = await connected(t);
    agent.announce(1);
    agent.init();
    agent.frame({ kind: kAccessUnit, flags: kKeyFrame, sequence: 7, total: 9000, part: Buffer.alloc(3000) });
    agent.key(8);
    agent.init();
    agent.key(8);
    agent.drop(9, 12, 3);
    agent.key(13);
    await settled(hub, agent);
    assert.equal(hub.summary().incomplete, 1);
    clean(hub);
});

test('a frame that was begun before the notice of a drop is finished', async (t) => {
    const { hub, agent } = await connected(t);
    const half = { kind: kAccessUnit, sequence: 2, captureUs: 1, total: 6000, part: Buffer.alloc(3000) };
    agent.announce(1);
    agent.init();
    agent.key(1);
    agent.frame(half);
    agent.drop(3, 5);
    agent.frame({ ...half, offset: 3000 });
    agent.key(6);
    await settled(hub, agent);
    clean(hub);
});

test('a one-shot comes as it was announced, once', async (t) => {
    const { hub, agent } = await connected(t);
    const picture = { kind: kJpeg, flags: kKeyFrame, channel: 0x8000, part: Buffer.alloc(10) };
    agent.say({ type: 'transfer', data: { id: 1, kind: 'jpeg', camera_id: 'cam_123', channel: 0x8000, bytes: 10 } });
    agent.frame(picture);
    await settled(hub, agent);
    clean(hub);
    agent.say({ type: 'transfer', data: { id: 2, kind: 'jpeg', camera_id: 'cam_123', channel: 0x8001, bytes: 11 } });
    agent.frame({ ...picture, channel: 0x8001 });
    agent.frame(picture);
    await settled(hub, agent);
    assert.deepEqual(rules(hub), ['transfer', 'channel_unannounced']);
});

test('an event is acknowledged when its picture is there too, or will not come', async (t) => {
    const { hub, agent } = await connected(t, { subscriptions: { '*/face_detected': { snapshots: 'transfer' } } });
    const acks = () => agent.messages.filter((m) => m.type === 'ack').map(({ seq }) => seq);
    const snapshot = { channel: 0x8000, sequence: 5, bytes: 10, width: 60, height: 60 };
    agent.event(1, 0);
    agent.event(2, 1, { snapshot });
    agent.event(3, 2, { snapshot: { ...snapshot, channel: 0x8001 } });
    agent.event(4, 3);
    await agent.message((m) => m.type === 'ack' && m.seq === 1);
    await settled(hub, agent);
    assert.deepEqual(acks(), [1]);
    agent.frame({ kind: kJpeg, flags: kKeyFrame, channel: 0x8000, sequence: 5, part: Buffer.from('ten bytes.') });
    await agent.message((m) => m.type === 'ack' && m.seq === 2);
    agent.say({ type: 'drop', data: {
        camera_id: 'cam_123', channel: 0x8001, from_sequence: 5, to_sequence: 5, frames: 1, bytes: 0, reason: 'it is not kept any more',
    } });
    await agent.message((m) => m.type === 'ack' && m.seq === 4);
    assert.equal(acks().includes(3), false);
    clean(hub);
});

test('after the answer to stop nothing more may come', async (t) => {
    const { hub, agent } = await connected(t);
    agent.announce(1);
    agent.init();
    const stopped = hub.ask({ type: 'stream_control', action: 'stop', camera_id: 'cam_123' });
    const { id } = await agent.message((m) => m.action === 'stop');
    const data = { camera_id: 'cam_123', state: 'live', streaming: false, channel: null, timestamp: 1 };
    agent.say({ type: 'stream_status', id, data });
    await stopped;
    agent.key(1);
    await settled(hub, agent);
    assert.deepEqual(rules(hub), ['after_stop']);
});

test('the messages of a batch, plain or deflated, count as if they came alone', async (t) => {
    const subscriptions = { '*/face_detected': { batch_ms: 50 } };
    const { hub, agent } = await connected(t, { features: ['ack', 'deflate'], subscriptions });
    const batch = (...seqs) => ({
        type: 'batch', data: { messages: seqs.map((seq) => faceDetected({ seq, prev_seq: seq - 1 })) },
    });
    agent.say(batch(1, 2));
    agent.frame({ kind: kDeflatedJson, channel: 0, part: deflateSync(JSON.stringify(batch(3, 4))) });
    await agent.acked(4);
    assert.equal(hub.store.eventCount, 4);
    clean(hub);
});

test('a request has one answer, in time, of the right type', async (t) => {
    const { hub, agent } = await connected(t);
    const answered = hub.ask({ type: 'stream_control', action: 'keyframe', camera_id: 'cam_123' });
    const { id } = await agent.message((m) => m.action === 'keyframe');
    agent.say({ type: 'ok', id, data: {} });
    const { answer, roundTripMs } = await answered;
    assert.equal(answer.type, 'ok');
    assert.ok(roundTripMs > 0);
    agent.say({ type: 'ok', id, data: {} });
    await settled(hub, agent);
    const wrong = hub.ask({ type: 'status' });
    agent.say({ type: 'ok', id: (await agent.message((m) => m.type === 'status')).id, data: {} });
    await wrong;
    await assert.rejects(hub.ask({ type: 'metrics' }, { withinMs: 10 }), /no answer/);
    assert.deepEqual(rules(hub), ['answer_twice', 'answer_type', 'answer_missing']);
});

test('a heartbeat that asks is answered', async (t) => {
    const { agent } = await connected(t);
    agent.say({ type: 'heartbeat', id: 'mine', t0: 5 });
    assert.equal((await agent.message((m) => m.id === 'mine')).data.t0, 5);
});

test('a newer connection of the same agent, instance and purpose replaces the older', async (t) => {
    const { hub, agent } = await connected(t);
    const media = await FakeAgent.connect(hub.url, { purpose: 'media' });
    const newer = await FakeAgent.connect(hub.url);
    assert.equal(await agent.closed, 4409);
    newer.event(1, null);
    await newer.acked(1);
    assert.equal(media.isClosed, false);
});

test('a second live instance is a conflict; one that is dead gives way', async (t) => {
    const { hub, agent } = await connected(t, { probeMs: 100 });
    const second = await FakeAgent.dial(hub.url, { instance: 'other' });
    assert.equal((await second.message((m) => m.type === 'error')).data.code, 'conflict');
    assert.equal(await second.closed, 1013);
    agent.socket.pause(); // as good as a machine without power: nothing answers a ping
    await FakeAgent.connect(hub.url, { instance: 'other' });
    assert.equal(hub.live().auth.instance, 'other');
});

test('a silent agent is pinged, a dead one given up', async (t) => {
    const { hub, agent } = await connected(t, { pingAfterMs: 1, deadAfterMs: 60_000 });
    await within(5000, new Promise((pinged) => { agent.socket.once('ping', pinged); }), 'a ping');
    const dead = await connected(t, { pingAfterMs: 60_000, deadAfterMs: 1 });
    assert.equal(await dead.agent.closed, 1006);
    clean(hub);
});

test('misbehaviour: never and late acks', async (t) => {
    const { hub, agent } = await connected(t, { misbehave: { ack: 'never' } });
    agent.event(1, null);
    await settled(hub, agent);
    assert.ok(!agent.messages.some((m) => m.type === 'ack'));
    await agent.close();
    const again = await FakeAgent.connect(hub.url);
    assert.equal(again.welcome.acked_seq, 0, 'nor is it acknowledged by the welcome');
    hub.misbehave({ ack: { late_ms: 30 } });
    const sentAt = performance.now();
    again.event(1, null);
    await again.acked(1);
    assert.ok(performance.now() - sentAt >= 29);
    hub.misbehave({ ack: 'never' });
    again.event(2, 1);
    await settled(hub, again);
    hub.misbehave({ ack: 'now' });
    await again.acked(2);
    clean(hub);
});

test('misbehaviour: connections that break', async (t) => {
    const hub = await listen(t, { misbehave: { close_after: 2 } });
    const agent = await FakeAgent.connect(hub.url);
    for (const seq of [1, 2, 3]) agent.event(seq, seq - 1);
    assert.equal(await agent.closed, 1006);
    hub.misbehave({ close_after: null, close_within_ms: [5, 30] });
    assert.equal(await (await FakeAgent.connect(hub.url)).closed, 1006);
    hub.misbehave({ close_within_ms: null });
    const third = await FakeAgent.connect(hub.url);
    hub.cut();
    assert.equal(await third.closed, 1006);
});

test('misbehaviour: nothing is read', async (t) => {
    const { hub, agent } = await connected(t, { misbehave: { pause: true } });
    const room = Buffer.alloc(1 << 20);
    const filled = () => agent.socket.bufferedAmount > 0;
    await within(5000, (async () => {
        while (!filled()) await new Promise((sent) => { agent.socket.send(room, () => {}); setImmediate(sent); });
    })(), 'a full socket');
    assert.equal(hub.connections[0].messages.length, 1);
    hub.misbehave({ pause: false });
    await hub.until(() => hub.violations.length > 0, 'what was waiting');
});

test('misbehaviour: handshakes are redirected or refused', async (t) => {
    const hub = await listen(t, { misbehave: { handshake: { status: 302, location: 'ws://127.0.0.1:9/' } } });
    assert.match((await FakeAgent.dial(hub.url)).error.message, /302/);
    for (const status of [401, 503]) {
        hub.misbehave({ handshake: { status, retry_after_s: 5 } });
        assert.match((await FakeAgent.dial(hub.url)).error.message, new RegExp(status));
    }
    hub.misbehave({ handshake: null });
    await FakeAgent.connect(hub.url);
});

test('misbehaviour: auth is refused, ignored, answered late or by garbage', async (t) => {
    const hub = await listen(t);
    for (const code of [4401, 4403, 4408]) {
        hub.misbehave({ refuse: code });
        assert.equal(await (await FakeAgent.dial(hub.url)).closed, code);
    }
    hub.misbehave({ refuse: null, accept: 'never' });
    const ignored = await FakeAgent.dial(hub.url);
    await hub.until(() => hub.connections.at(-1).auth, 'auth');
    hub.misbehave({ accept: 20 });
    const sentAt = performance.now();
    await FakeAgent.connect(hub.url, { purpose: 'events' });
    assert.ok(performance.now() - sentAt >= 19);
    assert.deepEqual(ignored.messages, []);
    hub.misbehave({ accept: 'now', garbage: 'bad_json' });
    const confused = await FakeAgent.dial(hub.url);
    assert.ok(await confused.message((m) => m.unreadable));
});

test('misbehaviour: garbage of every kind arrives', async (t) => {
    const { hub, agent } = await connected(t);
    for (const kind of Object.keys(kGarbage)) {
        agent.messages.length = 0;
        hub.garbage(kind);
        await agent.message(() => true);
    }
    assert.throws(() => hub.garbage('none such'), /there are/);
    assert.throws(() => hub.misbehave({ oops: 1 }), /there are/);
});

test('misbehaviour: all is forgotten', async (t) => {
    const store = folder(t);
    const { hub, agent } = await connected(t, { store });
    agent.event(1, null);
    await agent.acked(1);
    await hub.forget();
    assert.equal(await agent.closed, 1006);
    const again = await FakeAgent.connect(hub.url);
    assert.equal(again.welcome.acked_seq, 0);
    again.event(5, 4); // what was acknowledged is gone; the chain goes on
    await again.acked(5);
    assert.deepEqual(readStore(store)[0].events.map(({ seq }) => seq), [5]);
    assert.deepEqual(readStore(store, 'events.1.jsonl')[0].events.map(({ seq }) => seq), [1]);
    clean(hub);
});

test('misbehaviour: a plain hub knows nothing of ack', async (t) => {
    const { hub, agent } = await connected(t, { misbehave: { plain: true } });
    assert.deepEqual(agent.welcome, { features: [] });
    agent.event(undefined, undefined, { journal: undefined, event_id: 'one' });
    agent.event(undefined, undefined, { journal: undefined, event_id: 'one' });
    await settled(hub, agent);
    assert.deepEqual([hub.store.eventCount, hub.duplicates], [1, 1]);
    assert.ok(!agent.messages.some((m) => m.type === 'ack'));
    clean(hub);
});

test('misbehaviour: a foreign journal, and going away', async (t) => {
    const { hub, agent } = await connected(t, { misbehave: { foreign_journal: true } });
    assert.notEqual(agent.welcome.journal, kJournal);
    hub.goingAway(7);
    assert.equal((await agent.message((m) => m.event === 'going_away')).data.retry_after_s, 7);
    assert.equal(await agent.closed, 1001);
});

test('TLS with a given certificate', async (t) => {
    const certificate = path.join(folder(t), 'cert.pem');
    const key = certificate.replace('cert', 'key');
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
        '-days', '1', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key,
        '-out', certificate], { stdio: 'ignore' });
    const hub = await listen(t, { tls: { cert: certificate, key } });
    assert.match(hub.url, /^wss:/);
    await FakeAgent.connect(hub.url, {}, { ca: readFileSync(certificate) });
    assert.match((await FakeAgent.dial(hub.url)).error.message, /self-signed|certificate/);
});

test('settings are read from the command line', () => {
    assert.deepEqual(parseMisbehaviour('pause'), { pause: true });
    assert.deepEqual(parseMisbehaviour('ack=never'), { ack: 'never' });
    assert.deepEqual(parseMisbehaviour('close_within_ms=[1,2]'), { close_within_ms: [1, 2] });
});

test('the program says what happens, obeys, and tells violations by its exit status', async (t) => {
    const child = spawn(process.execPath, [program, '--token', 't', '--store', folder(t), '--misbehave', 'ack=never']);
    t.after(() => child.kill());
    const exited = new Promise((done) => { child.once('exit', done); });
    const lines = [];
    const line = (match) => within(5000, new Promise((found) => {
        const look = () => {
            const one = lines.find(match);
            if (one) found(one);
            else output.once('line', () => setImmediate(look));
        };
        look();
    }), `a line like ${match}`);
    const output = createInterface({ input: child.stdout });
    output.on('line', (text) => lines.push(JSON.parse(text)));
    const tell = (command) => child.stdin.write(`${JSON.stringify(command)}\n`);

    const { url } = await line((l) => l.event === 'listening');
    const agent = await FakeAgent.connect(url, { token: 't' });
    agent.event(1, null);
    await line((l) => l.event === 'stored' && l.seq === 1);
    tell({ do: 'misbehave', ack: 'now' });
    await agent.acked(1);
    tell({ do: 'ask', request: { type: 'stream_control', action: 'enable', camera_id: 'cam_123' }, tag: 'mine' });
    agent.say({ type: 'ok', id: (await agent.message((m) => m.action === 'enable')).id, data: {} });
    assert.equal((await line((l) => l.event === 'answer')).tag, 'mine');
    tell({ do: 'dance' });
    assert.match((await line((l) => l.event === 'failed')).text, /commands are/);
    agent.event(9, 8);
    await line((l) => l.event === 'violation' && l.rule === 'prev_seq');
    tell({ do: 'stop' });
    assert.equal((await line((l) => l.event === 'summary')).violations, 1);
    assert.equal(await within(5000, exited, 'the end'), 1);
});
