// The 32 bytes before every binary payload (docs/protocol.md), and payloads put together again from their parts.
// Pure: bytes in, values out.

/** Binary message kinds. */
export const Kind = Object.freeze({ init: 1, accessUnit: 2, jpeg: 3, clip: 4, deflatedJson: 5 });

const kVersion = 1;
const kHeaderBytes = 32;
const kKeyFrame = 1;
const kDiscontinuity = 2;
/** Nothing on this wire is longer; a length beyond it is a damaged header, not a reason to allocate. */
const kMaxPayloadBytes = 64 << 20;

/**
 * One binary message. All fields of the header are big-endian.
 * @param {ArrayBuffer} message
 * @returns {{kind: number, keyFrame: boolean, discontinuity: boolean, channel: number, sequence: number,
 *   offset: number, captureUs: number, total: number, payload: Uint8Array} | null}
 *   `captureUs`: microseconds since the epoch, UTC. `payload` is a view into the message.
 *   null: too short, of another version, or a part that lies outside its payload.
 */
export function parseFrame(message) {
    if (message.byteLength < kHeaderBytes) return null;
    const view = new DataView(message);
    const headerBytes = view.getUint8(3);
    if (view.getUint8(0) !== kVersion || headerBytes < kHeaderBytes || headerBytes > message.byteLength) return null;
    const flags = view.getUint8(2);
    const frame = {
        kind: view.getUint8(1),
        keyFrame: (flags & kKeyFrame) !== 0,
        discontinuity: (flags & kDiscontinuity) !== 0,
        channel: view.getUint16(4),
        sequence: view.getUint32(8),
        offset: view.getUint32(12),
        captureUs: Number(view.getBigUint64(16)),
        total: view.getUint32(24),
        payload: new Uint8Array(message, headerBytes),
    };
    const fits = frame.total <= kMaxPayloadBytes && frame.offset + frame.payload.length <= frame.total;
    return fits ? frame : null;
}

/**
 * Joins the parts of payloads, channel by channel. A payload whose parts were broken off by another one of the
 * same channel is dropped and counted.
 */
export class PartAssembler {
    /** Channel → the payload that is not yet whole. */
    #begun = new Map();
    /** Payloads that never became whole. */
    incomplete = 0;

    /**
     * @param {NonNullable<ReturnType<typeof parseFrame>>} part
     * @returns {NonNullable<ReturnType<typeof parseFrame>> | null} the frame with its whole payload, or null while
     *   parts are missing
     */
    add(part) {
        const begun = this.#begun.get(part.channel);
        if (part.offset === 0) {
            if (begun) this.#drop(part.channel);
            if (part.payload.length === part.total) return part;
            const bytes = new Uint8Array(part.total);
            bytes.set(part.payload);
            this.#begun.set(part.channel, { head: part, bytes, received: part.payload.length });
            return null;
        }
        if (!begun) return null;  // its beginning was dropped already
        const continues = begun.head.kind === part.kind && begun.head.sequence === part.sequence &&
            begun.head.total === part.total && begun.received === part.offset;
        if (!continues) {
            this.#drop(part.channel);
            return null;
        }
        begun.bytes.set(part.payload, part.offset);
        begun.received += part.payload.length;
        if (begun.received < part.total) return null;
        this.#begun.delete(part.channel);
        return { ...begun.head, payload: begun.bytes };
    }

    #drop(channel) {
        this.#begun.delete(channel);
        this.incomplete += 1;
    }
}
