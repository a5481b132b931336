// A proxy between box and hub that takes everything and passes it on slowly: TCP sees no queue, and pictures get older
// and older. A hub that says when it has them (media_ack) keeps them fresh.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AgentProcess, withoutAgent } from '../support/agent.mjs';
import { parseMetrics, valueOf } from '../support/prometheus_text.mjs';
import { SlowRelay } from '../support/slow_relay.mjs';
import { Hub } from '../hub/hub.mjs';

const kAccessUnit = 2;
const kLinkKbps = 1000;
const kSettleMs = 10_000;
const kWatchMs = 10_000;

const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))];
const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

/** Ages of the pictures that such a hub gets once the first seconds are over, in ms, and what else there is to know. */
async function watch(features) {
    const hub = await Hub.listen({ token: 'hub-secret', features });
    const relay = await SlowRelay.listen(hub.port, kLinkKbps * 1000);
    const ages = [];
    let bytes = 0;
    let counting = false;
    hub.onPayload = (connection, { kind, captureUs }, payload) => {
        if (!counting || kind !== kAccessUnit) return;
        ages.push(Date.now() - captureUs / 1000);
        bytes += payload.length;
    };
    const agent = await AgentProcess.start({
        agent_id: 'box-7',
        // Noise takes all the bits that it may have.
        cameras: [{ id: 'cam_123', source: 'test://noise?width=640&height=360&fps=30', vision: false,
            encoder: { bitrate_kbps: 3000 } }],
        uplinks: [{ name: 'hub', url: `ws://127.0.0.1:${relay.port}/v1/stream`, token: 'hub-secret', start: ['cam_123'] }],
    });
    try {
        await hub.until(() => hub.live('box-7'), 'the agent');
        await sleep(kSettleMs);
        counting = true;
        await sleep(kWatchMs);
        counting = false;
        // Not asked through the hub: the answer would wait in the proxy as well.
        const page = parseMetrics(await (await fetch(`${agent.pageUrl}metrics`)).text());
        const acks = valueOf(page, 'edgecam_media_ack_delay_seconds_count', { uplink: 'hub' });
        return { p50: percentile(ages, 0.5), p95: percentile(ages, 0.95), worst: Math.max(...ages), pictures: ages.length,
            kbps: (bytes * 8) / kWatchMs, mostWaiting: relay.mostWaiting, acks, violations: hub.violations };
    } finally {
        await agent.remove();
        await relay.close();
        await hub.stop();
    }
}

describe('a proxy that takes everything and passes it on at 1 Mbit/s', { skip: withoutAgent }, () => {
    test('a hub that does not say when pictures arrive gets them later and later', async (t) => {
        const without = await watch(['ack']);
        t.diagnostic(JSON.stringify(without));
        assert.ok(without.p50 > 3000, `p50 ${without.p50} ms`);
        assert.equal(without.acks, 0);
    });

    test('one that does gets them fresh, and most of what the link carries', async (t) => {
        const acknowledged = await watch(['ack', 'media_ack']);
        t.diagnostic(JSON.stringify(acknowledged));
        assert.ok(acknowledged.p50 < 500, `p50 ${acknowledged.p50} ms`);
        assert.ok(acknowledged.p95 < 1500, `p95 ${acknowledged.p95} ms`);
        assert.ok(acknowledged.kbps > 0.4 * kLinkKbps, `${acknowledged.kbps} kbit/s`);
        assert.ok(acknowledged.acks > 5, `${acknowledged.acks} were acknowledged`);
        assert.deepEqual(acknowledged.violations, []);
    });
});
