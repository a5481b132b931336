// Who was seen lately: one card a face, from its coming to its leaving.

import { element, icon, setText } from './dom.js';
import { durationText } from './figures.js';

const kMostCards = 24;
/** A face that is there is in the detections; of one that is not, the leaving may have been lost. */
const kSilentMs = 10_000;

export class FaceStrip {
    #list;
    #empty;
    /** "camera/track" → the card of a face that is still there. */
    #present = new Map();

    /**
     * @param {HTMLElement} list @param {HTMLElement} empty shown while there is no card
     */
    constructor(list, empty) {
        this.#list = list;
        this.#empty = empty;
    }

    /** How many faces are there now. */
    get presentCount() { return this.#present.size; }

    /**
     * @param {object} event data of a `face_detected` @param {number} nowMs monotonic
     * @returns {(url: string) => void} shows a picture of that face on its card; the agent sends better and better ones
     */
    add(event, nowMs) {
        const key = `${event.camera_id}/${event.track_id}`;
        const card = this.#present.get(key) ?? this.#begin(key, event);
        card.lastSeen = event.last_seen ?? event.timestamp;
        card.heardAtMs = nowMs;
        if (event.phase === 'leave') this.#end(key);
        this.#describe(card, event.phase === 'leave');
        return (url) => showPicture(card, url);
    }

    /** @param {object} detections data of that message @param {number} nowMs monotonic */
    stillThere({ camera_id: camera, frame, faces }, nowMs) {
        for (const { track_id: track } of faces) {
            const card = this.#present.get(`${camera}/${track}`);
            if (!card) continue;
            card.lastSeen = frame.capture_us / 1e6;
            card.heardAtMs = nowMs;
            this.#describe(card, false);
        }
    }

    /** Nobody is known to be there: the agent cannot tell, or began its track numbers anew. */
    forgetPresent() { this.#forget(() => true); }

    /** @param {number} nowMs monotonic */
    forgetSilent(nowMs) { this.#forget((card) => nowMs - card.heardAtMs >= kSilentMs); }

    #forget(condition) {
        for (const [key, card] of [...this.#present]) {
            if (!condition(card)) continue;
            this.#end(key);
            this.#describe(card, true);
        }
    }

    #begin(key, event) {
        const card = {
            firstSeen: event.first_seen ?? event.timestamp, lastSeen: event.timestamp, heardAtMs: 0,
            face: element('div', { class: 'portrait' }, icon('face')), stay: element('span', { class: 'stay' }), root: null,
        };
        const when = new Date(card.firstSeen * 1000);
        card.root = element('li', { class: 'card' }, card.face, element('div', {},
            element('strong', { text: `Face ${event.track_id}` }), card.stay,
            element('span', { class: 'where' }, event.camera_id, ' · ',
                element('time', { datetime: when.toISOString(), text: when.toLocaleTimeString() }))));
        this.#present.set(key, card);
        this.#list.prepend(card.root);
        while (this.#list.children.length > kMostCards) this.#list.lastElementChild.remove();
        this.#empty.hidden = true;
        return card;
    }

    #end(key) { this.#present.delete(key); }

    #describe(card, left) {
        card.root.classList.toggle('here', !left);
        const stayed = durationText(card.lastSeen - card.firstSeen);
        setText(card.stay, left ? `stayed ${stayed}` : `here now, ${stayed}`);
    }
}

function showPicture(card, url) {
    const picture = element('img', { src: url, alt: '' });
    picture.addEventListener('load', () => {
        if (url.startsWith('blob:')) URL.revokeObjectURL(url);
    });
    card.face.replaceChildren(picture);
}
