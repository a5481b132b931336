// What a hub may do wrong, on command. Every setting holds from when it is set; `Hub.misbehave()` says what each is.

/** A hub that behaves. */
export const kBehaved = Object.freeze({
    /** Acknowledge: 'now', 'never', {late_ms} or {every, within_ms} (acks.mjs). */
    ack: 'now',
    /** Answer the agent's auth: 'now', 'never', or after so many milliseconds. */
    accept: 'now',
    /** Without any feature, journal or acked_seq: a hub that knows nothing of `ack`. */
    plain: false,
    /** Answer the handshake by {status, location?, retry_after_s?}: 301…308 redirect, 401, 503. */
    handshake: null,
    /** Answer auth by this close code, with the `error` that goes with it: 4401, 4403, 4408 or any other. */
    refuse: null,
    /** Answer auth by garbage instead: see kGarbage. */
    garbage: null,
    /** Destroy the socket after so many messages, counted from auth. */
    close_after: null,
    /** Destroy each connection at a random moment between [from, to] milliseconds after it came. */
    close_within_ms: null,
    /** Read nothing once the agent is authenticated. */
    pause: false,
    /** Claim to have all up to a high seq of a journal that is not the agent's. */
    foreign_journal: false,
});

/** Messages that no hub may send. Each is [data, isBinary]. */
export const kGarbage = {
    bad_json: ['{"type":"stream_control",', false],
    no_object: ['[1,2,3]', false],
    wrong_types: ['{"type":"stream_control","action":7,"camera_id":{"a":null},"id":[]}', false],
    unknown_type: ['{"type":"make_coffee"}', false],
    bad_ack: ['{"type":"ack","journal":5,"seq":"many"}', false],
    deep: ['['.repeat(100_000), false],
    too_big: [`{"type":"status","padding":"${'x'.repeat(1 << 21)}"}`, false],
    binary: [Buffer.from([1, 2, 3]), true],
};

/** Settings changed by `changes`; throws when there is no such setting or garbage. */
export function changed(settings, changes) {
    for (const name of Object.keys(changes)) {
        if (!(name in kBehaved)) throw new Error(`no misbehaviour "${name}", there are: ${Object.keys(kBehaved).join(', ')}`);
    }
    if (changes.garbage) garbageOf(changes.garbage);
    return { ...settings, ...changes };
}

export function garbageOf(kind) {
    if (!(kind in kGarbage)) throw new Error(`no garbage "${kind}", there are: ${Object.keys(kGarbage).join(', ')}`);
    return kGarbage[kind];
}

/** Reads NAME=VALUE, or NAME alone for true; the value is JSON or, failing that, a word. */
export function parseMisbehaviour(text) {
    const at = text.indexOf('=');
    if (at < 0) return { [text]: true };
    const value = text.slice(at + 1);
    try {
        return { [text.slice(0, at)]: JSON.parse(value) };
    } catch {
        return { [text.slice(0, at)]: value };
    }
}
