// What a hub keeps: durable events and gaps, in one append-only file of JSON lines that is flushed to the disk before
// anything is acknowledged; and the same file read back. Without a folder all is kept in memory.
//
//   {"kind":"event","agent","journal","seq","prev_seq","event_id","at","message"}   the first delivery
//   {"kind":"duplicate","agent","journal","seq","event_id","at"}                    each one more
//   {"kind":"gap","agent","journal","from_seq","to_seq","count","reason","at"}
//   {"kind":"snapshot","agent","journal","seq","event_id","bytes","jpeg","at"}      its picture, base64; null: it will not come
//   {"kind":"acked","agent","journal","seq","at"}                                   told to the agent
//
// `at` is the hub's clock, milliseconds since the epoch. journal and seq are null for events of an agent without one.
import { existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import path from 'node:path';

const kFile = 'events.jsonl';

/** The whole lines of a file; a torn last one (the power went) is left out. */
function* recordsOf(bytes) {
    for (let from = 0, to = bytes.indexOf(10); to >= 0; from = to + 1, to = bytes.indexOf(10, from)) {
        yield JSON.parse(bytes.toString('utf8', from, to));
    }
}

const placeOf = ({ agent, journal, seq }) => `${agent} ${journal} ${seq}`;
const newJournal = (agent, journal) => ({ agent, journal, last: null, covered: null, acked: null, awaited: new Set() });

/**
 * Where the hub is in one journal of one agent: last seq, seq up to which gaps explain holes, seq acknowledged, and seqs of
 * the events that announced a picture which is not there.
 */
function apply(position, record) {
    if (record.kind === 'event') position.last = position.covered = record.seq;
    if (record.kind === 'event' && record.message?.data.snapshot?.channel) position.awaited.add(record.seq);
    if (record.kind === 'snapshot') position.awaited.delete(record.seq);
    if (record.kind === 'gap') position.covered = Math.max(position.covered ?? 0, record.to_seq);
    if (record.kind === 'acked') position.acked = Math.max(position.acked ?? 0, record.seq);
}

export class Store {
    #file;
    #folder;
    #journals = new Map();
    #events = new Map();
    #waiting = [];
    #writing = Promise.resolve();
    #busy = false;
    #failure;

    /** @param {string} [folder] made if absent; what lies in it already is known */
    static async open(folder) {
        const store = new Store();
        store.#folder = folder;
        if (folder) {
            mkdirSync(folder, { recursive: true });
            const file = path.join(folder, kFile);
            if (existsSync(file)) store.#load(file);
            store.#file = await open(file, 'a');
        }
        return store;
    }

    #load(file) {
        const bytes = readFileSync(file);
        truncateSync(file, bytes.lastIndexOf(10) + 1);
        for (const record of recordsOf(bytes)) this.#know(record);
    }

    #know(record) {
        if (record.kind === 'event') this.#events.set(record.event_id, placeOf(record));
        if (record.journal !== null) apply(this.position(record.agent, record.journal), record);
    }

    /** Where the hub is in a journal; all null when it does not know it. Includes what is still on its way to the disk. */
    position(agent, journal) {
        const key = `${agent} ${journal}`;
        if (!this.#journals.has(key)) this.#journals.set(key, newJournal(agent, journal));
        return this.#journals.get(key);
    }

    /** 'new', 'duplicate', or 'reused': that event_id is of another event. */
    seen(record) {
        const known = this.#events.get(record.event_id);
        if (known === undefined) return 'new';
        return known === placeOf(record) ? 'duplicate' : 'reused';
    }

    get eventCount() { return this.#events.size; }

    /** Keeps a record; resolves when it is safe. Rejects when the disk would not have it, and ever after. */
    keep(record) {
        if (this.#failure) return Promise.reject(this.#failure);
        const stamped = { ...record, at: Date.now() };
        this.#know(stamped);
        if (!this.#file) return Promise.resolve();
        return new Promise((safe, failed) => {
            this.#waiting.push({ line: `${JSON.stringify(stamped)}\n`, safe, failed });
            if (!this.#busy) this.#writing = this.#write();
        });
    }

    /** Group commit: what comes while the disk is busy goes with the next flush. */
    async #write() {
        this.#busy = true;
        while (this.#waiting.length > 0) {
            const group = this.#waiting.splice(0);
            try {
                await this.#file.appendFile(group.map(({ line }) => line).join(''));
                await this.#file.datasync();
                for (const { safe } of group) safe();
            } catch (error) {
                this.#failure = error;
                for (const { failed } of [...group, ...this.#waiting.splice(0)]) failed(error);
            }
        }
        this.#busy = false;
    }

    /** Resolves when all that was kept is safe. */
    flush() { return this.#writing; }

    /** Begins anew with nothing known. The old file stays beside the new one, as events.1.jsonl and so on. */
    async forget() {
        await this.flush();
        this.#journals.clear();
        this.#events.clear();
        if (!this.#file) return;
        this.#busy = true;
        await this.#file.close();
        let n = 1;
        while (existsSync(path.join(this.#folder, `events.${n}.jsonl`))) n++;
        await rename(path.join(this.#folder, kFile), path.join(this.#folder, `events.${n}.jsonl`));
        this.#file = await open(path.join(this.#folder, kFile), 'a');
        this.#writing = this.#write();
    }

    async close() {
        await this.flush();
        await this.#file?.close();
        this.#file = undefined;
    }
}

/**
 * Reads a store's file back, also while a hub writes it or after it was killed.
 * @param {string} folder
 * @param {string} [file] another of its files: one that was forgotten
 * @returns {{agent: string, journal: ?string, events: {seq: ?number, event_id: string, at: number}[], gaps: object[],
 *   acked: ?number}[]} one entry a journal, in order of appearance; `events` has every delivery in order of arrival,
 *   duplicates included; `acked` is the highest seq acknowledged
 */
export function readStore(folder, file = kFile) {
    const journals = new Map();
    for (const record of recordsOf(readFileSync(path.join(folder, file)))) {
        const key = `${record.agent} ${record.journal}`;
        const { agent, journal, seq, event_id, at } = record;
        if (!journals.has(key)) journals.set(key, { agent, journal, events: [], gaps: [], acked: null });
        const read = journals.get(key);
        if (record.kind === 'event' || record.kind === 'duplicate') read.events.push({ seq, event_id, at });
        if (record.kind === 'gap') read.gaps.push(record);
        if (record.kind === 'acked') read.acked = Math.max(read.acked ?? 0, seq);
    }
    return [...journals.values()];
}

/**
 * Holds what was delivered against another log.
 * @param {Iterable<string>} expected event ids, as the other log has them
 * @param {Iterable<string>} delivered event ids with duplicates, as readStore() gives them
 * @returns {{missing: string[], unexpected: string[], duplicates: string[]}} duplicates: once for each delivery too many
 */
export function compareEvents(expected, delivered) {
    const wanted = new Set(expected);
    const got = new Set();
    const duplicates = [];
    for (const id of delivered) {
        if (got.has(id)) duplicates.push(id);
        got.add(id);
    }
    return {
        missing: [...wanted].filter((id) => !got.has(id)),
        unexpected: [...got].filter((id) => !wanted.has(id)),
        duplicates,
    };
}
