// An agent that hangs: the whole process stopped, and one of its threads held still. systemd's watchdog starts it again, and no
// event that was on disk is lost on the way to a hub. EDGECAM_LONG: each of the threads that matter, instead of one.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { ChildProcess } from '../support/agent.mjs';
import { kLong, kPatience, logMark, logs, logSince, mainPid, pictures, restartedAfter, restarts, secondsSince, viewer } from './box.mjs';
import { assertNothingMissing, isLive, listen, moreEvents } from './hub_side.mjs';

const kThreads = kLong ? ['vision', 'journal', 'uplink-0', 'edgecam'] : ['vision'];
let hub;
before(async () => { hub = await listen(); });
after(() => hub.stop());

/** The first thread of the service's main process of that name. */
async function threadOf(name) {
    const pid = await mainPid();
    const nameOf = (thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim();
    const thread = readdirSync(`/proc/${pid}/task`).find((id) => nameOf(id) === name);
    assert.ok(thread, `a thread ${name}`);
    return thread;
}

/** Does `harm`, waits until the watchdog has started the service again, and holds what the hub has against the log. */
async function survives(harm) {
    await hub.until(() => isLive(hub), 'the agent', kPatience);
    await moreEvents(3);
    const [pid, count] = [await mainPid(), await restarts()];
    const mark = await logMark();
    const since = Date.now();
    await harm();
    await restartedAfter(count);
    console.log(`# started again and ready ${secondsSince(since)} after that`);
    assert.notEqual(await mainPid(), pid);
    assert.match(await logSince(mark), /Watchdog timeout/);
    const peer = await viewer('counter');
    await pictures(peer, 1);
    console.log(`# pictures for a viewer ${secondsSince(since)} after that`);
    await peer.close();
    await hub.until(() => isLive(hub), 'the agent again', kPatience);
    await moreEvents(3);
    const { events, journals, duplicates } = await assertNothingMissing(hub);
    console.log(`# ${events} events stored, none missing; ${duplicates} came twice`);
    assert.equal(journals, 1);
}

test('events reach the hub', async () => {
    await hub.until(() => isLive(hub), 'the agent', kPatience);
    await moreEvents(4);
    await assertNothingMissing(hub);
});

test('the whole process is stopped: the watchdog starts it again, no event is lost', () => survives(async () => {
    process.kill(await mainPid(), 'SIGSTOP');
}));

for (const name of kThreads) {
    test(`the thread ${name} is held: the watchdog starts the service again, no event is lost`, async () => {
        let holder;
        await survives(async () => {
            const mark = await logMark();
            holder = await ChildProcess.start('/host/hold_thread', [await threadOf(name)], /held/);
            if (name === 'edgecam') return; // nobody is left to say so
            const [line] = await logs(/these threads stand still: .*/, mark);
            console.log(`# ${line}`);
        });
        const { code } = await holder.exited;
        assert.equal(code, 0);
    });
}
