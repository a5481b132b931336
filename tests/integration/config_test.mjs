// Configs from afar, with the real agent: what an administrator sees, what is refused, what a change costs the others, and
// that a config that nobody confirmed does not stay, whatever happens to the process meanwhile.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { AgentProcess, ChildProcess, freePort, within } from '../support/agent.mjs';
import { messageComplaint } from '../hub/schema_check.mjs';
import { Peer } from '../support/peer.mjs';

const kSecret = 's3cret-of-the-test';
const camera = (id, more = {}) => ({ id, source: 'test://faces?width=640&height=360&fps=15', vision: false, ...more });

let agent;
let rtsp;
let admin;
const file = () => path.join(agent.folder, 'config.json');
const kept = () => path.join(agent.folder, 'data', 'remote_config.json');

before(async () => {
    const port = await freePort();
    rtsp = await ChildProcess.start(process.env.RTSP_SERVER, [String(port), '-', 'h264', '-'], /ready/);
    // Passed through, so that a busy machine leaves no picture out.
    const yard = camera('yard', { source: `rtsp://127.0.0.1:${port}/cam` });
    const far = camera('far', { source: `rtsp://user:${kSecret}@127.0.0.1:1/stream?channel=1&key=${kSecret}`, enabled: false });
    const tokens = [
        { name: 'chief', token: `${kSecret}-chief`, role: 'admin' },
        { name: 'part', token: 'part', role: 'admin', cameras: ['front'] },
        { name: 'worker', token: 'worker', role: 'operator' },
        { token: 'looker' },
    ];
    agent = await AgentProcess.start({ cameras: [camera('front'), yard, far], server: { tokens } });
    admin = await connect();
});
after(async () => {
    await admin.close();
    await agent.remove();
    await rtsp.end('SIGKILL');
});

const connect = (token = `${kSecret}-chief`) => Peer.connect(agent.streamUrl, token);
const config = (action, more = {}, peer = admin) => peer.ask({ type: 'config', action, ...more });

/** The config in force as administrators see it; with what stands around it in `standing`. */
async function seen() {
    const answer = await config('get');
    assert.equal(answer.type, 'config');
    return { document: answer.data.config, standing: answer.data };
}

/** The config in force with another source of the camera `front`. */
async function withFront(source) {
    const { document } = await seen();
    document.cameras.find((c) => c.id === 'front').source = source;
    return document;
}
const small = (pattern) => `test://${pattern}?width=320&height=180&fps=15`;
const frontNow = async () => (await seen()).document.cameras.find((c) => c.id === 'front').source;

/** The news of a config that come after `from`, an index into the administrator's messages. */
const news = (change, from, peer = admin) => peer.until(
    () => peer.messages.slice(from).find((m) => m.type === 'system' && m.event === 'config' && m.data.change === change),
    `news of ${change}`);

async function restart(how) {
    await admin.close();
    await (how === 'kill' ? agent.kill() : agent.stop());
    await agent.run();
    admin = await connect();
}

test('the config is shown without a secret, and as what it is', async () => {
    const answer = await config('get');
    assert.equal(answer.data.state, 'in_force');
    assert.equal(answer.data.source, 'file');
    assert.equal(answer.data.file, file());
    assert.doesNotMatch(JSON.stringify(answer), new RegExp(kSecret));
    const { cameras, server } = answer.data.config;
    assert.match(cameras[2].source, /^rtsp:\/\/user:\*\*\*@127\.0\.0\.1:1\/stream\?\*\*\*$/);
    assert.equal(cameras[0].source, agent.config.cameras[0].source);
    assert.deepEqual(server.tokens[0], { name: 'chief', token_hash: '***', role: 'admin' });
    assert.deepEqual(server.tokens[3], { name: 'server/tokens/3', token_hash: '***' });
});

test('nobody else is answered, neither one who administers some cameras only', async () => {
    for (const token of ['looker', 'worker', 'part']) {
        const peer = await connect(token);
        for (const request of [
            { action: 'get' }, { action: 'check', config: { cameras: [] } }, { action: 'apply', config: { cameras: [] } },
            { action: 'confirm' }, { action: 'revert' }
        ])
            assert.equal((await peer.ask({ type: 'config', ...request })).data.code, 'forbidden', `${token} ${request.action}`);
        await peer.close();
    }
});

test('a config that cannot be used is refused by check and by apply, with the reason and the place', async () => {
    const { document } = await seen();
    const bad = [
        [{ ...document, speed: 3 }, 'bad_request', /unknown key "speed"/, 'config'],
        [{ ...document, cameras: [camera('front', { source: 'gopher://x' })] }, 'bad_request', /source: /, 'config/cameras/0/source'],
        [{ ...document, cameras: [{ id: 'new', source: 'rtsp://user:***@elsewhere/' }] }, 'bad_request', /stands for/, 'config/cameras/0/source'],
        [
            { ...document, uplinks: [{ url: 'wss://hub.example/', token: 't', ca_file: '/nowhere/ca.pem' }] }, 'bad_request', /ca_file/,
            'config/uplinks/0/ca_file'
        ],
    ];
    for (const [candidate, code, message, field] of bad) {
        for (const action of ['check', 'apply']) {
            const { type, data } = await config(action, { config: candidate });
            assert.equal(type, 'error');
            assert.equal(data.code, code);
            assert.match(data.message, message);
            assert.match(data.field, new RegExp(`^${field}`));
        }
    }
    assert.equal((await config('apply', { config: document, trial_s: 0 })).data.field, 'trial_s');
    assert.equal((await config('apply')).data.field, 'config');
    assert.equal((await config('confirm')).data.code, 'conflict');
    assert.equal((await config('revert')).data.code, 'conflict');
    assert.equal((await config('explode')).data.code, 'unsupported');
    assert.equal((await seen()).standing.state, 'in_force');
});

test('check says what would change, and changes nothing', async () => {
    const candidate = await withFront(small('bars'));
    candidate.cameras.push(camera('door'));
    candidate.uplinks = [{ name: 'east', url: 'ws://127.0.0.1:1/', token: 't' }];
    candidate.log_level = 'debug';
    candidate.server.max_connections = 7;
    const { type, data } = await config('check', { config: candidate });
    assert.equal(type, 'config');
    assert.deepEqual(data.changes, {
        cameras: { added: ['door'], removed: [], reopened: ['front'], changed: [] },
        uplinks: { added: ['east'], removed: [], redialled: [] },
        vision: false,
        tokens: false,
        log_level: true,
        needs_restart: ['/server/max_connections'],
    });
    assert.equal((await admin.ask({ type: 'status' })).data.cameras.length, 3);
    const refused = await config('apply', { config: candidate });
    assert.equal(refused.data.code, 'conflict');
    assert.equal(refused.data.field, 'config/server/max_connections');
    const unchanged = await config('apply', { config: (await seen()).document });
    assert.equal(unchanged.data.state, 'in_force', 'the same again needs no trial');
});

test('a change of one camera is on trial, the other does not notice; unconfirmed, the old one returns', async () => {
    const viewer = await connect('worker');
    for (const id of ['front', 'yard']) await viewer.control('start', id);
    const channels = (id) => [...new Set(viewer.messages
        .filter((m) => m.type === 'stream_status' && m.data.camera_id === id && m.data.channel !== null).map((m) => m.data.channel))];
    const pictures = (channel) => viewer.frames.filter((f) => f.kind === 2 && f.channel === channel);
    for (const id of ['front', 'yard'])
        await viewer.until(() => channels(id).length === 1 && pictures(channels(id)[0]).length > 5, `video of ${id}`);
    const from = admin.messages.length;
    const logFrom = agent.log.length;
    const { data } = await config('apply', { config: await withFront(small('bars')), trial_s: 6 });
    assert.equal(data.state, 'on_trial');
    assert.equal(data.trial.returns_to, 'file');
    assert.ok(data.trial.ends_in_s > 0 && data.trial.ends_in_s <= 6);
    assert.deepEqual(data.changes.cameras.reopened, ['front']);
    await news('on_trial', from);
    assert.equal((await config('apply', { config: await withFront(small('noise')) })).data.code, 'conflict');
    await viewer.until(() => channels('front').length > 1 && pictures(channels('front').at(-1)).length > 0, 'the new source');
    const over = await news('reverted', from);
    assert.match(over.data.reason, /nobody confirmed/);
    assert.equal(over.data.state, 'in_force');
    assert.equal(await frontNow(), agent.config.cameras[0].source);
    await viewer.until(() => channels('front').length > 2 && pictures(channels('front').at(-1)).length > 0, 'the old source');
    const [yard] = channels('yard');
    const count = pictures(yard).length;
    await viewer.until(() => pictures(yard).length > count, 'video of the yard still');
    assert.equal(channels('yard').length, 1);
    const sequences = pictures(yard).map((f) => f.sequence);
    for (let i = 1; i < sequences.length; ++i) assert.equal(sequences[i], sequences[i - 1] + 1, `yard: ${sequences}`);
    const log = agent.log.slice(logFrom);
    assert.match(log, /config on_trial: cameras: 1 changed; by "chief", for 6 s/);
    assert.match(log, /config reverted: nobody confirmed it/);
    assert.match(log, /audit: .*"chief" \(admin\).*"config apply": ok/);
    assert.ok(!existsSync(kept()));
    assert.ok(!viewer.messages.some((m) => m.event === 'config'), 'others are told nothing');
    await viewer.close();
});

test('a trial ends at once when it is wished so', async () => {
    await config('apply', { config: await withFront(small('bars')) });
    assert.equal((await config('revert')).data.state, 'in_force');
    assert.equal(await frontNow(), agent.config.cameras[0].source);
});

test('what is confirmed is kept over a restart, with all secrets', async () => {
    await config('apply', { config: await withFront(small('bars')) });
    const { data } = await config('confirm');
    assert.equal(data.state, 'in_force');
    assert.equal(data.source, 'remote');
    assert.equal(data.remote.by, 'chief');
    assert.equal(statSync(kept()).mode & 0o777, 0o600);
    const written = JSON.parse(readFileSync(kept(), 'utf8')).config;
    assert.equal(written.cameras[2].source, agent.config.cameras[2].source);
    assert.match(written.server.tokens[0].token_hash, /^sha256:/);
    assert.ok(!JSON.stringify(written).includes(agent.config.server.tokens[0].token));
    assert.equal(JSON.parse(readFileSync(file(), 'utf8')).cameras[0].source, agent.config.cameras[0].source, 'the file is not touched');
    for (const how of ['stop', 'kill']) {
        await restart(how);
        assert.equal(await frontNow(), small('bars'));
        assert.match(agent.log, /the config in force is the one that "chief" applied \(\S+remote_config\.json\); \S+config\.json/);
    }
    assert.doesNotMatch(agent.log, new RegExp(kSecret));
});

test('the power goes during a trial: the one that was confirmed last is there again', async () => {
    await config('apply', { config: await withFront(small('noise')) });
    assert.equal((await seen()).standing.trial.returns_to, 'remote');
    await restart('kill');
    assert.equal(await frontNow(), small('bars'));
    assert.equal((await seen()).standing.source, 'remote');
});

test('read again without a change the file takes nothing back; a comment is no change', async () => {
    const from = agent.log.length;
    writeFileSync(file(), '// by hand\n' + JSON.stringify(agent.config, null, 2));
    agent.signal('SIGHUP');
    await agent.logs(/was read again: it has not changed, the config that "chief" applied stays in force/, from);
    assert.equal(await frontNow(), small('bars'));
});

test('a file that was changed later holds again: when it is read again, and at the next start', async () => {
    agent.config.cameras[0].source = small('noise');
    writeFileSync(file(), JSON.stringify(agent.config));
    const from = admin.messages.length;
    agent.signal('SIGHUP');
    await news('file_changed', from);
    const { changes } = (await config('check', { config: agent.config })).data;
    assert.deepEqual([changes.tokens, changes.needs_restart], [false, []], 'tokens that stay are the same, though kept as hashes of another start');
    // Who is signed in stays so: rules that changed are looked at within a second.
    await new Promise((done) => setTimeout(done, 1500));
    assert.equal(await frontNow(), small('noise'));
    assert.ok(!existsSync(kept()));

    await config('apply', { config: await withFront(small('bars')) });
    await config('confirm');
    agent.config.cameras[0].source = small('faces').replace('320', '640').replace('180', '360');
    await restart('stop'); // writes the file
    assert.equal(await frontNow(), agent.config.cameras[0].source);
    assert.equal((await seen()).standing.source, 'file');
    assert.match(agent.log, /it has changed since the one that "chief" applied/);
    assert.ok(existsSync(kept().replace('.json', '.old.json')));
});

test('a config that cannot be written down stays on trial, says so, and goes', async () => {
    await config('apply', { config: await withFront(small('bars')), trial_s: 3 });
    const from = admin.messages.length;
    mkdirSync(path.join(kept(), 'in the way'), { recursive: true });
    try {
        assert.equal((await config('confirm')).data.code, 'unavailable');
        assert.match((await news('reverted', from)).data.reason, /could not be written/);
    } finally {
        rmSync(kept(), { recursive: true });
    }
});

test('a hub confirms by being reached with the new config, one that is an administrator changes it too', async () => {
    const port = await freePort();
    const server = new WebSocketServer({ host: '127.0.0.1', port });
    await new Promise((done) => server.once('listening', done));
    const sockets = [];
    let heard = () => {};
    const answers = [];
    server.on('connection', (socket) => {
        sockets.push(socket);
        socket.on('message', (data, isBinary) => {
            if (isBinary) return;
            const message = JSON.parse(data.toString());
            if (message.type === 'auth')
                socket.send(JSON.stringify({ type: 'system', event: 'authenticated', data: { features: [], session: 's' } }));
            answers.push(message);
            heard();
        });
    });
    const ask = (request) => {
        sockets.at(-1).send(JSON.stringify(request));
        return within(20_000, new Promise((found) => {
            heard = () => {
                const answer = answers.find((m) => m.id === request.id);
                if (answer) found(answer);
            };
            heard();
        }), `the answer to ${request.id}`);
    };
    try {
        const { document } = await seen();
        const uplink = { name: 'east', url: `ws://127.0.0.1:${port}/v1/stream?key=${kSecret}`, token: kSecret, role: 'admin' };
        let from = admin.messages.length;
        await config('apply', { config: { ...document, uplinks: [uplink] } });
        const confirmed = await news('confirmed', from);
        assert.match(confirmed.data.reason, /by uplink east/);
        assert.equal((await seen()).standing.source, 'remote');

        // The connection stays, which proves nothing; the hub itself may say that it works.
        const got = await ask({ type: 'config', action: 'get', id: 'g' });
        assert.doesNotMatch(JSON.stringify(got), new RegExp(kSecret));
        got.data.config.cameras[0].source = small('noise');
        from = admin.messages.length;
        assert.equal((await ask({ type: 'config', action: 'apply', config: got.data.config, id: 'a' })).data.state, 'on_trial');
        assert.equal((await ask({ type: 'config', action: 'confirm', id: 'c' })).data.state, 'in_force');
        await news('confirmed', from);
        assert.equal(sockets.length, 1, 'a camera\'s change costs the hub nothing');

        // Its token goes to no other hub unless it is given anew.
        const other = (await seen()).document;
        other.uplinks[0].url = 'ws://127.0.0.1:1/v1/stream';
        assert.match((await config('check', { config: other })).data.field, /config\/uplinks\/0\/token/);

        // A hub that the new config does not reach: the old one returns, and so does the hub.
        from = admin.messages.length;
        other.uplinks[0].token = 'another';
        await config('apply', { config: other, trial_s: 2 });
        await news('reverted', from);
        await within(20_000, new Promise((found) => {
            heard = () => sockets.length === 2 && found();
            heard();
        }), 'the hub again');
    } finally {
        for (const socket of sockets) socket.terminate();
        await new Promise((done) => server.close(done));
    }
});

test('diagnostics tell how the box is, and no secret', async () => {
    const { type, data } = await admin.ask({ type: 'diagnostics' });
    assert.equal(type, 'diagnostics');
    assert.equal(data.config.source, 'remote');
    assert.equal(data.config.file, file());
    assert.deepEqual(data.status.cameras.map((c) => c.camera_id), ['far', 'front', 'yard']);
    assert.equal(data.status.agent.version, data.versions.edgecam);
    assert.deepEqual(data.status.uplinks.map((u) => u.name), ['east']);
    assert.match(data.sources.find((s) => s.camera_id === 'far').source, /^rtsp:\/\/127\.0\.0\.1:1\/stream\?\.\.\.$/);
    assert.ok(data.cameras.find((c) => c.camera_id === 'yard').pictures > 0);
    assert.ok(data.process.resident_bytes > 1e6 && data.process.threads > 3 && data.process.descriptors > 3);
    assert.ok(data.machine.memory_bytes > data.machine.free_bytes && data.machine.load.length === 3);
    assert.equal(typeof data.clock_synced, 'boolean');
    assert.ok(data.log.some((l) => l.level === 'error' && /cannot be written down/.test(l.line)), 'the trouble of before is in the log');
    const text = JSON.stringify(data);
    assert.doesNotMatch(text, new RegExp(kSecret));
    assert.ok(text.length < 64_000, `${text.length}`);
});

test('a probe tells what the machine has and whether a source can be reached, and costs nobody a picture', async () => {
    const probe = (more = {}, peer = admin) => peer.ask({ type: 'probe', ...more });
    const worker = await connect('worker');
    assert.equal((await probe({}, worker)).data.code, 'forbidden');
    await worker.control('start', 'yard');
    const pictures = () => worker.frames.filter((f) => f.kind === 2);
    await worker.until(() => pictures().length > 5, 'video of the yard');

    const bad = await probe({ source: `gopher://${kSecret}` });
    assert.equal(bad.data.code, 'bad_request');
    assert.equal(bad.data.field, 'source');
    const yard = agent.config.cameras.find((c) => c.id === 'yard').source;
    const first = probe({ source: yard });
    assert.equal((await probe()).data.code, 'busy');
    const { type, data } = await first;
    assert.equal(type, 'probe');
    assert.ok(Array.isArray(data.devices));
    assert.ok(data.encoders.some((e) => e.used));
    assert.equal(typeof data.detector.explanation, 'string');
    assert.equal(data.source.reachable, true);
    assert.match(data.source.codec, /^avc1\./);
    assert.ok(data.source.width > 0 && data.source.height > 0);

    const away = await probe({ source: `rtsp://user:${kSecret}@127.0.0.1:1/stream?key=${kSecret}` });
    assert.equal(away.data.source.reachable, false);
    assert.match(away.data.source.reason, /./);
    assert.doesNotMatch(JSON.stringify([bad, away]), new RegExp(kSecret));
    assert.equal((await probe()).data.source, undefined);
    assert.doesNotMatch(agent.log, new RegExp(kSecret));

    const count = pictures().length;
    await worker.until(() => pictures().length > count, 'video of the yard still');
    const sequences = pictures().map((f) => f.sequence);
    for (let i = 1; i < sequences.length; ++i) assert.equal(sequences[i], sequences[i - 1] + 1, `yard: ${sequences}`);
    await worker.close();
});

test('all that an administrator was told keeps to the schema', async () => {
    const types = new Set(admin.messages.map((m) => m.event ?? m.type));
    for (const type of ['config', 'diagnostics', 'probe', 'error']) assert.ok(types.has(type), `${type} among ${[...types]}`);
    for (const message of admin.messages) assert.equal(messageComplaint(message), undefined, JSON.stringify(message));
});
