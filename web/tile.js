// One camera on the page: what the viewer wishes, what the agent says of it, and what reaches the screen.

import { CameraStream } from './camera_stream.js';
import { DetectionTimeline } from './detections.js';
import { bitrateText, codecText, playerText, RateMeter, ShownPictures } from './figures.js';
import { Overlay } from './overlay.js';
import { Patience } from './patience.js';
import { isDelivering, longestWaitS, sentence, standing } from './standing.js';
import { kPresets, TileView } from './tile_view.js';

/** A stream is started again at most once a second. */
const kRestartAfterMs = 1100;

export class Tile {
    #id;
    #connection;
    #clock;
    #view;
    #stream;
    #overlay = new Overlay();
    #timeline = new DetectionTimeline();
    #pictures = new ShownPictures();
    #bytes = new RateMeter();
    #status = {};
    #picture = null;
    #wanted = true;
    #paused = false;
    /** Wished again on a new connection: what was chosen here, or put in its place since; empty: nothing. */
    #preset = '';
    #choosing = false;
    #trouble = '';
    #waitingSince = performance.now();
    #patience = new Patience(performance.now());
    #restartTimer = 0;
    /** Last asked for on this connection; empty: nothing flows. */
    #format = '';
    /** The browser waits for a tap. */
    #blocked = false;
    #dropped = 0;

    /**
     * @param {string} cameraId
     * @param {{connection: import('./connection.js').Connection, clock: import('./clock.js').PeerClock,
     *   players: import('./playback.js').Choice[], snapshot: (cameraId: string) => Promise<void>}} page
     */
    constructor(cameraId, { connection, clock, players, snapshot }) {
        this.#id = cameraId;
        this.#connection = connection;
        this.#clock = clock;
        this.#view = new TileView(cameraId, this.#overlay.canvas, {
            toggle: () => (this.#wanted ? this.stop() : this.start()),
            preset: (name) => this.choose(name),
            snapshot: () => snapshot(cameraId).catch((error) => this.#view.alert(`No snapshot: ${error.message}.`)),
            power: () => this.#control(this.#status.state === 'disabled' ? 'enable' : 'disable'),
            tap: () => this.catchUp(),
        });
        this.#stream = new CameraStream(players, this.#view.stage, {
            shown: (picture) => this.#shown(picture),
            failed: (reason) => this.#failed(reason),
            blocked: () => this.#waitForTap(),
        });
        this.refresh();
    }

    get root() { return this.#view.root; }
    get id() { return this.#id; }

    /** For tests and the curious. Times in ms but `currentTime` and `bufferedRanges`, which are seconds. */
    get figures() {
        return {
            state: this.#standing().tone, label: this.#standing().label, player: this.#stream.playerKind,
            wanted: this.#wanted, framesShown: this.#pictures.count, lastSequence: this.#picture?.sequence ?? -1,
            latencyMs: this.#pictures.latencyMs, longestGapMs: this.#pictures.longestGapMs,
            framesPerSecond: this.#pictures.rate.perSecond(performance.now()),
            kbps: this.#kbps(), dropped: this.#dropped, boxesDrawn: this.#overlay.drawn,
            boxes: this.#overlay.current, channel: this.#stream.channel, status: this.#status,
            videoWidth: this.#stream.size.width, videoHeight: this.#stream.size.height,
            seeks: 0, bufferedRanges: [], currentTime: NaN, ...this.#stream.figures,
        };
    }

    resetGap() { this.#pictures.resetGap(); }

    /** The viewer wants to watch. */
    start() {
        this.#wanted = true;
        this.#ask();
        this.refresh();
    }

    /** The viewer has seen enough. */
    stop() {
        this.#wanted = false;
        this.#end();
        this.#overlay.clear();
        this.refresh();
    }

    /** Nobody looks (a hidden page), or somebody looks again; the viewer's wish stays. */
    pause(paused) {
        if (paused === this.#paused) return;
        this.#paused = paused;
        if (!this.#wanted) return;
        if (paused) this.#end();
        else this.#ask();
    }

    /** @param {string} preset 'low', 'medium', 'high' or 'auto' */
    async choose(preset) {
        this.#preset = preset;
        this.#choosing = true;
        this.refresh();
        await this.#control('quality', { quality: preset });
        this.#choosing = false;
        this.refresh();
    }

    /** The preset in force, which another operator may have chosen; empty when it is none of them. */
    get #presetInForce() {
        if (this.#choosing) return this.#preset;
        const inForce = this.#status.quality === 'source' ? 'auto' : this.#status.quality ?? this.#preset;
        return kPresets.includes(inForce) ? inForce : '';
    }

    /** The connection is up, maybe to an agent that began anew. */
    connected() {
        this.#timeline.clear();
        this.#format = '';
        if (this.#preset) this.#control('quality', { quality: this.#preset });
        if (this.#wanted && !this.#paused) this.#ask();
    }

    /** Asks for pictures; the wait for the first one begins. */
    #ask() {
        this.#waitingSince = performance.now();
        this.#patience.begin(performance.now());
        this.#pictures.pause();
        this.#start();
    }

    /** The agent said yes and nothing came, or it was too busy: pictures are still wanted. */
    #askAgain() {
        this.#patience.askedAgain(performance.now());
        this.#start();
    }

    #start() {
        clearTimeout(this.#restartTimer);
        this.#blocked = false;
        const request = this.#stream.request;
        if (this.#format && this.#format !== request.format) this.#control('stop', { format: this.#format });
        this.#format = request.format;
        this.#stream.restart();
        this.#control('start', request);
    }

    /** Asks for no more pictures. */
    #end() {
        clearTimeout(this.#restartTimer);
        this.#format = '';
        this.#control('stop');
        this.#pictures.pause();
    }

    /** Whether a picture should have come by now. */
    get #overdue() {
        const watched = this.#wanted && !this.#paused && !this.#blocked && !document.hidden;  // hidden, nothing is drawn
        return watched && this.#connection.state === 'open' && isDelivering(this.#status) &&
            this.#patience.isOver(performance.now(), 1000 * longestWaitS(this.#status));
    }

    /** Sends a `stream_control`. True: done. */
    async #control(action, fields = {}) {
        if (this.#connection.state !== 'open') return false;  // `connected` will ask again
        try {
            const answer = await this.#connection.request({ type: 'stream_control', action, camera_id: this.#id, ...fields });
            if (action === 'start') this.#trouble = '';
            return answer.type !== 'error';
        } catch (error) {
            if (error.code === 'unavailable' && this.#connection.state !== 'open') return false;
            if (action === 'start') this.#trouble = error.message;
            this.#view.alert(`${action[0].toUpperCase()}${action.slice(1)}: ${error.message}.`);
            return false;
        }
    }

    /** @param {object} data of a `stream_status` */
    statusChanged(data) {
        if (isDelivering(data) && !isDelivering(this.#status)) this.#patience.begin(performance.now());
        this.#status = data;  // whole: what is not in it (a reason, say) holds no more
        if (data.streaming !== false) this.#stream.announce(data.channel, data.format);
        if (this.#preset && !this.#choosing && data.quality) this.#preset = this.#presetInForce;
        this.refresh();
    }

    /** @param {object} camera of a `system/status`; of a stream that flows `stream_status` tells more */
    cameraSeen(camera) {
        if (this.#wanted && !this.#paused) return;
        this.statusChanged({ quality: this.#status.quality, ...camera, streaming: false, channel: null });
    }

    /** The agent has this camera no more. */
    gone() {
        clearTimeout(this.#restartTimer);
        this.#wanted = false;
        this.root.remove();
    }

    /** @param {string} reason of an `error` that names this camera and answers nothing */
    troubled(reason) {
        this.#trouble = reason;
        if (this.#standing().tone === 'live') this.#view.alert(sentence(reason));  // no notice lies over the picture
        this.refresh();
    }

    owns(channel) { return this.#stream.owns(channel); }

    /** @param {object} frame whole, of a channel that is ours @param {number} bytes on the wire */
    receive(frame, bytes) {
        this.#bytes.add(bytes, performance.now());
        if (this.#wanted && !this.#paused) this.#stream.receive(frame);
    }

    /** @param {object} detections data of that message */
    detected(detections) {
        this.#timeline.add(detections);
        this.#drawBoxes();  // its picture may be on the screen already
    }

    skipped(frames) { this.#dropped += frames; }

    #shown(picture) {
        const first = this.#picture === null || Number.isNaN(this.#pictures.lastAtMs);
        clearTimeout(this.#restartTimer);  // it plays again by itself: a restart would only break it
        this.#patience.begin(performance.now());
        const latencyMs = this.#clock.known ? (this.#clock.nowUs() - picture.captureUs) / 1000 : NaN;
        this.#pictures.add(performance.now(), latencyMs);
        if (picture.width !== this.#picture?.width || picture.height !== this.#picture?.height) this.#view.shape(picture);
        this.#picture = picture;
        this.#trouble = '';
        this.#drawBoxes();
        if (first) this.refresh();
    }

    /** Only on a picture that is live: a box on one that stopped would say that somebody is there. */
    #drawBoxes() {
        if (!this.#picture || this.#standing().tone !== 'live') return;
        this.#overlay.draw(this.#picture, this.#timeline.at(this.#picture));
    }

    #failed(reason) {
        this.#trouble = reason;
        clearTimeout(this.#restartTimer);
        this.#restartTimer = setTimeout(() => { if (this.#wanted && !this.#paused) this.#ask(); }, kRestartAfterMs);
        this.refresh();
    }

    #waitForTap() {
        this.#blocked = true;
        this.#view.alert('Tap the picture to play it.');
    }

    /** Plays on at the newest picture: after a tap, or when the page is seen again. */
    catchUp() {
        this.#blocked = false;
        this.#patience.begin(performance.now());
        this.#stream.catchUp();
    }

    #kbps() { return this.#bytes.perSecond(performance.now()) * 8 / 1000; }

    #standing() {
        const now = performance.now();
        return standing({
            connection: { state: this.#connection.state, reason: this.#connection.reason,
                retryInS: (this.#connection.nextTryAt - now) / 1000 },
            wanted: this.#wanted, trouble: this.#trouble, camera: this.#status,
            silentS: (now - this.#pictures.lastAtMs) / 1000, waitingS: (now - this.#waitingSince) / 1000,
        });
    }

    /** What is not well although it is live. */
    #notes() {
        const { warning, analysis } = this.#status;
        const less = analysis?.reason && `Faces are looked for only ${analysis.rate_hz} times a second, ` +
            `in pictures of ${analysis.width}×${analysis.height}: ${sentence(analysis.reason)}`;
        return [sentence(warning), less].filter(Boolean).join(' ');
    }

    /** Shows where things stand, and asks again for what does not come; call about twice a second. */
    refresh() {
        if (this.#overdue) this.#askAgain();
        const current = this.#standing(), live = current.tone === 'live';
        this.#view.showStanding(current);
        if (!live && this.#overlay.current.faces.length) this.#overlay.clear();
        const { width, height } = this.#stream.size;
        const latency = this.#pictures.smoothLatencyMs;
        this.#view.showFigures({
            resolution: live && width ? `${width}×${height}` : '',
            rate: live ? `${Math.round(this.#pictures.rate.perSecond(performance.now()))} fps` : '',
            bitrate: live ? bitrateText(this.#kbps()) : '',
            latency: live && !Number.isNaN(latency) ? `${Math.max(0, Math.round(latency))} ms` : '',
            coding: live ? [codecText(this.#status.codec), this.#status.source].filter(Boolean).join(' · ') : '',
            player: live ? playerText(this.#stream.playerKind) : '',
        });
        this.#view.showWarning(live ? this.#notes() : '');
        this.#view.showControls({
            wanted: this.#wanted, connected: this.#connection.state === 'open', preset: this.#presetInForce,
            operator: this.#connection.role === 'operator' || this.#connection.role === 'admin',
            enabled: this.#status.state !== 'disabled',
        });
    }
}
