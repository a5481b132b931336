import assert from 'node:assert/strict';
import { test } from 'node:test';

import { uplinkStanding } from '../../../web/uplinks.js';

const kNowS = 1_700_000_000;

test('an uplink that is live needs no words', () => {
    assert.deepEqual(uplinkStanding({ state: 'live', reason: '' }, kNowS), { tone: 'live', label: 'Live', detail: '' });
});

test('one that is away says why, and counts down to the next try', () => {
    const away = { state: 'backing_off', reason: 'the connection broke', retry_at: kNowS + 12.4 };
    assert.deepEqual(uplinkStanding(away, kNowS),
        { tone: 'lost', label: 'Offline', detail: 'The connection broke. Next try in 12 s.' });
    assert.equal(uplinkStanding(away, kNowS + 11).detail, 'The connection broke. Next try in 1 s.');
    assert.equal(uplinkStanding(away, kNowS + 12.2).detail, 'The connection broke. Trying again …');
    assert.equal(uplinkStanding(away, kNowS + 99).detail, 'The connection broke. Trying again …');
});

test('a hub that says no is told apart, and one that is never dialled has no countdown', () => {
    const rejected = { state: 'rejected', reason: 'the hub closed: 4401 "who?"', retry_at: kNowS + 60 };
    assert.deepEqual(uplinkStanding(rejected, kNowS),
        { tone: 'lost', label: 'Rejected', detail: 'The hub closed: 4401 "who?". Next try in 1 min 0 s.' });
    assert.equal(uplinkStanding({ state: 'rejected', reason: 'not dialled: no such file' }, kNowS).detail,
        'Not dialled: no such file.');
});

test('on its way it waits', () => {
    assert.deepEqual(['connecting', 'authenticating'].map((state) => uplinkStanding({ state }, kNowS)),
        [{ tone: 'wait', label: 'Connecting', detail: '' }, { tone: 'wait', label: 'Signing in', detail: '' }]);
});

test('a live uplink that has used up its plan says how much that was, and until when little is sent', () => {
    const plan = { monthly_mb: 5000, used_mb: 5105.25, state: 'key_frames', until: Date.UTC(2026, 7, 1) / 1000 };
    const of = (more) => uplinkStanding({ state: 'live', plan: { ...plan, ...more } }, kNowS);
    assert.deepEqual(of({}),
        { tone: 'wait', label: 'Key frames only', detail: '5105 of 5000 MB of this month are used. Until 2026-08-01.' });
    assert.deepEqual(of({ state: 'events_only', until: undefined }),
        { tone: 'wait', label: 'Events only', detail: '5105 of 5000 MB of this month are used. Until the next month.' });
    assert.equal(of({ state: 'within' }).label, 'Live');
    assert.equal(uplinkStanding({ state: 'connecting', plan }, kNowS).label, 'Connecting');
});
