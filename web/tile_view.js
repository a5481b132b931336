// The look of one camera: picture, badge, figures, controls. Makes elements and shows values; decides nothing.

import { element, icon, setText } from './dom.js';

export const kPresets = ['low', 'medium', 'high', 'auto'];

/** Figures under the picture: key → accessible name. */
const kFigures = { resolution: 'Resolution', rate: 'Frame rate', bitrate: 'Bitrate', latency: 'Latency', coding: 'Coding',
    player: 'Player' };

export class TileView {
    root;
    stage;
    #badge;
    #notice;
    #noticeText;
    #noticeDetail;
    #alert;
    #figures = {};
    #toggle;
    #toggleText;
    #presets = {};
    #snapshot;
    #menu;
    #power;
    #alertTimer = 0;
    #warning;

    /**
     * @param {string} cameraId
     * @param {HTMLCanvasElement} overlay lies on the picture
     * @param {{toggle: () => void, preset: (name: string) => void, snapshot: () => void, power: () => void,
     *   tap: () => void}} actions what the buttons do
     */
    constructor(cameraId, overlay, actions) {
        this.#badge = element('span', { class: 'badge', role: 'status' });
        this.#noticeText = element('strong');
        this.#noticeDetail = element('span');
        // Not a live region: its seconds count up, and the badge says the same once.
        this.#notice = element('div', { class: 'notice' }, this.#noticeText, this.#noticeDetail);
        this.#alert = element('p', { class: 'alert', role: 'alert', hidden: true });
        this.#warning = element('p', { class: 'warning', role: 'note', hidden: true });
        this.stage = element('div', { class: 'stage', onclick: actions.tap }, overlay, this.#notice);
        this.root = element('article', { class: 'tile', 'aria-label': `Camera ${cameraId}` },
            this.stage,
            element('div', { class: 'below' },
                element('header', { class: 'title' }, element('h2', { text: cameraId }), this.#badge),
                this.#figureList(), this.#warning, this.#alert, this.#controls(cameraId, actions)));
        this.root.dataset.camera = cameraId;
    }

    #figureList() {
        const list = element('dl', { class: 'figures' });
        for (const [key, name] of Object.entries(kFigures)) {
            this.#figures[key] = element('dd', { text: '–' });
            list.append(element('div', {}, element('dt', { text: name }), this.#figures[key]));
        }
        return list;
    }

    #controls(cameraId, actions) {
        this.#toggleText = element('span', { text: 'Stop' });
        this.#toggle = element('button', { type: 'button', class: 'button toggle', onclick: actions.toggle },
            icon('play'), icon('stop'), this.#toggleText);
        const presets = element('div', { class: 'presets', role: 'group', 'aria-label': `Quality of ${cameraId}` });
        for (const name of kPresets) {
            const label = name[0].toUpperCase() + name.slice(1);
            this.#presets[name] = element('button', { type: 'button', text: label, 'aria-pressed': 'false',
                'aria-label': `${label} quality`, onclick: () => actions.preset(name) });
            presets.append(this.#presets[name]);
        }
        this.#snapshot = element('button', { type: 'button', class: 'button square', title: 'Snapshot',
            'aria-label': `Snapshot of ${cameraId}`, onclick: actions.snapshot }, icon('camera'));
        const expand = element('button', { type: 'button', class: 'button square expand', title: 'Full screen',
            'aria-label': `Full screen ${cameraId}`, onclick: () => this.#expand() }, icon('expand'));
        return element('div', { class: 'controls' }, this.#toggle, presets,
            element('div', { class: 'tools' }, this.#snapshot, this.stage.requestFullscreen ? expand : null,
                this.#makeMenu(cameraId, actions)));
    }

    #makeMenu(cameraId, actions) {
        this.#power = element('button', { type: 'button', role: 'menuitem', onclick: () => {
            this.#menu.open = false;
            actions.power();
        } });
        this.#menu = element('details', { class: 'menu', hidden: true },
            element('summary', { class: 'button square', title: 'More', 'aria-label': `More for ${cameraId}` }, icon('more')),
            element('div', { class: 'sheet', role: 'menu' }, this.#power));
        this.#menu.addEventListener('keydown', (event) => {
            if (event.key === 'Escape') this.#menu.open = false;
        });
        document.addEventListener('pointerdown', (event) => {
            if (!this.#menu.contains(event.target)) this.#menu.open = false;
        });
        return this.#menu;
    }

    #expand() {
        if (document.fullscreenElement) document.exitFullscreen();
        else this.stage.requestFullscreen().catch(() => this.alert('This browser does not allow full screen here.'));
    }

    /** @param {import('./standing.js').Standing} standing */
    showStanding({ tone, label, notice, detail }) {
        this.root.dataset.tone = tone;
        setText(this.#badge, label);
        setText(this.#noticeText, notice);
        setText(this.#noticeDetail, detail);
        this.#notice.hidden = notice === '';
    }

    /** @param {Object<string, string>} texts by key of kFigures */
    showFigures(texts) {
        for (const [key, text] of Object.entries(texts)) setText(this.#figures[key], text || '–');
    }

    /** @param {{wanted: boolean, connected: boolean, preset: string, operator: boolean, enabled: boolean}} values */
    showControls({ wanted, connected, preset, operator, enabled }) {
        this.#toggle.dataset.playing = wanted;
        setText(this.#toggleText, wanted ? 'Stop' : 'Start');
        for (const [name, button] of Object.entries(this.#presets)) {
            button.setAttribute('aria-pressed', String(name === preset));
            button.disabled = !connected;
        }
        this.#snapshot.disabled = !connected || !enabled;
        this.#menu.hidden = !operator;
        setText(this.#power, enabled ? 'Switch camera off' : 'Switch camera on');
    }

    /** What is not well with the camera although it is live; empty: nothing. @param {string} text */
    showWarning(text) {
        setText(this.#warning, text);
        this.#warning.hidden = text === '';
    }

    /** The stage takes the picture's shape. @param {{width: number, height: number}} size pixels */
    shape({ width, height }) {
        if (width && height) this.stage.style.setProperty('--shape', `${width} / ${height}`);
    }

    /** A passing message about something that was asked for. */
    alert(text) {
        clearTimeout(this.#alertTimer);
        this.#alert.textContent = text;
        this.#alert.hidden = false;
        this.#alertTimer = setTimeout(() => { this.#alert.hidden = true; }, 6000);
    }
}
