// The service's planned ends: it is stopped, and another version of the package takes the place of the first.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { isActive, kConfigFile, kDataFolder, kPatience, mainPid, pictures, property, run, secondsSince, viewer } from './box.mjs';
import { assertNothingMissing, isLive, listen, moreEvents } from './hub_side.mjs';

const kPackage = `/host/${readdirSync('/host').find((file) => file.endsWith('.deb'))}`;
const kJournal = `${kDataFolder}/journal.sqlite3`;
const kStopsWithinMs = 3000; // the goal; on an emulated machine it is told and decides nothing

/** The package with another version and nothing else, as the next one will be. */
async function nextVersion() {
    await run('dpkg-deb', '-R', kPackage, '/tmp/next');
    const control = readFileSync('/tmp/next/DEBIAN/control', 'utf8');
    writeFileSync('/tmp/next/DEBIAN/control', control.replace(/^Version: (.*)$/m, 'Version: $1+next'));
    await run('dpkg-deb', '-Znone', '-b', '/tmp/next', '/tmp/edgecam_next.deb');
    return '/tmp/edgecam_next.deb';
}

test('stopped: viewers and hub are told, and it ends by itself', async (t) => {
    const hub = await listen();
    t.after(() => hub.stop());
    await hub.until(() => isLive(hub), 'the agent', kPatience);
    const connection = hub.live('box-7');
    const peer = await viewer('counter');
    await pictures(peer, 1);
    const since = Date.now();
    await run('systemctl', 'stop', 'edgecam');
    const ms = Date.now() - since;
    console.log(`# ended after ${ms} ms (goal ${kStopsWithinMs})`);
    // Ended by itself: systemd did not have to.
    assert.equal(await property('Result'), 'success');
    const going = await peer.message((m) => m.type === 'system' && m.event === 'going_away');
    const { code } = await peer.closed;
    console.log(`# the viewer heard ${JSON.stringify(going.data)} and was closed with ${code}`);
    assert.equal(code, 1001);
    console.log(`# the hub was closed with ${(await connection.closed).code}`);
    await run('systemctl', 'start', 'edgecam');
    await hub.until(() => isLive(hub), 'the agent again', kPatience);
    await moreEvents(2);
    await assertNothingMissing(hub);
});

test('another version keeps config and data, and runs', async () => {
    const [config, journal, pid] = [readFileSync(kConfigFile, 'utf8'), statSync(kJournal).ino, await mainPid()];
    const since = Date.now();
    await run('apt-get', 'install', '-qy', await nextVersion());
    console.log(`# upgraded in ${secondsSince(since)}`);
    assert.match(await run('dpkg', '-s', 'edgecam'), /Version: .*\+next/);
    assert.equal(readFileSync(kConfigFile, 'utf8'), config);
    assert.equal(statSync(kConfigFile).mode & 0o777, 0o640);
    assert.equal(statSync(kJournal).ino, journal);
    assert.ok(await isActive());
    assert.notEqual(await mainPid(), pid, 'the new program runs');
    const peer = await viewer('counter');
    await pictures(peer, 1);
    await peer.close();
});
