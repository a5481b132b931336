// The hub beside the box, and what it may ask of it: all that the agent's log says is on disk has come, in order and with no
// hole. Its store is on the host's disk and outlives the guest.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Hub } from '../hub/hub.mjs';
import { compareEvents, readStore } from '../hub/store.mjs';
import { deliveredIds, storedIds } from '../support/event_log.mjs';
import { kHubPort, kPatience, logSince, until } from './box.mjs';

const kStore = '/host/store';
const kStored = '/host/stored.log'; // what earlier boots said is on disk, an id a line

export const listen = () => Hub.listen({ port: kHubPort, token: 'hub-secret', store: kStore });
export const isLive = (hub) => hub.live('box-7')?.authenticated;

/** Ids of the events that this boot's log says are on disk, and those of earlier boots. */
export async function storedHere() { return storedIds(await logSince()); }
export function storedBefore() {
    try {
        return readFileSync(kStored, 'utf8').split('\n').filter((line) => line.length === 36);
    } catch {
        return [];
    }
}

/** Waits until `count` more events are on disk. */
export async function moreEvents(count) {
    const before = (await storedHere()).length;
    await until(async () => (await storedHere()).length >= before + count, `${count} more events`);
}

/** Fails unless all that is on disk by now comes to the hub, by the rules of the contract; resolves with how much that is. */
export async function assertNothingMissing(hub) {
    const wanted = [...storedBefore(), ...await storedHere()];
    await until(() => compareEvents(wanted, deliveredIds(kStore)).missing.length === 0, `${wanted.length} events to arrive`, kPatience);
    assert.deepEqual(hub.violations, []);
    assert.equal(hub.unplaced, 0, 'every event has its place in the journal');
    const journals = readStore(kStore);
    assert.deepEqual(journals.map(({ gaps }) => gaps).flat(), [], 'nothing was given up');
    return { events: wanted.length, journals: journals.length, duplicates: hub.duplicates };
}
