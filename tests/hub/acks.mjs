// When a hub acknowledges what is safe on its disk. One for each connection.
//
//   'now'                          as soon as it is safe
//   'never'
//   {"late_ms": T}                 each T ms after it was safe
//   {"every": N, "within_ms": T}   when N are safe, or T ms after the first of them

export class Acks {
    #send;
    #policy;
    #safe = 0; // the highest seq that is safe
    #awaited = new Set(); // seqs of events whose snapshot is still to come: they are not all there yet
    #told = 0;
    #waiting = 0;
    #timers = new Set();

    /**
     * @param {(seq: number) => void} send
     * @param {() => 'now' | 'never' | object} policy what is in force now
     */
    constructor(send, policy) {
        this.#send = send;
        this.#policy = policy;
    }

    /** A durable event is safe, or one that was safe came again: then the agent may not know it yet. */
    safe(seq, again = false) {
        if (again) this.#told = Math.min(this.#told, seq - 1);
        this.#safe = Math.max(this.#safe, seq);
        this.#waiting++;
        const policy = this.#policy();
        if (policy === 'now') this.tell();
        else if (policy.late_ms !== undefined) this.#after(policy.late_ms, () => this.#tell(seq));
        else if (policy.every !== undefined) this.#gather(policy);
    }

    /** Something of that event follows. */
    awaits(seq) { this.#awaited.add(seq); }

    /** It has come and is safe, or will never come. */
    completed(seq) {
        if (this.#awaited.delete(seq)) this.safe(seq);
    }

    #gather({ every, within_ms: withinMs = 100 }) {
        if (this.#waiting >= every) this.tell();
        else if (this.#waiting === 1) this.#after(withinMs, () => this.tell());
    }

    /** Acknowledges all that is safe, whatever the policy. */
    tell() { this.#tell(this.#safe); }

    #tell(upTo) {
        const seq = Math.min(upTo, ...[...this.#awaited].map((awaited) => awaited - 1));
        this.#waiting = 0;
        if (seq <= this.#told) return;
        this.#told = seq;
        this.#send(seq);
    }

    #after(ms, act) {
        const timer = setTimeout(() => {
            this.#timers.delete(timer);
            act();
        }, ms);
        this.#timers.add(timer);
    }

    stop() {
        for (const timer of this.#timers) clearTimeout(timer);
        this.#timers.clear();
    }
}
