// The page in front of other things than the drawn camera: one that is absent, one with B-frames in its own coding, and a
// hub that is away.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { WebSocketServer } from 'ws';

import { AgentProcess, freePort, sharedFile, withoutAgent } from '../support/agent.mjs';
import { AgentPage, launchChromium, withoutChromium } from './chromium.mjs';

const skip = withoutAgent || withoutChromium;
/** The uplink's longest wait between two tries is a minute. */
const kBackWithinMs = 70_000;

describe('a camera that is not there', { skip }, () => {
    test('its tile says so, and why', async (t) => {
        const browser = await launchChromium();
        t.after(() => browser.close());
        const agent = await AgentProcess.start([{ id: 'gone', source: 'rtsp://127.0.0.1:1/cam' }]);
        t.after(() => agent.remove());
        const tile = await AgentPage.open(t, browser, `${agent.pageUrl}#token=${agent.token}`);
        await tile.until((figures) => figures.label === 'Reconnecting' && figures.status.reason, undefined, 'gone');
        await tile.notice().getByText('Camera is reconnecting').waitFor();
        assert.match(await tile.notice().innerText(), /\w+\./);
    });
});

describe('a hub that is away', { skip }, () => {
    test('its line says so, why and when it is tried again, and that it is back; on a phone too', async (t) => {
        const browser = await launchChromium();
        t.after(() => browser.close());
        const port = await freePort();
        const agent = await AgentProcess.start({ cameras: [{ id: 'cam_123', source: 'test://bars?width=640&height=360&fps=15', vision: false }],
            uplinks: [{ url: `ws://127.0.0.1:${port}/hub?key=hidden`, token: 'hub-secret' }] });
        t.after(() => agent.remove());
        const { page } = await AgentPage.open(t, browser, `${agent.pageUrl}#token=${agent.token}`,
            { viewport: { width: 390, height: 844 } });
        const line = page.locator('.uplink');
        await line.getByText('Offline').waitFor();
        await line.getByText(/\w+.*\. (Next try in \d+ s\.|Trying again …)/).waitFor();
        assert.match(await line.innerText(), new RegExp(`ws://127.0.0.1:${port}/hub\\s`), 'nothing secret is shown');
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);

        const hub = new WebSocketServer({ host: '127.0.0.1', port });
        t.after(() => {
            hub.clients.forEach((socket) => socket.terminate());
            hub.close();
        });
        hub.on('connection', (socket) => socket.once('message', () => socket.send(
            JSON.stringify({ type: 'system', event: 'authenticated', data: { features: [] } }))));
        await line.getByText('Live', { exact: true }).waitFor({ timeout: kBackWithinMs });
        assert.equal(await line.locator('.why').innerText(), '');
    });
});

const clip = sharedFile('media/clips/asl_again.mp4');
describe('a clip with B-frames', { skip: skip || (clip ? false : 'clips/asl_again.mp4 is not here') }, () => {
    let agent, browser;

    before(async () => {
        browser = await launchChromium();
        agent = await AgentProcess.start([{ id: 'clip', source: pathToFileURL(clip).href, vision: false }]);
    });
    after(async () => {
        await browser?.close();
        await agent?.remove();
    });

    for (const player of ['mse', 'webcodecs']) {
        test(`plays on over its end with ${player}`, async (t) => {
            const tile = await AgentPage.open(t, browser, `${agent.pageUrl}?player=${player}#token=${agent.token}`);
            await tile.plays(30, 'clip');
            await tile.page.evaluate(() => window.edgecam.resetGaps());
            const end = await tile.plays(160, 'clip');  // the clip has 77 pictures
            assert.ok(end.longestGapMs < 1500, `frozen for ${end.longestGapMs} ms`);
        });

        test(`goes from the camera's own coding to an encode and back with ${player}`, async (t) => {
            const tile = await AgentPage.open(t, browser, `${agent.pageUrl}?player=${player}#token=${agent.token}`);
            await tile.until((figures) => figures.status.source === 'passthrough', undefined, 'clip');
            const own = await tile.plays(10, 'clip');
            await tile.button('Low quality').click();
            await tile.until((figures, width) => figures.status.source === 'encoded' && figures.videoWidth < width,
                own.videoWidth, 'clip');
            await tile.plays(20, 'clip');
            await tile.button('Auto quality').click();
            await tile.until((figures, width) => figures.status.source === 'passthrough' && figures.videoWidth === width,
                own.videoWidth, 'clip');
            await tile.plays(60, 'clip');
        });
    }
});
