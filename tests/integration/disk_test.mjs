// What happens to the journal's disk and not to the agent: a journal that is lost, replaced or corrupt, a disk that is
// full or read-only. The hub gets all of what could be stored, and the agent says what is wrong.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { AgentProcess, tempFolder, withoutAgent } from '../support/agent.mjs';
import { caughtUp, newEvents } from '../support/event_log.mjs';
import { Hub } from '../hub/hub.mjs';
import { Peer } from '../support/peer.mjs';

const kDiskMb = 8;
const kSaidWithinMs = 30_000;
const kAskAgainMs = 200;

/** A small disk of the test's own; undefined where nobody may mount one. */
function smallDisk() {
    const folder = tempFolder();
    const mount = (...options) => execFileSync('mount', [...options, folder.path], { stdio: 'pipe' });
    try {
        mount('-t', 'tmpfs', '-o', `size=${kDiskMb}m`, 'edgecam-test');
    } catch {
        folder.remove();
        return undefined;
    }
    const filler = path.join(folder.path, 'filler');
    return {
        path: folder.path,
        /** Until not a byte is left. */
        fill() {
            const file = openSync(filler, 'w');
            for (let size = 1 << 20; size >= 1; size >>= 1) {
                try {
                    for (;;) writeSync(file, Buffer.alloc(size));
                } catch (error) {
                    if (error.code !== 'ENOSPC') throw error;
                }
            }
            closeSync(file);
        },
        empty() { rmSync(filler, { force: true }); },
        readOnly(yes) { mount('-o', `remount,${yes ? 'ro' : 'rw'}`); },
        remove() {
            execFileSync('umount', [folder.path]);
            folder.remove();
        },
    };
}

const disk = withoutAgent ? undefined : smallDisk();
const withoutDisk = disk ? false : 'a disk of its own needs root: mount is refused here';

describe('the disk of the journal', { skip: withoutAgent }, () => {
    const store = tempFolder();
    let agent, hub;

    before(async () => {
        hub = await Hub.listen({ token: 'hub-secret', store: store.path });
        agent = await AgentProcess.start({
            agent_id: 'box-7',
            log_level: 'debug',
            ...(disk && { data_dir: path.join(disk.path, 'data') }),
            cameras: [{ id: 'cam_123', source: 'test://faces?width=640&height=360&fps=10' }],
            uplinks: [{ name: 'hub', url: hub.url, token: 'hub-secret', max_retry_s: 1, start: ['cam_123'] }],
        });
    });
    beforeEach(() => hub.until(() => hub.live('box-7'), 'the agent'));
    after(async () => {
        try {
            await agent?.remove();
            await hub?.stop();
        } finally {
            store.remove();
            disk?.remove();
        }
    });

    const dataFile = (name) => path.join(agent.config.data_dir, name);
    const journalNow = () => hub.live('box-7')?.auth.journal;
    const caughtUpNow = (what) => caughtUp(hub, agent.log, [store.path], what);
    const pictures = () => [...hub.live('box-7')?.media.channels.values() ?? []].reduce((sum, { frames }) => sum + frames, 0);

    /** The agent's own word on its journal, once it satisfies `find`. */
    async function journalStatus(find) {
        const peer = await Peer.connect(agent.streamUrl, agent.token);
        try {
            const deadline = performance.now() + kSaidWithinMs;
            for (let journal; ; await passed(kAskAgainMs)) {
                ({ data: { journal } } = await peer.ask({ type: 'status' }));
                if (find(journal)) return journal;
                assert.ok(performance.now() < deadline, `never said: ${JSON.stringify(journal)}`);
            }
        } finally {
            await peer.close();
        }
    }

    test('what is kept is for the agent alone', () => {
        for (const name of readdirSync(agent.config.data_dir)) {
            assert.equal(statSync(dataFile(name)).mode & 0o077, 0, name);
        }
    });

    test('a journal that is lost: the hub gets everything of the new one, which begins at small numbers again', async () => {
        await newEvents(hub, agent, 6);
        await caughtUpNow('before');
        const lost = journalNow();
        const { last } = hub.store.position('box-7', lost);
        assert.equal(hub.unplaced, 0);
        await agent.stop();
        for (const name of readdirSync(agent.config.data_dir).filter((name) => name.startsWith('journal.'))) rmSync(dataFile(name));
        await agent.run();
        await hub.until(() => journalNow() && journalNow() !== lost, 'another journal');
        await newEvents(hub, agent, 4);
        await caughtUpNow('the new journal');
        const first = hub.live('box-7').messages.find(({ type, data }) => type === 'face_detected' && data.seq).data;
        assert.ok(first.seq <= last, `${first.seq} is behind ${last}, and was not skipped`);
        assert.deepEqual(hub.violations, []);
    });

    test('a journal that is corrupt is laid aside, and a fresh one takes over', async () => {
        const corrupt = journalNow();
        await agent.stop();
        const file = dataFile('journal.sqlite3');
        const { size } = statSync(file);
        for (const name of ['journal.sqlite3-wal', 'journal.sqlite3-shm']) rmSync(dataFile(name), { force: true });
        writeFileSync(file, Buffer.alloc(size, 0x5a));
        await agent.run();
        await hub.until(() => journalNow() && journalNow() !== corrupt, 'another journal');
        await newEvents(hub, agent, 4);
        await caughtUpNow('the fresh journal');
        const aside = readdirSync(agent.config.data_dir).filter((name) => /^journal.*(corrupt|damaged|aside|foreign)/.test(name));
        assert.ok(aside.length > 0, `the old one is kept: ${readdirSync(agent.config.data_dir)}`);
        assert.deepEqual(hub.violations, []);
    });

    test('a disk that is full: the agent says so, events and video go on, and it recovers by itself', { skip: withoutDisk }, async () => {
        await newEvents(hub, agent, 2);
        disk.fill();
        try {
            const full = await journalStatus(({ ok }) => !ok);
            assert.match(full.reason, /\w{3,}/);
            assert.ok(full.unstored > 0, 'what was not stored is counted');
            const unstored = await hub.until(() => hub.live('box-7').messages.find(({ type, data }) =>
                type === 'face_detected' && data.seq === undefined), 'an event without a number');
            assert.ok(unstored.data.event_id);
            const before = pictures();
            await hub.until(() => pictures() > before + 20, 'video meanwhile');
        } finally {
            disk.empty();
        }
        await newEvents(hub, agent, 3);
        await caughtUpNow('after the full disk');
        assert.equal((await journalStatus(({ ok }) => ok)).reason ?? '', '');
        assert.deepEqual(hub.violations, []);
    });

    test('a disk that is read-only at start: the agent runs, says so, and events go on without a number', { skip: withoutDisk }, async () => {
        await agent.stop();
        disk.readOnly(true);
        try {
            await agent.run();
            const status = await journalStatus(({ ok }) => !ok);
            assert.match(status.reason, /\w{3,}/);
            await hub.until(() => hub.live('box-7')?.messages.some(({ type }) => type === 'face_detected'), 'an event');
        } finally {
            disk.readOnly(false);
        }
        await newEvents(hub, agent, 3);
        await caughtUpNow('after the read-only disk');
        assert.deepEqual(hub.violations, []);
    });
});
