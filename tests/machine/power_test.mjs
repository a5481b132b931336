// After the power was pulled from under events, again and again (power_load.mjs): the box came up each time by itself, the
// journal is the same, and nothing is missing that was ever said to be on disk. Then the package is purged.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { assertKernelContent, isActive, kPatience, logs, logSince, pictures, run, until, viewer } from './box.mjs';
import { assertNothingMissing, isLive, listen, moreEvents, storedBefore } from './hub_side.mjs';

const boots = readFileSync('/host/boots.log', 'utf8').trim().split('\n').map((line) => JSON.parse(line));

test(`the power was pulled ${boots.length} times: the box was up again each time, with the same journal`, async () => {
    for (const { round, hub, readyS, firstPictureS } of boots) {
        console.log(`# boot ${round}${hub ? ', with the hub' : ''}: ready ${readyS.toFixed(1)} s after the kernel began, the camera's ` +
            `first picture ${firstPictureS.toFixed(1)} s`);
    }
    // A boot that did not come up by itself, with pictures and its journal, is not among them.
    assert.equal(boots.length, Number(process.env.EDGECAM_PULLS));
    assert.ok(await until(isActive, 'the service to be up'));
    const [, journal] = await logs(/events are kept in journal (\S+)/);
    assert.deepEqual([...new Set(boots.map((boot) => boot.journal))], [journal]);
    assert.doesNotMatch(await logSince(), /events are not kept|corrupt/);
});

test('nothing is missing that was on disk', async (t) => {
    const hub = await listen();
    t.after(() => hub.stop());
    await hub.until(() => isLive(hub), 'the agent', kPatience);
    await moreEvents(3);
    const { events, journals, duplicates } = await assertNothingMissing(hub);
    console.log(`# ${events} events stored, ${storedBefore().length} of them before the power went; none missing; ${duplicates} came twice`);
    assert.ok(storedBefore().length >= 6 * boots.length);
    assert.equal(journals, 1);
});

test('pictures reach a viewer, and the file system and the kernel are content', async () => {
    const peer = await viewer('counter');
    await pictures(peer, 10);
    await peer.close();
    assert.doesNotMatch(await run('dmesg'), /EXT4-fs error/);
    await assertKernelContent();
});

test('removed, config and data stay; purged, nothing does', async () => {
    await run('apt-get', 'remove', '-qy', 'edgecam');
    assert.ok(!existsSync('/usr/bin/edgecam'));
    assert.ok(existsSync('/etc/edgecam/config.json') && existsSync('/var/lib/edgecam/journal.sqlite3'));
    assert.equal((await run('systemctl', 'list-units', '--all', '--no-legend', '--state=active', 'edgecam.service')).trim(), '');
    await run('apt-get', 'purge', '-qy', 'edgecam');
    const left = await run('find', '/', '-xdev', '(', '-path', '/proc', '-o', '-path', '/tmp', '-o', '-path', '/host', ')', '-prune', '-o',
        '-iname', '*edgecam*', '-print');
    assert.equal(left, '');
});
