// Cameras that code by themselves, MJPG and H.264: v4l2loopback devices, fed by tests/guest/feed_device.cpp with pictures that
// GStreamer drew. Runs in the guest only (tests/guest/run), as root.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { agentBinary, AgentProcess, ChildProcess, tempFolder } from '../support/agent.mjs';
import { Peer } from '../support/peer.mjs';

const kJpeg = '/dev/video20';
const kH264 = '/dev/video21';
const kLong = 60_000; // the guest is emulated
const kRate = 10;
const kSize = [640, 360];

const folder = tempFolder();
let agent;
const feeders = {};

/** Draws two seconds with `encoder`, one file a picture. */
function draw(name, encoder) {
    const place = join(folder.path, name);
    mkdirSync(place);
    const pipeline = `videotestsrc num-buffers=${2 * kRate} ! video/x-raw,format=I420,width=${kSize[0]},height=${kSize[1]},` +
        `framerate=${kRate}/1 ! ${encoder} ! multifilesink location=${place}/%03d`;
    const { status, stderr } = spawnSync('gst-launch-1.0', ['-q', ...pipeline.split(' ')], { encoding: 'utf8', timeout: kLong });
    assert.equal(status, 0, stderr);
    return readdirSync(place).sort().map((file) => join(place, file));
}

const feed = (device, fourcc, files) =>
    ChildProcess.start(process.env.FEED_DEVICE, [device, fourcc, ...kSize, kRate, ...files].map(String), /fed/);

async function viewer(id) {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.ask({ type: 'subscribe', topics: ['*/stream_status'] });
    await peer.control('start', id);
    return peer;
}
const last = (peer, id) => peer.messages.filter((m) => m.type === 'stream_status' && m.data.camera_id === id).at(-1)?.data;

/** The slices in an Annex B stream. */
function slicesOf(bytes) {
    const starts = [];
    for (let at = bytes.indexOf('000001', 0, 'hex'); at >= 0; at = bytes.indexOf('000001', at + 3, 'hex')) starts.push(at);
    return starts.map((at, i) => bytes.subarray(at + 3, starts[i + 1] ?? bytes.length))
        .filter((unit) => [1, 5].includes(unit[0] & 31))
        .map((unit) => unit.toString('hex').replace(/(00)+$/, ''));
}

/** The slices in the `mdat` of a chunk, each behind its length. */
function slicesIn(chunk) {
    const slices = [];
    for (let at = chunk.indexOf('mdat') + 4; at < chunk.length;) {
        const length = chunk.readUInt32BE(at);
        const unit = chunk.subarray(at + 4, at + 4 + length);
        if ([1, 5].includes(unit[0] & 31)) slices.push(unit.toString('hex').replace(/(00)+$/, ''));
        at += 4 + length;
    }
    return slices;
}

let h264Files;
before(async () => {
    const jpegFiles = draw('jpeg', 'jpegenc');
    h264Files = draw('h264', `x264enc tune=zerolatency speed-preset=ultrafast bitrate=800 key-int-max=${kRate} ! ` +
        'video/x-h264,profile=baseline,stream-format=byte-stream,alignment=au');
    feeders.jpeg = await feed(kJpeg, 'MJPG', jpegFiles);
    feeders.h264 = await feed(kH264, 'H264', h264Files);
    agent = await AgentProcess.start([
        { id: 'jpeg', source: `v4l2://${kJpeg}?format=MJPG`, vision: false },
        { id: 'h264', source: `v4l2://${kH264}`, vision: false },
    ]);
});
after(async () => {
    writeFileSync('/host/coded.log', agent?.log ?? '');
    await agent?.remove();
    for (const feeder of Object.values(feeders)) await feeder.end('SIGKILL');
    folder.remove();
});

test('probe lists what they code', () => {
    const { stdout } = spawnSync(agentBinary, ['probe', '--json'], { encoding: 'utf8', timeout: kLong });
    const codes = Object.fromEntries(JSON.parse(stdout).devices.map((d) => [d.path, d.formats.map((f) => f.fourcc)]));
    assert.deepEqual(codes[kJpeg], ['MJPG']);
    assert.deepEqual(codes[kH264], ['H264']);
});

test('MJPG is decoded, and flows as H.264', async () => {
    const peer = await viewer('jpeg');
    await peer.until(() => peer.frames.filter((f) => f.kind === 2).length >= 20, '20 pictures', kLong);
    const status = last(peer, 'jpeg');
    assert.equal(status.source, 'encoded');
    assert.equal(`${status.width}x${status.height}`, kSize.join('x'));
    await peer.close();
});

test('H.264 of the camera is passed through, bit for bit', async () => {
    const peer = await viewer('h264');
    const pictures = () => peer.frames.filter((f) => f.kind === 2);
    await peer.until(() => pictures().length >= 20, '20 pictures', kLong);
    const status = last(peer, 'h264');
    assert.equal(status.source, 'passthrough');
    assert.equal(`${status.width}x${status.height}`, kSize.join('x'));
    const fed = new Set(h264Files.flatMap((file) => slicesOf(readFileSync(file))));
    const got = pictures().flatMap((f) => slicesIn(f.payload));
    assert.ok(got.length >= 20);
    assert.equal(got.filter((slice) => !fed.has(slice)).length, 0, 'slices that nobody fed');
    await peer.close();
});

test('a coding camera that falls silent is noticed, and comes back by itself', async () => {
    const peer = await viewer('h264');
    await peer.frame((f) => f.kind === 2, kLong);
    const [told, seen] = [peer.messages.length, peer.frames.length];
    const silentAt = Date.now();
    await feeders.h264.end('SIGKILL');
    const { data } = await peer.until(() => peer.messages.slice(told).find(
        (m) => m.type === 'stream_status' && m.data.camera_id === 'h264' && m.data.state === 'reconnecting'), 'the silence', kLong);
    console.log(`# silent: noticed after ${((Date.now() - silentAt) / 1000).toFixed(2)} s: ${data.reason}`);
    feeders.h264 = await feed(kH264, 'H264', h264Files);
    const backAt = Date.now();
    const first = await peer.until(() => peer.frames.slice(seen).find((f) => f.kind === 2 && f.flags & 2), 'pictures', kLong);
    console.log(`# silent: first picture ${((Date.now() - backAt) / 1000).toFixed(2)} s after it was fed again`);
    assert.ok(first.flags & 1, 'a key frame');
    await peer.close();
});
