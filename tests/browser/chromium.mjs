// Debian's Chromium, driven by playwright-core, and what tests wait for on the page.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { setTimeout as pollAgainIn } from 'node:timers/promises';

import { chromium } from 'playwright-core';

/** The same engine without a window: it starts in a third of the time. */
const kHeadlessShell = '/usr/bin/chromium-headless-shell';
const executablePath = process.env.EDGECAM_CHROMIUM ??
    (existsSync(kHeadlessShell) ? kHeadlessShell : '/usr/bin/chromium');
const kFlags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
/** What a page may take for anything; a busy machine is no failure. */
export const kPatienceMs = 20_000;
const kPollMs = 50;

/** Why these tests cannot run here; false when they can. */
export const withoutChromium = existsSync(executablePath) ? false : `no browser at ${executablePath}`;

/** @param {string[]} flags besides the usual ones */
export const launchChromium = (flags = []) => chromium.launch({ executablePath, headless: true, args: [...kFlags, ...flags] });

/** A page of the agent, and what tests ask of it. */
export class AgentPage {
    /** Everything that went wrong on the page: exceptions, refused content, failed loads. */
    troubles = [];

    /**
     * Opens a page; at the end of the test it is closed, and must have had no troubles.
     * @param {import('node:test').TestContext} t
     * @param {import('playwright-core').Browser} browser
     * @param {string} url with the token in its fragment
     * @param {{wire?: (route: import('playwright-core').WebSocketRoute) => void}} [options] of the browser context; and
     *   `wire`, which stands between the page and the agent
     */
    static async open(t, browser, url, { wire, ...options } = {}) {
        const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
        const page = await context.newPage();
        const opened = new AgentPage();
        opened.page = page;
        t.after(async () => {
            await context.close();
            assert.deepEqual(opened.troubles, [], 'the page had troubles');
        });
        page.setDefaultTimeout(kPatienceMs);
        page.on('pageerror', (error) => opened.troubles.push(error.message));
        page.on('console', (message) => {
            const expected = /WebSocket connection to/.test(message.text());  // a test that kills the agent
            if (message.type() === 'error' && !expected) opened.troubles.push(message.text());
        });
        if (wire) await page.routeWebSocket('**/v1/stream', wire);
        await page.goto(url);
        return opened;
    }

    figures(camera = 'cam_123') { return this.page.evaluate((id) => window.edgecam?.tile(id) ?? null, camera); }

    /**
     * Waits until the figures of a tile satisfy a condition, and returns them.
     * @param {(figures: object, argument: unknown) => boolean} condition
     */
    async until(condition, argument, camera = 'cam_123') {
        // Asked from here: waiting on the page itself needs eval, which its content security policy forbids.
        const deadline = performance.now() + kPatienceMs;
        for (;;) {
            const figures = await this.figures(camera);
            if (figures && condition(figures, argument)) return figures;
            if (performance.now() > deadline) {
                throw new Error(`never: ${condition} with ${argument}\n${JSON.stringify(figures)}`);
            }
            await pollAgainIn(kPollMs);
        }
    }

    /** Waits for so many more pictures on the screen. */
    async plays(pictures = 20, camera = 'cam_123') {
        const { framesShown } = await this.until(() => true, undefined, camera);
        return this.until((figures, count) => figures.state === 'live' && figures.framesShown >= count,
            framesShown + pictures, camera);
    }

    button(name) { return this.page.getByRole('button', { name }); }
    notice() { return this.page.locator('.notice').first(); }
}
