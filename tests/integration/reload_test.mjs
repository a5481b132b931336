// A config that is read again, with the real agent: what it changes changes, and nobody else notices.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { AgentProcess, ChildProcess, freePort, tempFolder, within } from '../support/agent.mjs';
import { NotifySocket } from '../support/notify_socket.mjs';
import { Peer } from '../support/peer.mjs';

const camera = (id, more = {}) => ({ id, source: 'test://faces?width=640&height=360&fps=15', vision: false, ...more });

let agent;
let notices;
let rtsp;
let viewer;
const folder = tempFolder();
before(async () => {
    const port = await freePort();
    rtsp = await ChildProcess.start(process.env.RTSP_SERVER, [String(port), '-', 'h264', '-'], /ready/);
    notices = await NotifySocket.listen(folder.path);
    // Passed through, so that a busy machine leaves no picture out.
    const yard = camera('yard', { source: `rtsp://127.0.0.1:${port}/cam` });
    agent = await AgentProcess.start({ cameras: [camera('front'), yard] }, { NOTIFY_SOCKET: notices.path });
    viewer = await Peer.connect(agent.streamUrl, 'secret');
    for (const id of ['front', 'yard']) await viewer.control('start', id);
    for (const id of ['front', 'yard']) await pictures(id, 5);
});
after(async () => {
    await viewer.close();
    await agent.remove();
    await notices.close();
    await rtsp.end('SIGKILL');
    folder.remove();
});

/** Writes the file and has it read again; resolves with what the log then says of it. */
async function reloadText(text) {
    writeFileSync(path.join(agent.folder, 'config.json'), text);
    const from = agent.log.length;
    agent.signal('SIGHUP');
    const [line] = await agent.logs(/config\.json was read again[^\n]*\n/, from);
    return { line, log: agent.log.slice(from) };
}

function reload(change) {
    agent.config = { ...agent.config, ...change };
    return reloadText(JSON.stringify(agent.config));
}

/** The channels that the viewer was told for a camera, in order. */
function channels(id) {
    const told = viewer.messages.filter((m) => m.type === 'stream_status' && m.data.camera_id === id).map((m) => m.data.channel);
    return [...new Set(told.filter((channel) => channel !== null))];
}

/** The coded pictures of a camera that came on the channel that was told last. */
const picturesOf = (id) => viewer.frames.filter((f) => f.kind === 2 && f.channel === channels(id).at(-1));

const pictures = (id, count) => viewer.until(() => picturesOf(id).length >= count, `${count} pictures of ${id}`);

/** Whether a camera's stream went on while `change` happened: on one channel, and of the yard's not a picture is missing. */
async function unnoticed(id, change) {
    const [channel] = channels(id).slice(-1);
    const count = picturesOf(id).length;
    await change();
    await pictures(id, count + 15);
    assert.equal(channels(id).at(-1), channel, `${id} keeps its channel`);
    if (id !== 'yard') return;
    const sequences = picturesOf(id).slice(count - 1).map((f) => f.sequence);
    for (let i = 1; i < sequences.length; ++i) assert.equal(sequences[i], sequences[i - 1] + 1, `${id}: ${sequences}`);
}

const bothUnnoticed = (change) => unnoticed('front', () => unnoticed('yard', change));

/** baseMediaDecodeTime of the one `tfdt` (version 1) in a fragment. */
const decodeTime = (payload) => payload.readBigUInt64BE(payload.indexOf('tfdt') + 8);

/** How many threads of the agent look through cameras. */
function lookingThreads() {
    const threads = `/proc/${agent.pid}/task`;
    return readdirSync(threads).filter((id) => readFileSync(`${threads}/${id}/comm`, 'utf8') === 'vision\n').length;
}

const statuses = () => viewer.messages.filter((m) => m.type === 'system' && m.event === 'status');
const listed = () => statuses().at(-1).data.cameras.map((c) => c.camera_id).sort();

test('another source of one camera: its viewer goes on without asking, the other camera does not notice', async () => {
    const before = channels('front');
    const last = picturesOf('front').at(-1);
    await unnoticed('yard', async () => {
        const { line } =
            await reload({ cameras: [camera('front', { source: 'test://bars?width=320&height=180&fps=15' }), agent.config.cameras[1]] });
        assert.match(line, /cameras: 1 changed/);
        await viewer.until(() => channels('front').length > before.length && picturesOf('front').length > 5, 'the new source');
    });
    const told = viewer.messages.filter((m) => m.type === 'stream_status' && m.data.camera_id === 'front').at(-1);
    assert.equal(told.data.width, 320);
    const [first] = picturesOf('front');
    assert.equal(first.flags & 1, 1, 'it begins with a key frame');
    assert.ok(first.sequence > last.sequence, `numbers go on: ${last.sequence}, ${first.sequence}`);
    assert.ok(decodeTime(first.payload) > decodeTime(last.payload), 'so does the running time');
});

test('the same file again changes nothing', async () => {
    await bothUnnoticed(async () => {
        const { line } = await reload({});
        assert.match(line, /nothing that can change without a restart/);
    });
});

test('a camera that is added is in the list and can be started, the others do not notice', async () => {
    await bothUnnoticed(async () => {
        const { line } = await reload({ cameras: [...agent.config.cameras, camera('door')] });
        assert.match(line, /cameras: 1 added/);
        await viewer.until(
            () => statuses().length > 0 && listed().length === 3, 'three cameras in the list');
        assert.deepEqual(listed(), ['door', 'front', 'yard']);
        const answer = await viewer.control('start', 'door');
        assert.equal(answer.type, 'stream_status');
        await pictures('door', 5);
    });
});

test('how cameras are looked through changes while their video flows on', async () => {
    await bothUnnoticed(async () => {
        const looked = agent.config.cameras.map((c) => (c.id === 'door' ? { ...c, vision: true } : c));
        await reload({ cameras: looked, vision: { rate_hz: 5 } });
        await viewer.ask({ type: 'subscribe', topics: ['*/detections'] });
        await viewer.message((m) => m.type === 'detections');
        await pictures('door', 1);
    });
    await unnoticed('door', () => bothUnnoticed(async () => {
        const { line } = await reload({ vision: { rate_hz: 8, min_confidence: 0.5 } });
        assert.match(line, /: vision/);
        const count = viewer.messages.length;
        await viewer.until(() => viewer.messages.slice(count).some((m) => m.type === 'detections'), 'detections after it');
    }));
    await viewer.ask({ type: 'unsubscribe', topics: ['*/detections'] });
});

test('one thread looks through all cameras, whichever come and go, and ends with the last', async () => {
    const before = agent.config.cameras;
    const looked = async (ids) => {
        const news = ids.filter((id) => !before.some((c) => c.id === id)).map((id) => camera(id));
        await reload({ cameras: [...before, ...news].map((c) => ({ ...c, vision: ids.includes(c.id) })) });
        const count = viewer.messages.length;
        for (const id of ids) await viewer.until(() => viewer.messages.slice(count).some((m) => m.type === 'detections' && m.data.camera_id === id), `faces of ${id}`);
        return lookingThreads();
    };
    await viewer.ask({ type: 'subscribe', topics: ['*/detections'] });
    await unnoticed('yard', async () => {
        assert.equal(await looked(['door', 'hall', 'porch']), 1);
        assert.equal(await looked(['porch']), 1);
        assert.equal(await looked([]), 0);
        assert.equal(await looked(['door']), 1);
    });
    await viewer.ask({ type: 'unsubscribe', topics: ['*/detections'] });
    await reload({ cameras: before });
});

test('another default of its encodes is followed by who wished nothing else, on the same channel', async () => {
    await bothUnnoticed(async () => {
        await reload({ cameras: agent.config.cameras.map((c) => (c.id === 'front' ? { ...c, encoder: { bitrate_kbps: 300 } } : c)) });
        await viewer.message((m) => m.type === 'stream_status' && m.data.camera_id === 'front' && m.data.target_bitrate_kbps === 300);
    });
});

test('a camera is switched off and on', async () => {
    await unnoticed('front', async () => {
        const others = agent.config.cameras;
        await reload({ cameras: others.map((c) => (c.id === 'door' ? { ...c, enabled: false } : c)) });
        await viewer.message((m) => m.type === 'stream_status' && m.data.camera_id === 'door' && m.data.state === 'disabled');
        const count = picturesOf('door').length;
        await reload({ cameras: others });
        await pictures('door', count + 5);
    });
});

test('a camera that is removed ends for who watched it, the others do not notice', async () => {
    await bothUnnoticed(async () => {
        const { line } = await reload({ cameras: agent.config.cameras.filter((c) => c.id !== 'door') });
        assert.match(line, /cameras: 1 removed/);
        const end = await viewer.message(
            (m) => m.type === 'stream_status' && m.data.camera_id === 'door' && m.data.state === 'stopped');
        assert.equal(end.data.streaming, false);
        await viewer.message((m) => m.type === 'error' && m.data.code === 'unknown_camera' && m.data.camera_id === 'door');
        await viewer.until(() => listed().length === 2, 'two cameras in the list');
    });
    const refused = await viewer.control('start', 'door');
    assert.equal(refused.data.code, 'unknown_camera');
    const metrics = await fetch(`${agent.pageUrl}metrics`, { headers: { authorization: 'Bearer secret' } });
    assert.doesNotMatch(await metrics.text(), /camera="door"/);
});

test('what cannot be used is refused, the reason is said, and nothing changes', async () => {
    const good = JSON.stringify(agent.config);
    const bad = [
        ['{ "cameras": [', /line 1/],
        [JSON.stringify({ ...agent.config, cameras: [], speed: 3 }), /unknown key "speed"/],
        [JSON.stringify({ ...agent.config, cameras: [camera('front', { source: 'gopher://x' })] }), /\/cameras\/0\/source: /],
        [
            JSON.stringify(
                { ...agent.config, cameras: [], server: { ...agent.config.server, tokens: [{ token_file: '/nowhere/token' }] } }),
            /\/server\/tokens\/0\/token_file: /
        ],
        [
            JSON.stringify({
                ...agent.config,
                cameras: [],
                uplinks: [{ url: 'wss://hub.example/', token: 't', ca_file: '/nowhere/ca.pem' }]
            }),
            /\/uplinks\/0\/ca_file: /
        ],
    ];
    await bothUnnoticed(async () => {
        for (const [text, why] of bad) {
            const from = notices.messages.length;
            const { line } = await reloadText(text);
            assert.match(line, /is refused, the config in force stays: /);
            assert.match(line, why);
            const told = await notices.message((m) => m.READY === '1', from);
            assert.match(told.STATUS, why);
        }
    });
    const status = await viewer.ask({ type: 'status' });
    assert.equal(status.data.cameras.length, 2);
    const { line } = await reloadText(good);
    assert.match(line, /nothing that can change/);
});

test('systemd hears when it begins, by its own clock, and when it is over', async () => {
    const from = notices.messages.length;
    await reload({});
    const begins = await notices.message((m) => m.RELOADING === '1', from);
    assert.match(begins.MONOTONIC_USEC, /^[0-9]{6,}$/);
    const over = await notices.message((m) => m.READY === '1', notices.messages.indexOf(begins));
    assert.equal(over.STATUS, 'running');
});

test('what needs a restart is said, a line each, and the rest is applied', async () => {
    const { server } = agent.config;
    const { log, line } =
        await reload({ log_level: 'debug', agent_id: 'other', server: { ...server, listen: '127.0.0.1:1', max_connections: 7 } });
    for (const setting of ['agent_id', 'server/listen', 'server/max_connections'])
        assert.match(log, new RegExp(`/${setting}: needs a restart`));
    assert.equal(log.match(/needs a restart/g).length, 3);
    assert.match(line, /: the log level/);
    const again = await reload({ log_level: 'info', agent_id: undefined, server });
    assert.doesNotMatch(again.log, /needs a restart/);
    assert.equal((await viewer.ask({ type: 'status' })).type, 'system');
});

test('a token that is taken away lets go of its viewer, a new one holds, the others do not notice', async () => {
    const leaver = await Peer.connect(agent.streamUrl, 'looker');
    await unnoticed('yard', async () => {
        const tokens = [{ token: 'secret', role: 'operator' }, { token: 'newcomer', role: 'viewer' }];
        const { line } = await reload({ server: { ...agent.config.server, tokens } });
        assert.match(line, /: tokens/);
        assert.equal((await within(10_000, leaver.closed, 'the end of the old token')).code, 4411);
        const newcomer = await Peer.connect(agent.streamUrl, 'newcomer');
        await newcomer.close();
    });
});

test('an uplink is dialled when it is added, anew when it is changed, and left when it is removed', async () => {
    const port = await freePort();
    const server = new WebSocketServer({ host: '127.0.0.1', port });
    await new Promise((done) => server.once('listening', done));
    const connections = [];
    let heard = () => {};
    server.on('connection', (socket) => {
        const connection = { socket, auth: undefined, frames: 0, closed: undefined };
        connections.push(connection);
        socket.on('message', (data, isBinary) => {
            if (isBinary) ++connection.frames;
            else {
                const message = JSON.parse(data.toString());
                if (message.type === 'auth') {
                    connection.auth = message;
                    socket.send(JSON.stringify({ type: 'system', event: 'authenticated', data: { features: [], session: 's' } }));
                }
            }
            heard();
        });
        socket.on('close', (code) => {
            connection.closed = code;
            heard();
        });
    });
    const until = (find, what) => within(30_000, new Promise((found) => {
        heard = () => {
            const result = find();
            if (result) found(result);
        };
        heard();
    }), what);
    const hub = { name: 'east', url: `ws://127.0.0.1:${port}/v1/stream`, token: 'first' };
    try {
        await unnoticed('yard', async () => {
            const { line } = await reload({ uplinks: [hub] });
            assert.match(line, /uplinks: 1 added/);
            const first = await until(() => connections[0]?.auth && connections[0], 'the hub dialled');
            assert.equal(first.auth.token, 'first');
            await viewer.until(
                () => statuses().at(-1).data.uplinks?.some((u) => u.name === 'east' && u.state === 'live'),
                'the uplink in the status');

            await reload({ uplinks: [{ ...hub, token: 'second', start: ['front'] }] });
            const second = await until(() => connections[1]?.frames > 5 && connections[1], 'video of the changed uplink');
            assert.equal(second.auth.token, 'second');
            assert.equal(first.closed, 1001);

            // A camera's change does not cost a hub its connection.
            await reload({
                cameras: agent.config.cameras.map(
                    (c) => (c.id === 'front' ? { ...c, source: 'test://noise?width=320&height=180&fps=15' } : c))
            });
            const count = second.frames;
            await until(() => second.frames > count + 10, 'video after the change of the camera');
            assert.equal(connections.length, 2);

            await reload({ uplinks: [] });
            await until(() => second.closed, 'the end of the uplink');
            assert.equal(second.closed, 1001);
            await viewer.until(() => !statuses().at(-1).data.uplinks?.length, 'no uplink in the status');
        });
    } finally {
        for (const { socket } of connections) socket.terminate();
        await new Promise((done) => server.close(done));
    }
});
