// Timers in a test's hands. Not node:test's own: those differ between the Node.js of Debian 12 (18) and later ones.
globalThis.CustomEvent ??= class CustomEvent extends Event {  // absent from Node.js 18
    constructor(type, options) {
        super(type, options);
        this.detail = options?.detail;
    }
};

const kReal = { setTimeout, clearTimeout, setInterval, clearInterval };

export class FakeTimers {
    #now = 0;
    #timers = new Map();
    #lastId = 0;

    /** Takes the place of the global timers until `restore()`. */
    constructor() {
        const clear = (id) => this.#timers.delete(id);
        const add = (task, ms, again) => {
            this.#lastId += 1;
            this.#timers.set(this.#lastId, { task, at: this.#now + ms, every: again ? ms : undefined });
            return this.#lastId;
        };
        Object.assign(globalThis, {
            setTimeout: (task, ms = 0) => add(task, ms, false),
            setInterval: (task, ms = 1) => add(task, ms, true),
            clearTimeout: clear,
            clearInterval: clear,
        });
    }

    /** Lets `ms` pass: runs what falls due, in its order. */
    tick(ms) {
        const end = this.#now + ms;
        for (;;) {
            const [id, next] = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
            if (!next || next.at > end) break;
            this.#now = next.at;
            if (next.every === undefined) this.#timers.delete(id);
            else next.at += next.every;
            next.task();
        }
        this.#now = end;
    }

    restore() { Object.assign(globalThis, kReal); }
}
