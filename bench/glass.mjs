// Glass to glass on one machine: a drawn camera writes the time into its picture, a page in headless Chromium shows it, and it is read back
// from there. Once: glass.mjs PLAYER WIDTH HEIGHT FPS SECONDS VISION. Prints a line of JSON.
import { AgentProcess } from '../tests/support/agent.mjs';
import { launchChromium } from '../tests/browser/chromium.mjs';

const [player, width, height, fps, seconds, vision] = process.argv.slice(2);
const kStartWithinMs = 30_000;

/** On the page: reads the time code of each new picture for so long; [age in ms, ...], and how often nothing could be read. */
function readCodes(forMs) {
    // As in capture/time_code.hpp: two rows of 36 cells, from (1/64, 1/72) of the picture on, 56 bits and a CRC-16/CCITT-FALSE of them.
    const kColumns = 36, kValueBits = 56, kCells = 72;
    const band = document.createElement('canvas');
    band.width = 640;
    band.height = 30;
    const context = band.getContext('2d', { willReadFrequently: true });

    function codeOf(surface) {
        const wide = surface.videoWidth || surface.width, high = surface.videoHeight || surface.height;
        if (!wide || !high) return null;
        context.drawImage(surface, 0, 0, wide, high / 12, 0, 0, band.width, band.height);
        const { data } = context.getImageData(0, 0, band.width, band.height);
        let value = 0n, claimed = 0, crc = 0xffff;
        for (let cell = 0; cell < kCells; cell++) {
            const x = Math.round((1 + cell % kColumns + 0.5) * band.width / 64);
            const y = Math.round((2 * Math.floor(cell / kColumns) + 2) * band.height / 6);
            const white = data[4 * (y * band.width + x) + 1] > 126;
            if (cell >= kValueBits) {
                claimed = claimed << 1 | white;
                continue;
            }
            value = value << 1n | BigInt(white);
            const carry = (crc >> 15 & 1) !== Number(white);
            crc = (crc << 1 ^ (carry ? 0x1021 : 0)) & 0xffff;
        }
        return crc === claimed ? Number(value) : null;
    }

    return new Promise((done) => {
        const ages = [], until = performance.now() + forMs;
        let last = null, unread = 0;
        const painted = new MessageChannel();
        painted.port1.onmessage = () => {
            const nowUs = (performance.timeOrigin + performance.now()) * 1000;  // before the look: that takes time of its own
            const surface = document.querySelector('.surface');
            const code = surface && codeOf(surface);
            if (code === null) unread += 1;
            else if (code !== last) ages.push((nowUs - code) / 1000);
            last = code ?? last;
            if (performance.now() < until) requestAnimationFrame(look);
            else done({ ages: ages.slice(1), unread });
        };
        // A message that is sent before a refresh is painted comes after it.
        const look = () => painted.port2.postMessage(null);
        requestAnimationFrame(look);
    });
}

let agent, browser;
try {
    agent = await AgentProcess.start([{ id: 'cam', source: `test://faces?width=${width}&height=${height}&fps=${fps}`, vision: vision === 'true' }]);
    browser = await launchChromium();
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
    await page.goto(`${agent.pageUrl}?player=${player}#token=${agent.token}`);
    const deadline = performance.now() + kStartWithinMs;
    for (;;) {
        const figures = await page.evaluate(() => window.edgecam?.tile('cam') ?? null);
        if (figures?.framesShown > fps) break;  // a second of it: a player that begins has no pace yet
        if (performance.now() > deadline) throw new Error(`no picture: ${JSON.stringify(figures)}`);
        await new Promise((soon) => setTimeout(soon, 50));
    }
    const { ages, unread } = await page.evaluate(readCodes, 1000 * seconds);
    const shownBy = (await page.evaluate(() => window.edgecam.tile('cam'))).player;
    const sorted = ages.toSorted((a, b) => a - b);
    const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
    console.log(JSON.stringify({ player: shownBy, pictures: ages.length, unread, p50_ms: at(0.5), p95_ms: at(0.95), min_ms: sorted[0], max_ms: at(1) }));
} finally {
    await browser?.close();
    await agent?.remove();
}
