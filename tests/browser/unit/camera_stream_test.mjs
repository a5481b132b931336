import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { CameraStream } from '../../../web/camera_stream.js';
import { Kind } from '../../../web/frame.js';

/** The screen's side of the seam: what a player was given, and a way to speak as it does. */
class FakePlayer {
    static all = [];
    surface = { classList: { add() {} } };
    given = [];
    constructor(callbacks) {
        this.says = callbacks;
        FakePlayer.all.push(this);
    }
    init() { this.given.push('init'); }
    feed(frame) { this.given.push(frame.sequence); }
    destroy() { this.destroyed = true; }
}

const kChoices = [{ name: 'mse', Player: FakePlayer, format: 'cmaf', codecs: ['avc1'] },
    { name: 'jpeg', Player: FakePlayer, format: 'jpeg', codecs: [] }];
let stream, shown, failures;
const player = () => FakePlayer.all.at(-1);
const send = (kind, channel, sequence = 0) => stream.receive({ kind, channel, sequence, payload: new Uint8Array() });

beforeEach(() => {
    FakePlayer.all = [];
    shown = [];
    failures = [];
    stream = new CameraStream(kChoices, { prepend() {} }, { shown: (picture) => shown.push(picture.sequence),
        failed: (reason) => failures.push(reason), blocked() {} });
});

/** Plays on `channel` as a new start does. */
function begin(channel) {
    stream.restart();
    stream.announce(channel, 'cmaf');
    send(Kind.init, channel);
}

/** Until the next choice is taken. */
function failTwice() {
    for (const channel of [1, 2]) {
        begin(channel);
        player().says.failed('broken');
    }
}

test('pictures of a player that failed do not count: they would hide that nothing flows', () => {
    begin(1);
    player().says.shown({ sequence: 1 });
    player().says.failed('broken');
    player().says.shown({ sequence: 2 });
    assert.deepEqual([shown, failures], [[1], ['broken']]);
});

test('after a failure, a rendition that comes by itself plays', () => {
    begin(1);
    player().says.failed('broken');
    stream.announce(2, 'cmaf');
    send(Kind.init, 2);
    send(Kind.accessUnit, 2, 7);
    player().says.shown({ sequence: 7 });
    assert.deepEqual([player().given, shown], [['init', 7], [7]]);
});

test('two failures in a row: the next player is asked for in its format', () => {
    assert.deepEqual(stream.request, { format: 'cmaf', codecs: ['avc1'] });
    failTwice();
    assert.deepEqual(stream.request, { format: 'jpeg' });
});

test('what still comes in the old format does not reach the new player', () => {
    failTwice();
    stream.announce(3, 'cmaf');
    assert.equal(stream.owns(3), false);
    const players = FakePlayer.all.length;
    send(Kind.init, 3);
    send(Kind.accessUnit, 3, 8);
    assert.equal(FakePlayer.all.length, players);
    send(Kind.jpeg, 4, 9);
    assert.deepEqual(player().given, [9]);
});
