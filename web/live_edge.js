// Where playback should be: just behind the newest frame, and nowhere else. Pure.
//
// The edge is the last appended decode time. `buffered.end` is of no use here: the durations in the buffer are not
// true (see player_mse.js). Playback skips to the edge; it is never sped up or slowed down.

/** Late enough to jump, seconds, and as a multiple of the frame interval: under 2.5 it would jump for ever. */
const kLateSeconds = 0.25;
const kLateIntervals = 2.5;
/** How far behind the newest frame a jump lands, seconds: a little cushion, and never ahead of data. */
const kCushionSeconds = 0.04;
/** Between two jumps, seconds: each decodes from the last key frame, and needs time to take effect. */
const kPauseSeconds = 0.5;

export class LiveEdge {
    /** Seconds on the media's time line; NaN before the first frame. */
    newest = NaN;
    /** Smoothed distance of two frames, seconds. */
    interval = 1 / 30;
    /** Jumps made. */
    jumps = 0;
    #jumpedAt = -Infinity;

    /** @param {number} decodeTime of a frame that was just appended, seconds */
    append(decodeTime) {
        const step = decodeTime - this.newest;
        if (step > 0 && step < 2) this.interval += (step - this.interval) / (step > this.interval ? 2 : 8);
        this.newest = decodeTime;
    }

    /** Whether the time line itself went back, so that the old buffer means nothing any more. */
    wentBack(decodeTime) { return decodeTime < this.newest - 3; }

    /**
     * @param {number} currentTime seconds
     * @param {number} now monotonic, seconds
     * @returns {number | null} where to jump, seconds; null: playback is where it should be
     */
    jump(currentTime, now) {
        const lag = this.newest - currentTime;
        if (!(lag > Math.max(kLateSeconds, kLateIntervals * this.interval))) return null;
        if (now - this.#jumpedAt < kPauseSeconds) return null;
        this.#jumpedAt = now;
        this.jumps += 1;
        return this.newest - kCushionSeconds;
    }
}
