// The measuring part of bench/enter_delay, which says what is measured.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { AgentProcess, ChildProcess, freePort, sharedFile, tempFolder } from '../tests/support/agent.mjs';
import { Peer } from '../tests/support/peer.mjs';

const kVisits = Number(process.argv[2] ?? 16);
const kStaySeconds = 2.5;
const kPictureUs = 1e6 / 30;
const kMostUs = 6e6; // later it belongs to the next visit

const photo = sharedFile('media/faces/dlib_2007_007763.jpg');
if (!photo) {
    console.log('skipped: no ../shared/media/faces');
    process.exit(77);
}

/** When visits begin, seconds: 5 to 7 s after the one before ended, so that key frames alone are decoded by then. */
function beginnings() {
    let random = 12345; // a fixed sequence (Park and Miller): every run has the same visits
    const next = () => { random = random * 48271 % 2147483647; return random / 2147483647; };
    const begins = [];
    for (let at = 8 + 2 * next(); begins.length < kVisits; at += kStaySeconds + 5 + 2 * next()) begins.push(at);
    return begins;
}

function makeClip(file, begins) {
    const there = begins.map((at) => `between(t,${at.toFixed(3)},${(at + kStaySeconds).toFixed(3)})`).join('+');
    const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `color=gray:s=640x360:r=30:d=${begins.at(-1) + 8}`,
        '-loop', '1', '-i', photo, '-filter_complex',
        `[1:v]scale=640:360:force_original_aspect_ratio=decrease,setsar=1[face];[0:v][face]overlay=x=(W-w)/2:y=(H-h)/2:shortest=1:enable='${there}',format=yuv420p`,
        '-r', '30', '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', '-x264-params', 'keyint=60:min-keyint=60:scenecut=0', file], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
}

class Looker {
    enters = []; // {at, captured}: microseconds since the epoch
    firsts = []; // capture times of the first picture of each visit in which somebody is followed
    analysed = 0;
    #lastSeen = 0;

    static async start(url, vision) {
        const looker = new Looker();
        looker.agent = await AgentProcess.start({ cameras: [{ id: 'door', source: url }], vision });
        looker.peer = await Peer.connect(looker.agent.streamUrl, 'secret');
        looker.peer.socket.on('message', (bytes, binary) => binary || looker.#take(JSON.parse(bytes)));
        await looker.peer.ask({ type: 'subscribe', topics: ['door/detections', 'door/face_detected'] });
        return looker;
    }

    #take({ type, data }) {
        if (type === 'face_detected' && data.phase === 'enter' && !data.replay) this.enters.push({ at: Date.now() * 1000, captured: data.frame.capture_us });
        if (type !== 'detections') return;
        this.analysed++;
        if (data.faces.length === 0) return;
        if (data.frame.capture_us - this.#lastSeen > 3e6) this.firsts.push(data.frame.capture_us);
        this.#lastSeen = data.frame.capture_us;
    }

    async stop() {
        await this.peer.close();
        await this.agent.remove();
    }
}

/** Of each visit how long until the first enter was here, seconds; null: none came. */
const delaysOf = (looker, visits) => visits.map((began) => {
    const first = looker.enters.find(({ at }) => at > began && at - began < kMostUs);
    return first ? (first.at - began) / 1e6 : null;
});

function figuresOf(delays) {
    const there = delays.filter((delay) => delay !== null).sort((a, b) => a - b);
    const at = (share) => there.length === 0 ? null : Number(there[Math.min(there.length - 1, Math.ceil(share * there.length) - 1)].toFixed(3));
    return { visits: delays.length, missed: delays.length - there.length, median_s: at(0.5), p95_s: at(0.95), worst_s: at(1) };
}

const folder = tempFolder();
const begins = beginnings();
const clip = path.join(folder.path, 'visits.mp4');
console.error(`drawing ${kVisits} visits`);
makeClip(clip, begins);
const port = await freePort();
const server = await ChildProcess.start(process.env.RTSP_SERVER, [String(port), clip, 'h264', '-'], /ready/);
const url = `rtsp://127.0.0.1:${port}/cam`;
const reference = await Looker.start(url, { rate_hz: 30, idle_decode: 'full' });
const lookers = { full: await Looker.start(url, { idle_decode: 'full' }), key_frames: await Looker.start(url, { idle_decode: 'key_frames' }) };
const began = Date.now();
while (Date.now() - began < (begins.at(-1) + kStaySeconds + 3) * 1000) {
    await passed(10_000);
    console.error(`${Math.round((Date.now() - began) / 1000)} s of ${Math.round(begins.at(-1) + 6)}: ${reference.firsts.length} visits, ` +
        Object.entries(lookers).map(([name, { enters }]) => `${name} ${enters.length} enters`).join(', '));
}
const visits = reference.firsts.map((captured) => captured - kPictureUs);
const figures = Object.fromEntries(Object.entries(lookers).map(([name, looker]) => [name, { ...figuresOf(delaysOf(looker, visits)), analysed: looker.analysed }]));
for (const looker of [reference, ...Object.values(lookers)]) await looker.stop();
await server.end('SIGKILL');
folder.remove();
console.log('decoded while nobody is there   visits missed  median   95 %  worst, seconds');
for (const [name, { visits: all, missed, median_s: median, p95_s: most, worst_s: worst }] of Object.entries(figures)) {
    console.log(`${name.padEnd(30)} ${String(all).padStart(7)} ${String(missed).padStart(6)} ${[median, most, worst].map((s) => String(s).padStart(7)).join('')}`);
}
console.log(JSON.stringify({ bench: 'enter_delay', ...figures }));
