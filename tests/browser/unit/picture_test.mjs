import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DetectionTimeline } from '../../../web/detections.js';
import { standing } from '../../../web/standing.js';

const seen = (sequence, ...faces) => ({
    frame: { sequence, capture_us: 1e15 + sequence * 33_333 },
    faces: faces.map(([track_id, x]) => ({ track_id, box: [x, 0.2, 0.1, 0.2], confidence: 0.9 })),
});
const picture = (sequence) => ({ sequence, captureUs: 1e15 + sequence * 33_333 });
const leftEdges = (found) => found.faces.map((face) => +face.box[0].toFixed(4));

test('a picture that was analysed gets its own boxes, exactly', () => {
    const timeline = new DetectionTimeline();
    timeline.add(seen(30, [1, 0.1]));
    timeline.add(seen(33, [1, 0.4]));
    const found = timeline.at(picture(30));
    assert.equal(found.exact, true);
    assert.deepEqual(leftEdges(found), [0.1]);
});

test('a picture between two analysed ones gets boxes between theirs', () => {
    const timeline = new DetectionTimeline();
    timeline.add(seen(30, [1, 0.1], [2, 0.8]));
    timeline.add(seen(33, [1, 0.4]));
    const found = timeline.at(picture(31));
    assert.equal(found.exact, false);
    assert.deepEqual(leftEdges(found), [0.2], 'the face that left is not guessed');
});

test('a newer picture gets each face moved on at its own speed, for a little while', () => {
    const timeline = new DetectionTimeline();
    timeline.add(seen(30, [1, 0.1]));
    timeline.add(seen(33, [1, 0.4], [2, 0.7]));
    assert.deepEqual(leftEdges(timeline.at(picture(34))), [0.5, 0.7]);
    assert.deepEqual(leftEdges(timeline.at(picture(50))), []);
});

test('a face that is moved on keeps its size, however its last two differed', () => {
    const timeline = new DetectionTimeline();
    const near = (captureUs, width) => ({
        frame: { sequence: 0, capture_us: captureUs },
        faces: [{ track_id: 1, box: [0.3, 0.2, width, 0.2], confidence: 0.9 }],
    });
    timeline.add(near(1e15, 0.3));
    timeline.add(near(1e15 + 1000, 0.1));  // a millisecond apart, as after a change of rate
    const [face] = timeline.at({ sequence: 9, captureUs: 1e15 + 250_000 }).faces;
    assert.deepEqual(face.box, [0.3, 0.2, 0.1, 0.2]);
});

test('detections that come late find their place', () => {
    const timeline = new DetectionTimeline();
    timeline.add(seen(36, [1, 0.7]));
    timeline.add(seen(33, [1, 0.4]));
    assert.deepEqual(leftEdges(timeline.at(picture(33))), [0.4]);
    assert.deepEqual(leftEdges(timeline.at(picture(35))), [0.6]);
});

test('a picture before anything was analysed has no boxes, nor one after an empty analysis', () => {
    const timeline = new DetectionTimeline();
    assert.deepEqual(timeline.at(picture(1)).faces, []);
    timeline.add(seen(30, [1, 0.1]));
    assert.deepEqual(timeline.at(picture(29)).faces, []);
    timeline.add(seen(33));
    assert.deepEqual(timeline.at(picture(34)).faces, []);
});

test('an agent that began its numbers anew does not mix with the old ones', () => {
    const timeline = new DetectionTimeline();
    timeline.add({ ...seen(30, [1, 0.1]), frame: { sequence: 30, capture_us: 9e14 } });
    assert.equal(timeline.at(picture(30)).exact, false);
});

const live = {
    connection: { state: 'open', reason: '', retryInS: 0 }, wanted: true, trouble: '',
    camera: { state: 'live', reason: '' }, silentS: 0.03, waitingS: 9,
};

test('a tile is live only when the socket is open, the camera is live and a picture just came', () => {
    assert.deepEqual(standing(live), { tone: 'live', label: 'Live', notice: '', detail: '' });
    assert.notEqual(standing({ ...live, silentS: 2.1 }).tone, 'live');
    assert.notEqual(standing({ ...live, silentS: NaN }).tone, 'live');
    for (const state of ['connecting', 'authenticating', 'waiting', 'refused', 'idle']) {
        assert.notEqual(standing({ ...live, connection: { ...live.connection, state } }).tone, 'live', state);
    }
    for (const state of ['reconnecting', 'error', 'disabled', 'stopped']) {
        assert.notEqual(standing({ ...live, camera: { state, reason: '' } }).tone, 'live', state);
    }
    assert.notEqual(standing({ ...live, wanted: false }).tone, 'live');
});

test('pictures that come and are frozen are not called live, and the reason lies over them', () => {
    const frozen = { ...live, camera: { state: 'degraded', reason: 'the picture is frozen' } };
    assert.deepEqual(standing(frozen), {
        tone: 'wait', label: 'Degraded', notice: 'This picture cannot be trusted', detail: 'The picture is frozen.',
    });
    assert.equal(standing({ ...frozen, silentS: 7.2 }).notice, 'No picture for 7 s');
    assert.equal(standing({ ...frozen, silentS: NaN }).label, 'Starting');
});

test('a picture that stopped says for how long', () => {
    assert.equal(standing({ ...live, silentS: 7.2 }).notice, 'No picture for 7 s');
});

test('a camera of one picture every four seconds is not called stopped', () => {
    assert.equal(standing({ ...live, camera: { state: 'live', framerate: 0.25 }, silentS: 4.5 }).tone, 'live');
    assert.equal(standing({ ...live, camera: { state: 'live', framerate: 0.25 }, silentS: 11 }).tone, 'lost');
});

test('the reason is told in sentences', () => {
    const camera = { state: 'reconnecting', reason: 'the camera refuses the password' };
    assert.equal(standing({ ...live, camera, silentS: 3 }).detail, 'The camera refuses the password. No picture for 3 s.');
    const connection = { state: 'waiting', reason: 'the connection was lost', retryInS: 4 };
    assert.equal(standing({ ...live, connection }).detail, 'The connection was lost. Next try in 4 s.');
    assert.match(standing({ ...live, silentS: NaN, trouble: 'the decoder gave up' }).detail, /decoder gave up/);
    const noChannel = { state: 'live', streaming: true, channel: null, reason: 'all encoders are in use' };
    const waiting = standing({ ...live, camera: noChannel, silentS: NaN, waitingS: 1, trouble: 'try later' });
    assert.equal(waiting.detail, 'Try later. All encoders are in use.');
});
