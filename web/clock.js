// The agent's clock as seen from here, so that "latency" is a subtraction of times of one clock.

/** Samples older than this no longer count: clocks drift and laptops sleep. */
const kSampleLifeUs = 60e6;

/** This page's wall clock, microseconds since the epoch; finer and steadier than Date. */
export const localUs = () => (performance.timeOrigin + performance.now()) * 1000;

/**
 * Offset of the agent's clock from ours, after NTP's on-wire protocol (RFC 5905 section 8): of the recent exchanges
 * the one with the shortest round trip is the best witness.
 */
export class PeerClock {
    #samples = [];

    /**
     * All in microseconds since the epoch.
     * @param {number} t0 our clock when the request left
     * @param {number} t1 the agent's when it came
     * @param {number} t2 the agent's when the answer left
     * @param {number} t3 ours when the answer came
     */
    add(t0, t1, t2, t3) {
        const roundTripUs = (t3 - t0) - (t2 - t1);
        if (!Number.isFinite(roundTripUs) || roundTripUs < 0) return;
        this.#samples = this.#samples.filter((sample) => t3 - sample.at < kSampleLifeUs);
        this.#samples.push({ at: t3, roundTripUs, offsetUs: ((t1 - t0) + (t2 - t3)) / 2 });
    }

    #best() {
        return this.#samples.reduce((a, b) => (b.roundTripUs <= a.roundTripUs ? b : a), this.#samples[0]);
    }

    /** Whether the offset is known. */
    get known() { return this.#samples.length > 0; }
    /** Agent's clock minus ours, microseconds; 0 while unknown. */
    get offsetUs() { return this.#best()?.offsetUs ?? 0; }
    /** Round trip of the best exchange, milliseconds; NaN while unknown. */
    get roundTripMs() { return (this.#best()?.roundTripUs ?? NaN) / 1000; }

    /** The agent's clock now, microseconds since the epoch. */
    nowUs(local = localUs()) { return local + this.offsetUs; }

    /** Forgets what it knows: another agent, or the same one after a restart. */
    reset() { this.#samples = []; }
}
