// The page when what it asks for does not come: the real agent, with a hand on the wire.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { AgentProcess, kSmallCamera, withoutAgent } from '../support/agent.mjs';
import { AgentPage, launchChromium, withoutChromium } from './chromium.mjs';

/** Byte 1 of a binary message. */
const kInitSegment = 1;
const kHeaderBytes = 32;

describe('the page in trouble', { skip: withoutAgent || withoutChromium }, () => {
    let agent, browser;

    before(async () => {
        browser = await launchChromium();
        agent = await AgentProcess.start([{ ...kSmallCamera, vision: false }]);
    });
    after(async () => {
        await browser?.close();
        await agent?.remove();
    });

    const open = (t, wire) => AgentPage.open(t, browser, `${agent.pageUrl}#token=${agent.token}`, { wire });

    test('asks again when the agent was too busy for the first start', async (t) => {
        let starts = 0;
        const tile = await open(t, (page) => {
            const box = page.connectToServer();
            page.onMessage((text) => {
                const { action, id } = JSON.parse(text);
                if (action === 'start') starts += 1;
                if (action !== 'start' || starts > 1) return box.send(text);
                page.send(JSON.stringify({ type: 'error', id, data: { code: 'busy', message: 'too many watch' } }));
            });
        });
        await tile.notice().getByText('Too many watch.').waitFor();
        await tile.plays();
        assert.equal(starts, 2);
    });

    test('asks again when a start was granted and no picture came', async (t) => {
        let dropping = true;
        const tile = await open(t, (page) => {
            const box = page.connectToServer();
            let starts = 0;
            page.onMessage((text) => {
                if (JSON.parse(text).action === 'start') dropping = (starts += 1) === 1;
                box.send(text);
            });
            box.onMessage((data) => { if (typeof data === 'string' || !dropping) page.send(data); });
        });
        await tile.plays();
        assert.equal(dropping, false);
    });

    test('falls back to JPEG when nothing else plays, and ends the stream that it leaves', async (t) => {
        const asked = [];
        const tile = await open(t, (page) => {
            const box = page.connectToServer();
            page.onMessage((text) => {
                const { type, action, format } = JSON.parse(text);
                if (type === 'stream_control') asked.push(`${action} ${format}`);
                box.send(text);
            });
            box.onMessage((data) => {
                if (typeof data !== 'string' && data[1] === kInitSegment) data.fill(0xff, kHeaderBytes);
                page.send(data);
            });
        });
        await tile.until((figures) => figures.player === 'jpeg');
        await tile.plays();
        assert.deepEqual(asked.slice(-2), ['stop cmaf', 'start jpeg']);
    });

    test('an error that names a camera is told at its tile, as text', async (t) => {
        let wire;
        const tile = await open(t, (page) => {
            wire = page;
            page.connectToServer();
        });
        await tile.plays(3);
        const message = 'the <b>lens</b> is covered';
        wire.send(JSON.stringify({ type: 'error', data: { code: 'camera_failed', camera_id: 'cam_123', message } }));
        await tile.page.getByRole('alert').getByText('The <b>lens</b> is covered.').waitFor();
    });

    test('a stream without a channel says why', async (t) => {
        const reason = 'all encoders are in use';
        const tile = await open(t, (page) => {
            const box = page.connectToServer();
            page.onMessage((text) => {
                const { action, id } = JSON.parse(text);
                if (action !== 'start') return box.send(text);
                page.send(JSON.stringify({ type: 'stream_status', id, data: { camera_id: 'cam_123', state: 'live',
                    streaming: true, channel: null, reason } }));
            });
        });
        await tile.notice().getByText('All encoders are in use.').waitFor();
    });
});
