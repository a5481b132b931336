// Requests of the hub that wait for their one answer.

const kAnswerWithinMs = 10_000;

/** The types that may answer a request; `error` may always. Undefined: the contract names none. */
function answersTo({ type, action, camera_id: camera }) {
    if (type === 'stream_control') {
        if (camera === '*' || Array.isArray(camera)) return ['ok'];
        if (['start', 'stop', 'quality'].includes(action)) return ['stream_status'];
        return ['snapshot', 'clip'].includes(action) ? ['transfer'] : ['ok'];
    }
    if (['metrics', 'analytics', 'sessions', 'heartbeat'].includes(type)) return [type];
    if (['subscribe', 'unsubscribe', 'ack', 'media_ack'].includes(type)) return ['ok'];
    return type === 'status' ? ['system'] : undefined;
}

export class Requests {
    #asked = new Map(); // id → { request, sentAt, answered, times }
    #violate;

    /** @param {(rule: string, text: string, message: object) => void} violate */
    constructor(violate) { this.#violate = violate; }

    /**
     * Notes that a request was sent.
     * @returns {Promise<{answer: object, roundTripMs: number}>} rejects when there is none in time
     */
    sent(request, { withinMs = kAnswerWithinMs, excused = () => false } = {}) {
        const again = this.#asked.get(request.id);
        const asked = again ?? { request, times: 0, answers: 0 };
        this.#asked.set(request.id, asked);
        asked.times++;
        return new Promise((resolve, reject) => {
            const sentAt = performance.now();
            const timer = setTimeout(() => {
                if (!excused()) this.#violate('answer_missing', `none within ${withinMs} ms`, request);
                reject(new Error(`no answer to ${JSON.stringify(request)} within ${withinMs} ms`));
            }, withinMs);
            asked.settle = (answer) => {
                clearTimeout(timer);
                if (answer instanceof Error) reject(answer);
                else resolve({ answer, roundTripMs: performance.now() - sentAt });
            };
        });
    }

    /** Takes a message with an id; returns the request that it answers. */
    answered(answer) {
        const asked = this.#asked.get(answer.id);
        if (!asked) {
            this.#violate('answer_unasked', `no request had the id ${JSON.stringify(answer.id)}`, answer);
            return undefined;
        }
        if (++asked.answers > asked.times) {
            this.#violate('answer_twice', `request ${JSON.stringify(answer.id)} was answered before`, answer);
            return undefined;
        }
        const types = answersTo(asked.request);
        if (answer.type !== 'error' && types && !types.includes(answer.type)) {
            this.#violate('answer_type', `${answer.type} answers ${JSON.stringify(asked.request)}`, answer);
        }
        asked.settle(answer);
        return asked.request;
    }

    /** The connection is gone: what waits, waits in vain. */
    close() {
        for (const { settle } of this.#asked.values()) settle(new Error('the connection closed'));
        this.#asked.clear();
    }
}
