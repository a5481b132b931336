// A box without a clock of its own: it boots in 1970, is told the time by the network, and sometimes told wrong. Events
// and video go on over every jump, on the same connection, and nothing is taken for old.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AgentProcess, tempFolder, withoutAgent } from '../support/agent.mjs';
import { caughtUp, newEvents, storedIds } from '../support/event_log.mjs';
import { Hub } from '../hub/hub.mjs';

const shiftedClock = process.env.SHIFTED_CLOCK ?? '';
const skip = withoutAgent || (existsSync(shiftedClock) ? false : 'no library to shift the clock: not beside sanitizers');
const kHour = 3600;

describe('a wall clock that jumps', { skip }, () => {
    const store = tempFolder();
    const shiftFile = path.join(store.path, 'shift');
    const shift = (seconds) => writeFileSync(shiftFile, `${Math.round(seconds)}`);
    let agent, hub;

    before(async () => {
        shift(-Date.now() / 1000 + 100); // 1970-01-01 00:01:40
        hub = await Hub.listen({ token: 'hub-secret', store: store.path });
        agent = await AgentProcess.start({
            agent_id: 'box-7',
            log_level: 'debug',
            journal: { max_days: 1 },
            cameras: [{ id: 'cam_123', source: 'test://faces?width=640&height=360&fps=10' }],
            uplinks: [{ name: 'hub', url: hub.url, token: 'hub-secret', max_retry_s: 1, start: ['cam_123'] }],
        }, { LD_PRELOAD: shiftedClock, EDGECAM_CLOCK_SHIFT: shiftFile });
        await hub.until(() => hub.live('box-7'), 'the agent');
    });
    after(async () => {
        await agent?.remove();
        await hub?.stop();
        store.remove();
    });

    const pictures = () => [...hub.live('box-7')?.media.channels.values() ?? []].reduce((sum, { frames }) => sum + frames, 0);
    const lastEvent = () => hub.live('box-7').messages.findLast(({ type }) => type === 'face_detected')?.data;

    /** Events and video come now, all that is stored arrives, and the agent thinks that it is about `expected`. */
    async function goesOn(what, expected) {
        const before = pictures();
        await newEvents(hub, agent, 4);
        await caughtUp(hub, agent.log, [store.path], what);
        await hub.until(() => pictures() > before + 10, `video ${what}`);
        const offBy = Math.abs(lastEvent().timestamp - expected());
        assert.ok(offBy < 60, `${what} the agent's time is off by ${offBy} s`);
    }
    const now = () => Date.now() / 1000;

    test('in 1970 events are stored, sent and acknowledged', () => goesOn('in 1970', () => 100));

    test('the jump to today', async () => {
        shift(0);
        await goesOn('after the jump to today', now);
    });

    test('an hour back, and ten days ahead, which is more than the journal keeps', async () => {
        hub.misbehave({ ack: 'never' });
        shift(-kHour);
        await goesOn('an hour back', () => now() - kHour);
        shift(240 * kHour);
        await goesOn('ten days ahead', () => now() + 240 * kHour);
        shift(0);
        await goesOn('today again', now);
        hub.misbehave({ ack: 'now' });
    });

    test('one connection all the time, in order, and no event given up for its age', () => {
        assert.equal(hub.connections.length, 1);
        assert.deepEqual(hub.violations, []);
        assert.equal(hub.unplaced, 0);
        assert.ok(storedIds(agent.log).length >= 20);
        assert.ok(!hub.connections[0].messages.some(({ type }) => type === 'gap'));
    });
});
