// The page: one connection, one tile a camera, faces seen lately. Only wires.

import { PeerClock } from './clock.js';
import { Connection } from './connection.js';
import { element, setText } from './dom.js';
import { FaceStrip } from './face_strip.js';
import { durationText } from './figures.js';
import { parseFrame, PartAssembler } from './frame.js';
import { choosePlayers } from './playback.js';
import { jpegOf, Snapshots } from './snapshots.js';
import { sentence } from './standing.js';
import { Tile } from './tile.js';
import { keepToken, takeToken } from './token.js';
import { UplinkList } from './uplinks.js';

const kRefreshMs = 500;

const byId = (id) => document.getElementById(id);
const url = new URL('v1/stream', location.href);
url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
url.search = url.hash = '';

/** What the address asks for: `player` forces one, `hidden_s` is how long a hidden page still gets video. */
const wishes = new URLSearchParams(location.search);
const kHiddenMs = 1000 * Number(wishes.get('hidden_s') ?? 30);

const connection = new Connection(url.href);
const clock = new PeerClock();
const snapshots = new Snapshots(connection);
const players = await choosePlayers(wishes.get('player'));
/** Camera id → tile. */
const tiles = new Map();
const strip = new FaceStrip(byId('faces'), byId('no-faces'));
const uplinks = new UplinkList(byId('uplinks'));
let assembler = new PartAssembler();

function tileOf(cameraId) {
    if (!tiles.has(cameraId)) {
        const tile = new Tile(cameraId, { connection, clock, players, snapshot: (id) => snapshots.take(id) });
        tiles.set(cameraId, tile);
        byId('tiles').append(tile.root);
        byId('no-cameras').hidden = true;
        if (connection.state === 'open') tile.connected();
    }
    return tiles.get(cameraId);
}

const understand = {
    system: (data, { event }) => {
        if (event !== 'status') return;
        for (const camera of data.cameras ?? []) {
            const id = camera.camera_id ?? camera.id;
            if (!id) continue;
            if (tiles.has(id)) tiles.get(id).cameraSeen(camera);
            else tileOf(id).statusChanged(camera);
        }
        const there = new Set((data.cameras ?? []).map((camera) => camera.camera_id ?? camera.id));
        for (const [id, tile] of tiles) {
            if (there.has(id)) continue;
            tile.gone();
            tiles.delete(id);
        }
        byId('no-cameras').hidden = tiles.size > 0;
        uplinks.show(data.uplinks);
        uplinks.refresh(clock.nowUs() / 1e6);
        const agent = data.agent?.id ?? location.host;
        setText(byId('agent'), agent);
        document.title = `${agent} – edgecam`;
    },
    stream_status: (data) => tileOf(data.camera_id).statusChanged(data),
    face_detected: (data) => {
        const show = strip.add(data, performance.now());
        const { snapshot } = data;  // within the event, or on its way
        if (typeof snapshot === 'string') show(`data:image/jpeg;base64,${snapshot}`);
        else if (snapshot) snapshots.expect(snapshot.channel, (frame) => show(URL.createObjectURL(jpegOf(frame))));
        showPresent();
    },
    detections: (data) => {
        tiles.get(data.camera_id)?.detected(data);
        strip.stillThere(data, performance.now());
    },
    drop: (data) => {
        if (!snapshots.lost(data.channel)) tiles.get(data.camera_id)?.skipped(data.frames ?? 0);
    },
    transfer: (data) => snapshots.announced(data),
    error: (data, { id }) => {
        if (id === undefined) tiles.get(data.camera_id)?.troubled(data.message || data.code);  // else who asked tells it
    },
};

connection.addEventListener('message', ({ detail }) => understand[detail.type]?.(detail.data ?? {}, detail));

connection.addEventListener('binary', ({ detail }) => {
    const part = parseFrame(detail);
    const frame = part && assembler.add(part);
    if (!frame) return;
    if (snapshots.owns(frame.channel)) snapshots.receive(frame);
    for (const tile of tiles.values()) {
        if (tile.owns(frame.channel)) tile.receive(frame, frame.payload.length);
    }
});

connection.addEventListener('heartbeat', ({ detail: { t0, t1, t2, t3 } }) => clock.add(t0, t1, t2, t3));

let wasOpen = false;
connection.addEventListener('state', () => {
    const isOpen = connection.state === 'open';
    if (isOpen && !wasOpen) welcome();
    if (!isOpen && wasOpen) {  // nobody tells of them any more
        strip.forgetPresent();
        uplinks.show();
    }
    wasOpen = isOpen;
    if (connection.state === 'refused') {
        keepToken('');
        askForToken(`${sentence(connection.reason)} Check it and try again.`);
    } else if (connection.state === 'waiting') {
        setText(byId('sign-in-why'), `${sentence(connection.reason)} Trying again …`);
    }
    refresh();
});

function welcome() {
    clock.reset();
    assembler = new PartAssembler();
    byId('sign-in').hidden = true;
    connection.request({ type: 'subscribe', topics: ['*/detections'] }).catch(() => {});  // boxes are a luxury,
    connection.request({ type: 'subscribe', topics: ['*/face_detected'], snapshots: 'inline' }).catch(() => {});  // as are these
    connection.request({ type: 'status' }).catch(() => {});
    tiles.forEach((tile) => tile.connected());
}

function showPresent() {
    setText(byId('present'), strip.presentCount ? `${strip.presentCount} here now` : '');
}

function askForToken(why) {
    setText(byId('sign-in-why'), why);
    byId('sign-in').hidden = false;
    byId('no-cameras').hidden = true;
    byId('token').focus();
}

byId('sign-in').addEventListener('submit', (event) => {
    event.preventDefault();
    const token = byId('token').value.trim();
    if (!token) return;
    keepToken(token);
    byId('token').value = '';
    setText(byId('sign-in-why'), 'Checking the token …');
    connection.open(token);
});

function refresh() {
    const words = { open: 'Connected', connecting: 'Connecting', authenticating: 'Signing in', waiting: 'Offline',
        refused: 'Signed out', idle: 'Signed out' };
    const link = byId('link');
    link.dataset.state = connection.state;
    setText(byId('link-text'), words[connection.state]);
    const waitS = (connection.nextTryAt - performance.now()) / 1000;
    link.title = connection.state === 'waiting' ? `${connection.reason}; next try in ${durationText(waitS)}` : connection.reason;
    document.body.classList.toggle('signed-out', connection.state === 'refused' || connection.state === 'idle');
    strip.forgetSilent(performance.now());
    showPresent();
    uplinks.refresh(clock.nowUs() / 1e6);
    tiles.forEach((tile) => tile.refresh());
}
setInterval(refresh, kRefreshMs);

let hiddenTimer = 0;
document.addEventListener('visibilitychange', () => {
    clearTimeout(hiddenTimer);
    if (document.hidden) {
        hiddenTimer = setTimeout(() => tiles.forEach((tile) => tile.pause(true)), kHiddenMs);
        return;
    }
    connection.retryNow();
    tiles.forEach((tile) => {
        tile.pause(false);
        tile.catchUp();
    });
});
addEventListener('online', () => connection.retryNow());

/** For tests and the curious: figures, no secrets. */
window.edgecam = Object.freeze({
    tile: (cameraId) => tiles.get(cameraId)?.figures ?? null,
    cameras: () => [...tiles.keys()],
    connection: () => ({ state: connection.state, reason: connection.reason, role: connection.role, opened: connection.opened }),
    clock: () => ({ offsetUs: clock.offsetUs, roundTripMs: clock.roundTripMs, known: clock.known }),
    incomplete: () => assembler.incomplete,
    request: (message) => connection.request(message),
    resetGaps: () => tiles.forEach((tile) => tile.resetGap()),
});

addEventListener('hashchange', () => {  // the same page opened again with another token
    const token = takeToken();
    if (token) connection.open(token);
});

const token = takeToken();
if (token) connection.open(token);
else askForToken('Enter the access token of this agent. It was printed when the agent started.');
refresh();
byId('loading').replaceWith(element('span', { hidden: true }));
