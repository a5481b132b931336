// The test camera end to end: every drawn face is reported, where it is, in the picture it was seen in.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { AgentProcess } from '../support/agent.mjs';
import { Peer } from '../support/peer.mjs';

const size = { width: 1280, height: 720, fps: 30 };
let agent;
before(async () => {
    agent = await AgentProcess.start({
        cameras: [{ id: 'cam_123', source: `test://faces?width=${size.width}&height=${size.height}&fps=${size.fps}` }],
    });
});
after(() => agent.remove());

function truthOf(first, last) {
    const args = [size.width, size.height, size.fps, first, last].map(String);
    const { stdout, status } = spawnSync(process.env.SCENE_TRUTH, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
    assert.equal(status, 0);
    return new Map(stdout.trim().split('\n').map((line) => JSON.parse(line)).map((p) => [p.sequence, p.faces]));
}

function overlap([ax, ay, aw, ah], [bx, by, bw, bh]) {
    const w = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
    const h = Math.min(ay + ah, by + bh) - Math.max(ay, by);
    return w <= 0 || h <= 0 ? 0 : (w * h) / (aw * ah + bw * bh - w * h);
}

test('every drawn face is detected where it is drawn, in the very picture that is named', async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    const status = await peer.ask({ type: 'status' });
    const detector = status.data.cameras[0].detector ?? '';
    await peer.ask({ type: 'subscribe', topics: ['cam_123/detections'] });
    const detections = () => peer.messages.filter((m) => m.type === 'detections');
    await peer.until(() => detections().length >= 60, '60 analysed pictures', 60_000);
    const pictures = detections().map((m) => m.data);
    const truth = truthOf(pictures[0].frame.sequence, pictures.at(-1).frame.sequence);
    let drawn = 0;
    let found = 0;
    for (const { frame, faces } of pictures.slice(3)) { // a track is told from its second picture on
        for (const box of truth.get(frame.sequence)) {
            drawn += 1;
            if (faces.some((face) => overlap(face.box, box) >= 0.5)) found += 1;
        }
    }
    console.log(`# ${found} of ${drawn} drawn faces found with an intersection over union of at least 0.5 (${detector})`);
    assert.ok(drawn >= 60);
    if (detector.includes('yunet')) assert.equal(found, drawn);
    else assert.ok(found >= 0.5 * drawn, 'the cascade finds at least half');
    await peer.close();
});

test('faces enter, are updated at most once a second, leave, and events name the picture', async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    const enter = await peer.message((m) => m.type === 'face_detected' && m.data.phase === 'enter', 40_000);
    assert.equal(enter.data.camera_id, 'cam_123');
    assert.match(enter.data.event_id, /^[0-9a-f-]{36}$/);
    assert.equal(enter.data.face.box.length, 4);
    assert.equal(enter.data.frame.width, 1280);
    const { track_id: track } = enter.data;
    const told = () => peer.messages.filter((m) => m.type === 'face_detected' && m.data.track_id === track).map((m) => m.data);
    await peer.until(() => told().filter(({ phase }) => phase === 'update').length >= 3, 'three updates', 60_000);
    const times = told().map((data) => data.timestamp);
    for (let i = 1; i < times.length; i += 1) assert.ok(times[i] - times[i - 1] >= 0.95, `updates ${times}`);
    // By its zones, stripes of the picture, its way can be followed.
    let before = enter.data.zones;
    for (const data of told()) {
        const centre = data.face.box[0] + data.face.box[2] / 2;
        const came = [...before, ...data.zones_entered ?? []];
        assert.ok(data.zones.every((name) => came.includes(name)), JSON.stringify({ before, data }));
        assert.ok(data.phase === 'leave' || before.every((name) => data.zones.includes(name) || data.zones_left?.includes(name)));
        before = data.zones;
        assert.ok(data.zones.some((name) => Math.abs((Number(name.slice(6)) + 0.5) / 16 - centre) < 1.6 / 16), JSON.stringify(data));
        assert.ok(data.face.quality > 0 && (data.phase === 'enter' || data.best.quality >= data.face.quality), JSON.stringify(data));
    }
    await peer.close();
});

test('a filter for a zone tells of the faces that come into it, and of no others', async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.ask({ type: 'unsubscribe', topics: ['*/face_detected'] });
    const before = peer.messages.length;
    await peer.ask({ type: 'subscribe', topics: ['cam_123/face_detected'], filter: { zones: ['stripe7', 'stripe8'] } });
    const told = () => peer.messages.slice(before).filter((m) => m.type === 'face_detected' && !m.data.replay).map((m) => m.data);
    await peer.until(() => told().length >= 4, 'four events', 60_000);
    const known = new Set(peer.messages.slice(before).filter((m) => m.data?.replay).map((m) => m.data.track_id));
    for (const data of told()) {
        const came = [...data.zones ?? [], ...data.zones_entered ?? []].some((name) => ['stripe7', 'stripe8'].includes(name));
        if (!known.has(data.track_id)) assert.ok(came, JSON.stringify(data));
        known.add(data.track_id);
    }
    await peer.close();
});

test('analytics agree with the events: how many are there, came and left, by zone too', async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.ask({ type: 'subscribe', topics: ['cam_123/analytics'] });
    const heard = () => peer.messages.filter((m) => m.type === 'analytics').map((m) => m.data.cameras[0]);
    await peer.until(() => heard().length >= 3 && heard().at(-1).left >= 1, 'a face that left', 60_000);
    for (const place of heard().flatMap((camera) => [camera, ...camera.zones])) {
        assert.equal(place.entered, place.left + place.present, JSON.stringify(place));
        assert.equal(place.dwell.count, place.left);
        const until = place.dwell.until_s.map(([, count]) => count);
        assert.ok(until.every((count, i) => count <= place.left && (i === 0 || count >= until[i - 1])), JSON.stringify(place));
    }
    const { present, zones } = heard().at(-1);
    assert.equal(zones.length, 16);
    assert.equal(zones.reduce((sum, zone) => sum + zone.present, 0), present, 'each is in one stripe');
    const metrics = await (await fetch(`${agent.pageUrl}metrics`, { headers: { Authorization: 'Bearer secret' } })).text();
    assert.match(metrics, /^edgecam_faces_present\{camera="cam_123"\} \d/m);
    assert.match(metrics, /^edgecam_zone_faces_dwell_seconds_bucket\{camera="cam_123",zone="stripe7",le="60"\} \d/m);
    await peer.close();
});
