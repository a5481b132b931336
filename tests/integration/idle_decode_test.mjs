// An RTSP camera in front of which nobody is at first: only its key frames are decoded, until a face is seen in one; then
// all pictures, until it is gone.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { AgentProcess, ChildProcess, freePort, sharedFile, tempFolder } from '../support/agent.mjs';
import { Peer } from '../support/peer.mjs';

const clip = sharedFile('media/people_720p30.mp4');
const skip = clip ? false : 'no ../shared/media/people_720p30.mp4';
const kEmptySeconds = 7;
const kPeopleSeconds = 3.4; // the clip's first scene
const folder = tempFolder();
let server, agent, peer;

/** Nobody, then people, at 30 pictures a second with a key frame each second; the server plays it again and again. */
function makeClip(file) {
    const graph = `[1:v]trim=duration=${kPeopleSeconds},scale=640:360,setsar=1,format=yuv420p[people];`
        + '[0:v]setsar=1,format=yuv420p[empty];[empty][people]concat=n=2:v=1[all]';
    const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `color=gray:s=640x360:r=30:d=${kEmptySeconds}`, '-i', clip,
        '-filter_complex', graph, '-map', '[all]', '-r', '30', '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0',
        '-x264-params', 'keyint=30:min-keyint=30:scenecut=0', file], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
}

before(async () => {
    if (!clip) return;
    const file = path.join(folder.path, 'visit.mp4');
    makeClip(file);
    const port = await freePort();
    server = await ChildProcess.start(process.env.RTSP_SERVER, [String(port), file, 'h264', '-'], /ready/);
    agent = await AgentProcess.start({ cameras: [{ id: 'door', source: `rtsp://127.0.0.1:${port}/cam` }], vision: { rate_hz: 10 } });
    peer = await Peer.connect(agent.streamUrl, 'secret');
    await peer.ask({ type: 'subscribe', topics: ['door/metrics', 'door/detections', 'door/face_detected'] });
});
after(async () => {
    await peer?.close();
    await agent?.remove();
    await server?.end('SIGKILL');
    folder.remove();
});

/** Resolves with the message, one behind `from`, once there is such a one. */
const next = (find, what, from = peer.messages.length) =>
    peer.until(() => peer.messages.slice(from).find(find), what, 60_000);
const decodes = (what) => (m) => m.type === 'metrics' && m.id === undefined && m.data.cameras[0].decoding === what;
const phase = (name) => (m) => m.type === 'face_detected' && m.data.phase === name && !m.data.replay;

/** The frames that were analysed, among the messages from one to another. */
function analysed(from, to) {
    const messages = peer.messages.slice(peer.messages.indexOf(from), peer.messages.indexOf(to) + 1);
    return messages.filter((m) => m.type === 'detections').map((m) => m.data.frame);
}

test('nobody there: key frames; a face: all, from its key frame on; gone: key frames again', { skip }, async () => {
    const idle = await next(decodes('key_frames'), 'key frames only', 0);
    const enter = await next(phase('enter'), 'a face', peer.messages.indexOf(idle));
    const full = await next(decodes('full'), 'a full decode', peer.messages.indexOf(enter));
    const leave = await next(phase('leave'), 'its end', peer.messages.indexOf(full));
    const again = await next(decodes('key_frames'), 'key frames only again', peer.messages.indexOf(leave));
    const frames = analysed(enter, leave);
    const steps = frames.slice(1).map((frame, i) => frame.sequence - frames[i].sequence);
    assert.ok(steps.length >= 10, `${steps}`);
    assert.ok(steps.every((step) => step > 0), `no picture twice, none back in time: ${steps}`);
    const median = steps.toSorted((a, b) => a - b)[steps.length >> 1];
    assert.ok(median < 30, `more than key frames: ${steps}`);
    console.log(`# median distance of pictures looked at while somebody is followed: ${median}`);
    // With nobody there, what came to be looked at in the second or so between two figures is a key frame or two.
    const later = await next(decodes('key_frames'), 'the next figures', peer.messages.indexOf(again) + 1);
    const taken = ({ data: { cameras: [{ vision }] } }) => vision.analysed + vision.still;
    const passed = later.data.cameras[0].pictures - again.data.cameras[0].pictures;
    assert.ok(passed >= 15, `pictures came: ${passed}`);
    assert.ok(taken(later) - taken(again) <= passed / 30 + 2, `of ${passed} pictures ${taken(later) - taken(again)} were decoded`);
    await next(phase('enter'), 'the next visit', peer.messages.indexOf(again));
});

test('`idle_decode` takes effect when the config is read again', { skip }, async () => {
    const reload = async (idleDecode) => {
        const config = { ...agent.config, vision: { rate_hz: 10, idle_decode: idleDecode } };
        writeFileSync(path.join(agent.folder, 'config.json'), JSON.stringify(config));
        const from = agent.log.length;
        agent.signal('SIGHUP');
        await agent.logs(/config\.json was read again/, from);
    };
    await reload('full');
    const leave = await next(phase('leave'), 'a visit that ends');
    const from = peer.messages.indexOf(leave);
    const figures = () => peer.messages.slice(from).filter((m) => m.type === 'metrics').map((m) => m.data.cameras[0].decoding);
    await peer.until(() => figures().length >= 5, 'figures of five seconds', 60_000);
    assert.deepEqual(new Set(figures()), new Set(['full']));
    await reload('auto');
    await next(decodes('key_frames'), 'key frames again');
});
