// The client of the published guide, as it is printed there, with a recorder for what is not text: run with the npm
// package `ws` and in Chromium. What it records, laid end to end, must be a file that ffmpeg reads without a word.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import WebSocket from 'ws';

import { AgentProcess, withoutAgent } from '../support/agent.mjs';
import { launchChromium, withoutChromium } from './chromium.mjs';

const run = promisify(execFile);
const kAccessUnits = 60;
const kWithinMs = 30_000;

/**
 * The guide's client. Runs in Node and, sent as text, in a browser; so it sees nothing but its arguments.
 * Ends when it saw a face, a `stream_status`, and enough pictures, on its n-th connection.
 */
function guideClient({ WebSocket, url, token, enough, withinMs, connections = 1 }) {
    return new Promise((resolve, reject) => {
        const seen = { faces: [], states: [], connections: 0, recording: [] };
        let socket;
        const done = () => seen.connections >= connections && seen.faces.length > 0 && seen.states.includes('live') &&
            seen.recording.filter((frame) => frame[1] === 2 && new DataView(frame.buffer).getUint32(12) === 0).length >= enough;
        const timer = setTimeout(() => reject(new Error(`not in time: ${seen.faces.length} faces, states ` +
            `${seen.states}, ${seen.recording.length} messages`)), withinMs);
        const record = (data) => seen.recording.push(new Uint8Array(data));

        function connect() {
            socket = new WebSocket(url);
            socket.binaryType = 'arraybuffer';
            socket.onopen = () => {
                seen.connections += 1;
                socket.send(JSON.stringify({ type: 'auth', token }));
                socket.send(JSON.stringify({ type: 'stream_control', action: 'start', camera_id: 'cam_123' }));
            };
            socket.onmessage = (event) => {
                if (typeof event.data !== 'string') {
                    record(event.data);
                } else {
                    const message = JSON.parse(event.data);
                    switch (message.type) {
                    case 'face_detected':
                        seen.faces.push(message.data);
                        break;
                    case 'stream_status':
                        seen.states.push(message.data.state);
                        break;
                    default:
                        break;
                    }
                }
                if (!done()) return;
                clearTimeout(timer);
                socket.onclose = null;
                socket.close();
                resolve(seen);
            };
            socket.onclose = (event) => {
                if (event.code === 1006) setTimeout(connect, 100);
                else reject(new Error(`closed with ${event.code}: the guide's client would not come back`));
            };
            socket.onerror = () => {};
        }
        connect();
    });
}

/** What a recorder does: 32 bytes off, parts joined, up to the next init segment. */
function collect(recording) {
    const kinds = [], payloads = [];
    for (const message of recording) {
        const bytes = Buffer.from(message);
        const [version, kind, , headerBytes] = bytes;
        assert.equal(version, 1);
        const offset = bytes.readUInt32BE(12), total = bytes.readUInt32BE(24);
        const part = bytes.subarray(headerBytes);
        assert.ok(offset + part.length <= total);
        if (offset === 0) {
            kinds.push(kind);
            payloads.push([part]);
        } else {
            payloads.at(-1).push(part);
        }
    }
    assert.equal(kinds[0], 1, 'an init segment comes first');
    const end = kinds.indexOf(1, 1);
    const file = payloads.slice(0, end < 0 ? undefined : end).map((parts) => Buffer.concat(parts));
    return { pictures: file.length - 1, bytes: Buffer.concat(file) };
}

describe('the published guide’s client', { skip: withoutAgent }, () => {
    let agent, folder;

    before(async () => {
        agent = await AgentProcess.start({ vision: { rate_hz: 5 },
            cameras: [{ id: 'cam_123', source: 'test://faces?width=640&height=360&fps=30' }] });
        folder = await mkdtemp(path.join(tmpdir(), 'edgecam-guide-'));
    });
    after(async () => {
        await agent?.remove();
        if (folder) await rm(folder, { recursive: true, force: true });
    });

    const settings = () => ({ url: agent.streamUrl, token: agent.token, enough: kAccessUnits, withinMs: kWithinMs });

    async function checkRecording(seen, name) {
        const [face] = seen.faces;
        assert.equal(face.camera_id, 'cam_123');
        assert.equal(face.face.box.length, 4);
        assert.equal(typeof face.timestamp, 'number');
        const { pictures, bytes } = collect(seen.recording);
        assert.ok(pictures > 20, `${pictures} pictures in the recording`);
        const file = path.join(folder, `${name}.mp4`);
        await writeFile(file, bytes);
        const probe = await run('ffprobe', ['-v', 'warning', '-count_frames', '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0', file]);
        assert.equal(probe.stderr, '');
        assert.equal(Number(probe.stdout), pictures);
        const decoded = await run('ffmpeg', ['-v', 'warning', '-i', file, '-f', 'null', '-']);
        assert.equal(decoded.stderr, '');
    }

    async function comesBackAfter(end) {
        const client = guideClient({ WebSocket, ...settings(), connections: 2 });
        client.catch(() => {});  // awaited below
        await guideClient({ WebSocket, ...settings() });  // by then the other one plays as well
        await end();
        await agent.run();
        assert.ok((await client).recording.length > kAccessUnits);
    }

    test('works with the npm package ws, and its recording is a clean file', async () => {
        const seen = await guideClient({ WebSocket, ...settings() });
        assert.equal(seen.connections, 1);
        await checkRecording(seen, 'node');
    });

    test('works in Chromium, and its recording is a clean file', { skip: withoutChromium }, async (t) => {
        const browser = await launchChromium();
        t.after(() => browser.close());
        const page = await browser.newPage();
        await page.goto(`${agent.pageUrl}icon.svg`);  // same origin, without the page's own connection
        const seen = await page.evaluate(`(${guideClient})({ WebSocket, ...${JSON.stringify(settings())} })
            .then((seen) => ({ ...seen, recording: seen.recording.map((frame) => Array.from(frame)) }))`);
        await checkRecording(seen, 'chromium');
    });

    test('comes back after the agent died', async () => {
        await comesBackAfter(() => agent.kill());
    });

    test('a planned restart brings it back too', async () => {
        await comesBackAfter(() => agent.stop());
    });
});
