// Binary messages of the wire contract: the 32-byte header, and how parts become payloads again. Knows nothing of
// channels' rules (media_check.mjs) or of sockets.

/** Kinds of payload. */
export const kInitSegment = 1, kAccessUnit = 2, kJpeg = 3, kClip = 4, kDeflatedJson = 5;
/** Flags. */
export const kKeyFrame = 1, kBreak = 2;
/** Channels from here up carry one payload each. */
export const kFirstOneShot = 0x8000;

const kHeaderBytes = 32;
const kMaxPartBytes = 64 * 1024;
const kMinPartBytes = 2 * 1024 - kHeaderBytes; // of a part that is not the last

/**
 * Reads one binary message.
 * @param {Buffer} message
 * @returns {{kind: number, flags: number, keyFrame: boolean, channel: number, sequence: number, offset: number,
 *   captureUs: number, total: number, part: Buffer}} or { trouble } when it is none
 */
export function parseFrame(message) {
    if (message.length < kHeaderBytes) return { trouble: `${message.length} bytes are no header` };
    const version = message.readUInt8(0);
    const headerBytes = message.readUInt8(3);
    if (version !== 1) return { trouble: `version ${version}` };
    if (headerBytes < kHeaderBytes || headerBytes > message.length) return { trouble: `header length ${headerBytes}` };
    const flags = message.readUInt8(2);
    return {
        kind: message.readUInt8(1),
        flags,
        keyFrame: (flags & kKeyFrame) !== 0,
        channel: message.readUInt16BE(4),
        sequence: message.readUInt32BE(8),
        offset: message.readUInt32BE(12),
        captureUs: Number(message.readBigUInt64BE(16)),
        total: message.readUInt32BE(24),
        part: message.subarray(headerBytes),
    };
}

/** What a sender of version 1 may not do, though a receiver bears it; undefined when there is nothing. */
export function senderTrouble(message, { part, offset, total, flags }) {
    if (message.readUInt16BE(6) !== 0 || message.readUInt32BE(28) !== 0) return 'the bytes at 6 and 28 must be 0';
    if (flags > (kKeyFrame | kBreak)) return `flags ${flags}`;
    if (offset + part.length > total) return `part ${offset}+${part.length} of ${total} bytes`;
    if (part.length > kMaxPartBytes) return `a part of ${part.length} bytes`;
    if (offset + part.length < total && part.length < kMinPartBytes) {
        return `a part of ${part.length} bytes that is not the last`;
    }
    return undefined;
}

/** The header as plain data, by the names that docs/protocol/binary has. */
export function headerOf({ kind, flags, keyFrame, channel, sequence, offset, captureUs, total }) {
    return {
        kind, flags, key_frame: keyFrame, channel, sequence,
        part_offset: offset, capture_us: captureUs, payload_length: total,
    };
}

/** Writes a binary message; for agents in tests, and for a hub that must know what a wrong one looks like. */
export function buildFrame({ kind, flags = 0, channel, sequence = 0, offset = 0, captureUs = 0, total, part }) {
    const header = Buffer.alloc(kHeaderBytes);
    header.writeUInt8(1, 0);
    header.writeUInt8(kind, 1);
    header.writeUInt8(flags, 2);
    header.writeUInt8(kHeaderBytes, 3);
    header.writeUInt16BE(channel, 4);
    header.writeUInt32BE(sequence, 8);
    header.writeUInt32BE(offset, 12);
    header.writeBigUInt64BE(BigInt(captureUs), 16);
    header.writeUInt32BE(total ?? part.length, 24);
    return Buffer.concat([header, part]);
}

const sameFrame = (a, b) => a.kind === b.kind && a.sequence === b.sequence;

/** The parts of the one payload that each channel is in the midst of. */
export class Reassembly {
    #open = new Map();
    /** Frames begun and never finished. */
    incomplete = 0;

    /**
     * Takes one part.
     * @returns {{begun?: true, payload?: Buffer, trouble?: string}} begun: the first part of a frame; payload: this was
     *   the last; trouble: it does not fit what came before, and was thrown away
     */
    take(frame) {
        const open = this.#open.get(frame.channel);
        const goesOn = open !== undefined && sameFrame(open.frame, frame);
        if (goesOn && frame.offset !== open.bytes) {
            return { trouble: `${open.bytes} bytes are here, the next part is of offset ${frame.offset}` };
        }
        if (goesOn && (frame.total !== open.frame.total || frame.captureUs !== open.frame.captureUs)) {
            return { trouble: 'total and capture time must be the same in all parts' };
        }
        if (!goesOn) {
            if (open !== undefined) this.#forsake(frame.channel);
            if (frame.offset !== 0) return { trouble: `begins at offset ${frame.offset}` };
        }
        return { ...this.#append(goesOn ? open : { frame, bytes: 0, parts: [] }, frame), begun: !goesOn };
    }

    #append(open, { channel, part, total }) {
        open.parts.push(part);
        open.bytes += part.length;
        if (open.bytes < total) {
            this.#open.set(channel, open);
            return {};
        }
        this.#open.delete(channel);
        return { payload: Buffer.concat(open.parts) };
    }

    #forsake(channel) {
        this.#open.delete(channel);
        this.incomplete++;
    }
}
