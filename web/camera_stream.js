// One camera's video into one player: which channel counts, when a player is made anew, and which one comes next when
// a player fails. It knows no socket: messages come in, pictures reach the screen.

import { Kind } from './frame.js';

/** A player that failed this often within this time is not the right one for this browser and stream. */
const kFailuresAllowed = 2;
const kFailureWindowMs = 15_000;

export class CameraStream {
    #choices;
    #stage;
    #callbacks;
    #choice = 0;
    #player = null;
    /** Showed the last picture until the new player has one. */
    #retired = null;
    #announced = null;
    #active = null;
    #failures = [];
    #fresh = true;

    /**
     * @param {import('./playback.js').Choice[]} choices best first
     * @param {HTMLElement} stage where players put their surface
     * @param {{shown: (picture: {sequence: number, captureUs: number, width: number, height: number}) => void,
     *   failed: (reason: string) => void, blocked: () => void}} callbacks `failed`: the stream must be started again
     */
    constructor(choices, stage, callbacks) {
        this.#choices = choices;
        this.#stage = stage;
        this.#callbacks = callbacks;
    }

    /** What to ask the agent for. */
    get request() {
        const { format, codecs } = this.#choices[this.#choice];
        return format === 'jpeg' ? { format } : { format, codecs };
    }
    get playerKind() { return this.#choices[this.#choice].name; }
    get surface() { return this.#player?.surface ?? null; }
    get size() { return this.#player?.size ?? { width: 0, height: 0 }; }
    get figures() { return this.#player?.figures ?? {}; }
    get channel() { return this.#active; }

    /** The stream will begin anew: another time line may come. The last picture stays until then. */
    restart() {
        this.#announced = null;
        this.#active = null;
        this.#fresh = true;
    }

    /**
     * @param {number | null | undefined} channel of this connection, by `stream_status`
     * @param {string} [format] of that channel
     */
    announce(channel, format = this.request.format) {
        if (channel === null || channel === undefined || format !== this.request.format) return;
        this.#announced = channel;
    }

    /** Whether a frame of this channel is ours. */
    owns(channel) { return channel === this.#announced || channel === this.#active; }

    /** @param {NonNullable<ReturnType<import('./frame.js').parseFrame>>} frame whole */
    receive(frame) {
        try {
            const pictures = this.request.format === 'jpeg';
            if (pictures !== (frame.kind === Kind.jpeg)) return;  // of a format that is given up
            if (pictures) this.#picture(frame);
            else if (frame.kind === Kind.init) this.#begin(frame);
            else if (frame.kind === Kind.accessUnit && frame.channel === this.#active) this.#player?.feed(frame);
        } catch (error) {
            this.#failed(this.#player, error.message);
        }
    }

    #begin(frame) {
        if (this.#active !== null && frame.channel !== this.#announced) return;  // a late one of the old rendition
        this.#active = frame.channel;
        this.#ready().init(frame.payload);
    }

    #picture(frame) {
        this.#active = frame.channel;
        this.#ready().feed(frame);
    }

    /** The player; a new one when the stream begins anew. */
    #ready() {
        if (this.#player && !this.#fresh) return this.#player;
        this.#fresh = false;
        this.#retired?.destroy();
        this.#retired = this.#player;
        const player = new (this.#choices[this.#choice].Player)({
            shown: (picture) => this.#shown(player, picture),
            failed: (reason) => this.#failed(player, reason),
            blocked: () => this.#callbacks.blocked(),
        });
        this.#player = player;
        player.surface.classList.add('surface');
        this.#stage.prepend(player.surface);  // under the retired one, until it has a picture
        return player;
    }

    #shown(player, picture) {
        if (player !== this.#player || this.#fresh) return;  // the last gasp of one that failed or is over
        this.#retired?.destroy();
        this.#retired = null;
        this.#callbacks.shown(picture);
    }

    #failed(player, reason) {
        if (player !== this.#player) return;
        const now = performance.now();
        this.#failures = [...this.#failures.filter((at) => now - at < kFailureWindowMs), now];
        if (this.#failures.length >= kFailuresAllowed && this.#choice + 1 < this.#choices.length) {
            this.#choice += 1;
            this.#failures = [];
        }
        this.restart();
        this.#callbacks.failed(reason);
    }

    /** Plays on at the newest picture. */
    catchUp() { this.#player?.catchUp(); }
}
