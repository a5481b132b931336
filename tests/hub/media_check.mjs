// The media of one connection, held against the contract: channels are announced, begin with an init segment and a key
// frame, go on in order, and after a `drop` begin with a key frame again. Counts what came. Knows no socket.
import {
    Reassembly, kAccessUnit, kClip, kDeflatedJson, kFirstOneShot, kInitSegment, kJpeg, headerOf, parseFrame,
    senderTrouble,
} from './frames.mjs';
import { Series } from './measures.mjs';

const kRemembered = 1000; // access units of a channel, for a drop that is told late

/** One rendition of one camera. */
class Channel {
    frames = 0;
    keyFrames = 0;
    initSegments = 0;
    bytes = 0;
    /** Milliseconds from the header's capture time to the last part, by the hub's clock. */
    delay = new Series();
    ended = false;
    needsInit;
    needsKey; // the rule that the next access unit breaks if it is none
    droppedTo = -1;
    begun = []; // { sequence, keyFrame } of access units

    constructor(announced) {
        Object.assign(this, announced);
        this.needsInit = announced.format !== 'jpeg';
    }

    get last() { return this.begun.at(-1)?.sequence ?? -1; }

    toJSON() {
        const { camera_id, format, codec, width, height, frames, keyFrames, initSegments, bytes, delay } = this;
        return {
            camera_id, format, codec, width, height, frames, key_frames: keyFrames, init_segments: initSegments, bytes,
            delay_ms: delay,
        };
    }
}

export class MediaCheck {
    #reassembly = new Reassembly();
    #violate;
    #oneShots = new Map();
    /** number → Channel, as announced by stream_status. */
    channels = new Map();
    drops = 0;

    /** @param {(rule: string, text: string, message: object) => void} violate */
    constructor(violate) { this.#violate = violate; }

    get incomplete() { return this.#reassembly.incomplete; }

    /** Takes a binary message; returns { frame, payload } when it completes one that is to be used. */
    take(message) {
        const frame = parseFrame(message);
        if (frame.trouble) return this.#violate('frame_header', frame.trouble, { binary: message.toString('hex', 0, 32) });
        const unclean = senderTrouble(message, frame);
        if (unclean) this.#refuse('frame_header', unclean, frame);
        const { begun, payload, trouble } = this.#reassembly.take(frame);
        if (trouble) return this.#refuse('frame_part', trouble, frame);
        if (begun && frame.kind <= kClip) this.#begin(frame);
        return payload && this.#finish(frame, payload);
    }

    #refuse(rule, text, frame) { this.#violate(rule, text, { header: headerOf(frame), part_bytes: frame.part.length }); }

    #begin(frame) {
        if (frame.channel >= kFirstOneShot) {
            if (!this.#oneShots.has(frame.channel)) this.#refuse('channel_unannounced', `channel ${frame.channel}`, frame);
            return;
        }
        const channel = this.channels.get(frame.channel);
        if (!channel) return this.#refuse('channel_unannounced', `channel ${frame.channel}`, frame);
        if (channel.ended) this.#refuse('after_stop', `channel ${frame.channel} after the answer to stop`, frame);
        if (frame.kind === kInitSegment) this.#beginInit(channel);
        if (frame.kind === kAccessUnit) this.#beginAccessUnit(channel, frame);
        if (frame.kind === kClip) this.#refuse('kind', 'a clip on a camera\'s channel', frame);
        if (frame.kind === kJpeg) this.#inOrder(channel, frame);
    }

    #beginInit(channel) {
        channel.initSegments++;
        channel.needsInit = false;
        channel.needsKey = 'key_after_init';
        channel.droppedTo = -1;
        channel.begun = []; // the cached group of pictures may come again
    }

    #beginAccessUnit(channel, frame) {
        if (channel.needsInit) this.#refuse('init_first', `channel ${frame.channel} has had no init segment`, frame);
        else if (channel.needsKey && !frame.keyFrame) {
            this.#refuse(channel.needsKey, `picture ${frame.sequence} is no key frame`, frame);
        }
        channel.needsInit = false;
        channel.needsKey = undefined;
        this.#inOrder(channel, frame);
    }

    #inOrder(channel, frame) {
        const { sequence, keyFrame } = frame;
        if (sequence <= channel.last) this.#refuse('sequence_order', `picture ${sequence} after ${channel.last}`, frame);
        else if (sequence <= channel.droppedTo) {
            this.#refuse('dropped_comes', `picture ${sequence}, dropped up to ${channel.droppedTo}`, frame);
        }
        channel.begun.push({ sequence, keyFrame });
        if (channel.begun.length > kRemembered) channel.begun.shift();
    }

    #finish(frame, payload) {
        if (frame.kind === kDeflatedJson) return { frame, payload };
        if (frame.channel >= kFirstOneShot) return this.#finishOneShot(frame, payload);
        const channel = this.channels.get(frame.channel);
        if (!channel) return undefined;
        channel.bytes += payload.length;
        if (frame.kind === kInitSegment) return { frame, payload, channel };
        channel.frames++;
        if (frame.keyFrame) channel.keyFrames++;
        const delayMs = Date.now() - frame.captureUs / 1000;
        channel.delay.add(delayMs);
        return { frame, payload, channel, delayMs };
    }

    #finishOneShot(frame, payload) {
        const announced = this.#oneShots.get(frame.channel);
        if (!announced) return undefined;
        this.#oneShots.delete(frame.channel);
        if (payload.length !== announced.bytes) {
            this.#refuse('transfer', `${payload.length} bytes, announced were ${announced.bytes}`, frame);
        }
        if (frame.kind !== announced.kind) {
            this.#refuse('transfer', `kind ${frame.kind}, announced was ${announced.kind}`, frame);
        }
        return { frame, payload };
    }

    /** Takes the data of a stream_status: it announces channels. */
    streamStatus(data, message) {
        if (data.channel === null) return;
        const known = this.channels.get(data.channel);
        if (!known) {
            this.channels.set(data.channel, new Channel(data));
            return;
        }
        for (const name of ['camera_id', 'codec', 'width', 'height']) {
            if (data[name] !== undefined && known[name] !== undefined && data[name] !== known[name]) {
                this.#violate('channel_changed', `${name} of channel ${data.channel} was ${known[name]}`, message);
            }
            known[name] ??= data[name];
        }
        if (known.ended) this.channels.set(data.channel, new Channel(data));
    }

    /** `stop` was answered: nothing more may come. */
    stopped(cameraId, format) {
        for (const channel of this.channels.values()) {
            const meant = channel.camera_id === cameraId && (format === undefined || channel.format === format);
            if (meant) channel.ended = true;
        }
    }

    /** A one-shot was announced, by `transfer` or by an event's snapshot. */
    transfer({ channel, kind, bytes }) {
        this.#oneShots.set(channel, { bytes, kind: kind === 'clip' ? kClip : kJpeg });
    }

    /** A one-shot that was announced does not come. */
    forget(channel) { this.#oneShots.delete(channel); }

    /** Pictures were left out for this hub. */
    drop(data, message) {
        this.drops++;
        const { channel: number, from_sequence: from, to_sequence: to, frames } = data;
        if (from > to || frames > to - from + 1) {
            this.#violate('drop_range', `${frames} pictures from ${from} to ${to}`, message);
        }
        const channel = this.channels.get(number);
        if (!channel) return this.#violate('channel_unannounced', `channel ${number}`, message);
        if (channel.format === 'jpeg') return;
        channel.droppedTo = Math.max(channel.droppedTo, to);
        const after = channel.begun.find(({ sequence }) => sequence > to);
        if (!after) channel.needsKey ??= 'key_after_drop';
        else if (!after.keyFrame) {
            this.#violate('key_after_drop', `picture ${after.sequence} came before this, and is no key frame`, message);
        }
    }
}
