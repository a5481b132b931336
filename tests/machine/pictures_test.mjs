// What a camera shows is watched: a picture that is frozen or black, and an input without a signal, are said, and over when they
// are over. The service stays the process that it is.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { control, inState, kCamera, mainPid, run, secondsSince, viewer } from './box.mjs';

let pid;
let peer;
before(async () => {
    pid = await mainPid();
    peer = await viewer('counter', 'drawn');
    await inState(peer, 'counter', 'live');
});
after(() => peer.close());

/** The reasons with which a camera was in `state`, since `from`, an index into the peer's messages. */
const reasons = (id, state, from) => peer.messages.slice(from)
    .filter((m) => m.type === 'stream_status' && m.data.camera_id === id && m.data.state === state).map((m) => m.data.reason);

test('a frozen and a black picture: opened anew once, then degraded, and live when it is over', async (t) => {
    t.after(() => Promise.all(['test_pattern=0', 'osd_text_mode=0'].map(control)));
    const from = peer.messages.length;
    let since = Date.now();
    await control('osd_text_mode=2'); // without its clock each picture is the one before, bit by bit
    assert.match((await inState(peer, 'counter', 'reconnecting')).reason, /^the picture is frozen/);
    console.log(`# frozen: noticed after ${secondsSince(since)}`);
    assert.match((await inState(peer, 'counter', 'degraded')).reason, /^the picture is frozen.*did not help$/);
    console.log(`# frozen: degraded after ${secondsSince(since)}`);
    since = Date.now();
    await control('test_pattern=21'); // noise
    await inState(peer, 'counter', 'live');
    console.log(`# frozen: live ${secondsSince(since)} after it moved again`);
    since = Date.now();
    await control('test_pattern=5'); // black
    // Opened anew a moment ago: not again so soon.
    assert.match((await inState(peer, 'counter', 'degraded')).reason, /^the picture is black/);
    console.log(`# black: degraded after ${secondsSince(since)}`);
    since = Date.now();
    await control('test_pattern=21');
    assert.equal((await inState(peer, 'counter', 'live')).reason, undefined);
    console.log(`# black: live ${secondsSince(since)} after it was over`);
    assert.equal(new Set(reasons('counter', 'reconnecting', from)).size, 1, 'opened anew once');
    assert.deepEqual(['reconnecting', 'degraded'].flatMap((state) => reasons('drawn', state, from)), [], 'the other one goes on');
    assert.equal(await mainPid(), pid);
});

test('an input without a signal is said, and the camera is live when there is one', async (t) => {
    /** Nobody may stream while the input is changed. */
    const switchTo = async (input) => {
        await peer.control('disable', 'counter');
        await inState(peer, 'counter', 'disabled');
        await run('v4l2-ctl', '-d', kCamera, `--set-input=${input}`);
    };
    t.after(async () => {
        await control('standard_signal_mode=0');
        await switchTo(0);
        await peer.control('enable', 'counter');
        await inState(peer, 'counter', 'live');
    });
    await switchTo(1);
    await control('standard_signal_mode=1');
    await peer.control('enable', 'counter');
    assert.match((await inState(peer, 'counter', 'degraded')).reason, /: no signal at its input "TV \d"$/);
    let since = Date.now();
    await control('standard_signal_mode=0');
    await inState(peer, 'counter', 'live');
    console.log(`# signal: live ${secondsSince(since)} after it came`);
    since = Date.now();
    await control('standard_signal_mode=1');
    await inState(peer, 'counter', 'degraded');
    console.log(`# signal: degraded ${secondsSince(since)} after it was lost`);
    assert.equal(await mainPid(), pid);
});
