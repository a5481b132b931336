// Pictures of faces reach who asked for them: a hub each with its event, whatever happens to the agent and the connection, and
// a viewer within the event.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { AgentProcess, freePort, tempFolder } from '../support/agent.mjs';
import { Hub } from '../hub/hub.mjs';
import * as eventLog from '../support/event_log.mjs';
import { Peer } from '../support/peer.mjs';

const store = tempFolder();
let agent;
let hub;
let port;
let log = '';

const records = () => readFileSync(path.join(store.path, 'events.jsonl'), 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line));
const events = () => records().filter(({ kind }) => kind === 'event');
/** event_id → its JPEG. */
const pictures = () => new Map(records().filter(({ kind, jpeg }) => kind === 'snapshot' && jpeg)
    .map(({ event_id: id, jpeg }) => [id, Buffer.from(jpeg, 'base64')]));
const announced = () => events().filter(({ message }) => message.data.snapshot);
const without = () => announced().filter(({ event_id: id }) => !pictures().has(id)).map(({ seq }) => seq);

/** Width and height as a JPEG's frame header says (ITU-T T.81, B.2.2): the first SOF0 segment. */
function sizeOf(jpeg) {
    assert.equal(jpeg.readUInt16BE(0), 0xffd8, 'starts as a JPEG');
    assert.equal(jpeg.readUInt16BE(jpeg.length - 2), 0xffd9, 'and ends as one');
    for (let at = 2; at < jpeg.length; at += 2 + jpeg.readUInt16BE(at + 2)) {
        if (jpeg.readUInt16BE(at) === 0xffc0) return { width: jpeg.readUInt16BE(at + 7), height: jpeg.readUInt16BE(at + 5) };
    }
    return {};
}

before(async () => {
    port = await freePort();
    hub = await Hub.listen({
        port, token: 'hub-secret', store: store.path, subscriptions: { '*/face_detected': { snapshots: 'transfer' } },
    });
    agent = await AgentProcess.start({
        agent_id: 'box-7',
        log_level: 'debug',
        cameras: [{ id: 'cam_123', source: 'test://faces?width=640&height=360&fps=10' }],
        uplinks: [{ name: 'hub', url: `ws://127.0.0.1:${port}/v1/stream`, token: 'hub-secret', max_retry_s: 1 }],
    });
});
after(async () => {
    await agent.remove();
    await hub.stop();
    store.remove();
});

async function allThere(what) {
    await eventLog.caughtUp(hub, log + agent.log, [store.path], what);
    // Until the last ones have come too: they follow in the last lane.
    for (let look = 0; without().length > 0 && look < 300; look++) await passed(100);
    assert.deepEqual(without(), [], `${what}: events without the picture that they announced`);
}

test('a hub has the picture of each event that announced one, as large as was said', async () => {
    await hub.until(() => hub.live('box-7')?.authenticated, 'the agent');
    await hub.until(() => announced().length >= 6, 'six that announce a picture', 60_000);
    await allThere('at first');
    const there = pictures();
    for (const { event_id: id, message: { data: { phase, snapshot } } } of events()) {
        if (phase !== 'update') assert.ok(snapshot, `${phase} has a picture`);
        if (!snapshot) continue;
        const jpeg = there.get(id);
        assert.equal(jpeg.length, snapshot.bytes);
        assert.ok(jpeg.length <= 8192);
        assert.deepEqual(sizeOf(jpeg), { width: snapshot.width, height: snapshot.height });
    }
    const { seq } = events().at(-1);
    await hub.until(() => records().some((record) => record.kind === 'acked' && record.seq >= seq), 'the last is acknowledged');
    assert.deepEqual(hub.violations, []);
});

test('none is missing after connections that broke and an agent that was killed', async () => {
    for (let round = 0; round < 4; round++) {
        for (let cut = 0; cut < 3; cut++) {
            await eventLog.newEvents(hub, agent, 1);
            hub.cut();
            await hub.until(() => hub.live('box-7')?.authenticated, 'the agent again', 30_000);
        }
        log += agent.log;
        await agent.kill();
        await agent.run();
        await hub.until(() => hub.live('box-7')?.authenticated, 'the agent again', 30_000);
    }
    await eventLog.newEvents(hub, agent, 2);
    await allThere('at last');
    assert.deepEqual(hub.violations, []);
    console.log(`# ${events().length} events, ${announced().length} announced a picture, ${pictures().size} came, none missing`);
});

test('a viewer gets small ones within the events', async () => {
    const peer = await Peer.connect(agent.streamUrl, agent.token);
    await peer.ask({ type: 'subscribe', topics: ['*/face_detected'], snapshots: 'inline' });
    const event = await peer.message((m) => m.type === 'face_detected' && typeof m.data.snapshot === 'string', 90_000);
    const jpeg = Buffer.from(event.data.snapshot, 'base64');
    assert.ok(jpeg.length <= 4096);
    assert.ok(sizeOf(jpeg).width >= 16);
    await peer.close();
});
