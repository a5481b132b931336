// The page in front of other cameras than the drawn one: absent, and with B-frames in its own coding.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { AgentProcess, sharedFile, withoutAgent } from '../support/agent.mjs';
import { AgentPage, launchChromium, withoutChromium } from './chromium.mjs';

const skip = withoutAgent || withoutChromium;

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

const clip = sharedFile('media/clips/asl_again.mp4');
describe('a clip with B-frames', { skip: skip || (clip ? false : 'clips/asl_again.mp4 is not here') }, () => {
    let agent, browser;

    before(async () => {
        browser = await launchChromium();
        agent = await AgentProcess.start([{ id: 'clip', source: pathToFileURL(clip).href }]);
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
