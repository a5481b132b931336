// When to ask again for a picture that does not come. Pure: the time is handed in, ms, monotonic.

const kFirstMs = 5_000;
/** A slow link may need long for its first picture: each try in vain doubles the wait, up to this. */
const kLongestMs = 40_000;

export class Patience {
    #since;
    #waitMs = kFirstMs;

    /** @param {number} nowMs waiting begins */
    constructor(nowMs) {
        this.#since = nowMs;
    }

    /** What was waited for came, or waiting makes sense only from now on. */
    begin(nowMs) {
        this.#since = nowMs;
        this.#waitMs = kFirstMs;
    }

    /** Asked again, in vain so far. */
    askedAgain(nowMs) {
        this.#since = nowMs;
        this.#waitMs = Math.min(kLongestMs, 2 * this.#waitMs);
    }

    /** @param {number} nowMs @param {number} [intervalMs] the longest that may lie between two pictures */
    isOver(nowMs, intervalMs = 0) { return nowMs - this.#since >= Math.max(this.#waitMs, intervalMs); }
}
