// What a tile measures of its own stream. Pure: the time is handed in.

const kWindowMs = 2000;

/** Amounts a second over the last two seconds. */
export class RateMeter {
    #samples = [];

    /** @param {number} amount @param {number} nowMs monotonic */
    add(amount, nowMs) {
        this.#samples.push({ at: nowMs, amount });
        this.#trim(nowMs);
    }

    /** @param {number} nowMs monotonic */
    perSecond(nowMs) {
        this.#trim(nowMs);
        if (this.#samples.length < 2) return 0;
        const spanMs = Math.max(kWindowMs / 4, nowMs - this.#samples[0].at);
        return this.#samples.reduce((sum, sample) => sum + sample.amount, 0) * 1000 / spanMs;
    }

    #trim(nowMs) {
        while (this.#samples.length && nowMs - this.#samples[0].at > kWindowMs) this.#samples.shift();
    }
}

/** How pictures reach the screen. */
export class ShownPictures {
    count = 0;
    /** The longest time between two pictures, ms. */
    longestGapMs = 0;
    /** Monotonic time of the newest picture, ms; NaN before the first. */
    lastAtMs = NaN;
    /** Capture to screen: of the newest picture, and smoothed, ms. */
    latencyMs = NaN;
    smoothLatencyMs = NaN;
    rate = new RateMeter();

    /** @param {number} nowMs monotonic @param {number} latencyMs NaN: clocks not compared yet */
    add(nowMs, latencyMs) {
        this.count += 1;
        if (nowMs > this.lastAtMs) this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.lastAtMs);
        this.lastAtMs = nowMs;
        this.rate.add(1, nowMs);
        if (Number.isNaN(latencyMs)) return;
        this.latencyMs = latencyMs;
        const first = Number.isNaN(this.smoothLatencyMs) || Math.abs(latencyMs - this.smoothLatencyMs) > 500;
        this.smoothLatencyMs = first ? latencyMs : this.smoothLatencyMs + (latencyMs - this.smoothLatencyMs) / 10;
    }

    /** A break that was wished for does not count as a gap. */
    pause() { this.lastAtMs = NaN; }

    resetGap() { this.longestGapMs = 0; }
}

/** 1234 → '1.2 Mbit/s', 640 → '640 kbit/s'. @param {number} kbps */
export function bitrateText(kbps) {
    return kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbit/s` : `${Math.round(kbps)} kbit/s`;
}

/** Seconds as people say them. @param {number} seconds */
export function durationText(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
    return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

/** The way a picture takes to the screen, in words. @param {string} kind a player's name */
export const playerText = (kind) => ({ webcodecs: 'WebCodecs', mse: 'MSE', jpeg: 'JPEG' })[kind] ?? kind;

/** 'avc1.64001f' → 'H.264'. @param {string} [codec] after RFC 6381 */
export function codecText(codec = '') {
    if (codec.startsWith('avc')) return 'H.264';
    if (codec.startsWith('hvc') || codec.startsWith('hev')) return 'H.265';
    return codec.toUpperCase();
}
