import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseFragment, parseInit, setSampleDuration } from '../../../web/fmp4.js';
import { avcC, fragment, fragmentWithDefaults, initSegment } from './mp4_bytes.mjs';

test('an init segment gives codec, size, timescale and the record a decoder wants', () => {
    const init = parseInit(initSegment());
    assert.equal(init.codec, 'avc1.64001f');
    assert.deepEqual([init.width, init.height, init.timescale], [1280, 720, 1_000_000]);
    assert.deepEqual([...init.description], avcC);
});

test('the longer mdhd of version 1 is read too', () => {
    assert.equal(parseInit(initSegment({ mdhdVersion: 1, timescale: 90_000 })).timescale, 90_000);
});

test('an H.265 record is named after ISO/IEC 14496-15 annex E', () => {
    assert.equal(parseInit(initSegment({ entry: 'hvc1' })).codec, 'hvc1.1.6.L93.90');
});

test('a fragment of our muxer gives its times, its key flag and its sample', () => {
    const parsed = parseFragment(fragment({ decodeTime: 2 ** 33, keyFrame: false, sample: [1, 2, 3] }));
    assert.equal(parsed.decodeTime, 2 ** 33);
    assert.equal(parsed.duration, 33333);
    assert.equal(parsed.keyFrame, false);
    assert.equal(parsed.compositionOffset, 0);
    assert.deepEqual([...parsed.sample], [1, 2, 3]);
    assert.equal(parseFragment(fragment()).keyFrame, true);
});

test('composition offsets have a sign', () => {
    assert.equal(parseFragment(fragment({ compositionOffset: 66666 })).compositionOffset, 66666);
    assert.equal(parseFragment(fragment({ compositionOffset: -5 })).compositionOffset, -5);
});

test('a sample duration is patched in place and nothing else changes', () => {
    for (const make of [fragment, fragmentWithDefaults]) {
        const before = make(), after = make();
        setSampleDuration(after, parseFragment(after), 1_000_000);
        assert.equal(parseFragment(after).duration, 1_000_000);
        const changed = before.reduce((count, byte, at) => count + (byte !== after[at] ? 1 : 0), 0);
        assert.ok(changed > 0 && changed <= 4, `${changed} bytes changed`);
        assert.deepEqual(parseFragment(after).sample, parseFragment(before).sample);
    }
});

test('defaults of tfhd stand in where trun says nothing', () => {
    const parsed = parseFragment(fragmentWithDefaults({ decodeTime: 7, sample: [9, 8] }));
    assert.deepEqual([parsed.decodeTime, parsed.duration, parsed.keyFrame, [...parsed.sample]], [7, 33333, true, [9, 8]]);
});

test('damaged bytes are an error, at every length, and never an endless loop', () => {
    for (const whole of [initSegment(), fragment()]) {
        const parse = whole.length > 300 ? parseInit : parseFragment;
        for (let length = 0; length < whole.length; length += 1) {
            assert.throws(() => parse(whole.slice(0, length)), RangeError, `cut at ${length}`);
        }
    }
});
