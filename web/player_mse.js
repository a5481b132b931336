// The player for plain http: fragments go into a SourceBuffer.
//
// Each sample gets a duration of one second before it is appended, and the next one trims it. With truthful
// durations a slower frame rate, or a camera that stutters, leaves holes: MSE drops every frame that comes later than
// twice the declared duration, up to the next key frame.

import { parseFragment, parseInit, setSampleDuration } from './fmp4.js';
import { LiveEdge } from './live_edge.js';

const kKeepSeconds = 10;
/** Fragments that may wait for the SourceBuffer; beyond it the tab is stuck and a key frame starts afresh. */
const kMostWaiting = 300;
const kOriginsKept = 400;
/** Two presentation times are the same frame, seconds: browsers round to microseconds or less. */
const kSameFrame = 0.0005;

/** MediaSource, ManagedMediaSource (iPhones), or null where there is neither. */
export const mediaSourceClass = () => globalThis.ManagedMediaSource ?? globalThis.MediaSource ?? null;

export class MsePlayer {
    static kind = 'mse';
    #video = document.createElement('video');
    #callbacks;
    #source = null;
    #buffer = null;
    #mime = '';
    #timescale = 1e6;
    #edge = new LiveEdge();
    /** What waits for the SourceBuffer, oldest first: {mime} | {bytes, decodeTime?, keyFrame?}. */
    #waiting = [];
    #needsKey = true;
    /** Where appended frames came from, oldest first: {time (seconds, presentation), sequence, captureUs}. */
    #origins = [];
    #trimmedAt = 0;
    #url = '';

    /** @param {{shown: (picture: object) => void, failed: (reason: string) => void, blocked: () => void}} callbacks */
    constructor(callbacks) {
        this.#callbacks = callbacks;
        this.#video.muted = true;
        this.#video.playsInline = true;
        this.#video.disableRemotePlayback = true;  // without it ManagedMediaSource does not open
        this.#video.addEventListener('error', () => this.#fail(this.#video.error?.message || 'the video element failed'));
        this.#watchFrames();
        this.#open();
    }

    get surface() { return this.#video; }
    get size() { return { width: this.#video.videoWidth, height: this.#video.videoHeight }; }
    get figures() {
        const ranges = this.#video.buffered;
        return {
            currentTime: this.#video.currentTime,
            seeks: this.#edge.jumps,
            queued: this.#waiting.length,
            bufferedRanges: Array.from({ length: ranges.length }, (_, at) => [ranges.start(at), ranges.end(at)]),
        };
    }

    #open() {
        this.#source = new (mediaSourceClass())();
        this.#url = URL.createObjectURL(this.#source);
        this.#source.addEventListener('sourceopen', () => this.#next(), { once: true });
        this.#video.src = this.#url;
    }

    /** @param {Uint8Array} bytes an init segment; a key frame must follow */
    init(bytes) {
        const { codec, timescale } = parseInit(bytes);
        this.#timescale = timescale;
        this.#needsKey = true;
        this.#waiting.push({ mime: `video/mp4; codecs="${codec}"` }, { bytes });
        this.#next();
    }

    /** @param {{keyFrame: boolean, sequence: number, captureUs: number, payload: Uint8Array}} frame moof+mdat */
    feed(frame) {
        if (this.#needsKey && !frame.keyFrame) return;
        if (this.#waiting.length > kMostWaiting) this.#dropWaiting();
        if (this.#needsKey && !frame.keyFrame) return;
        this.#needsKey = false;
        const bytes = frame.payload;
        const fragment = parseFragment(bytes);
        setSampleDuration(bytes, fragment, this.#timescale);
        const decodeTime = fragment.decodeTime / this.#timescale;
        const time = decodeTime + fragment.compositionOffset / this.#timescale;
        this.#origins.push({ time, sequence: frame.sequence, captureUs: frame.captureUs });
        if (this.#origins.length > kOriginsKept) this.#origins.shift();
        this.#waiting.push({ bytes, decodeTime });
        this.#next();
    }

    /** Everything up to the next key frame goes, but what prepares the buffer for it. */
    #dropWaiting() {
        this.#waiting = this.#waiting.filter((item) => item.decodeTime === undefined);
        this.#needsKey = true;
    }

    /** Hands the next thing to the SourceBuffer, when it is ready for one. */
    #next() {
        if (this.#source?.readyState !== 'open' || this.#buffer?.updating) return;
        try {
            while (this.#waiting[0]?.mime) this.#prepare(this.#waiting.shift().mime);
            if (this.#waiting.length) this.#append(this.#waiting[0]);
            else this.#settle();
        } catch (error) {
            if (error.name === 'QuotaExceededError' && this.#forget(2)) return;
            this.#fail(`the browser refused the video: ${error.message}`);
        }
    }

    #prepare(mime) {
        if (!this.#buffer) {
            this.#buffer = this.#source.addSourceBuffer(mime);
            this.#buffer.addEventListener('updateend', () => this.#next());
        } else if (mime !== this.#mime) {
            this.#buffer.changeType?.(mime);
        }
        this.#mime = mime;
    }

    #append(item) {
        if (item.decodeTime !== undefined && this.#edge.wentBack(item.decodeTime)) {
            this.#fail('the camera began a new time line');
            return;
        }
        this.#buffer.appendBuffer(item.bytes);  // throws before it takes anything
        this.#waiting.shift();
        if (item.decodeTime !== undefined) this.#edge.append(item.decodeTime);
    }

    /** All is appended: now is the time to look where playback stands. */
    #settle() {
        if (Number.isNaN(this.#edge.newest)) return;
        const video = this.#video;
        if (video.paused) this.#play();
        if (!video.seeking) {
            const target = this.#edge.jump(video.currentTime, performance.now() / 1000);
            if (target !== null) this.#seek(target);
        }
        if (this.#edge.newest - this.#trimmedAt > kKeepSeconds) this.#forget(kKeepSeconds);
    }

    #seek(target) {
        const ranges = this.#video.buffered;
        if (ranges.length) this.#video.currentTime = Math.max(target, ranges.start(ranges.length - 1));
    }

    /** Frees what was played longer than `seconds` ago. False: there is nothing. */
    #forget(seconds) {
        this.#trimmedAt = this.#edge.newest;
        const end = this.#video.currentTime - seconds;
        if (!this.#video.buffered.length || end <= this.#video.buffered.start(0)) return false;
        this.#buffer.remove(0, end);
        return true;
    }

    #play() {
        this.#video.play().catch((error) => {
            if (error.name === 'NotAllowedError') this.#callbacks.blocked();
        });
    }

    /** Plays on, at the newest frame: after a tap, or when the page is seen again. */
    catchUp() {
        if (Number.isNaN(this.#edge.newest)) return;
        this.#seek(this.#edge.newest - 0.04);
        this.#play();
    }

    #watchFrames() {
        const video = this.#video;
        if (video.requestVideoFrameCallback) {
            const shown = (_, { mediaTime }) => {
                this.#shown(mediaTime);
                if (this.#source) video.requestVideoFrameCallback(shown);
            };
            video.requestVideoFrameCallback(shown);
            return;
        }
        const look = () => {  // no callback per frame: the frame that should be on the screen by now
            if (!video.paused && video.readyState >= 2) this.#shown(video.currentTime, true);
            if (this.#source) requestAnimationFrame(look);
        };
        look();
    }

    #shown(mediaTime, orEarlier = false) {
        const origin = this.#origins.findLast(orEarlier ? ({ time }) => time <= mediaTime
            : ({ time }) => Math.abs(time - mediaTime) < kSameFrame);
        if (!origin || origin.reported) return;
        origin.reported = orEarlier;
        this.#callbacks.shown({ sequence: origin.sequence, captureUs: origin.captureUs, ...this.size });
    }

    #fail(reason) {
        if (this.#source) this.#callbacks.failed(reason);
    }

    destroy() {
        this.#source = null;
        this.#waiting = [];
        this.#video.pause();
        this.#video.removeAttribute('src');
        this.#video.load();
        URL.revokeObjectURL(this.#url);
        this.#video.remove();
    }
}
