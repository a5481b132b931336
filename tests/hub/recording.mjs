// Writes the payloads of a connection to files: each channel's laid end to end, a new file at a new init segment, which
// is what the contract says makes a valid fragmented MP4; a JPEG or a clip each in a file of its own.
import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { kAccessUnit, kClip, kInitSegment, kJpeg } from './frames.mjs';

export class Recording {
    #folder;
    #parts = new Map(); // channel → number of its present file

    /** @param {string} folder made if absent; one for each connection */
    constructor(folder) {
        mkdirSync(folder, { recursive: true });
        this.#folder = folder;
    }

    keep({ kind, channel, sequence }, payload) {
        if (kind === kInitSegment) this.#parts.set(channel, (this.#parts.get(channel) ?? 0) + 1);
        const name = {
            [kInitSegment]: `channel-${channel}-${this.#parts.get(channel)}.mp4`,
            [kAccessUnit]: `channel-${channel}-${this.#parts.get(channel) ?? 0}.mp4`,
            [kJpeg]: `channel-${channel}-${sequence}.jpg`,
            [kClip]: `channel-${channel}-${sequence}.mp4`,
        }[kind];
        if (name) appendFileSync(path.join(this.#folder, name), payload);
    }
}
