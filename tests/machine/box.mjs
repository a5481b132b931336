// The box that the machine test plays: edgecam installed as a service beside this program, its config, its log and its cameras.
// Runs in the guest only (tests/machine/check), as root.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as passed } from 'node:timers/promises';
import { promisify } from 'node:util';
import { kStripes } from '../support/agent.mjs';
import { Peer } from '../support/peer.mjs';

/** Whether this is the long form, `scripts/soak machine`. */
export const kLong = process.env.EDGECAM_LONG === '1';
/** How long a test waits for what it wants: the guest is emulated, and a second here is a tenth of one on a camera box. */
export const kPatience = 180_000;
/** How long a program may take: apt installs in minutes where the machine has other things to do. */
const kProgramPatience = 900_000;

export const kConfigFile = '/etc/edgecam/config.json';
export const kDataFolder = '/var/lib/edgecam';
export const kCamera = '/dev/video0';
export const kFedCamera = '/dev/video20';
export const kHubPort = 9100;
const kStreamUrl = 'ws://127.0.0.1:8080/v1/stream';

/**
 * What the box is told to do: a real camera that is watched, and a drawn one whose faces make durable events for a hub. Small
 * pictures, since the processor is emulated.
 */
export const kConfig = {
    agent_id: 'box-7',
    data_dir: kDataFolder,
    log_level: 'debug', // names every event that is on disk
    cameras: [
        { id: 'counter', source: `v4l2://${kCamera}?width=320&height=180&fps=15`, vision: false },
        { id: 'drawn', source: 'test://faces?width=320&height=180&fps=5', zones: kStripes },
    ],
    vision: { rate_hz: 1, width: 320, height: 180, model: '/opt/models/face_detection_yunet_2023mar.onnx' },
    server: {
        listen: '127.0.0.1:8080', own_process: true,
        tokens: [{ token: 'secret', role: 'operator' }],
    },
    uplinks: [{ name: 'hub', url: `ws://127.0.0.1:${kHubPort}/v1/stream`, token: 'hub-secret', max_retry_s: 3 }],
};
export const writeConfig = (config) => writeFileSync(kConfigFile, typeof config === 'string' ? config : JSON.stringify(config));

const execute = promisify(execFile);

/** Runs a program to its end; resolves with what it printed, rejects with what it complained of. */
export async function run(command, ...args) {
    const { stdout } = await execute(command, args.map(String), { timeout: kProgramPatience, maxBuffer: 1 << 28 });
    return stdout;
}

/** Resolves with the first truthy value of `find`, which is asked twice a second: for what tells nobody when it changes. */
export async function until(find, what, ms = kPatience) {
    const end = Date.now() + ms;
    for (;;) {
        const found = await find();
        if (found) return found;
        if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
        await passed(500);
    }
}

export const secondsSince = (since) => `${((Date.now() - since) / 1000).toFixed(2)} s`;

// ---- the service

/** What systemd knows of it, by the names of `systemctl show`. */
export const property = async (name) => (await run('systemctl', 'show', '-P', name, 'edgecam')).trim();
export const mainPid = async () => Number(await property('MainPID'));
export const restarts = async () => Number(await property('NRestarts'));
export const isActive = async () => (await property('ActiveState')) === 'active';

/** Every process of the service. */
export async function pids() {
    const group = await property('ControlGroup');
    return readFileSync(`/sys/fs/cgroup${group}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
}

/** Sum over all processes of the service of what `of(pid)` gives. */
export async function summed(of) {
    return (await pids()).reduce((sum, pid) => sum + of(pid), 0);
}
export const descriptorsOf = (pid) => readdirSync(`/proc/${pid}/fd`).length;
/** Exact, where the sum in /proc/PID/status lags behind by up to 256 KB a thread. */
export const residentKbOf = (pid) => Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Rss:\s+(\d+)/m)[1]);

/** Waits until systemd has started it again after `before` restarts, and it is ready. */
export const restartedAfter = (before) =>
    until(async () => (await restarts()) > before && await isActive(), 'the watchdog to restart the service');

// ---- its log

/** Now, as a place in the log. (`journalctl --after-cursor -u UNIT` leaves out a line where the cursor is another unit's.) */
export async function logMark() {
    await run('journalctl', '--sync');
    return `@${(Date.now() / 1000).toFixed(3)}`;
}

/** What it logged in this boot, or since a mark. */
export const logSince = (mark) =>
    run('journalctl', '-u', 'edgecam', '-o', 'cat', '--no-pager', ...(mark ? [`--since=${mark}`] : ['-b']));

/** Waits until it logs what matches, after `mark`. */
export const logs = (pattern, mark) => until(async () => (await logSince(mark)).match(pattern), `the log to say ${pattern}`);

// ---- its cameras and viewers

export const control = (setting) => run('v4l2-ctl', '-d', kCamera, '-c', setting);
export const unplug = () => writeFileSync('/sys/bus/platform/drivers/vivid/unbind', 'vivid.0');
export const plugIn = () => writeFileSync('/sys/bus/platform/drivers/vivid/bind', 'vivid.0');

/** A peer that is told every camera's state and watches `ids`. */
export async function viewer(...ids) {
    const peer = await Peer.connect(kStreamUrl, 'secret', { auth: { features: ['batch'] } });
    await peer.ask({ type: 'subscribe', topics: ['*/stream_status', '*/face_detected', 'system'] });
    for (const id of ids) await peer.control('start', id, {});
    return peer;
}

/** What the agent last said of a camera. */
export const statusOf = (peer, id) =>
    peer.messages.filter((m) => m.type === 'stream_status' && m.data.camera_id === id).at(-1)?.data;

export const inState = (peer, id, state) => peer.until(() => {
    const status = statusOf(peer, id);
    return status?.state === state && status;
}, `${id} to be ${state}, it is ${JSON.stringify(statusOf(peer, id))}`, kPatience);

/** Waits for `count` coded pictures beyond the first `seen` frames, of those that match. */
export const pictures = (peer, count, seen = 0, match = () => true) => peer.until(() => {
    const found = peer.frames.slice(seen).filter((f) => f.kind === 2 && match(f));
    return found.length >= count && found;
}, `${count} pictures`, kPatience);

/** Fails unless the kernel is content. */
export async function assertKernelContent() {
    assert.doesNotMatch(await run('dmesg'), /WARNING:|BUG:|Oops/);
}
