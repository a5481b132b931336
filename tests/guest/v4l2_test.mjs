// V4L2 capture against the kernel's own test driver, vivid: two webcams of one platform device, which can be stalled, broken,
// unplugged and plugged in. Runs in the guest only (tests/guest/run), as root.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { agentBinary, AgentProcess, tempFolder, within } from '../support/agent.mjs';
import { Peer } from '../support/peer.mjs';

const kFirst = '/dev/video0';
const kSecond = '/dev/video1';
const kFirstByBus = 'v4l2:?bus=platform:vivid-000';
const kSecondByBus = 'v4l2:?bus=platform:vivid-001';
const kByPath = '/dev/v4l/by-path/platform-vivid.0-video-index0';
const kLong = 60_000; // the guest is emulated: a second here is a tenth of one on a camera box

function run(command, ...args) {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: kLong });
    assert.equal(status, 0, `${command} ${args.join(' ')}: ${stderr}`);
    return stdout;
}
const control = (device, setting) => run('v4l2-ctl', '-d', device, '-c', setting);
const formatOf = (device) => run('v4l2-ctl', '-d', device, '--get-fmt-video');
const unplug = () => writeFileSync('/sys/bus/platform/drivers/vivid/unbind', 'vivid.0');
function plugIn() {
    writeFileSync('/sys/bus/platform/drivers/vivid/bind', 'vivid.0');
    run('udevadm', 'settle');
}

/** What the agent last said of a camera. */
const last = (peer, id) => peer.messages.filter((m) => m.type === 'stream_status' && m.data.camera_id === id).at(-1)?.data;
const inState = (peer, id, state, ms = kLong) => peer.until(() => {
    const status = last(peer, id);
    return status?.state === state && status;
}, `${id} to be ${state}, it is ${JSON.stringify(last(peer, id))}`, ms);

/** An agent for one test, which lets go of the devices also when the test fails. */
async function agentFor(t, cameras) {
    const agent = await AgentProcess.start(cameras);
    t.after(() => agent.remove());
    return agent;
}

/** A peer that is told every camera's state and watches `ids`. */
async function viewer(agent, ...ids) {
    const peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.ask({ type: 'subscribe', topics: ['*/stream_status'] });
    for (const id of ids) await peer.control('start', id);
    return peer;
}

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(2)} s`;

test('probe lists both cameras as the driver describes them', () => {
    const { devices } = JSON.parse(run(agentBinary, 'probe', '--json'));
    assert.deepEqual(devices.map((d) => [d.path, d.driver]), [[kFirst, 'vivid'], [kSecond, 'vivid']]);
    // Two equal cameras without a serial: their bus tells them apart.
    assert.deepEqual(devices.map((d) => d.source), [kFirstByBus, kSecondByBus]);
    // udev makes one link for both, since they are one platform device.
    assert.equal(devices.find((d) => d.path === realpathSync(kByPath)).by_path, kByPath);
    const fourccs = devices[0].formats.map((f) => f.fourcc);
    for (const fourcc of ['YUYV', 'UYVY', 'NV12', 'YU12', 'RGB3']) assert.ok(fourccs.includes(fourcc), fourcc);
    // The truth by somebody else's program.
    const section = run('v4l2-ctl', '-d', kFirst, '--list-formats-ext').split("'YUYV'")[1].split(/\n\s*\[\d+\]:/)[0];
    const modes = section.matchAll(/Size: Discrete (\d+)x(\d+)((?:\n\s+Interval.*)*)/g);
    const sizes = [...modes].map(([, width, height, rates]) => ({
        width: Number(width), height: Number(height),
        rates: [...rates.matchAll(/\(([\d.]+) fps\)/g)].map((r) => Number(r[1])).sort((a, b) => b - a),
    }));
    assert.ok(sizes.length >= 5);
    assert.deepEqual(devices[0].formats.find((f) => f.fourcc === 'YUYV').sizes, sizes);
});

test('probe tells a person the same', () => {
    const words = run(agentBinary, 'probe');
    assert.match(words, /V4L2 cameras:\n {2}\/dev\/video0 {2}vivid.*\(vivid, platform:vivid/);
    assert.match(words, /\n {4}source v4l2:\?bus=platform:vivid-000\n/);
    assert.match(words, /YUYV[\s\S]*640x360 .*15.* fps/);
});

test('check accepts a config with such a camera', () => {
    const folder = tempFolder();
    const file = join(folder.path, 'config.json');
    writeFileSync(file, JSON.stringify({
        data_dir: folder.path,
        cameras: [{ id: 'a', source: `v4l2://${kFirst}?width=640&height=360&fps=15&format=YUYV` }],
        server: { listen: '127.0.0.1:8080', tokens: [{ token: 'secret', role: 'operator' }] },
    }));
    assert.match(run(agentBinary, 'check', file), /ok/);
    folder.remove();
});

test('a wanted pixel format is honoured, and without a wish 720p is chosen and not 4K at 2 pictures a second', async (t) => {
    const agent = await agentFor(t, [
        { id: 'wish', source: `v4l2://${kFirst}?width=640&height=360&fps=15&format=UYVY`, vision: false },
        { id: 'none', source: kSecondByBus, vision: false },
    ]);
    const peer = await viewer(agent);
    await inState(peer, 'wish', 'live');
    await inState(peer, 'none', 'live');
    assert.match(formatOf(kFirst), /640\/360[\s\S]*'UYVY'/);
    const chosen = await peer.until(() => last(peer, 'none').framerate > 0 && last(peer, 'none'), 'a rate');
    console.log(`# no wish: ${chosen.width}x${chosen.height} at ${chosen.framerate}, ${formatOf(kSecond).match(/'\w+'/)}`);
    assert.equal(`${chosen.width}x${chosen.height}`, '1280x720');
    assert.ok(chosen.framerate >= 10, `${chosen.framerate}`);
    await peer.close();
});

test('a size that is not offered becomes the largest that fits into it; for a format the reason names those offered', async (t) => {
    const agent = await agentFor(t, [
        { id: 'size', source: `v4l2://${kFirst}?width=1000&height=500&fps=10`, vision: false },
        { id: 'format', source: `v4l2://${kSecond}?format=MJPG`, vision: false },
    ]);
    const peer = await viewer(agent);
    const { width, height } = await inState(peer, 'size', 'live');
    assert.equal(`${width}x${height}`, '640x480');
    const { reason } = await inState(peer, 'format', 'reconnecting');
    assert.match(reason, /\/dev\/video1: offers only .*YUYV.*, not MJPG/);
    await peer.close();
});

/** The reasons of a camera in `state`, since `from`, an index into the peer's messages. */
const reasons = (peer, id, state, from = 0) => peer.messages.slice(from)
    .filter((m) => m.type === 'stream_status' && m.data.camera_id === id && m.data.state === state).map((m) => m.data.reason);

test('a frozen and a black picture: opened anew once, then degraded, and live when it is over; the other camera streams on', async (t) => {
    t.after(() => ['test_pattern=0', 'osd_text_mode=0'].forEach((setting) => control(kFirst, setting)));
    const agent = await agentFor(t, [
        { id: 'watched', source: `v4l2://${kFirst}?width=640&height=360&fps=15`, vision: false, frozen_after_s: 4, black_after_s: 4 },
        { id: 'other', source: `v4l2://${kSecond}?width=320&height=180&fps=15`, vision: false, frozen_after_s: 4, black_after_s: 4 },
    ]);
    const peer = await viewer(agent);
    await inState(peer, 'watched', 'live');
    await inState(peer, 'other', 'live');
    const from = peer.messages.length;
    let since = Date.now();
    control(kFirst, 'osd_text_mode=2'); // without its clock each picture is the one before, bit by bit
    assert.match((await inState(peer, 'watched', 'reconnecting')).reason, /^the picture is frozen/);
    console.log(`# frozen: noticed after ${seconds(since)}`);
    assert.match((await inState(peer, 'watched', 'degraded')).reason, /^the picture is frozen.*did not help$/);
    since = Date.now();
    control(kFirst, 'test_pattern=21'); // noise
    await inState(peer, 'watched', 'live');
    console.log(`# frozen: live ${seconds(since)} after it moved again`);
    since = Date.now();
    control(kFirst, 'test_pattern=5'); // black
    // Opened anew a moment ago: not again so soon.
    assert.match((await inState(peer, 'watched', 'degraded')).reason, /^the picture is black/);
    console.log(`# black: degraded after ${seconds(since)}`);
    control(kFirst, 'test_pattern=21');
    const { reason } = await inState(peer, 'watched', 'live');
    assert.equal(reason, undefined);
    assert.equal(new Set(reasons(peer, 'watched', 'reconnecting', from)).size, 1, 'opened anew once');
    assert.deepEqual(['reconnecting', 'degraded'].flatMap((state) => reasons(peer, 'other', state, from)), []);
    await peer.close();
});

test('an input without a signal is said, and the camera is live when there is one', async (t) => {
    t.after(() => {
        control(kSecond, 'standard_signal_mode=0');
        run('v4l2-ctl', '-d', kSecond, '--set-input=0');
    });
    run('v4l2-ctl', '-d', kSecond, '--set-input=1');
    control(kSecond, 'standard_signal_mode=1');
    const agent = await agentFor(t, [{ id: 'antenna', source: `v4l2://${kSecond}`, vision: false }]);
    const peer = await viewer(agent);
    const { reason } = await inState(peer, 'antenna', 'degraded');
    assert.match(reason, /^\/dev\/video1: no signal at its input "TV \d"$/);
    let since = Date.now();
    control(kSecond, 'standard_signal_mode=0');
    await inState(peer, 'antenna', 'live');
    console.log(`# signal: live ${seconds(since)} after it came`);
    since = Date.now();
    control(kSecond, 'standard_signal_mode=1');
    await inState(peer, 'antenna', 'degraded');
    console.log(`# signal: degraded ${seconds(since)} after it was lost`);
    await peer.close();
    await agent.stop(); // the input is not changed while somebody streams
});

// From here on one agent with three cameras. The witness watches the drawn one, which no fault may touch.
let agent;
let witness;
before(() => assert.ok(existsSync(kFirst) && existsSync(kSecond), 'two vivid devices'));
after(async () => {
    writeFileSync('/host/v4l2.log', agent?.log ?? '');
    await witness?.close();
    await agent?.remove();
});

test('cameras that nobody named are found when they are plugged in, once', async (t) => {
    unplug();
    t.after(plugIn);
    const agent = await agentFor(t, { cameras: undefined, vision: { rate_hz: 0.1 } });
    assert.match(agent.log, /the config names no camera, and this machine has none/);
    const peer = await viewer(agent);
    for (let times = 0; times < 2; ++times) {
        plugIn();
        for (const id of ['vivid', 'vivid-2']) await inState(peer, id, 'live');
        const { data } = await peer.ask({ type: 'status' });
        assert.deepEqual(data.cameras.map((c) => c.camera_id), ['vivid', 'vivid-2']);
        unplug();
        for (const id of ['vivid', 'vivid-2']) await inState(peer, id, 'reconnecting');
    }
    await peer.close();
});

test('cameras that are absent at the start are waited for', async () => {
    unplug();
    agent = await AgentProcess.start([
        { id: 'first', source: `v4l2://${kFirst}?width=640&height=360&fps=15`, vision: false },
        { id: 'second', source: `v4l2://${kSecond}?width=320&height=180&fps=15`, vision: false },
        { id: 'link', source: `v4l2://${kByPath}?width=320&height=180&fps=15`, vision: false, enabled: false },
        { id: 'drawn', source: 'test://bars?width=320&height=180&fps=15', vision: false },
    ]);
    witness = await viewer(agent, 'drawn');
    await witness.frame((f) => f.kind === 2, kLong);
    const peer = await viewer(agent, 'first');
    const { reason } = await inState(peer, 'first', 'reconnecting');
    assert.equal(reason, `${kFirst}: not plugged in`);
    const since = Date.now();
    plugIn();
    await peer.frame((f) => f.kind === 2, kLong);
    console.log(`# absent at the start: first picture ${seconds(since)} after plug-in`);
    await inState(peer, 'second', 'live');
    await peer.close();
});

test('pictures of the wanted size flow, numbered in order', async () => {
    const peer = await viewer(agent, 'first');
    const init = await peer.frame((f) => f.kind === 1, kLong);
    const status = await peer.until(() => last(peer, 'first')?.channel === init.channel && last(peer, 'first'), 'the channel');
    assert.equal(status.state, 'live');
    assert.equal(`${status.width}x${status.height}`, '640x360');
    assert.match(status.codec, /^avc1\./);
    assert.equal(status.source, 'encoded');
    const pictures = () => peer.frames.filter((f) => f.kind === 2);
    await peer.until(() => pictures().length >= 60, '60 pictures', kLong);
    const numbers = pictures().map((f) => f.sequence);
    assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
    assert.ok(pictures()[0].flags & 1, 'the first is a key frame');
    const [from, to] = [pictures()[0], pictures().at(-1)];
    const rate = (to.sequence - from.sequence) / ((to.captureUs - from.captureUs) / 1e6);
    console.log(`# captured at ${rate.toFixed(2)} pictures a second, ${pictures().length} coded of ${to.sequence - from.sequence + 1}`);
    assert.ok(rate > 5 && rate < 16, `${rate}`); // the emulated processor may not keep up
    await peer.close();
});

/** Watches `id`, does `harm`, waits until it is noticed with a cause like `cause`, lets it be mended, waits for pictures. */
async function fault(name, { id = 'first', harm, cause, mend = () => {} }) {
    const peer = await viewer(agent, id);
    await peer.frame((f) => f.kind === 2, kLong);
    const [told, seen] = [peer.messages.length, peer.frames.length];
    const harmedAt = Date.now();
    let noticed;
    let mendedAt;
    harm();
    try {
        noticed = await peer.until(() => peer.messages.slice(told).find(
            (m) => m.type === 'stream_status' && m.data.camera_id === id && m.data.state === 'reconnecting'), `${name} noticed`, kLong);
        console.log(`# ${name}: noticed after ${seconds(harmedAt)}: ${noticed.data.reason}`);
        // What a driver says first, as an error of a node that is about to go, need not be its last word.
        await peer.until(() => peer.messages.slice(told).find((m) => m.type === 'stream_status' && m.data.camera_id === id &&
            m.data.state === 'reconnecting' && cause.test(m.data.reason)), `${name}: ${cause}`, kLong);
    } finally {
        mendedAt = Date.now();
        mend();
    }
    const isBreak = (f) => f.kind === 2 && f.flags & 2;
    const first = await peer.until(() => peer.frames.slice(seen).find(isBreak), `${name}: pictures again`, kLong);
    console.log(`# ${name}: first picture ${seconds(mendedAt)} after that`);
    assert.ok(first.flags & 1, 'a key frame comes first');
    await inState(peer, id, 'live');
    await peer.close();
    return first.at - mendedAt;
}

test('a stall is noticed, and the video comes back by itself', async () => {
    await fault('stall', {
        harm: () => control(kFirst, 'percentage_of_dropped_buffers=100'),
        cause: /no picture for more than 3 s/,
        mend: () => control(kFirst, 'percentage_of_dropped_buffers=0'),
    });
});

test('unplugged and plugged in, the video is back', async () => {
    const ms = await fault('unplug', { harm: unplug, cause: /^\/dev\/video0: (unplugged|not plugged in)$/, mend: plugIn });
    assert.ok(ms < 15_000, `${ms}`);
    assert.ok(existsSync(kFirst), 'the agent held the number of a device that was gone');
});

test('cameras that come back under other numbers are found by what they are, though each has the number of another', async () => {
    const peer = await viewer(agent, 'first', 'second');
    await peer.frame((f) => f.kind === 2, kLong);
    const held = openSync(kFirst, 'r'); // the kernel keeps the number while somebody holds the node
    try {
        unplug();
        await inState(peer, 'first', 'reconnecting');
        await inState(peer, 'second', 'reconnecting');
        const since = Date.now();
        plugIn();
        const { warning } = await inState(peer, 'first', 'live');
        await inState(peer, 'second', 'live');
        console.log(`# other numbers: both live after ${seconds(since)}`);
        assert.equal(warning, undefined);
        // The first has the second's number now.
        assert.match(formatOf(kSecond), /640\/360/);
        assert.match(formatOf('/dev/video2'), /320\/180/);
    } finally {
        closeSync(held);
    }
    unplug();
    await inState(peer, 'first', 'reconnecting');
    plugIn();
    await inState(peer, 'first', 'live');
    await inState(peer, 'second', 'live');
    assert.match(formatOf(kFirst), /640\/360/);
    await peer.close();
});

test('a streaming error that is fatal is survived', async () => {
    await fault('fatal error', {
        harm: () => control(kFirst, 'inject_fatal_streaming_error=0'), cause: /^\/dev\/video0: input\/output error/,
    });
});

test('a camera that disconnects comes back, and its sister streams on', async () => {
    const peer = await viewer(agent, 'first');
    await peer.frame((f) => f.kind === 2, kLong);
    const count = peer.messages.length;
    await fault('disconnect', { id: 'second', harm: () => control(kSecond, 'disconnect=0'), cause: /^\/dev\/video1: / });
    const told = peer.messages.slice(count).filter((m) => m.type === 'stream_status' && m.data.camera_id === 'first');
    assert.ok(told.every((m) => m.data.state === 'live'), JSON.stringify(told));
    const pictures = peer.frames.filter((f) => f.kind === 2);
    assert.ok(pictures.slice(1).every((f) => !(f.flags & 2)), 'no break');
    await peer.close();
});

test('a camera that somebody else uses says so, and is taken when it is free', async () => {
    const peer = await viewer(agent, 'second');
    await peer.control('disable', 'second');
    await inState(peer, 'second', 'disabled');
    const other = spawn('v4l2-ctl', ['-d', kSecond, '--stream-mmap'], { stdio: ['ignore', 'ignore', 'pipe'] });
    await within(kLong, new Promise((streams) => other.stderr.once('data', streams)), 'v4l2-ctl to stream');
    await peer.control('enable', 'second');
    const { reason } = await inState(peer, 'second', 'reconnecting');
    console.log(`# busy: ${reason}`);
    assert.match(reason, /\/dev\/video1.*busy/i);
    const before = peer.frames.length;
    const gone = new Promise((done) => other.once('exit', done));
    other.kill('SIGKILL');
    await gone;
    const since = Date.now();
    await peer.until(() => peer.frames.slice(before).find((f) => f.kind === 2), 'pictures', kLong);
    console.log(`# busy: first picture ${seconds(since)} after it was free`);
    await peer.close();
});

test('a camera that comes back under another number is found by its link in /dev/v4l/by-path', async () => {
    const node = realpathSync(kByPath);
    const peer = await viewer(agent);
    // The one link is of either camera, as udev comes to them: both have to be free.
    for (const owner of ['first', 'second']) {
        await peer.control('disable', owner);
        await inState(peer, owner, 'disabled');
    }
    await peer.control('enable', 'link');
    await peer.control('start', 'link');
    await inState(peer, 'link', 'live');
    const held = openSync(node, 'r'); // the kernel keeps the number while somebody holds the node
    try {
        unplug();
        await inState(peer, 'link', 'reconnecting');
        const before = peer.frames.length;
        const since = Date.now();
        plugIn();
        await peer.until(() => peer.frames.slice(before).find((f) => f.kind === 2), 'pictures', kLong);
        console.log(`# by-path: was ${node}, is ${realpathSync(kByPath)}, first picture after ${seconds(since)}`);
        assert.notEqual(realpathSync(kByPath), node);
    } finally {
        closeSync(held);
    }
    await peer.close();
});

test('no fault touched the drawn camera', () => {
    const told = witness.messages.filter((m) => m.type === 'stream_status' && m.data.camera_id === 'drawn' && m.data.streaming);
    assert.ok(told.every((m) => m.data.state === 'live'), JSON.stringify(told));
    const pictures = witness.frames.filter((f) => f.kind === 2);
    assert.ok(pictures.slice(1).every((f) => !(f.flags & 2)), 'no break');
    const gaps = pictures.slice(1).map((f, i) => (f.captureUs - pictures[i].captureUs) / 1e6);
    console.log(`# ${pictures.length} pictures of the drawn camera, at most ${Math.max(...gaps).toFixed(2)} s apart`);
    assert.ok(Math.max(...gaps) < 10, `${Math.max(...gaps)}`); // an encoder that cannot keep up leaves pictures out
});

test('the end is clean, and the kernel has nothing to say', async () => {
    await witness.close();
    const { code } = await agent.stop();
    assert.equal(code, 0);
    assert.doesNotMatch(run('dmesg'), /WARNING:|BUG:|Oops/);
});
