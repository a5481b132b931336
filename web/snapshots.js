// One-shot pictures: of a camera, asked for, announced by `transfer` and shown with a way to keep it; of a face, announced
// by its event. Each comes as one JPEG on a channel of its own.

import { element } from './dom.js';
import { Kind } from './frame.js';

const kWithinMs = 12_000;

export class Snapshots {
    #connection;
    /** Channel of a one-shot → who takes it. */
    #coming = new Map();
    /** Camera → who waits for its picture. */
    #waiting = new Map();

    /** @param {import('./connection.js').Connection} connection */
    constructor(connection) {
        this.#connection = connection;
        connection.addEventListener('state', () => this.#coming.clear());
    }

    /** Takes one and shows it. @param {string} cameraId */
    async take(cameraId) {
        const picture = new Promise((resolve, reject) => {
            const timer = setTimeout(() => reject(new Error('the picture did not come')), kWithinMs);
            this.#waiting.set(cameraId, (frame) => {
                clearTimeout(timer);
                resolve(frame);
            });
        });
        picture.catch(() => {});  // a refusal below comes first
        await this.#connection.request({ type: 'stream_control', action: 'snapshot', camera_id: cameraId });
        show(cameraId, await picture);
    }

    /** @param {object} data of a `transfer` */
    announced({ channel, camera_id: cameraId }) {
        this.expect(channel, (frame) => {
            this.#waiting.get(cameraId)?.(frame);
            this.#waiting.delete(cameraId);
        });
    }

    /** @param {number} channel @param {(frame: object) => void} take gets the JPEG */
    expect(channel, take) { this.#coming.set(channel, take); }

    /** It will not come. @returns {boolean} whether anybody waited for it */
    lost(channel) { return this.#coming.delete(channel); }

    owns(channel) { return this.#coming.has(channel); }

    /** @param {object} frame whole, of a channel that is ours */
    receive(frame) {
        const take = this.#coming.get(frame.channel);
        this.#coming.delete(frame.channel);
        if (frame.kind === Kind.jpeg) take(frame);
    }
}

/** @param {object} frame whole, of kind jpeg */
export const jpegOf = (frame) => new Blob([frame.payload], { type: 'image/jpeg' });

function show(cameraId, frame) {
    const when = new Date(frame.captureUs / 1000);
    const url = URL.createObjectURL(jpegOf(frame));
    const name = `${cameraId}-${when.toISOString().replace(/[:.]/g, '-')}.jpg`;
    const dialog = element('dialog', { class: 'snapshot', 'aria-label': `Snapshot of ${cameraId}` },
        element('img', { src: url, alt: `Snapshot of ${cameraId} at ${when.toLocaleString()}` }),
        element('div', { class: 'row' },
            element('span', { text: `${cameraId} · ${when.toLocaleString()}` }),
            element('a', { class: 'button primary', href: url, download: name, text: 'Download' }),
            element('button', { type: 'button', class: 'button', text: 'Close', onclick: () => dialog.close() })));
    dialog.addEventListener('close', () => {
        URL.revokeObjectURL(url);
        dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
}
