// Pictures one by one: for browsers without Media Source Extensions. Shows the newest, skips while it decodes.

export class JpegPlayer {
    static kind = 'jpeg';
    #canvas = document.createElement('canvas');
    #context = this.#canvas.getContext('2d', { alpha: false });
    #callbacks;
    #decoding = false;
    #next = null;
    #gone = false;

    /** @param {{shown: (picture: object) => void, failed: (reason: string) => void}} callbacks */
    constructor(callbacks) {
        this.#callbacks = callbacks;
    }

    /** The element to put on the page. */
    get surface() { return this.#canvas; }
    get size() { return { width: this.#canvas.width, height: this.#canvas.height }; }
    get figures() { return {}; }

    /** Pictures need no preparation. */
    init() {}

    /** @param {{sequence: number, captureUs: number, payload: Uint8Array}} frame a JPEG */
    feed(frame) {
        this.#next = frame;
        if (!this.#decoding) this.#decodeNext();
    }

    async #decodeNext() {
        this.#decoding = true;
        while (this.#next && !this.#gone) {
            const frame = this.#next;
            this.#next = null;
            try {
                this.#show(await createImageBitmap(new Blob([frame.payload], { type: 'image/jpeg' })), frame);
            } catch {
                this.#callbacks.failed('a picture could not be decoded');
            }
        }
        this.#decoding = false;
    }

    #show(bitmap, frame) {
        if (this.#canvas.width !== bitmap.width || this.#canvas.height !== bitmap.height) {
            this.#canvas.width = bitmap.width;
            this.#canvas.height = bitmap.height;
        }
        this.#context.drawImage(bitmap, 0, 0);
        bitmap.close();
        this.#callbacks.shown({ sequence: frame.sequence, captureUs: frame.captureUs, ...this.size });
    }

    /** Jumps to the newest picture; here there is never an older one. */
    catchUp() {}

    destroy() {
        this.#gone = true;
        this.#next = null;
        this.#canvas.remove();
    }
}
