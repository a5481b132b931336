// What each of the page's players shows, in a real browser against the real agent.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { AgentProcess, withoutAgent } from '../support/agent.mjs';
import { AgentPage, launchChromium, withoutChromium } from './chromium.mjs';

const kPlayers = ['mse', 'webcodecs'];

describe('the players of the page', { skip: withoutAgent || withoutChromium }, () => {
    let agent, browser;

    before(async () => {
        browser = await launchChromium();
        // Smaller at low quality, and not much dearer than that.
        agent = await AgentProcess.start([{ id: 'cam_123', source: 'test://faces?width=960&height=540&fps=30' }]);
    });
    after(async () => {
        await browser?.close();
        await agent?.remove();
    });

    const open = (t, player) => AgentPage.open(t, browser, `${agent.pageUrl}?player=${player}#token=${agent.token}`);

    for (const player of [...kPlayers, 'jpeg']) {
        test(`plays with ${player}, near the live edge`, async (t) => {
            const tile = await open(t, player);
            const first = await tile.plays(5);
            const later = await tile.plays(30);
            assert.equal(later.player, player);
            await tile.page.locator('.figures div', { hasText: 'Player' })
                .getByText({ mse: 'MSE', webcodecs: 'WebCodecs', jpeg: 'JPEG' }[player], { exact: true }).waitFor();
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
