// The two ends of "nothing lost": what the agent's log says is on disk, and what lies in a hub's store.
import { readdirSync } from 'node:fs';
import { compareEvents, readStore } from '../hub/store.mjs';

/** Ids of all events that a log of level "debug" says are on disk, in order. */
export const storedIds = (log) => [...log.matchAll(/the journal holds event (\S+)/g)].map(([, id]) => id);

/** Ids of all deliveries to a hub's store, in order, also of those that it was told to forget. */
export function deliveredIds(folder) {
    const number = (file) => Number(file.match(/\.(\d+)\./)?.[1] ?? Infinity);
    const files = readdirSync(folder).filter((file) => /^events(\.\d+)?\.jsonl$/.test(file));
    return files.sort((a, b) => number(a) - number(b))
        .flatMap((file) => readStore(folder, file).flatMap(({ events }) => events.map(({ event_id: id }) => id)));
}

/** Waits, on a hub's events, until the agent has stored so many more events. */
export async function newEvents(hub, agent, count) {
    const before = storedIds(agent.log).length;
    await hub.until(() => storedIds(agent.log).length >= before + count, `${count} more events`, 60_000);
}

/** Waits until all that is stored by now is in one of the stores. */
export function caughtUp(hub, log, folders, what, ms = 60_000) {
    const wanted = storedIds(log);
    const missing = () => compareEvents(wanted, folders.flatMap(deliveredIds)).missing;
    return hub.until(() => missing().length === 0, `${what}: ${wanted.length} events`, ms);
}
