// Other processes of this machine, as /proc shows them.
import { readdirSync, readFileSync } from 'node:fs';

/** Its name, state (proc(5)) and parent; undefined once it is gone. */
function processOf(pid) {
    try {
        const [, name, state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').match(/\((.*)\) (\S) (\d+)/);
        return { name, state, parent: Number(parent) };
    } catch {
        return undefined;
    }
}

/** One that has ended may wait for its parent to notice. */
export const runs = (pid) => ![undefined, 'Z', 'X'].includes(processOf(pid)?.state);

/** The pid of the process that serves an agent's viewers; undefined where there is none. */
export function viewersPidOf(agent) {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
    return pids.find((pid) => runs(pid) && processOf(pid).parent === agent.pid && processOf(pid).name === 'edgecam-viewers');
}

export const descriptorsOf = (pid) => readdirSync(`/proc/${pid}/fd`).length;
