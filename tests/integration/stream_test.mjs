// The stream end to end, as a peer sees it: messages in their order, commands that take effect, bytes that play.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AgentProcess } from '../support/agent.mjs';
import { Peer } from '../support/peer.mjs';

let agent;
before(async () => {
    agent = await AgentProcess.start({ cameras: [{ id: 'cam_123', source: 'test://faces?width=640&height=360&fps=30' }] });
});
after(() => agent.remove());

/** What ffprobe and ffmpeg say against a file: nothing, if all is well. */
function complaints(file) {
    const probe = spawnSync('ffprobe', ['-v', 'warning', '-show_streams', file], { encoding: 'utf8' });
    const decode = spawnSync('ffmpeg', ['-v', 'warning', '-i', file, '-f', 'null', '-'], { encoding: 'utf8' });
    return probe.stderr + decode.stderr;
}

test('after start come the status, the init segment and a key frame, in this order', async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    assert.equal(peer.frames.length, 0, 'no binary before start');
    const answer = await peer.control('start', 'cam_123');
    assert.equal(answer.type, 'stream_status');
    assert.equal(answer.data.streaming, true);
    await peer.until(() => peer.frames.length >= 3, 'three binary messages');
    const [init, first] = peer.frames;
    assert.equal(init.kind, 1);
    assert.equal(first.kind, 2);
    assert.equal(first.flags & 1, 1, 'the first access unit is a key frame');
    const announced = peer.messages.filter((m) => m.type === 'stream_status' && m.data.channel === init.channel);
    assert.ok(announced.length > 0, 'the channel was announced');
    assert.match(announced[0].data.codec, /^avc1\.[0-9a-f]{6}$/i);
    assert.equal(announced[0].data.width, 640);
    await peer.close();
});

test('the payloads laid end to end are a file without a complaint, and key frames come every two seconds', async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.control('start', 'cam_123');
    const keys = () => peer.frames.filter((f) => f.kind === 2 && f.flags & 1);
    await peer.until(() => keys().length >= 3, 'three key frames', 30_000);
    const file = join(agent.folder, 'recorded.mp4');
    writeFileSync(file, Buffer.concat(peer.frames.map((f) => f.payload)));
    assert.equal(complaints(file), '');
    const gap = (keys()[2].captureUs - keys()[1].captureUs) / 1e6;
    console.log(`# key frames ${gap.toFixed(2)} s apart`);
    assert.ok(gap > 1 && gap < 3.5, `${gap}`);
    const sequences = peer.frames.filter((f) => f.kind === 2).map((f) => f.sequence);
    assert.deepEqual(sequences, [...sequences].sort((a, b) => a - b));
    await peer.close();
});

test('a second viewer starts at once, with the cached group of pictures', async () => {
    const first = await Peer.connect(agent.streamUrl, 'secret');
    await first.control('start', 'cam_123');
    await first.until(() => first.frames.filter((f) => f.flags & 1).length >= 2, 'a warm cache', 30_000);
    const second = await Peer.connect(agent.streamUrl, 'secret');
    await second.control('start', 'cam_123');
    const key = await second.frame((f) => f.kind === 2);
    assert.equal(key.flags & 1, 1);
    assert.equal(second.frames[0].kind, 1);
    await first.close();
    await second.close();
});

test('stop is answered after the last picture, and nothing comes after it', async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.control('start', 'cam_123');
    await peer.until(() => peer.frames.length > 5, 'pictures');
    await peer.control('stop', 'cam_123');
    const count = peer.frames.length;
    await peer.ask({ type: 'heartbeat', t0: 1 });
    await peer.ask({ type: 'status' });
    assert.equal(peer.frames.length, count);
    await peer.close();
});

test('quality changes size and bitrate while running, and says what is in force', async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.control('start', 'cam_123');
    const init = await peer.frame((f) => f.kind === 1);
    const answer = await peer.control('quality', 'cam_123', { quality: { mode: 'custom', width: 320, height: 180, bitrate_kbps: 200 } });
    assert.equal(answer.type, 'stream_status');
    assert.equal(answer.data.target_bitrate_kbps, 200);
    const smaller = await peer.message((m) => m.type === 'stream_status' && m.data.width === 320);
    assert.notEqual(smaller.data.channel, init.channel, 'a new size is a new channel');
    await peer.frame((f) => f.kind === 1 && f.channel === smaller.data.channel);
    await peer.frame((f) => f.kind === 2 && f.channel === smaller.data.channel && f.flags & 1);
    await peer.control('quality', 'cam_123', { quality: 'auto' });
    await peer.close();
});

test('a snapshot is announced and comes as one JPEG', async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.control('start', 'cam_123');
    const answer = await peer.control('snapshot', 'cam_123');
    assert.equal(answer.type, 'transfer', JSON.stringify(answer));
    const jpeg = await peer.frame((f) => f.kind === 3 && f.channel === answer.data.channel);
    assert.deepEqual([...jpeg.payload.subarray(0, 2)], [0xff, 0xd8]);
    assert.equal(jpeg.payload.length, answer.data.bytes);
    await peer.close();
});

test('JPEG pictures flow to a peer that asks for them', async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.control('start', 'cam_123', { format: 'jpeg' });
    await peer.until(() => peer.frames.filter((f) => f.kind === 3).length >= 3, 'three JPEGs', 20_000);
    await peer.close();
});

test('a wish for quality is its own: it outlives stop and start, moves who asked and nobody else', async () => {
    const asking = await Peer.connect(agent.streamUrl, 'secret');
    const watching = await Peer.connect(agent.streamUrl, 'looker');
    const before = (await asking.control('start', 'cam_123')).data;
    const other = (await watching.control('start', 'cam_123')).data;
    await watching.frame((f) => f.kind === 2);
    await asking.control('quality', 'cam_123', { quality: 'low' });
    const moved = await asking.message((m) => m.type === 'stream_status' && m.data.quality === 'low' && m.data.channel !== before.channel);
    await asking.frame((f) => f.kind === 2 && f.channel === moved.data.channel);
    const seen = watching.frames.length;
    await watching.until(() => watching.frames.length > seen + 10, 'pictures go on');
    assert.ok(watching.frames.slice(seen).every((f) => f.channel === other.channel));
    assert.ok(!watching.messages.some((m) => m.type === 'stream_status' && m.data.quality === 'low'));
    await asking.control('stop', 'cam_123');
    const again = await asking.control('start', 'cam_123');
    assert.equal(again.data.quality, 'low');
    await asking.control('quality', 'cam_123', { quality: 'auto' });
    await asking.message((m) => m.type === 'stream_status' && m.data.channel === other.channel, 'back with the others');
    await asking.close();
    await watching.close();
});

test('a wish for the camera is everybody\'s who has none of their own', async () => {
    const asking = await Peer.connect(agent.streamUrl, 'secret');
    const watching = await Peer.connect(agent.streamUrl, 'looker');
    await watching.control('start', 'cam_123');
    const { data } = await asking.control('quality', 'cam_123', { quality: { mode: 'custom', bitrate_kbps: 700 }, scope: 'camera' });
    assert.equal(data.target_bitrate_kbps, 700);
    await watching.message((m) => m.type === 'stream_status' && m.data.target_bitrate_kbps === 700 && m.data.quality === 'auto');
    await asking.control('quality', 'cam_123', { quality: { mode: 'custom', bitrate_kbps: 2000 }, scope: 'camera' });
    await watching.message((m) => m.type === 'stream_status' && m.data.target_bitrate_kbps === 2000);
    await asking.close();
    await watching.close();
});

test('the end of the agent while somebody watches is a clean one', async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.control('start', 'cam_123');
    await peer.frame((f) => f.kind === 2);
    const { code } = await agent.stop();
    assert.equal(code, 0);
    assert.equal((await peer.closed).code, 1006, 'a client of the guide reconnects on 1006 only');
    assert.ok(peer.messages.some((m) => m.type === 'system' && m.event === 'going_away'));
    await agent.run();
});

test('a camera that is disabled stays so over a restart, and comes back when enabled', async () => {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.control('disable', 'cam_123');
    await peer.message((m) => m.type === 'stream_status' && m.data.state === 'disabled');
    await peer.close();
    await agent.stop();
    await agent.run();
    const again = await Peer.connect(agent.streamUrl, 'secret');
    const status = await again.ask({ type: 'status' });
    assert.equal(status.data.cameras[0].state, 'disabled');
    await again.control('enable', 'cam_123');
    await again.message((m) => m.type === 'stream_status' && m.data.state === 'live');
    await again.close();
});
