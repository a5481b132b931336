// Nothing lost: events reach a hub that acknowledges, each once in effect and in order, whatever happens to the agent, the
// hub and the connection. What must arrive is taken from the agent's log, which names every event when it is on disk.
// The short form; `scripts/soak durable` sets the numbers of the long one:
//   EDGECAM_KILLS, EDGECAM_OUTAGE_S, EDGECAM_DROPS
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { AgentProcess, freePort, tempFolder } from '../support/agent.mjs';
import { Hub } from '../hub/hub.mjs';
import { compareEvents, readStore } from '../hub/store.mjs';
import * as eventLog from '../support/event_log.mjs';

const number = (name, short) => Number(process.env[name] ?? short);
const kKills = number('EDGECAM_KILLS', 5);
const kOutageS = number('EDGECAM_OUTAGE_S', 20);
const kDrops = number('EDGECAM_DROPS', 20);
const kCatchUpMs = 60_000 + kOutageS * 200;

const store = tempFolder();
let agent;
let hub;
let port;
let log = '';
let violations = 0;

const listen = () => Hub.listen({ port, token: 'hub-secret', store: store.path });
const chance = (from, to) => from + Math.random() * (to - from);
const storedIds = () => eventLog.storedIds(log + agent.log);
const isLive = () => hub.live('box-7')?.authenticated;

/** Everything that was stored until now has arrived. */
const caughtUp = (what) => eventLog.caughtUp(hub, log + agent.log, [store.path], what, kCatchUpMs);
const newEvents = (count) => eventLog.newEvents(hub, agent, count);

function judge() {
    violations += hub.violationCount;
    assert.deepEqual(hub.violations, []);
    assert.equal(hub.unplaced, 0, 'every event has its place: the disk is well');
}

async function restart(how) {
    log += agent.log;
    await how();
    await agent.run();
}

before(async () => {
    port = await freePort();
    hub = await listen();
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

test('events are acknowledged, and leave nothing to be sent again', async () => {
    await hub.until(isLive, 'the agent');
    await newEvents(6);
    await caughtUp('at first');
    const [journal] = readStore(store.path);
    assert.ok(journal.journal, 'events name their journal');
    assert.equal(journal.agent, 'box-7');
    assert.equal(hub.duplicates, 0);
    judge();
});

test(`${kDrops} connections that break at random`, async () => {
    for (let i = 0; i < kDrops; i++) {
        await hub.until(isLive, 'the agent again', 30_000);
        await passed(chance(0, 300));
        hub.cut();
    }
    await hub.until(isLive, 'the agent again', 30_000);
    await caughtUp('after drops');
    judge();
});

test(`${kKills} kills of the agent at random moments`, async () => {
    for (let i = 0; i < kKills; i++) {
        await hub.until(isLive, 'the agent again', 30_000);
        await passed(chance(0, 2000));
        await restart(() => agent.kill());
    }
    await hub.until(isLive, 'the agent again', 30_000);
    await caughtUp('after kills');
    judge();
});

test('a hub that acknowledges late, and one that never does', async () => {
    hub.misbehave({ ack: { late_ms: 700 } });
    await newEvents(6);
    hub.cut();
    await hub.until(isLive, 'the agent again', 30_000);
    hub.misbehave({ ack: 'never' });
    await newEvents(6);
    hub.cut();
    await hub.until(isLive, 'the agent again', 30_000);
    hub.misbehave({ ack: 'now' });
    await caughtUp('after late acks');
    assert.ok(hub.duplicates > 0, 'what was not acknowledged came again');
    judge();
});

test(`an outage of ${kOutageS} s`, async () => {
    judge();
    await hub.stop();
    await passed(kOutageS * 1000);
    hub = await listen();
    await hub.until(isLive, 'the agent again', 120_000);
    await caughtUp('after the outage');
    judge();
});

test('a hub that forgets everything gets what it had not acknowledged, and goes on', async () => {
    hub.misbehave({ ack: 'never' });
    await newEvents(3);
    await hub.forget();
    hub.misbehave({ ack: 'now' });
    hub.cut();
    await hub.until(isLive, 'the agent again', 30_000);
    await newEvents(3);
    await caughtUp('after forgetting');
    judge();
});

test('a hub that answers garbage is survived', async () => {
    for (const kind of ['bad_json', 'wrong_types', 'unknown_type', 'bad_ack']) hub.garbage(kind);
    await newEvents(3);
    await caughtUp('after garbage');
    judge();
});

test('what the hub has is what was stored: nothing missing, nothing else', (t) => {
    const wanted = storedIds();
    const { missing, unexpected, duplicates } = compareEvents(wanted, eventLog.deliveredIds(store.path));
    t.diagnostic(`${wanted.length} events stored, ${missing.length} missing, ${duplicates.length} came again, ` +
        `${unexpected.length} stored in a moment of death before the log could say so`);
    assert.deepEqual(missing, []);
    assert.ok(unexpected.length <= 4 * kKills, `${unexpected.length} events nobody stored`);
    assert.equal(violations, 0);
});
