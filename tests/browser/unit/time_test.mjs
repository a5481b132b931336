import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PeerClock } from '../../../web/clock.js';
import { closeReason, retryDelayMs } from '../../../web/connection.js';
import { bitrateText, durationText, RateMeter, ShownPictures } from '../../../web/figures.js';
import { LiveEdge } from '../../../web/live_edge.js';
import { Patience } from '../../../web/patience.js';

test('the wait before a retry doubles from half a second to ten, with full jitter', () => {
    const longest = [1, 2, 3, 4, 5, 6, 99].map((failures) => Math.round(retryDelayMs(failures, 1)));
    assert.deepEqual(longest, [1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
    assert.equal(retryDelayMs(5, 0), 0);
    assert.equal(retryDelayMs(1, 0.5), 500);
});

test('close codes have words', () => {
    assert.equal(closeReason(1006, ''), 'the connection was lost');
    assert.equal(closeReason(4999, 'because'), 'because');
    assert.equal(closeReason(4429, 'too many wrong tokens from this address'), 'too many wrong tokens from this address');
    assert.equal(closeReason(4429, ''), 'too many connections');
    assert.equal(closeReason(4999, ''), 'connection closed (4999)');
});

test('the clock offset is that of the exchange with the shortest round trip', () => {
    const clock = new PeerClock();
    assert.equal(clock.known, false);
    clock.add(1_000_000, 6_050_000, 6_050_000, 1_100_000);  // 100 ms there and back, agent 5 s ahead
    assert.equal(clock.offsetUs, 5_000_000);
    clock.add(2_000_000, 7_001_000, 7_001_000, 2_002_000);
    clock.add(3_000_000, 8_400_000, 8_400_000, 3_500_000);  // a slow answer proves nothing
    assert.equal(clock.offsetUs, 5_000_000);
    assert.equal(clock.roundTripMs, 2);
    assert.equal(clock.nowUs(10), 5_000_010);
});

test('an old exchange stops counting, nonsense never does', () => {
    const clock = new PeerClock();
    clock.add(0, 500, 500, 1000);
    clock.add(100e6, 100e6 + 9e5, 100e6 + 9e5, 100e6 + 10_000);
    assert.equal(clock.offsetUs, 895_000);
    clock.add(101e6, NaN, NaN, 101e6 + 1);
    clock.add(101e6, 0, 50, 101e6 + 1);
    assert.equal(clock.offsetUs, 895_000);
});

/** Feeds frames at a rate; returns the edge. */
function edgeAt(framesPerSecond, seconds, edge = new LiveEdge()) {
    const from = Number.isNaN(edge.newest) ? 0 : edge.newest;
    for (let at = from; at < from + seconds; at += 1 / framesPerSecond) edge.append(at);
    return edge;
}

test('playback just behind the newest frame is left alone', () => {
    assert.equal(edgeAt(30, 2).jump(1.85, 0), null);
});

test('playback that is late jumps to 40 ms behind the newest frame, and not again at once', () => {
    const edge = edgeAt(30, 2);
    assert.ok(Math.abs(edge.jump(1.0, 10) - (edge.newest - 0.04)) < 1e-9);
    assert.equal(edge.jump(1.0, 10.4), null);
    assert.notEqual(edge.jump(1.0, 10.6), null);
    assert.equal(edge.jumps, 2);
});

test('at ten frames a second, and at two, one interval behind is not late', () => {
    assert.equal(edgeAt(10, 3).jump(2.9 - 0.2, 0), null);
    const slow = edgeAt(2, 12);
    assert.equal(slow.jump(slow.newest - 0.9, 0), null);
    assert.notEqual(slow.jump(slow.newest - 2, 0), null);
});

test('a rate that falls does not cause jumps', () => {
    const edge = edgeAt(30, 3);
    let jumps = 0;
    for (let index = 1; index < 40; index += 1) {
        edge.append(3 + index / 10);
        if (edge.jump(3 + index / 10 - 0.16, index) !== null) jumps += 1;
    }
    assert.equal(jumps, 0);
});

test('a time line that begins again is noticed', () => {
    const edge = edgeAt(30, 10);
    assert.equal(edge.wentBack(0.1), true);
    assert.equal(edge.wentBack(9), false, 'a cached group of pictures sent again');
    assert.equal(new LiveEdge().wentBack(0), false);
});

test('rates are those of the last two seconds', () => {
    const meter = new RateMeter();
    assert.equal(meter.perSecond(0), 0);
    for (let at = 0; at <= 5000; at += 100) meter.add(1, at);
    assert.ok(Math.abs(meter.perSecond(5000) - 10) < 1);
    assert.equal(meter.perSecond(60_000), 0);
});

test('the longest gap between pictures is kept, but for a pause that was wished for', () => {
    const shown = new ShownPictures();
    [0, 33, 66, 566].forEach((at) => shown.add(at, 40));
    assert.equal(shown.longestGapMs, 500);
    shown.pause();
    shown.add(90_000, 40);
    assert.equal(shown.longestGapMs, 500);
    assert.equal(shown.count, 5);
});

test('figures read like a person would say them', () => {
    assert.deepEqual([bitrateText(640.4), bitrateText(2234)], ['640 kbit/s', '2.2 Mbit/s']);
    assert.deepEqual([durationText(4.4), durationText(64), durationText(3700), durationText(-1)],
        ['4 s', '1 min 4 s', '1 h 1 min', '0 s']);
});

test('patience ends after five seconds; each asking in vain doubles it, up to forty, and a picture restores it', () => {
    const patience = new Patience(1000);
    assert.deepEqual([patience.isOver(5999), patience.isOver(6000)], [false, true]);
    let now = 6000;
    for (const wait of [10_000, 20_000, 40_000, 40_000]) {
        patience.askedAgain(now);
        assert.deepEqual([patience.isOver(now + wait - 1), patience.isOver(now + wait)], [false, true]);
        now += wait;
    }
    patience.begin(now);
    assert.deepEqual([patience.isOver(now + 4999), patience.isOver(now + 5000)], [false, true]);
    assert.equal(patience.isOver(now + 9000, 10_000), false, 'a camera of a picture every few seconds');
});
