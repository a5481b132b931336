// Viewers that come and go and a camera that is closed and opened, over and over: the service's memory does not grow with them.
// EDGECAM_LONG: 2,000 and 500 times, instead of 60 and 15, and the slope is judged.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { descriptorsOf, inState, kLong, mainPid, pictures, residentKbOf, secondsSince, summed, until, viewer } from './box.mjs';

const kMostKbACycle = 1;
const kWarmUp = kLong ? 200 : 20; // cycles that are not counted: pools and caches fill

/**
 * The median of the slopes between all pairs of [cycle, kb] (Sen 1968): what leaks shows in most pairs, while one heap that is
 * given back and taken again, 4 MB at once, shows in few.
 */
function slopeOf(points) {
    const slopes = points.flatMap(([x, y], i) => points.slice(i + 1).map(([a, b]) => (b - y) / (a - x)));
    return slopes.sort((a, b) => a - b)[Math.floor(slopes.length / 2)];
}

/** Does `cycle` so many times after the warm-up, some at once; reports what grew, and judges it in the long form. */
async function churn(what, cycles, warmUp, atOnce, cycle) {
    const pid = await mainPid();
    const cycled = async (count) => { for (let i = 0; i < count; i += atOnce) await Promise.all(Array.from({ length: atOnce }, cycle)); };
    await cycled(warmUp);
    const descriptors = await summed(descriptorsOf);
    const step = Math.max(atOnce, cycles / 20);
    const points = [];
    const since = Date.now();
    for (let done = 0; done <= cycles; done += step) {
        points.push([done, await summed(residentKbOf)]);
        if (done < cycles) await cycled(step);
    }
    const slope = slopeOf(points);
    console.log(`# ${cycles} ${what} in ${secondsSince(since)} after ${warmUp}: slope of what is resident ${slope.toFixed(2)} KB each (goal ` +
        `${kMostKbACycle}); MB: ${points.map(([, kb]) => (kb / 1024).toFixed(1)).join(' ')}`);
    assert.equal(await mainPid(), pid);
    await until(async () => (await summed(descriptorsOf)) <= descriptors, `no more than ${descriptors} descriptors`);
    if (kLong) assert.ok(slope <= kMostKbACycle, `${slope} KB each`);
    // So few cycles say little about a slope; a leak of whole pictures would still show.
    else assert.ok(points.at(-1)[1] - points[0][1] < 30_000, `${points}`);
}

/** Has the agent do it: a session may ask for ten such things a second, and a quick machine is quicker. */
async function command(peer, action, camera) {
    for (;;) {
        const answer = await peer.control(action, camera);
        if (answer.type !== 'error') return;
        assert.equal(answer.data.code, 'rate_limited', `${action}: ${answer.data.message}`);
        await setTimeout(500);
    }
}

test('viewers come and go', async (t) => {
    const witness = await viewer('drawn'); // keeps the encode, so that a viewer costs what a viewer costs
    t.after(() => witness.close());
    await pictures(witness, 1);
    await churn('viewers', kLong ? 2000 : 60, kWarmUp, 5, async () => {
        const peer = await viewer('drawn');
        await pictures(peer, 1);
        await peer.close();
        witness.frames.length = 0;
        witness.messages.length = 0;
    });
});

test('a camera is closed and opened', async (t) => {
    const peer = await viewer('counter');
    t.after(() => peer.close());
    await pictures(peer, 1);
    await churn('restarts of a camera', kLong ? 500 : 15, kWarmUp / 4, 1, async () => {
        await command(peer, 'disable', 'counter');
        await inState(peer, 'counter', 'disabled');
        peer.messages.length = peer.frames.length = 0;
        await command(peer, 'enable', 'counter');
        await pictures(peer, 1);
    });
});
