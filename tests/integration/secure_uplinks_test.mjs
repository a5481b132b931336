// Uplinks over TLS and through proxies: one agent, hubs with every fault that a certificate can have, and what its status
// says of each, to somebody who has to put it right.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Hub } from '../hub/hub.mjs';
import { AgentProcess, freePort, kSmallCamera, tempFolder, withoutAgent } from '../support/agent.mjs';
import { makeAuthority, makeCertificate } from '../support/certificates.mjs';
import { Peer } from '../support/peer.mjs';
import { Proxy } from '../support/proxy.mjs';

const kToken = 'hub-secret';
const kPassword = 'p@ss:w/rd';

describe('uplinks', { skip: withoutAgent }, () => {
    const folder = tempFolder(), hubs = {}, proxies = {};
    let agent, peer, strayProxy;

    /** A hub on localhost: a name, so that SNI has one to say. */
    async function startHub(name, tls) {
        hubs[name] = await Hub.listen({ token: kToken, tls });
        hubs[name].heard = [];
        hubs[name].on('event', (event) => hubs[name].heard.push(event));
        return hubs[name];
    }
    const byName = (hub) => hub.url.replace('127.0.0.1', 'localhost');

    before(async () => {
        const authority = makeAuthority(folder.path), stranger = makeAuthority(folder.path, 'stranger');
        const make = (name, of = authority, options = {}) => makeCertificate(folder.path, name, of, options);
        const right = make('right', authority, { names: 'DNS:localhost,IP:127.0.0.1,IP:::1' });
        const box = make('box'), foreign = make('foreign', stranger);
        await startHub('right', right);
        await startHub('behind', right);
        await startHub('strange', make('strange', stranger));
        await startHub('misnamed', make('misnamed', authority, { names: 'DNS:hub.example' }));
        await startHub('over', make('over', authority, { days: -1 }));
        await startHub('wants', { ...right, ca: authority.cert });
        await startHub('plain');
        hubs.ipv6 = await Hub.listen({ token: kToken, tls: right, host: '::1' });
        hubs.ipv6.misnamed = await Hub.listen({ token: kToken, tls: make('four', authority), host: '::1' });
        proxies.open = await Proxy.listen({ host: 'hub.internal', halting: true });
        proxies.guarded = await Proxy.listen({ credentials: `box:${kPassword}` });
        proxies.strict = await Proxy.listen({ forbids: true });
        strayProxy = await Proxy.listen();
        const viaProxy = (port, credentials = '') => ({ proxy: `http://${credentials}127.0.0.1:${port}` });
        const secret = `box:${encodeURIComponent(kPassword)}@`;
        const hubPort = hubs.right.port;
        // By this name only the proxy finds the hub, whose certificate is for another: reached, and refused.
        const internal = { url: `wss://hub.internal:${hubPort}/v1/stream` };
        const uplinks = {
            right: { url: byName(hubs.right) },
            six: { url: hubs.ipv6.url },
            six_misnamed: { url: hubs.ipv6.misnamed.url },
            strange: { url: byName(hubs.strange) },
            misnamed: { url: byName(hubs.misnamed) },
            over: { url: byName(hubs.over) },
            shows: { url: byName(hubs.wants), client_cert_file: box.cert, client_key_file: box.key },
            shows_none: { url: byName(hubs.wants) },
            shows_foreign: { url: byName(hubs.wants), client_cert_file: foreign.cert, client_key_file: foreign.key },
            no_tls: { url: hubs.plain.url.replace('ws:', 'wss:') },
            proxied: { url: byName(hubs.behind), ...viaProxy(proxies.guarded.port, secret) },
            proxied_plain: { url: hubs.plain.url, insecure: true, ...viaProxy(proxies.open.port) },
            proxied_elsewhere: { ...internal, ...viaProxy(proxies.open.port) },
            proxied_unnamed: { url: byName(hubs.right), ...viaProxy(proxies.guarded.port) },
            proxied_forbidden: { url: byName(hubs.right), ...viaProxy(proxies.strict.port) },
            proxied_nowhere: { url: byName(hubs.right), ...viaProxy(await freePort()) },
        };
        const environment = { http_proxy: `http://127.0.0.1:${strayProxy.port}`, HTTPS_PROXY: `http://127.0.0.1:${strayProxy.port}` };
        agent = await AgentProcess.start({
            agent_id: 'box-7',
            log_level: 'debug',
            cameras: [kSmallCamera],
            uplinks: Object.entries(uplinks).map(([name, uplink]) => ({ name, token: kToken, max_retry_s: 1, ca_file: authority.cert, ...uplink })),
        }, environment);
        peer = await Peer.connect(agent.streamUrl, agent.token);
        await peer.ask({ type: 'subscribe', topics: ['system'] });
    });
    after(async () => {
        await peer?.close();
        await agent?.remove();
        for (const other of [...Object.values(hubs), hubs.ipv6?.misnamed]) await other?.stop();
        for (const proxy of [...Object.values(proxies), strayProxy]) await proxy?.close();
        folder.remove();
    });

    /** What the status says of an uplink once it stands so. */
    const uplink = async (name, state) => {
        const find = ({ data }) => data?.uplinks?.find((one) => one.name === name && one.state === state);
        return find(await peer.message(find, 30_000));
    };
    const isTold = (name, reason) => test(`${name}: ${reason}`, async () => {
        const { reason: said } = await uplink(name, 'backing_off');
        assert.match(said, reason);
    });

    for (const name of ['right', 'six', 'shows', 'proxied', 'proxied_plain']) {
        test(`${name} is live`, () => uplink(name, 'live'));
    }

    isTold('strange', /certificate is not accepted: no authority that this box believes stands for it, ca_file can name one/);
    isTold('misnamed', /certificate is not accepted: it is for another name than localhost \(hostname mismatch\)/);
    isTold('six_misnamed', /certificate is not accepted: it is for another name than ::1/);
    isTold('over', /certificate is not accepted: it is not valid today, which this box takes for \d{4}-\d\d-\d\d \(certificate has expired\)/);
    isTold('shows_none', /the hub wants a certificate of this box, client_cert_file names one/);
    isTold('proxied_elsewhere', /it is for another name than hub\.internal/);
    isTold('proxied_unnamed', /the proxy 127\.0\.0\.1:\d+ wants another user name and password \(HTTP 407\)/);
    isTold('proxied_forbidden', /the proxy 127\.0\.0\.1:\d+ (does not allow this hub \(HTTP 403\)|opens no way to the hub: .*not allow)/);
    isTold('proxied_nowhere', /the proxy 127\.0\.0\.1:\d+ cannot be reached/);
    isTold('no_tls', /speaks no TLS/);
    isTold('shows_foreign', /the hub .*not accept this box's certificate/);

    test('the hub is called by its name, and shown the certificate', () => {
        assert.ok(hubs.right.heard.some(({ event, server_name: name }) => event === 'connected' && name === 'localhost'));
    });

    test('a proxy is told the hub and its credentials; neither log nor status tell these, nor the environment a way', async () => {
        await uplink('proxied', 'live');
        assert.deepEqual(proxies.guarded.asked.find(({ credentials }) => credentials),
            { target: `localhost:${hubs.behind.port}`, credentials: `box:${kPassword}` });
        assert.equal(strayProxy.asked.length, 0);
        const { data } = await peer.ask({ type: 'status' });
        for (const told of [agent.log, JSON.stringify(data)]) {
            for (const secret of [kPassword, encodeURIComponent(kPassword), Buffer.from(`box:${kPassword}`).toString('base64'), kToken]) {
                assert.ok(!told.includes(secret), secret);
            }
        }
    });
});
