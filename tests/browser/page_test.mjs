// The page in a real browser against the real agent: what a person would see.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { agentBinary, AgentProcess, withoutAgent } from '../support/agent.mjs';
import { AgentPage, launchChromium, withoutChromium } from './chromium.mjs';

const skip = withoutAgent || withoutChromium;
const kPlayers = ['mse', 'webcodecs'];

describe(`the page (${agentBinary || 'no agent'})`, { skip }, () => {
    let agent, browser;

    before(async () => {
        browser = await launchChromium(['--host-resolver-rules=MAP box.local 127.0.0.1']);
        agent = await AgentProcess.start();
    });
    after(async () => {
        await browser?.close();
        await agent?.remove();
    });

    const open = (t, player, options) =>
        AgentPage.open(t, browser, `${agent.pageUrl}?player=${player}#token=${agent.token}`, options);

    for (const player of [...kPlayers, 'jpeg']) {
        test(`plays with ${player}, near the live edge`, async (t) => {
            const tile = await open(t, player);
            const first = await tile.plays(5);
            const later = await tile.plays(30);
            assert.equal(later.player, player);
            assert.ok(later.lastSequence > first.lastSequence);
            if (player !== 'jpeg') assert.ok(later.currentTime > first.currentTime, 'currentTime advances');
            assert.ok(later.videoWidth >= 320 && later.videoHeight >= 180);
            await tile.until((figures) => figures.latencyMs > -50 && figures.latencyMs < 1000);
        });

        test(`draws boxes over the faces with ${player}`, async (t) => {
            const tile = await open(t, player);
            // A face may leave between the look at the figures and that at the canvas.
            let faces = [];
            for (let look = 0; look < 20 && faces.length === 0; look++) {
                await tile.until((figures) => figures.boxesDrawn > 20 && figures.boxes.faces.length > 0);
                faces = await tile.page.evaluate(whatLiesUnderTheBoxes);
            }
            assert.ok(faces.length > 0);
            for (const { drawn, skin } of faces) {
                assert.ok(drawn, 'the corners of the box are drawn');
                assert.ok(skin, `skin in the middle of the box: ${JSON.stringify(faces)}`);
            }
        });
    }

    for (const player of kPlayers) {
        test(`stop stops and start starts with ${player}`, async (t) => {
            const tile = await open(t, player);
            await tile.plays();
            await tile.button('Stop').click();
            const stopped = await tile.until((figures) => figures.label === 'Stopped' && figures.status.streaming === false &&
                figures.kbps === 0);  // measured over two seconds
            const later = await tile.figures();
            assert.equal(later.framesShown, stopped.framesShown);
            await tile.notice().getByText('Stopped', { exact: true }).waitFor();
            await tile.button('Start').click();
            await tile.plays();
        });

        test(`quality changes size and bitrate without a new start with ${player}`, async (t) => {
            const tile = await open(t, player);
            const before = await tile.plays();
            await tile.button('Low quality').click();
            const low = await tile.until((figures, width) => figures.state === 'live' && figures.videoWidth < width &&
                figures.videoWidth === figures.status.width, before.videoWidth);
            assert.equal(low.status.quality, 'low');
            const settled = await tile.until((figures) => figures.status.target_bitrate_kbps > 0 &&
                figures.kbps > 0 && figures.kbps < 1.5 * figures.status.target_bitrate_kbps);
            await tile.button('High quality').click();
            const high = await tile.until((figures, width) => figures.state === 'live' && figures.videoWidth === width &&
                figures.status.quality === 'high', before.videoWidth);
            assert.ok(high.status.target_bitrate_kbps > settled.status.target_bitrate_kbps);
            await tile.plays();
            await tile.button('Auto quality').click();
        });

        test(`30 → 10 → 30 frames a second leaves no hole and no freeze with ${player}`, async (t) => {
            const tile = await open(t, player);
            const tune = (framerate) => tile.page.evaluate((rate) => window.edgecam.request({ type: 'stream_control',
                action: 'quality', camera_id: 'cam_123', quality: { mode: 'custom', framerate: rate } }), framerate);
            await tile.plays(5);
            await tune(30);
            await tile.until((figures) => figures.framesPerSecond > 15);
            await tile.page.evaluate(() => window.edgecam.resetGaps());
            await tune(10);
            await tile.until((figures) => figures.framesPerSecond > 7 && figures.framesPerSecond < 13);
            await tile.plays(30);
            await tune(30);
            await tile.until((figures) => figures.framesPerSecond > 15);
            const end = await tile.plays(60);
            assert.ok(end.longestGapMs < 1500, `frozen for ${end.longestGapMs} ms`);
            if (player === 'mse') assert.equal(end.bufferedRanges.length, 1, JSON.stringify(end.bufferedRanges));
            await tile.button('Auto quality').click();
        });
    }

    test('comes back by itself after the agent was killed and started again', async (t) => {
        const tile = await open(t, 'mse');
        await tile.plays();
        await tile.page.locator('.card.here').first().waitFor();
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

    test('the pressed quality is the one in force, whoever chose it', async (t) => {
        const mine = await open(t, 'mse'), theirs = await open(t, 'webcodecs');
        await Promise.all([mine.plays(3), theirs.plays(3)]);
        const pressed = (tile, name) => tile.page.getByRole('button', { name, pressed: true }).waitFor();
        await mine.button('Low quality').click();
        await Promise.all([pressed(mine, 'Low quality'), pressed(theirs, 'Low quality')]);
        await theirs.button('Auto quality').click();
        await Promise.all([pressed(mine, 'Auto quality'), pressed(theirs, 'Auto quality')]);
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
        const tile = await open(t, 'webcodecs');
        await tile.until((figures) => figures.boxes.faces.length > 1);
        await tile.page.locator('.card .portrait canvas').first().waitFor();
        await tile.plays(60);
        await tile.page.screenshot({ path: process.env.EDGECAM_SCREENSHOT });
    });
});

/** On the page: for every box on the screen, whether its corner is drawn and what colour the picture has inside. */
function whatLiesUnderTheBoxes() {
    const { boxes } = window.edgecam.tile('cam_123');
    const overlay = document.querySelector('.overlay'), surface = document.querySelector('.surface');
    const copy = document.createElement('canvas');
    copy.width = overlay.width;
    copy.height = overlay.height;
    const context = copy.getContext('2d');
    context.drawImage(surface, 0, 0, copy.width, copy.height);
    const ink = overlay.getContext('2d');
    return boxes.faces.map(({ box: [x, y, w, h] }) => {
        const left = x * copy.width, top = y * copy.height, wide = w * copy.width, high = h * copy.height;
        const corner = ink.getImageData(left - 6, top + 0.12 * high, 12, 0.1 * high).data;
        const [r, g, b] = context.getImageData(left + wide / 2, top + high * 0.45, 1, 1).data;
        return { drawn: corner.some((value, at) => at % 4 === 3 && value > 0), skin: r > b + 20 && r > g, colour: [r, g, b] };
    });
}
