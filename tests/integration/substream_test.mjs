// An RTSP camera that offers a second, smaller stream, end to end: low quality and a thin link are served by it as it is,
// faces are found in it, statuses and metrics name it, and its password is nowhere.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Hub } from '../hub/hub.mjs';
import { AgentProcess, ChildProcess, freePort, sharedFile } from '../support/agent.mjs';
import { Peer } from '../support/peer.mjs';

const clip = sharedFile('media/people_720p30.mp4');
const skip = clip ? false : 'no ../shared/media/people_720p30.mp4';
/** The clip's 2000 kbit/s are too much for it, the sub stream's 250 are not. */
const kLinkKbps = 700;
let server, hub, agent;

/** The newest status that tells of a channel and satisfies `find`. */
const channelStatus = (messages, find) =>
    messages.findLast((m) => m.type === 'stream_status' && m.data.channel && find(m.data))?.data;

async function metrics() {
    const page = await fetch(`${agent.pageUrl}metrics`, { headers: { authorization: 'Bearer secret' } });
    assert.equal(page.status, 200);
    return page.text();
}

before(async () => {
    if (!clip) return;
    const port = await freePort();
    server = await ChildProcess.start(process.env.RTSP_SERVER, [String(port), clip, 'h264', '-', '-', '250'], /ready/);
    hub = await Hub.listen({ token: 'hub-secret' });
    agent = await AgentProcess.start({
        agent_id: 'box-7',
        cameras: [{
            id: 'street', source: `rtsp://user:sesame@127.0.0.1:${port}/cam`, substream: `rtsp://user:sesame@127.0.0.1:${port}/sub`,
        }],
        uplinks: [{ url: hub.url, token: 'hub-secret', start: ['street'], max_kbps: kLinkKbps }],
    });
});
after(async () => {
    await agent?.remove();
    await hub?.stop();
    await server?.end('SIGKILL');
});

test('low quality is the sub stream as it is, and auto the camera\'s own coding again', { skip }, async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.control('start', 'street');
    const own = await peer.until(() => channelStatus(peer.messages, (data) => data.width === 1280), 'the main stream');
    assert.equal(own.rendition, 'passthrough');
    assert.equal(own.quality, 'source');
    await peer.control('quality', 'street', { quality: 'low' });
    const small = await peer.until(() => channelStatus(peer.messages, (data) => data.rendition === 'sub' && data.bitrate_kbps),
        'the sub stream and its bitrate');
    assert.equal(small.source, 'passthrough');
    assert.equal(small.quality, 'low');
    assert.deepEqual([small.width, small.height], [640, 360]);
    assert.equal(small.encoder, undefined);
    assert.equal(small.target_bitrate_kbps, undefined);
    assert.ok(small.bitrate_kbps < 350, `${small.bitrate_kbps} kbit/s`);
    const of = (channel) => peer.frames.filter((f) => f.kind === 2 && f.channel === channel);
    await peer.until(() => of(small.channel).length >= 45, '45 pictures of it');
    assert.equal(of(small.channel)[0].flags & 1, 1, 'it begins with a key frame');
    await peer.control('quality', 'street', { quality: 'auto' });
    const seen = of(own.channel).length;
    await peer.until(() => of(own.channel).length > seen + 10, 'the main stream again');
    const numbers = peer.frames.filter((f) => f.kind === 2).map((f) => `${f.channel}/${f.sequence}`);
    assert.equal(new Set(numbers.map((text) => text.split('/')[1])).size, new Set(numbers).size, 'no number is in both streams');
    assert.match(await metrics(), /coded_delay_seconds_count\{camera="street",rendition="sub"\} [1-9]/);
    await peer.close();
});

test('faces are found in it, and lie on its pictures', { skip }, async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.control('quality', 'street', { quality: 'low' });
    await peer.control('start', 'street');
    await peer.ask({ type: 'subscribe', topics: ['street/detections', 'street/face_detected'] });
    const face = await peer.message((m) => m.type === 'face_detected' && m.data.phase === 'enter', 60_000);
    assert.deepEqual([face.data.frame.width, face.data.frame.height], [640, 360]);
    // The picture that was analysed is one of those that this peer was sent: the same number, the same time.
    const found = await peer.until(() => {
        for (const { data } of peer.messages.filter((m) => m.type === 'detections' && m.data.faces.length > 0)) {
            const picture = peer.frames.find((f) => f.kind === 2 && f.sequence === data.frame.sequence);
            if (picture) return { data, picture };
        }
        return undefined;
    }, 'detections of a picture that was sent');
    assert.equal(found.picture.captureUs, found.data.frame.capture_us);
    for (const { box } of found.data.faces) {
        const [x, y, w, h] = box;
        assert.ok(x > -0.2 && y > -0.2 && x + w < 1.2 && y + h < 1.2, `fractions of the picture: ${box}`);
    }
    await peer.close();
});

test('a hub behind a thin link gets it, though nobody asked for less', { skip }, async () => {
    const told = () => channelStatus(hub.connections.flatMap(({ messages }) => messages), (data) => data.rendition === 'sub');
    const status = await hub.until(told, 'the sub stream', 60_000);
    assert.equal(status.source, 'passthrough');
    assert.equal(status.width, 640);
    assert.equal(status.quality, 'auto');
    assert.deepEqual(hub.violations, []);
});

test('its password is in no log and no status', { skip }, async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    const status = await peer.ask({ type: 'status' });
    assert.ok(!JSON.stringify(status).includes('sesame'));
    assert.match(agent.log, /street: sub stream: live/);
    assert.ok(!agent.log.includes('sesame'));
    await peer.close();
});
