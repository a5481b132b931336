// Faces from a camera that codes by itself: photographs fed through v4l2loopback reach a viewer as face_detected.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { ChildProcess } from '../support/agent.mjs';
import { kConfig, kFedCamera, kPatience, logMark, logs, run, secondsSince, viewer, writeConfig } from './box.mjs';

const kFolder = '/host/photographs';
const kPictures = '/tmp/photographs';
const without = !existsSync(kConfig.vision.model) ? 'the face model is not here (EDGECAM_SHARED)'
    : !existsSync(kFolder) ? 'the photographs are not here (EDGECAM_SHARED)' : false;
let feeder;

before(async () => {
    if (without) return;
    mkdirSync(kPictures);
    const files = readdirSync(kFolder).sort().map((name) => [`${kFolder}/${name}`, `${kPictures}/${name}`]);
    for (const [from, to] of files) {
        const pipeline = `filesrc location=${from} ! jpegdec ! videoconvert ! videoscale ! ` +
            `video/x-raw,width=640,height=360,pixel-aspect-ratio=1/1 ! jpegenc ! filesink location=${to}`;
        await run('gst-launch-1.0', '-q', ...pipeline.split(' '));
    }
    // Each for some seconds: a face is told from its second analysed picture on.
    const turns = files.flatMap(([, to]) => Array(40).fill(to));
    feeder = await ChildProcess.start('/host/feed_device', [kFedCamera, 'MJPG', 640, 360, 5, ...turns].map(String), /fed/);
});
after(() => feeder?.end('SIGKILL'));

test('faces fed into a V4L2 device reach a viewer as face_detected', { skip: without }, async () => {
    const peer = await viewer();
    const mark = await logMark();
    const since = Date.now();
    writeConfig({ ...kConfig, cameras: [...kConfig.cameras, { id: 'fed', source: `v4l2://${kFedCamera}?format=MJPG` }] });
    await run('systemctl', 'reload', 'edgecam');
    await logs(/was read again: /, mark);
    const { data } = await peer.message((m) => m.type === 'face_detected' && m.data.camera_id === 'fed' && m.data.phase === 'enter',
        kPatience);
    console.log(`# face_detected ${secondsSince(since)} after the camera was added: confidence ${data.face.confidence}, ` +
        `box ${JSON.stringify(data.face.box)}`);
    assert.ok(data.face.confidence >= 0.6);
    await peer.close();
    const last = await logMark();
    writeConfig(kConfig);
    await run('systemctl', 'reload', 'edgecam');
    await logs(/was read again: /, last);
});
