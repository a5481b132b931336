// The local server over TLS: which versions and suites it agrees to, with which certificate, whom it lets in, and what
// becomes of handshakes that lead nowhere. The other sides are OpenSSL's s_client and Node.js.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { connect } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { agentBinary, AgentProcess, kSmallCamera, tempFolder, within, withoutAgent } from '../support/agent.mjs';
import { makeAuthority, makeCertificate } from '../support/certificates.mjs';
import { Peer } from '../support/peer.mjs';
import { parseMetrics, valueOf } from '../support/prometheus_text.mjs';
import { frame, RawSocket, text } from '../support/raw_socket.mjs';

/** Resolves with { status, text, fingerprint } or rejects as Node does. */
const fetchOver = (url, options) => within(10_000, new Promise((done, fail) => {
    get(url, { agent: false, ...options }, (answer) => {
        const { fingerprint256: fingerprint } = answer.socket.getPeerCertificate();
        let text = '';
        answer.on('data', (data) => { text += data; });
        answer.on('end', () => done({ status: answer.statusCode, text, fingerprint }));
    }).on('error', fail);
}), url);

const edgecam = (...args) => spawnSync(agentBinary, args, { encoding: 'utf8', timeout: 60_000 });

describe('with a certificate of its own', { skip: withoutAgent }, () => {
    let agent, ca, certificate;

    before(async () => {
        agent = await AgentProcess.start({ cameras: [kSmallCamera], server: { tokens: [], tls: { self_signed: true } } });
        certificate = path.join(agent.folder, 'data/tls-cert.pem');
        ca = readFileSync(certificate);
        agent.token = new URL(agent.printedUrl).hash.replace('#token=', '');
    });
    after(() => agent?.remove());

    const configFile = () => path.join(agent.folder, 'config.json');
    /** What s_client says of a handshake. */
    function shake(...args) {
        const { stdout, stderr } = spawnSync('openssl', ['s_client', '-connect', `127.0.0.1:${agent.port}`, '-CAfile', certificate, ...args],
            { encoding: 'utf8', input: '', timeout: 20_000 });
        const said = stdout + stderr;
        const [, version, suite] = said.match(/^New, (\S+), Cipher is (\S+)$/m) ?? [];
        return { version, suite, agreed: suite !== undefined && suite !== '(NONE)', said };
    }

    test('the printed address is https, and page, health, metrics and video come that way', async () => {
        assert.match(agent.printedUrl, /^https:\/\/127\.0\.0\.1:/);
        const page = await fetchOver(agent.pageUrl, { ca });
        assert.equal(page.status, 200);
        assert.match(page.text, /<html/);
        assert.equal((await fetchOver(`${agent.pageUrl}main.js`, { ca })).text, readFileSync(path.join(process.env.EDGECAM_SOURCE, 'web/main.js'), 'utf8'));
        assert.equal(JSON.parse((await fetchOver(`${agent.pageUrl}healthz`, { ca })).text).ok, true);
        assert.match((await fetchOver(`${agent.pageUrl}metrics`, { ca })).text, /edgecam_uptime_seconds/);
        const peer = await Peer.connect(agent.streamUrl, agent.token, { ws: { ca } });
        await peer.control('start', 'cam_123');
        await peer.frame(({ kind }) => kind === 2);
        await peer.close();
    });

    test('the certificate is for this box, its key is private, and both stay over a restart', async () => {
        const { fingerprint } = await fetchOver(agent.pageUrl, { ca });
        for (const servername of ['localhost', execFileSync('hostname', { encoding: 'utf8' }).trim()]) {
            assert.equal((await fetchOver(agent.pageUrl, { ca, servername })).status, 200);
        }
        assert.equal(statSync(path.join(agent.folder, 'data/tls-key.pem')).mode & 0o777, 0o600);
        const { status, stdout } = edgecam('token', configFile());
        assert.equal(status, 0);
        assert.ok(stdout.includes(`page: ${agent.printedUrl}\n`), stdout);
        assert.ok(stdout.includes(`certificate: SHA-256 ${fingerprint}\n`), stdout);
        await agent.stop();
        await agent.run();
        assert.equal((await fetchOver(agent.pageUrl, { ca })).fingerprint, fingerprint);
    });

    test('TLS 1.2 and 1.3 are agreed to, 1.0 and 1.1 are not, whatever the client would take', () => {
        for (const [flag, version] of [['-tls1_2', 'TLSv1.2'], ['-tls1_3', 'TLSv1.3']]) {
            const { version: agreed, said } = shake(flag);
            assert.equal(agreed, version, said);
            assert.match(said, /Verify return code: 0 \(ok\)/);
        }
        for (const flag of ['-tls1', '-tls1_1']) {
            const { agreed, said } = shake(flag, '-cipher', 'ALL:@SECLEVEL=0');
            assert.ok(!agreed, said);
            assert.match(said, /alert protocol version/);
        }
    });

    test('suites without forward secrecy or authenticated encryption are not agreed to', (t) => {
        const names = (list) => execFileSync('openssl', ['ciphers', '-tls1_2', '-s', list], { encoding: 'utf8' }).trim().split(':');
        const strong = (suite) => /^ECDHE-ECDSA-(AES\d+-GCM|CHACHA20-POLY1305)/.test(suite);
        const all = names('ALL:COMPLEMENTOFALL:@SECLEVEL=0');
        assert.ok(all.length > 40 && all.filter(strong).length >= 3);
        // Together first: what is not chosen then, nobody can be talked into.
        const weak = all.filter((suite) => !strong(suite));
        assert.ok(!shake('-tls1_2', '-cipher', `${weak.join(':')}:@SECLEVEL=0`).agreed, 'one of the weak');
        for (const suite of weak) assert.ok(!shake('-tls1_2', '-cipher', `${suite}:@SECLEVEL=0`).agreed, suite);
        for (const suite of all.filter(strong)) assert.equal(shake('-tls1_2', '-cipher', suite).suite, suite);
        assert.ok(!shake('-tls1_3', '-ciphersuites', 'TLS_AES_128_CCM_8_SHA256').agreed);
        t.diagnostic(`${weak.length} weak suites refused`);
    });

    test('no HTTP/2, no renegotiation, no session to resume', () => {
        assert.match(shake('-alpn', 'h2,http/1.1').said, /ALPN protocol: http\/1\.1/);
        const { said } = shake('-tls1_2');
        assert.match(said, /Session-ID: \n/);
        assert.doesNotMatch(said, /session ticket/i);
        assert.doesNotMatch(shake('-tls1_3').said, /session ticket/i);
    });

    test('whoever does not trust the certificate, or calls the box by another name, is told so by their own side', async () => {
        await assert.rejects(fetchOver(agent.pageUrl, {}), { code: /SELF_SIGNED|UNABLE_TO_VERIFY/ });
        await assert.rejects(Peer.connect(agent.streamUrl, agent.token), { code: /SELF_SIGNED|UNABLE_TO_VERIFY/ });
        await assert.rejects(fetchOver(agent.pageUrl, { ca, servername: 'other.example' }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    });

    test('a client that does not mask is closed at its first frame, one that does is heard at once', async () => {
        const auth = { type: 'auth', token: agent.token, features: [] };
        for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
            const stream = () => RawSocket.stream(agent.port, { tls: { ca, maxVersion } });
            const unmasked = await stream();
            unmasked.send(frame(0x81, JSON.stringify(auth), { masked: false }));
            assert.equal(await unmasked.closed(), 1002, maxVersion);
            // More than one frame in what is decrypted at a time, and one that comes in two records.
            const masked = await stream();
            masked.send(Buffer.concat([text(auth), text({ type: 'heartbeat', id: 4711 })]));
            assert.match(await masked.says('4711'), /"authenticated"[^]*4711/, maxVersion);
            masked.drop();
            const split = await stream();
            split.send(text(auth).subarray(0, 9));
            split.send(text(auth).subarray(9));
            assert.match(await split.says('"authenticated"'), /"authenticated"/, maxVersion);
            split.drop();
        }
    });

    test('a hundred handshakes that stop half-way hold up nobody, and their sockets are closed', async () => {
        const openFiles = async () => valueOf(parseMetrics((await fetchOver(`${agent.pageUrl}metrics`, { ca })).text), 'process_open_fds');
        const before = await openFiles();
        const hello = Buffer.from('16030102000100 01fc0303'.replaceAll(' ', ''), 'hex');
        const sockets = await Promise.all(Array.from({ length: 100 }, (_, i) => new Promise((done) => {
            const socket = connect(agent.port, '127.0.0.1', () => {
                if (i % 2) socket.write(hello);
                done(socket);
            });
            socket.on('error', () => {});
        })));
        const gone = Promise.all(sockets.map((socket) => new Promise((done) => socket.resume().once('close', done))));
        let slowest = 0;
        for (let turn = 0; turn < 20; ++turn) {
            const asked = performance.now();
            assert.equal((await fetchOver(`${agent.pageUrl}healthz`, { ca })).status, 200);
            slowest = Math.max(slowest, performance.now() - asked);
        }
        assert.ok(slowest < 2000, `${slowest} ms for /healthz`);
        await within(20_000, gone, 'the end of what leads nowhere');
        for (let turn = 0; turn < 100; ++turn) {
            const socket = connect(agent.port, '127.0.0.1', () => socket.end(turn % 2 ? 'GET / HTTP/1.1\r\n\r\n' : Buffer.alloc(5000, 0xff)));
            await within(5000, new Promise((done) => socket.on('error', () => {}).resume().once('close', done)), 'the end of garbage');
        }
        // The figures are a second old at most.
        for (let turn = 0; await openFiles() > before + 3; ++turn) {
            assert.ok(turn < 50, `${await openFiles()} open, ${before} before`);
            await new Promise((done) => setTimeout(done, 100));
        }
    });
});

describe('with certificates of an authority', { skip: withoutAgent }, () => {
    let folder, authority, stranger, made;
    before(() => {
        folder = tempFolder();
        authority = makeAuthority(folder.path);
        stranger = makeAuthority(folder.path, 'stranger');
        const rsa = ['-newkey', 'rsa:2048', '-nodes'];
        made = {
            box: makeCertificate(folder.path, 'box', authority, { keyArgs: rsa }),
            over: makeCertificate(folder.path, 'over', authority, { days: -1 }),
            viewer: makeCertificate(folder.path, 'viewer', authority),
            foreign: makeCertificate(folder.path, 'foreign', stranger),
        };
    });
    after(() => folder?.remove());

    const served = ({ cert, key }, more = {}) => ({ cameras: [], server: { tls: { cert_file: cert, key_file: key, ...more } } });
    const trusting = () => ({ ca: readFileSync(authority.cert) });
    const showing = ({ cert, key }) => ({ ...trusting(), cert: readFileSync(cert), key: readFileSync(key) });

    test('viewers need a certificate where there is client_ca_file, and their token as well', async (t) => {
        const agent = await AgentProcess.start(served(made.box, { client_ca_file: authority.cert }));
        t.after(() => agent.remove());
        await assert.rejects(fetchOver(agent.pageUrl, trusting()), 'without');
        await assert.rejects(fetchOver(agent.pageUrl, { ...trusting(), maxVersion: 'TLSv1.2' }), 'without, 1.2');
        await assert.rejects(fetchOver(agent.pageUrl, showing(made.foreign)), 'of a strange authority');
        await assert.rejects(fetchOver(agent.pageUrl, showing(made.over)), 'one that is over');
        await assert.rejects(Peer.connect(agent.streamUrl, agent.token, { ws: trusting() }), 'a WebSocket without');
        for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
            assert.equal((await fetchOver(`${agent.pageUrl}healthz`, { ...showing(made.viewer), maxVersion })).status, 200);
        }
        const peer = await Peer.connect(agent.streamUrl, agent.token, { ws: showing(made.viewer) });
        await peer.close();
        const nobody = await Peer.connect(agent.streamUrl, undefined, { ws: showing(made.viewer) });
        nobody.send({ type: 'auth', token: 'wrong' });
        assert.equal((await nobody.closed).code, 4401);
    });

    test('one that is over is served with an error in the log, and refused by viewers and by check', async (t) => {
        const agent = await AgentProcess.start(served(made.over));
        t.after(() => agent.remove());
        assert.match(agent.log, /error +agent: \/server\/tls\/cert_file: .*over\.pem expired on \d{4}-\d\d-\d\d/);
        await assert.rejects(fetchOver(agent.pageUrl, trusting()), { code: 'CERT_HAS_EXPIRED' });
        const { status, stderr } = edgecam('check', path.join(agent.folder, 'config.json'));
        assert.equal(status, 78);
        assert.match(stderr, /\/server\/tls\/cert_file: .*over\.pem expired on/);
    });

    test('files that cannot be used are named with their place in the config, by check and at start', () => {
        const locked = path.join(folder.path, 'locked.pem');
        execFileSync('openssl', ['ec', '-in', made.viewer.key, '-aes256', '-passout', 'pass:hush', '-out', locked], { stdio: 'ignore' });
        const short = makeCertificate(folder.path, 'short', authority, { keyArgs: ['-newkey', 'rsa:1024', '-nodes'] });
        const config = path.join(folder.path, 'config.json');
        const { cert, key } = made.viewer;
        const cases = [
            [{ cert_file: cert, key_file: made.box.key }, /\/server\/tls\/key_file: .*box-key\.pem is not the key of/],
            [{ cert_file: cert, key_file: locked }, /\/server\/tls\/key_file: .*locked\.pem holds no private key in PEM form without a passphrase/],
            [{ cert_file: cert, key_file: '/nowhere/key.pem' }, /\/server\/tls\/key_file: \/nowhere\/key\.pem cannot be read: No such file/],
            [{ cert_file: key, key_file: key }, /\/server\/tls\/cert_file: .* holds no certificate/],
            [{ cert_file: cert, key_file: key, client_ca_file: key }, /\/server\/tls\/client_ca_file: .* holds no certificate/],
            [{ cert_file: short.cert, key_file: short.key }, /\/server\/tls: .*short\.pem: ee key too small/],
            [{ cert_file: cert }, /\/server\/tls: "cert_file" and "key_file" go together/],
            [{}, /\/server\/tls: needs either/],
            [{ self_signed: true, cert_file: cert, key_file: key }, /\/server\/tls: needs either/],
        ];
        for (const [tls, told] of cases) {
            writeFileSync(config, JSON.stringify({ data_dir: './data', cameras: [], server: { listen: '127.0.0.1:0', tls } }));
            for (const command of [['check', config], ['run', '-c', config]]) {
                const { status, stderr } = edgecam(...command);
                assert.ok(status === 78 || (status === 69 && command[0] === 'run'), `${command[0]}: ${status} ${stderr}`);
                assert.match(stderr, told);
            }
        }
    });

    test('a key that is lost is not made anew in silence', async () => {
        const agent = await AgentProcess.start({ cameras: [], server: { tls: { self_signed: true } } });
        await agent.stop();
        const data = path.join(agent.folder, 'data');
        unlinkSync(path.join(data, 'tls-key.pem'));
        const refused = edgecam('run', '-c', path.join(agent.folder, 'config.json'));
        assert.equal(refused.status, 69);
        assert.match(refused.stderr, /\/server\/tls: .*tls-key\.pem cannot be read.*remove both files to get new ones/);
        copyFileSync(made.box.key, path.join(data, 'tls-key.pem'));
        assert.match(edgecam('run', '-c', path.join(agent.folder, 'config.json')).stderr, /is not the key of the certificate/);
        await agent.remove();
    });
});

describe('without TLS', { skip: withoutAgent }, () => {
    test('a server for other machines is warned of, one for this machine is not', async () => {
        for (const [listen, warned] of [['0.0.0.0', true], ['127.0.0.1', false]]) {
            const agent = await AgentProcess.start({ cameras: [], server: { listen: `${listen}:0` } });
            assert.equal(/warning +agent: \/server\/listen: 0\.0\.0\.0 is for other machines/.test(agent.log), warned);
            await agent.remove();
        }
        const agent = await AgentProcess.start({ cameras: [], server: { listen: '0.0.0.0:0', tls: { self_signed: true } } });
        assert.doesNotMatch(agent.log, /is for other machines/);
        await agent.remove();
    });

    test('edgecam token prints the address of a plain server, and no token that the config has', async () => {
        const agent = await AgentProcess.start({ cameras: [] });
        const { stdout } = edgecam('token', path.join(agent.folder, 'config.json'));
        assert.equal(stdout, `page: ${agent.pageUrl}\nits tokens are in the config\n`);
        await agent.remove();
        const folder = tempFolder();
        const config = path.join(folder.path, 'config.json');
        writeFileSync(config, JSON.stringify({ data_dir: './data', cameras: [] }));
        const { status, stderr } = edgecam('token', config);
        assert.equal(status, 69);
        assert.match(stderr, /no token in .*data yet: the agent makes it at its first start/);
        folder.remove();
    });
});
