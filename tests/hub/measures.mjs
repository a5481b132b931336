// A series of measurements: all of it up to a bound, then the newest.
const kMaxSamples = 100_000;

export class Series {
    #samples = [];
    count = 0;

    add(value) {
        this.#samples[this.count % kMaxSamples] = value;
        this.count++;
    }

    /** The value that a share `p` (0 to 1) of the samples does not exceed; null when there are none. */
    percentile(p) {
        const sorted = Float64Array.from(this.#samples).sort();
        return sorted.length === 0 ? null : sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
    }

    summary() {
        const of = (p) => (this.count === 0 ? null : Math.round(this.percentile(p) * 1000) / 1000);
        return { count: this.count, min: of(0), p50: of(0.5), p95: of(0.95), p99: of(0.99), max: of(1) };
    }

    toJSON() { return this.summary(); }
}
