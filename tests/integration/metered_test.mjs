// A metered link with a tiny plan: first all video, then a key frame now and then, then events alone; a box that was
// restarted or lost its power knows how far it was, and with the next month all comes back by itself.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AgentProcess, tempFolder, withoutAgent } from '../support/agent.mjs';
import { caughtUp, newEvents } from '../support/event_log.mjs';
import { parseMetrics, valueOf } from '../support/prometheus_text.mjs';
import { Hub } from '../hub/hub.mjs';

const shiftedClock = process.env.SHIFTED_CLOCK ?? '';
const skip = withoutAgent || (existsSync(shiftedClock) ? false : 'no library to shift the clock: not beside sanitizers');
const kAccessUnit = 2;

describe('a metered uplink', { skip }, () => {
    const store = tempFolder();
    const shiftFile = path.join(store.path, 'shift');
    /** The box's clock shows `time`, and says it is right. */
    const set = (time) => writeFileSync(shiftFile, `${Math.round((Date.parse(time) - Date.now()) / 1000)}`);
    const pictures = []; // { sequence, key, at } of whole access units, in order
    let agent, hub, streamId;

    before(async () => {
        set('2030-05-10T12:00:00Z');
        hub = await Hub.listen({ token: 'hub-secret', store: store.path });
        hub.onPayload = (connection, frame) => {
            if (frame.kind !== kAccessUnit) return;
            pictures.push({ sequence: frame.sequence, key: frame.keyFrame, at: performance.now() });
        };
        agent = await AgentProcess.start({
            agent_id: 'box-7',
            log_level: 'debug',
            // A tenth of the plan is some five key frames of about 25 KB, and the events meanwhile.
            cameras: [{ id: 'cam_123', source: 'test://faces?width=640&height=360&fps=15', encoder: { bitrate_kbps: 1000 } }],
            uplinks: [
                { name: 'metered', url: hub.url, token: 'hub-secret', max_retry_s: 1, start: ['cam_123'], monthly_mb: 2 },
                { name: 'free', url: hub.url.replace('/v1/', '/none/'), token: 'wrong', max_retry_s: 60 },
            ],
        }, { LD_PRELOAD: shiftedClock, EDGECAM_CLOCK_SHIFT: shiftFile, EDGECAM_CLOCK_SYNCED: '1' });
        await hub.until(() => hub.live('box-7'), 'the agent');
    });
    after(async () => {
        await agent?.remove();
        await hub?.stop();
        store.remove();
    });

    const status = async () => (await hub.ask({ type: 'status' }, { agent: 'box-7' })).answer.data;
    const uplink = async (name = 'metered') => (await status()).uplinks.find((one) => one.name === name);
    const streams = () => hub.live('box-7')?.messages.filter(({ type }) => type === 'stream_status') ?? [];
    const told = (words, ms) => hub.until(() => streams().find(({ data }) => data.reason?.includes(words)), words, ms);
    const toldState = (state, ms) => hub.until(() => hub.live('box-7')?.messages.find(({ data, event }) =>
        event === 'status' && data.uplinks.some(({ plan }) => plan?.state === state)), `status: ${state}`, ms);
    const kept = () => JSON.parse(readFileSync(path.join(agent.config.data_dir, 'plans.json'), 'utf8')).uplinks[0];
    const opened = () => hub.until(() => hub.live('box-7')?.authenticated, 'the agent again');

    test('within its plan it has all video', async () => {
        await hub.until(() => pictures.filter(({ key }) => !key).length > 20, 'video');
        const { plan } = await uplink();
        assert.equal(plan.monthly_mb, 2);
        assert.ok(plan.used_mb > 0.02 && plan.used_mb < 2, `${plan.used_mb} MB are used`);
        assert.equal(new Date(plan.until * 1000).toISOString(), '2030-06-01T00:00:00.000Z');
        assert.equal((await uplink('free')).plan, undefined);
    });

    test('past it a key frame comes now and then, and nothing else', async () => {
        await told('key frames only until 2030-06-01', 60_000);
        await toldState('key_frames');
        assert.equal((await status()).status, 'degraded');
        // What the socket and the lane had before is still to come.
        const from = performance.now() + 2000;
        await told('events only', 120_000);
        const slow = pictures.filter(({ at }) => at > from);
        assert.ok(slow.length >= 2, `there are ${slow.length} pictures`);
        assert.ok(slow.every(({ key }) => key), 'key frames only');
        for (const [one, next] of slow.slice(1).map((next, index) => [slow[index], next])) {
            assert.ok(next.at - one.at > 7000, `a key frame ${Math.round(next.at - one.at)} ms after another`);
        }
    });

    test('far past it there is no video and no picture, and events arrive as before', async () => {
        await toldState('events_only');
        await hub.until(() => agent.log.includes('no video is sent any more, only events'), 'the log');
        const before = pictures.length;
        await newEvents(hub, agent, 5);
        await caughtUp(hub, agent.log, [store.path], 'with events only');
        assert.equal(pictures.length, before);
        const ask = async (request) => (await hub.ask({ type: 'stream_control', camera_id: 'cam_123', ...request })).answer;
        const started = await ask({ action: 'start' });
        assert.equal(started.type, 'stream_status');
        assert.equal(started.data.channel, null);
        assert.match(started.data.reason, /data plan .* events only until 2030-06-01/);
        assert.equal((await ask({ action: 'snapshot' })).data.code, 'unavailable');
    });

    test('metrics say what is used', async () => {
        const page = await (await fetch(`${agent.pageUrl}metrics`)).text();
        const families = parseMetrics(page);
        const metered = (name, more) => valueOf(families, name, { uplink: 'metered', ...more });
        const used = metered('edgecam_uplink_month_bytes');
        assert.ok(used > 2_200_000 && used < 3_500_000, `${used} bytes are used`);
        assert.equal(metered('edgecam_uplink_plan_state', { state: 'events_only' }), 1);
        // By our own count of payload: heads of messages and the handshake come on top.
        const sent = metered('edgecam_uplink_sent_bytes_total') + metered('edgecam_uplink_received_bytes_total');
        assert.ok(used > sent && used < 1.05 * sent + 10_000, `${used} of ${sent} bytes`);
    });

    for (const [what, end] of [['a restart', () => agent.stop()], ['a power cut', () => agent.kill()]]) {
        test(`after ${what} the plan is still used up`, async () => {
            const { used_mb: before } = (await uplink()).plan;
            await end();
            assert.equal(kept().month, '2030-05');
            const from = pictures.length;
            await agent.run();
            await opened();
            await told('events only');
            await toldState('events_only');
            const { plan } = await uplink();
            // Of the time before a power cut a minute may be lost, of a clean end nothing.
            assert.ok(plan.used_mb > (what === 'a restart' ? before : 2.2), `${plan.used_mb} MB after ${before}`);
            await newEvents(hub, agent, 2);
            assert.equal(pictures.length, from);
        });
    }

    test('when the month turns, video begins by itself with a key frame', async () => {
        await agent.stop();
        set('2030-05-31T23:59:45Z');
        await agent.run();
        await opened();
        await told('events only');
        const from = pictures.length;
        await hub.until(() => pictures.length > from + 20, 'video', 60_000);
        assert.ok(pictures[from].key);
        const { plan } = await uplink();
        assert.equal(plan.state, 'within');
        assert.equal(new Date(plan.until * 1000).toISOString(), '2030-07-01T00:00:00.000Z');
        assert.match(agent.log, /metered: [0-9.]+ of 2 MB of this month's data plan are used: video flows again/);
    });

    test('a file that is broken is said, and the count begins at nothing', async () => {
        await agent.kill();
        writeFileSync(path.join(agent.config.data_dir, 'plans.json'), '{"uplinks": [{"name": "metered", "month"');
        await agent.run();
        await opened();
        assert.match(agent.log, /plans\.json: .*what it counted of data plans is counted no more/);
        await toldState('within');
        await agent.stop();
        assert.equal(kept().month, '2030-06');
        await agent.run();
    });

    test('the hub finds nothing wrong with any of it', () => assert.deepEqual(hub.violations, []));
});
