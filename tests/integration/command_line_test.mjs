// The command line with good and bad input: each trouble gets a clear sentence and an exit status.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { agentBinary, AgentProcess, kSmallCamera, sharedFile, tempFolder } from '../support/agent.mjs';
import { Peer } from '../support/peer.mjs';

const folder = tempFolder();
after(() => folder.remove());
const source = process.env.EDGECAM_SOURCE;

const edgecam = (...args) => spawnSync(agentBinary, args, { encoding: 'utf8', timeout: 60_000 });
function configFile(content) {
    const file = join(folder.path, 'config.json');
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
}

test('help is everywhere', () => {
    assert.match(edgecam('--help').stdout, /run[\s\S]*check[\s\S]*probe[\s\S]*detect[\s\S]*token[\s\S]*status[\s\S]*version/);
    for (const command of ['run', 'check', 'probe', 'detect', 'token', 'status', 'version']) {
        const { status, stdout } = edgecam(command, '--help');
        assert.equal(status, 0);
        assert.match(stdout, /Usage/);
    }
});

test('version names the program and its libraries', () => {
    assert.match(edgecam('version').stdout, /^edgecam \d+\.\d+\.\d+ \(GStreamer .*OpenCV .*libwebsockets/);
});

test('every example config is valid, and the one that packages install', () => {
    for (const name of ['examples/demo.json', 'examples/minimal.json', 'examples/shop.json', 'systemd/config.json']) {
        const { status, stderr } = edgecam('check', join(source, name));
        assert.equal(status, 0, stderr);
    }
});

test('a bad config says what is wrong where', () => {
    const bad = { cameras: [{ id: 'a', source: 'v4l3:///dev/video0' }] };
    const { status, stderr } = edgecam('check', configFile(bad));
    assert.equal(status, 78);
    assert.match(stderr, /\/cameras\/0\/source: /);
    assert.equal(edgecam('run', '--config', configFile('{ nonsense')).status, 78);
    assert.match(edgecam('check', join(folder.path, 'absent.json')).stderr, /absent\.json: /);
});

test('a port that is taken is named', async () => {
    const first = await AgentProcess.start({ cameras: [] });
    const { port } = first;
    const file = configFile({ data_dir: folder.path, cameras: [], server: { listen: `127.0.0.1:${port}` } });
    const { status, stderr } = edgecam('run', '--config', file);
    assert.equal(status, 69);
    assert.match(stderr, new RegExp(`/server/listen: .*${port}`));
    await first.remove();
});

test('a token is made at first start, private, printed with the address, and works', async () => {
    const agent = await AgentProcess.start({ cameras: [], server: { tokens: [] } });
    const token = new URL(agent.printedUrl).hash.replace('#token=', '');
    assert.equal(token.length, 43);
    assert.equal(readFileSync(join(agent.folder, 'data/token'), 'utf8').trim(), token);
    const peer = await Peer.connect(agent.streamUrl, token);
    assert.equal(peer.messages[0].data.role, 'admin');
    await peer.close();
    const how = await agent.remove();
    assert.equal(how.code, 0, 'a clean end on SIGTERM');
});

test('a box that was told nothing looks for its cameras, and keeps what it makes where systemd says', async () => {
    const agent = await AgentProcess.start({ data_dir: undefined, server: { tokens: [] } }, { STATE_DIRECTORY: join(folder.path, 'state') });
    assert.match(agent.log, /the config names no camera(, and this machine has none|: found \S+, \/dev\/)/);
    const told = spawnSync(agentBinary, ['token', join(agent.folder, 'config.json')], {
        encoding: 'utf8', env: { ...process.env, STATE_DIRECTORY: join(folder.path, 'state') },
    });
    assert.match(told.stdout, new RegExp(`^page: ${agent.printedUrl}$`, 'm'));
    const peer = await Peer.connect(agent.streamUrl, new URL(agent.printedUrl).hash.replace('#token=', ''));
    const { data } = await peer.ask({ type: 'status' });
    assert.match(data.agent.id, /^edgecam-[0-9a-f]{16}$/);
    await peer.close();
    await agent.remove();
    assert.match(edgecam('check', configFile({})).stdout, /: ok\n  no cameras are named: all that are found now, \d+\n/);
});

test('status says how the running agent stands, to people and to programs, and that none runs', async () => {
    const agent = await AgentProcess.start({
        cameras: [kSmallCamera, { id: 'gone', source: 'rtsp://user:hidden@127.0.0.1:9/x' }],
        uplinks: [{ name: 'hub', url: 'ws://127.0.0.1:9/in?key=hidden', token: 'hidden' }],
    });
    const file = join(agent.folder, 'config.json');
    await agent.logs(/gone: /);
    const { status, stdout } = edgecam('status', file);
    assert.equal(status, 0);
    assert.match(stdout, /^edgecam-[0-9a-f]{16} {2}degraded {2}edgecam [\d.]+, up for \d+ s$/m);
    assert.match(stdout, new RegExp(`^page +${agent.pageUrl}$`, 'm'));
    assert.match(stdout, /^ {2}cam_123 +(starting|live|stopped)/m);
    assert.match(stdout, /^ {2}gone +reconnecting.*\n +\S.*127\.0\.0\.1/m);
    assert.match(stdout, /^uplinks\n {2}hub +(connecting|backing_off) {2}all {2}ws:\/\/127\.0\.0\.1:9\/in/m);
    assert.match(stdout, /^journal +0 events/m);
    assert.match(stdout, /^process \d+ +[\d.]+ MB, \d+ threads, \d+ descriptors/m);
    const report = JSON.parse(edgecam('status', '--json', '--config', file).stdout);
    assert.equal(report.pid, agent.pid);
    assert.deepEqual(report.status.cameras.map((c) => c.camera_id), ['cam_123', 'gone']);
    assert.doesNotMatch(stdout + JSON.stringify(report), /hidden|secret/);
    await agent.stop();
    const ended = edgecam('status', file);
    assert.equal(ended.status, 69);
    assert.match(ended.stderr, /^edgecam: no agent runs with this config \(.*\/data\/status\.sock\)$/m);
    await agent.remove();
});

test('probe says what there is', () => {
    const { status, stdout } = edgecam('probe', '--json');
    assert.equal(status, 0);
    const found = JSON.parse(stdout);
    assert.ok(Array.isArray(found.devices));
    assert.ok(found.encoders.some((e) => e.name === 'x264enc' && e.available));
    assert.equal(found.encoders.filter((e) => e.used).length, 1);
    assert.match(found.detector.name, /yunet|haar/);
    assert.match(edgecam('probe').stdout, /encoders[\s\S]*x264enc/i);
});

test('probe opens a source, given as an option or unseen by others, and says what it gives or why not', () => {
    const small = 'test://bars?width=320&height=180&fps=15';
    const seen = JSON.parse(edgecam('probe', '--json', '--source', small).stdout).source;
    assert.deepEqual([seen.reachable, seen.width, seen.height], [true, 320, 180]);
    assert.match(seen.codec, /^avc1\./);
    assert.match(edgecam('probe', '--source', small).stdout, /Source:\n {2}test:\/\/bars: avc1\.\w+, 320x180, 15 fps/);
    const { stdout } = spawnSync(agentBinary, ['probe', '--json', '--source', '-'],
        { encoding: 'utf8', input: 'rtsp://user:not-to-be-seen@127.0.0.1:1/x\n' });
    assert.equal(JSON.parse(stdout).source.reachable, false);
    assert.match(JSON.parse(stdout).source.reason, /127\.0\.0\.1:1/);
    assert.ok(!stdout.includes('not-to-be-seen'));
    const wrong = edgecam('probe', '--source', 'gopher://x');
    assert.equal(wrong.status, 64);
    assert.match(wrong.stderr, /unknown scheme/);
});

test('detect finds a face, draws it, and refuses what is no picture', { skip: sharedFile('media/faces') ? false : 'no ../shared/media/faces' }, () => {
    const picture = sharedFile('media/faces/dlib_2007_007763.jpg');
    const drawn = join(folder.path, 'drawn.jpg');
    const { status, stdout } = edgecam('detect', picture, '--draw', drawn);
    assert.equal(status, 0);
    const line = JSON.parse(stdout);
    assert.equal(line.image, picture);
    assert.ok(line.faces.length >= 1);
    assert.equal(line.faces[0].box.length, 4);
    assert.deepEqual([...readFileSync(drawn).subarray(0, 2)], [0xff, 0xd8]);
    const coarse = JSON.parse(edgecam('detect', picture, '--width', '160', '--height', '90').stdout);
    assert.ok(coarse.faces.length < line.faces.length, 'in a smaller picture small faces are lost');
    assert.deepEqual([coarse.width, coarse.height], [line.width, line.height]);
    assert.notEqual(edgecam('detect', picture, '--width', '8').status, 0);

    const broken = join(folder.path, 'broken.jpg');
    writeFileSync(broken, readFileSync(picture).subarray(0, 300));
    const both = edgecam('detect', broken, picture);
    assert.equal(both.status, 65);
    assert.match(both.stderr, /broken\.jpg: /);
    assert.equal(both.stdout.trim().split('\n').length, 1, 'the good one is still answered');
    assert.match(edgecam('detect', join(folder.path, 'none.png')).stderr, /none\.png: /);
});

test('a corrupted model is not loaded: the log says so and the cascade takes over', { skip: sharedFile('models') ? false : 'no ../shared/models' }, () => {
    const model = join(folder.path, 'face_detection_yunet_2023mar.onnx');
    copyFileSync(sharedFile('models/face_detection_yunet_2023mar.onnx'), model);
    const bytes = readFileSync(model);
    bytes[1000] ^= 1;
    writeFileSync(model, bytes);
    const probe = JSON.parse(edgecam('probe', '--json', '--model', model).stdout);
    assert.match(probe.detector.explanation, /hash|SHA-256/);
});
