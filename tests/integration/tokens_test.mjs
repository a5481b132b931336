// Who may come in, end to end: tokens in files that change, tokens that somebody else signed, tokens that are replaced or
// taken away, over restarts; and that no secret ever stands in the log.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { agentBinary, AgentProcess, tempFolder, withoutAgent } from '../support/agent.mjs';
import { Peer } from '../support/peer.mjs';

const skip = withoutAgent;
const camera = { id: 'cam_123', source: 'test://faces?width=320&height=180&fps=10', vision: false };
const folder = tempFolder();
const secret = () => randomBytes(24).toString('base64url');
const secrets = new Set(); // everything that must not be in the log
const fresh = () => {
    const token = secret();
    secrets.add(token);
    return token;
};

/** Who signs: a key pair, its public half as a file, tokens. */
function signer(name, type, options) {
    const { publicKey, privateKey } = generateKeyPairSync(type, options);
    const file = join(folder.path, `${name}.pem`);
    writeFileSync(file, publicKey.export({ type: 'spki', format: 'pem' }));
    const encode = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');
    const alg = type === 'ec' ? 'ES256' : 'EdDSA';
    return {
        name,
        file,
        token(claims, lifetimeS = 600, header = { alg }) {
            const exp = Math.floor(Date.now() / 1000) + lifetimeS;
            const text = `${encode(header)}.${encode({ aud: 'box-7', exp, ...claims })}`;
            const bytes = sign(alg === 'ES256' ? 'sha256' : null, Buffer.from(text),
                { key: privateKey, dsaEncoding: 'ieee-p1363' });
            const token = `${text}.${bytes.toString('base64url')}`;
            secrets.add(token);
            return token;
        },
    };
}

/** Written beside and renamed over, as tools that care do. */
function replace(file, text) {
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
}

/** By the program, and by anybody else. */
const hashOf = (token) => spawnSync(agentBinary, ['token', '--hash'], { input: `${token}\n`, encoding: 'utf8' }).stdout.trim();
const foreignHashOf = (token) => {
    const salt = randomBytes(32);
    return `sha256:${salt.toString('hex')}:${createHash('sha256').update(salt).update(token).digest('hex')}`;
};

let agent;
const viewers = join(folder.path, 'viewers');
const [plain, hashed, hashedElsewhere, inFile, admin] = [fresh(), fresh(), fresh(), fresh(), fresh()];
const console_ = signer('console', 'ec', { namedCurve: 'P-256' });
const cloud = signer('cloud', 'ed25519', undefined);

before(async () => {
    if (skip) return;
    writeFileSync(viewers, `# the shop\n${inFile}\n`, { mode: 0o600 });
    agent = await AgentProcess.start({
        cameras: [camera, { ...camera, id: 'yard' }],
        log_level: 'debug',
        server: {
            tokens: [
                { token: plain, role: 'operator', name: 'ann' },
                { token_hash: hashOf(hashed), role: 'viewer', cameras: ['yard'] },
                { token_hash: foreignHashOf(hashedElsewhere) },
                { token_file: viewers, name: 'shop' },
                { token: admin, role: 'admin', name: 'boss' },
            ],
            token_keys: [
                { name: 'console', public_key_file: console_.file, audience: 'box-7', role: 'operator' },
                { name: 'cloud', public_key_file: cloud.file, audience: 'box-7', cameras: ['yard'] },
            ],
        },
    });
});
after(async () => {
    await agent?.remove();
    folder.remove();
});

const roleOf = async (token) => {
    const peer = await Peer.connect(agent.streamUrl, token);
    const { data } = peer.messages[0];
    await peer.close();
    return data.role;
};
/** Another address of loopback each time: who is wrong too often from one is not listened to any more. */
let lastHost = 1;
const elsewhere = () => ({ localAddress: `127.0.1.${++lastHost}` });
const refused = async (token) => {
    const peer = await Peer.connect(agent.streamUrl, undefined, { ws: elsewhere() });
    peer.send({ type: 'auth', token });
    const { code } = await peer.closed;
    const status = await new Promise((answered, failed) => {
        get(new URL('/metrics', agent.pageUrl), { ...elsewhere(), headers: { authorization: `Bearer ${token}` } }, (answer) => {
            answer.resume();
            answered(answer.statusCode);
        }).on('error', failed);
    });
    assert.equal(status, 401);
    return code;
};

/** A peer with a token that holds any moment: who lets people in hears of it a little later than who reads the files. */
async function oncePossible(token) {
    for (let tries = 0; ; ++tries) {
        const peer = await Peer.connect(agent.streamUrl, undefined, { ws: elsewhere() });
        peer.send({ type: 'auth', token });
        const answer = await peer.message((m) => m.event === 'authenticated' || m.type === 'error');
        if (answer.event) return peer;
        assert.ok(tries < 50, 'the token never held');
        await passed(20);
    }
}

test('a token holds however it is given: plain, as a hash, in a file, signed', { skip }, async () => {
    assert.equal(await roleOf(plain), 'operator');
    assert.equal(await roleOf(hashed), 'viewer');
    assert.equal(await roleOf(inFile), 'viewer');
    assert.equal(await roleOf(console_.token({ role: 'operator', sub: 'eve' })), 'operator');
    assert.equal(await roleOf(cloud.token({})), 'viewer');
    assert.equal(await refused(fresh()), 4401);
    assert.equal(await roleOf(hashedElsewhere), 'viewer');
    assert.equal(await refused(hashOf(hashed)), 4401, 'the hash is not the token');
});

test('a signed token is held to what its key may give', { skip }, async () => {
    assert.equal(await refused(cloud.token({ role: 'operator' })), 4401);
    assert.equal(await refused(cloud.token({ cameras: ['cam_123'] })), 4401);
    assert.equal(await refused(console_.token({ aud: 'box-8' })), 4401);
    assert.equal(await refused(console_.token({}, -1)), 4401);
    assert.equal(await refused(console_.token({}, 600, { alg: 'none' })), 4401);
    assert.equal(await refused(cloud.token({}, 600, { alg: 'ES256' })), 4401);
    const peer = await Peer.connect(agent.streamUrl, cloud.token({}));
    const { data } = await peer.ask({ type: 'status' });
    assert.deepEqual(data.cameras.map((each) => each.camera_id), ['yard']);
    const started = await peer.ask({ type: 'stream_control', action: 'start', camera_id: 'cam_123' });
    assert.equal(started.data.code, 'forbidden');
    await peer.close();
});

test('a signed token ends, and who shows a new one in time stays', { skip }, async () => {
    const stays = await Peer.connect(agent.streamUrl, console_.token({}, 3));
    const goes = await Peer.connect(agent.streamUrl, console_.token({}, 3));
    const warned = await stays.message((m) => m.event === 'reauthenticate');
    assert.ok(warned.data.ends_in_s <= 3);
    const { data } = await stays.ask({ type: 'auth', token: console_.token({ role: 'operator' }) });
    assert.equal(data.role, 'operator');
    assert.equal((await goes.closed).code, 4411);
    assert.equal((await stays.ask({ type: 'heartbeat' })).type, 'heartbeat');
    await stays.close();
});

test('a file that changes is read again; who still holds a token notices nothing', { skip }, async () => {
    const next = fresh();
    const both = await Peer.connect(agent.streamUrl, inFile);
    await both.control('start', 'cam_123');
    const said = agent.log.length;
    replace(viewers, `${inFile}\n${next}\n`);
    await agent.logs(/tokens were read again/, said);
    const second = await oncePossible(next);
    const frames = both.frames.length;
    await both.until(() => both.frames.length > frames, 'a picture after the change');
    replace(viewers, `${next}\n`);
    assert.equal((await both.closed).code, 4411, 'the old one is gone, and with it who used it');
    assert.equal(await refused(inFile), 4401);
    // What others may read gives nobody a right.
    chmodSync(viewers, 0o644);
    writeFileSync(viewers, `${next}\n`);
    assert.equal((await second.closed).code, 4411);
    assert.match(agent.log, /tokens of shop do not hold: .*chmod 600/);
});

test('an administrator sees who is there, and sends one away with the token', { skip }, async () => {
    const boss = await Peer.connect(agent.streamUrl, admin);
    const token = console_.token({ sub: 'mallory', role: 'operator' });
    const mallory = await Peer.connect(agent.streamUrl, token, { auth: { instance: 'tab-1' } });
    await mallory.control('start', 'yard');
    const listed = await boss.ask({ type: 'sessions' });
    const entry = listed.data.sessions.find((each) => each.name === 'console/mallory');
    assert.equal(entry.address, '127.0.0.1');
    assert.equal(entry.instance, 'tab-1');
    assert.ok(entry.token_ends > Date.now() / 1000);
    assert.ok(listed.data.sessions.find((each) => each.own).name === 'boss');
    const nobody = await mallory.ask({ type: 'sessions' });
    assert.equal(nobody.data.code, 'forbidden');
    const ended = await boss.ask({ type: 'sessions', action: 'revoke', session: entry.session, token: true });
    assert.equal(ended.type, 'ok');
    assert.equal((await mallory.closed).code, 4411);
    assert.equal(await refused(token), 4401);
    await boss.close();
    await agent.stop();
    await agent.run(); // although nobody can read the tokens of the shop
    assert.equal(await refused(token), 4401, 'after a restart too');
    const kept = join(agent.folder, 'data/revoked.json');
    assert.equal(statSync(kept).mode & 0o777, 0o600);
    assert.ok(!readFileSync(kept, 'utf8').includes(token));
});

test('a tab that comes back takes the place of its half-dead self', { skip }, async () => {
    const options = { auth: { instance: 'tab-2', features: [] } };
    const older = await Peer.connect(agent.streamUrl, plain, options);
    const newer = await Peer.connect(agent.streamUrl, plain, options);
    assert.equal((await older.closed).code, 4409);
    await newer.close();
});

test('the token that the agent made is replaced on command, without a gap', { skip }, async () => {
    const own = await AgentProcess.start({ cameras: [], server: { tokens: [] } });
    try {
        const first = readFileSync(join(own.folder, 'data/token'), 'utf8').trim();
        const peer = await Peer.connect(own.streamUrl, first);
        const { data } = await peer.ask({ type: 'rotate_token' });
        assert.equal(readFileSync(join(own.folder, 'data/token'), 'utf8').trim(), data.token);
        assert.notEqual(data.token, first);
        assert.ok(data.old_holds_s > 0);
        assert.equal((await peer.ask({ type: 'heartbeat' })).type, 'heartbeat');
        await (await Peer.connect(own.streamUrl, data.token)).close();
        await peer.close();
        assert.ok(!own.log.slice(own.log.indexOf('page:') + 100).includes(data.token));
    } finally {
        await own.remove();
    }
});

test('what is wrong with a token file or a key is said by check, with its place', { skip }, () => {
    const check = (server) => {
        const file = join(folder.path, 'config.json');
        writeFileSync(file, JSON.stringify({ cameras: [], server }));
        return spawnSync(agentBinary, ['check', file], { encoding: 'utf8' });
    };
    const absent = check({ tokens: [{ token: 'a' }, { token_file: 'absent' }] });
    assert.equal(absent.status, 78);
    assert.match(absent.stderr, /\/server\/tokens\/1\/token_file: .*absent: there is no such file/);
    writeFileSync(join(folder.path, 'open'), 'x\n');
    chmodSync(join(folder.path, 'open'), 0o644);
    assert.match(check({ tokens: [{ token_file: 'open' }] }).stderr, /chmod 600/);
    const key = (file) => check({ token_keys: [{ name: 'k', public_key_file: file, audience: 'a' }] }).stderr;
    assert.match(key('open'), /\/server\/token_keys\/0\/public_key_file: .*no public key in PEM/);
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(join(folder.path, 'rsa.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    assert.match(key('rsa.pem'), /neither an EC P-256 \(ES256\) nor an Ed25519/);
    rmSync(join(folder.path, 'rsa.pem'));
});

test('an administrator who asks for all there is hears no secret', { skip }, async () => {
    const boss = await Peer.connect(agent.streamUrl, admin);
    const answers = [];
    for (const request of [{ type: 'config', action: 'get' }, { type: 'status' }, { type: 'sessions' }, { type: 'metrics' },
        { type: 'diagnostics' }]) {
        answers.push(await boss.ask(request));
    }
    assert.equal(answers[0].type, 'config');
    for (const token of answers[0].data.config.server.tokens) assert.ok(token.token_file || token.token_hash === '***');
    const said = JSON.stringify(answers);
    for (const secret of [plain, hashed, hashedElsewhere, inFile, admin]) assert.ok(!said.includes(secret));
    await boss.close();
});

test('a crash leaves no core dump, which would hold secrets', { skip }, async () => {
    const limits = readFileSync(`/proc/${agent.pid}/limits`, 'utf8');
    assert.match(limits, /Max core file size +0 /);
});

test('the log names who did what, and holds no secret', { skip }, async () => {
    const peer = await Peer.connect(agent.streamUrl, plain);
    await peer.control('disable', 'yard');
    await peer.control('enable', 'yard');
    await peer.close();
    await agent.stop();
    assert.match(agent.log, /audit: session \d+, "ann" \(operator\) at 127\.0\.0\.1: "disable yard": ok/);
    for (const token of secrets) assert.ok(!agent.log.includes(token), 'a token is in the log');
});
