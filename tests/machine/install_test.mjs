// The package installs with apt in a bare Debian 12, and what it installs runs: a service that is nobody, ready, and does little
// harm. Runs first in the guest (tests/machine/check).
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { isActive, kConfig, kConfigFile, kDataFolder, logMark, logs, mainPid, pids, property, run, secondsSince, writeConfig }
    from './box.mjs';

const kPackage = `/host/${readdirSync('/host').find((file) => file.endsWith('.deb'))}`;

test('apt installs the package, with nothing but what its dependencies name', async () => {
    const since = Date.now();
    // There is no network: what the package depends on and is not there makes apt refuse.
    console.log(`# ${(await run('apt-get', 'install', '-qy', kPackage)).trim().split('\n').slice(-4).join('\n# ')}`);
    console.log(`# installed, started and ready in ${secondsSince(since)}, GStreamer's first look at its plugins included`);
    assert.match(await run('dpkg', '-s', 'edgecam'), /Status: install ok installed/);
});

test('the service is active, ready, enabled, and nobody', async () => {
    assert.ok(await isActive());
    assert.equal(await property('Type'), 'notify');
    assert.equal(await property('StatusText'), 'running');
    assert.equal((await run('systemctl', 'is-enabled', 'edgecam')).trim(), 'enabled');
    const uid = Number(await run('id', '-u', 'edgecam'));
    assert.notEqual(uid, 0);
    for (const pid of await pids()) {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        assert.deepEqual(status.match(/Uid:\s+(.*)/)[1].split('\t').map(Number), [uid, uid, uid, uid]);
        for (const kind of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb']) {
            assert.match(status, new RegExp(`Cap${kind}:\\s+0{16}`), `${kind}: no capability`);
        }
        assert.match(status, /Seccomp:\s+2/);
    }
    assert.equal(statSync(kDataFolder).mode & 0o777, 0o700);
    assert.equal(statSync(kConfigFile).mode & 0o777, 0o640);
});

test('what it can reach of the machine is what the unit promises', async () => {
    const listed = await run('systemd-analyze', 'security', '--no-pager', 'edgecam');
    const exposure = Number(listed.match(/Overall exposure level for \S+: ([\d.]+)/)[1]);
    const [, promised] = readFileSync(new URL('../architecture/service_test', import.meta.url), 'utf8').match(/--threshold=(\d+)/);
    console.log(`# systemd-analyze security: ${exposure} of 10`);
    assert.ok(exposure <= promised / 10, listed);
});

test('probe, as the service\'s user, lists the camera', async () => {
    const { devices } = JSON.parse(await run('runuser', '-u', 'edgecam', '--', 'edgecam', 'probe', '--json'));
    assert.ok(devices.some((d) => d.path === '/dev/video0' && d.driver === 'vivid'), JSON.stringify(devices));
});

test('it is given cameras and a hub, and starts again', async () => {
    writeConfig(kConfig);
    assert.match(await run('runuser', '-u', 'edgecam', '--', 'edgecam', 'check', kConfigFile), /ok/);
    const [before, mark] = [await mainPid(), await logMark()];
    const since = Date.now();
    await run('systemctl', 'restart', 'edgecam');
    console.log(`# stopped, started and ready in ${secondsSince(since)}`);
    assert.notEqual(await mainPid(), before);
    await logs(/counter: live/, mark);
    console.log(`# the camera's first picture ${secondsSince(since)} after that was asked for`);
});
