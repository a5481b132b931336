// What the agent says of itself: /metrics for those who run fleets, `metrics` for a peer. The real program, with a viewer
// that watches, a hub that takes what comes, and a hub that is away.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pollAgainIn } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { AgentProcess, freePort } from '../support/agent.mjs';
import { Peer } from '../support/peer.mjs';
import { parseMetrics, valueOf } from '../support/prometheus_text.mjs';

const kWithinMs = 30_000;
const kPollMs = 100;
let agent, hub, hubName, awayName, viewer;

before(async () => {
    hub = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await new Promise((done) => hub.once('listening', done));
    hub.on('connection', (socket) => {
        socket.once('message', () => socket.send(
            JSON.stringify({ type: 'system', event: 'authenticated', data: { features: ['ack'] } })));
        socket.on('message', (message, isBinary) => {
            const { data } = isBinary ? {} : JSON.parse(message);
            if (data?.seq) socket.send(JSON.stringify({ type: 'ack', journal: data.journal, seq: data.seq }));
        });
    });
    hubName = `ws://127.0.0.1:${hub.address().port}/hub`;
    awayName = `ws://127.0.0.1:${await freePort()}/away`;
    agent = await AgentProcess.start({
        cameras: [{ id: 'cam_123', source: 'test://faces?width=640&height=360&fps=15' }, { id: 'door', source: 'test://bars' }],
        server: { tokens: [{ token: 'secret', role: 'operator' }, { token: 'door-only', role: 'viewer', cameras: ['door'] }] },
        uplinks: [{ url: hubName, token: 'hub-secret', start: ['cam_123'] }, { url: `${awayName}?key=hidden`, token: 'hub-secret' }],
    });
    viewer = await Peer.connect(agent.streamUrl, agent.token);
});
after(async () => {
    await viewer?.close();
    await agent?.remove();
    hub?.clients.forEach((socket) => socket.terminate());
    hub?.close();
});

const fetchMetrics = (headers = {}) => fetch(`${agent.pageUrl}metrics`, { headers });

async function scrape(headers) {
    const answer = await fetchMetrics(headers);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    return parseMetrics(await answer.text());
}

/** Scrapes until `condition` holds; what is shown may be a second old. */
async function until(condition, headers) {
    const deadline = performance.now() + kWithinMs;
    for (;;) {
        const families = await scrape(headers);
        if (condition(families)) return families;
        if (performance.now() > deadline) assert.fail(`never: ${condition}`);
        await pollAgainIn(kPollMs);
    }
}

test('a scrape while a viewer watches: the values are there, and they move', async () => {
    await viewer.control('start', 'cam_123');
    await viewer.frame((frame) => frame.kind === 2);
    const first = await until((all) => valueOf(all, 'edgecam_viewer_sent_bytes_total') > 50_000 &&
        valueOf(all, 'edgecam_face_events_total', { camera: 'cam_123', phase: 'enter' }) > 0 &&
        valueOf(all, 'edgecam_viewers', { role: 'operator' }) === 1 &&
        valueOf(all, 'edgecam_commands_total', { type: 'start', result: 'ok' }) >= 2);  // the viewer's and the hub's
    assert.equal(valueOf(first, 'edgecam_camera_up', { camera: 'cam_123' }), 1);
    assert.equal(valueOf(first, 'edgecam_camera_state', { camera: 'cam_123', state: 'live' }), 1);
    assert.equal(valueOf(first, 'edgecam_camera_state', { camera: 'cam_123', state: 'error' }), 0);
    assert.equal(valueOf(first, 'edgecam_viewer_dropped_total', { lane: 'events' }), 0);
    assert.ok(valueOf(first, 'edgecam_vision_last_analysis_seconds', { camera: 'cam_123' }) > 0);
    assert.ok(valueOf(first, 'process_resident_memory_bytes') > valueOf(first, 'edgecam_process_anonymous_memory_bytes'));
    assert.ok(valueOf(first, 'process_open_fds') > 5 && valueOf(first, 'edgecam_process_threads') > 3);
    assert.match(first.get('edgecam_build_info').samples[0].labels.version, /^\d+\./);

    const moves = ['edgecam_uptime_seconds', 'edgecam_viewer_sent_bytes_total', 'edgecam_viewer_sent_messages_total',
        'process_cpu_seconds_total'].map((name) => [name, {}]);
    moves.push(['edgecam_camera_pictures_total', { camera: 'cam_123' }], ['edgecam_vision_analysed_total', { camera: 'cam_123' }],
        ['edgecam_uplink_sent_bytes_total', { uplink: hubName }]);
    await until((all) => moves.every(([name, labels]) => valueOf(all, name, labels) > valueOf(first, name, labels)));
});

test('how long pictures take, stage by stage, and events until their hub has them', async () => {
    const stages = [['coded', { camera: 'cam_123', rendition: 'encoded' }], ['mux', { camera: 'cam_123', rendition: 'encoded' }],
        ...['viewers', hubName].flatMap((service) => ['queue', 'socket'].map((stage) => [stage, { service, lane: 'video' }])),
        ['event_ack', { uplink: hubName }]];
    const all = await until((families) => stages.every(([stage, labels]) =>
        valueOf(families, `edgecam_${stage}_delay_seconds_count`, labels) > 3));
    for (const [stage, labels] of stages) {
        const name = `edgecam_${stage}_delay_seconds`, count = valueOf(all, `${name}_count`, labels);
        assert.equal(all.get(name).type, 'histogram');
        assert.equal(valueOf(all, `${name}_bucket`, { ...labels, le: '+Inf' }), count);
        const mean = valueOf(all, `${name}_sum`, labels) / count;
        assert.ok(mean >= 0 && mean < 2, `${name}: ${mean} s`);
    }
    assert.equal(valueOf(all, 'edgecam_coded_delay_seconds_count', { camera: 'door', rendition: 'encoded' }), undefined);
});

test('every uplink is there: where it stands, how often it was tried, what waits for it', async () => {
    const all = await until((families) => valueOf(families, 'edgecam_uplink_state', { uplink: hubName, state: 'live' }) === 1 &&
        valueOf(families, 'edgecam_uplink_state', { uplink: awayName, state: 'backing_off' }) === 1 &&
        valueOf(families, 'edgecam_uplink_connection_attempts_total', { uplink: awayName }) > 1);
    assert.equal(valueOf(all, 'edgecam_uplink_state', { uplink: hubName, state: 'backing_off' }), 0);
    assert.equal(valueOf(all, 'edgecam_uplink_connection_attempts_total', { uplink: hubName }), 1);
    for (const name of ['edgecam_uplink_lane_messages', 'edgecam_uplink_lane_bytes', 'edgecam_uplink_lane_dropped_total']) {
        assert.notEqual(valueOf(all, name, { uplink: hubName, lane: 'video' }), undefined, name);
    }
    for (const name of ['target_bitrate_bits_per_second', 'video_delay_seconds', 'round_trip_seconds', 'receiver_limited_ratio']) {
        assert.ok(valueOf(all, `edgecam_uplink_${name}`, { uplink: hubName }) >= 0, name);
    }
    assert.equal(valueOf(all, 'edgecam_uplink_limited', { uplink: hubName }), 0, 'loopback is no limit');
});

test('errors that peers were told are counted, also after they have gone', async () => {
    const other = await Peer.connect(agent.streamUrl, agent.token);
    assert.equal((await other.control('start', 'nowhere')).data.code, 'unknown_camera');
    await other.close();
    await until((all) => valueOf(all, 'edgecam_errors_total', { code: 'unknown_camera' }) >= 1 &&
        valueOf(all, 'edgecam_viewers', { role: 'operator' }) === 1);
});

test('a token sees its cameras only; a wrong one, or a proxy without one, sees nothing', async () => {
    const all = await scrape({ authorization: 'Bearer door-only' });
    assert.equal(valueOf(all, 'edgecam_camera_up', { camera: 'door' }), 1);
    for (const { samples } of all.values()) assert.ok(samples.every(({ labels }) => (labels.camera ?? 'door') === 'door'));
    for (const headers of [{ authorization: 'Bearer wrong' }, { authorization: 'Basic c2VjcmV0' }, { 'x-forwarded-for': '192.0.2.1' }]) {
        const refused = await fetchMetrics(headers);
        assert.equal(refused.status, 401);
        assert.equal(refused.headers.get('www-authenticate'), 'Bearer');
        assert.match(await refused.text(), /Bearer token/);
    }
    await scrape({ authorization: 'Bearer secret', 'x-forwarded-for': '192.0.2.1' });
});

test('a peer asks over its own connection', async () => {
    const { type, data } = await viewer.ask({ type: 'metrics' });
    assert.equal(type, 'metrics');
    assert.ok(data.connection.bytes_out > 50_000 && data.connection.role === 'operator');
    assert.equal(data.streams[0].camera_id, 'cam_123');
    assert.deepEqual(data.cameras.map(({ camera_id: id }) => id), ['cam_123', 'door']);
    assert.ok(data.cameras[0].pictures > 0 && data.cameras[0].events.enter > 0);
    assert.ok(data.process.threads > 3);
    await viewer.ask({ type: 'subscribe', topics: ['*/metrics'] });
    await viewer.message((m) => m.type === 'metrics' && m.id === undefined);
});

test('the status tells where every uplink stands', async () => {
    const other = await Peer.connect(agent.streamUrl, agent.token);
    const { data } = await other.ask({ type: 'status' });
    await other.close();
    assert.equal(data.status, 'degraded');
    const away = data.uplinks.find(({ name }) => name === awayName);
    assert.equal(away.url, awayName);
    assert.ok(['backing_off', 'connecting'].includes(away.state) && away.attempts > 1);
    assert.equal(data.uplinks.find(({ name }) => name === hubName).state, 'live');
});
