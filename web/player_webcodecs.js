// The fast player: each access unit goes to a decoder as it comes, each decoded picture to the screen at its next
// refresh. Secure contexts only.

import { parseFragment, parseInit } from './fmp4.js';

/** Fed but not yet decoded, µs of video: beyond it this device is too slow, and a key frame starts afresh. */
const kBehindUs = 1_000_000;
/** The same for a burst of a whole cached group of pictures at the start. */
const kHopelessUs = 4_000_000;

export class WebCodecsPlayer {
    static kind = 'webcodecs';
    #canvas = document.createElement('canvas');
    #context = this.#canvas.getContext('2d', { alpha: false });
    #callbacks;
    #decoder = null;
    #config = null;
    #timescale = 1e6;
    #needsKey = true;
    /** Presentation time µs → {sequence, captureUs}, of what is in the decoder. */
    #inside = new Map();
    #fedUs = 0;
    #outUs = 0;
    #pending = null;
    /** Presentation time of the newest picture on the screen, µs. */
    #shownUs = -Infinity;
    #refresh = 0;
    #skips = 0;

    /** @param {{shown: (picture: object) => void, failed: (reason: string) => void}} callbacks */
    constructor(callbacks) {
        this.#callbacks = callbacks;
    }

    get surface() { return this.#canvas; }
    get size() { return { width: this.#canvas.width, height: this.#canvas.height }; }
    get figures() {
        return { currentTime: this.#outUs / 1e6, seeks: this.#skips, queued: this.#decoder?.decodeQueueSize ?? 0 };
    }

    /** @param {Uint8Array} bytes an init segment; a key frame must follow */
    init(bytes) {
        const { codec, description, timescale } = parseInit(bytes);
        this.#timescale = timescale;
        this.#config = { codec, description, optimizeForLatency: true };
        this.#restart();
    }

    /** Configures for what comes next. Pictures still inside come out first, unless `discard`. */
    #restart(discard = false) {
        if (!this.#decoder || this.#decoder.state === 'closed') {
            this.#decoder = new VideoDecoder({
                output: (picture) => this.#decoded(picture),
                error: (error) => this.#callbacks.failed(`the decoder gave up: ${error.message}`),
            });
        }
        if (discard) {
            this.#decoder.reset();
            this.#inside.clear();
            this.#outUs = this.#fedUs;
            this.#skips += 1;
        }
        this.#decoder.configure(this.#config);
        this.#needsKey = true;
    }

    /** @param {{keyFrame: boolean, sequence: number, captureUs: number, payload: Uint8Array}} frame moof+mdat */
    feed(frame) {
        if (!this.#decoder || this.#decoder.state !== 'configured') return;
        const behindUs = this.#inside.size ? this.#fedUs - this.#outUs : 0;
        if (frame.keyFrame && behindUs > kBehindUs && this.#decoder.decodeQueueSize > 10) this.#restart(true);
        else if (behindUs > kHopelessUs) this.#needsKey = true;
        if (this.#needsKey && !frame.keyFrame) return;
        this.#needsKey = false;
        const fragment = parseFragment(frame.payload);
        const micros = (ticks) => Math.round(ticks * 1e6 / this.#timescale);
        const timestamp = micros(fragment.decodeTime + fragment.compositionOffset);
        if (timestamp < this.#fedUs - kHopelessUs) this.#inside.clear();  // the camera's time began again
        if (this.#inside.size === 0) this.#outUs = timestamp;
        this.#inside.set(timestamp, { sequence: frame.sequence, captureUs: frame.captureUs });
        this.#fedUs = timestamp;
        this.#decoder.decode(new EncodedVideoChunk({
            type: frame.keyFrame ? 'key' : 'delta', timestamp, data: fragment.sample,
        }));
    }

    #decoded(picture) {
        const timestamp = picture.timestamp, origin = this.#inside.get(timestamp);
        this.#outUs = timestamp;
        this.#forget(timestamp);
        if (timestamp <= this.#shownUs && timestamp > this.#shownUs - kHopelessUs) {
            picture.close();  // of a cached group of pictures that was sent again: the screen is further
            return;
        }
        this.#pending?.picture.close();
        this.#pending = { picture, origin };
        if (!this.#refresh) this.#refresh = requestAnimationFrame(() => this.#draw());
    }

    /** Output is in order of presentation: what lies before it will not come any more. */
    #forget(timestamp) {
        for (const time of this.#inside.keys()) {
            if (time <= timestamp) this.#inside.delete(time);
        }
    }

    #draw() {
        this.#refresh = 0;
        const { picture, origin } = this.#pending;
        this.#pending = null;
        const width = picture.displayWidth, height = picture.displayHeight;
        if (this.#canvas.width !== width || this.#canvas.height !== height) {
            this.#canvas.width = width;
            this.#canvas.height = height;
        }
        this.#context.drawImage(picture, 0, 0, width, height);
        this.#shownUs = picture.timestamp;
        picture.close();
        if (origin) this.#callbacks.shown({ ...origin, width, height });
    }

    /** Nothing to do: what is decoded is shown at once. */
    catchUp() {}

    destroy() {
        cancelAnimationFrame(this.#refresh);
        this.#pending?.picture.close();
        this.#pending = null;
        if (this.#decoder && this.#decoder.state !== 'closed') this.#decoder.close();
        this.#decoder = null;
        this.#canvas.remove();
    }
}
