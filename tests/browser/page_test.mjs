// The page in a real browser against the real agent: what a person would see.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { agentBinary, AgentProcess, kSmallCamera, withoutAgent } from '../support/agent.mjs';
import { AgentPage, launchChromium, withoutChromium } from './chromium.mjs';

const skip = withoutAgent || withoutChromium;

describe(`the page (${agentBinary || 'no agent'})`, { skip }, () => {
    let agent, browser;

    before(async () => {
        browser = await launchChromium(['--host-resolver-rules=MAP box.local 127.0.0.1']);
        agent = await AgentProcess.start({ cameras: [kSmallCamera], vision: { rate_hz: 5 } });
    });
    after(async () => {
        await browser?.close();
        await agent?.remove();
    });

    const open = (t, player, options) =>
        AgentPage.open(t, browser, `${agent.pageUrl}?player=${player}#token=${agent.token}`, options);

    test('comes back by itself after the agent was killed and started again', async (t) => {
        const tile = await open(t, 'mse');
        await tile.plays();
        await tile.page.locator('.card.here').first().waitFor();
        await tile.page.waitForFunction(() => document.querySelector('.card .portrait img')?.naturalWidth > 0);
        await agent.kill();
        await tile.until((figures) => figures.label === 'Offline');
        assert.equal(await tile.page.locator('.card.here').count(), 0, 'nobody is known to be there');
        assert.equal(await tile.page.locator('#present').innerText(), '');
        await tile.notice().getByText('No connection to the agent').waitFor();
        await agent.run();
        await tile.plays();
        assert.equal((await tile.page.evaluate(() => window.edgecam.connection())).opened, 2);
    });

    test('a picture that stopped never looks live', async (t) => {
        const tile = await open(t, 'webcodecs');
        await tile.plays();
        agent.signal('SIGSTOP');
        try {
            await tile.until((figures) => figures.label === 'No picture');
            await tile.notice().getByText(/No picture for \d+ s/).waitFor();
        } finally {
            agent.signal('SIGCONT');
        }
        await tile.plays();
    });

    test('a page that nobody looks at gets no video, and plays again when it is seen', async (t) => {
        const tile = await AgentPage.open(t, browser, `${agent.pageUrl}?hidden_s=0.1#token=${agent.token}`);
        await tile.plays(3);
        const hide = (hidden) => tile.page.evaluate((value) => {
            Object.defineProperty(document, 'hidden', { value, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
        }, hidden);
        await hide(true);
        await tile.until((figures) => figures.status.streaming === false && figures.kbps === 0);
        await hide(false);
        await tile.plays();
    });

    test('a wrong token is said clearly, and the right one signs in', async (t) => {
        const tile = await AgentPage.open(t, browser, `${agent.pageUrl}#token=wrong`);
        await tile.page.getByText('The agent refused this token').waitFor();
        await tile.page.getByLabel('Access token').fill(agent.token);
        await tile.button('Connect').click();
        await tile.plays();
    });

    test('without a token the page asks for one', async (t) => {
        const tile = await AgentPage.open(t, browser, agent.pageUrl);
        await tile.page.getByText('Enter the access token').waitFor();
    });

    test('the token leaves the address bar and outlives a reload', async (t) => {
        const tile = await open(t, 'mse');
        await tile.plays(3);
        assert.ok(!tile.page.url().includes(agent.token));
        await tile.page.reload();
        await tile.plays(3);
    });

    test('a viewer has no switch for the camera; an operator switches it off and on', async (t) => {
        const looker = await AgentPage.open(t, browser, `${agent.pageUrl}#token=looker`);
        await looker.plays(3);
        assert.equal(await looker.page.locator('.menu').isVisible(), false);
        const tile = await open(t, 'mse');
        await tile.plays(3);
        await tile.page.locator('.menu summary').click();
        await tile.page.getByRole('menuitem', { name: 'Switch camera off' }).click();
        await tile.until((figures) => figures.label === 'Off');
        await tile.page.locator('.menu summary').click();
        await tile.page.getByRole('menuitem', { name: 'Switch camera on' }).click();
        await tile.plays();
    });

    test('the pressed quality is the one in force here, whatever another page chose', async (t) => {
        const mine = await open(t, 'mse'), theirs = await open(t, 'webcodecs');
        await Promise.all([mine.plays(3), theirs.plays(3)]);
        const pressed = (tile, name) => tile.page.getByRole('button', { name, pressed: true }).waitFor();
        await Promise.all([pressed(mine, 'Auto quality'), pressed(theirs, 'Auto quality')]);
        await mine.button('Low quality').click();
        await pressed(mine, 'Low quality');
        await Promise.all([mine.plays(3), theirs.plays(3)]);
        await pressed(theirs, 'Auto quality');
        await mine.button('Auto quality').click();
        await pressed(mine, 'Auto quality');
        await mine.plays(3);
    });

    test('a snapshot is shown and can be kept', async (t) => {
        const tile = await open(t, 'mse');
        await tile.plays(3);
        await tile.button('Snapshot').click();
        const dialog = tile.page.getByRole('dialog');
        await dialog.waitFor();
        const width = await dialog.locator('img').evaluate((image) => image.decode().then(() => image.naturalWidth));
        assert.ok(width >= 320);
        const [download] = await Promise.all([tile.page.waitForEvent('download'), dialog.getByText('Download').click()]);
        assert.match(download.suggestedFilename(), /^cam_123-.*\.jpg$/);
        await dialog.getByText('Close').click();
        await dialog.waitFor({ state: 'detached' });
    });

    test('on plain http from elsewhere the page takes MSE by itself', async (t) => {
        const url = new URL(agent.pageUrl);
        url.hostname = 'box.local';
        const tile = await AgentPage.open(t, browser, `${url.href}#token=${agent.token}`);
        const figures = await tile.plays(10);
        assert.equal(await tile.page.evaluate(() => window.isSecureContext), false);
        assert.equal(figures.player, 'mse');
    });

    test('over TLS from elsewhere it plays with WebCodecs, once a person has accepted the box\'s own certificate', async (t) => {
        const secure = await AgentProcess.start({ cameras: [kSmallCamera], server: { tls: { self_signed: true } } });
        t.after(() => secure.remove());
        const url = new URL(secure.pageUrl);
        url.hostname = 'box.local';
        const tile = await AgentPage.open(t, browser, `${url.href}#token=${secure.token}`, { ignoreHTTPSErrors: true });
        const figures = await tile.plays(10);
        assert.equal(await tile.page.evaluate(() => window.isSecureContext), true);
        assert.equal(figures.player, 'webcodecs');
    });

    test('fits a phone: nothing to scroll sideways, everything big enough to touch', async (t) => {
        const tile = await open(t, 'mse', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
        await tile.plays(3);
        const page = await tile.page.evaluate(() => ({
            wide: document.documentElement.scrollWidth,
            small: [...document.querySelectorAll('button, summary, input')].filter((one) => one.checkVisibility())
                .map((one) => one.getBoundingClientRect()).filter(({ width, height }) => width < 44 || height < 44).length,
            nameless: [...document.querySelectorAll('button, summary')].filter((one) => !(one.textContent || one.ariaLabel)).length,
        }));
        assert.deepEqual(page, { wide: 390, small: 0, nameless: 0 });
    });

    test('keeps a picture of itself', { skip: process.env.EDGECAM_SCREENSHOT ? false : 'EDGECAM_SCREENSHOT is not set' }, async (t) => {
        const large = await AgentProcess.start();
        t.after(() => large.remove());
        const tile = await AgentPage.open(t, browser, `${large.pageUrl}#token=${large.token}`);
        await tile.until((figures) => figures.boxes.faces.length > 1);
        await tile.page.locator('.card .portrait img').first().waitFor();
        await tile.plays(60);
        await tile.page.screenshot({ path: process.env.EDGECAM_SCREENSHOT });
    });
});
