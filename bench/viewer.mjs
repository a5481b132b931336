// One viewer that takes what comes: viewer.mjs URL TOKEN CAMERA,... [QUALITY as JSON]. Prints "first picture SOURCE" once all cameras have given
// one (of their encodes, where a quality is wished), SOURCE being who coded them, then nothing.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../tests/package.json', import.meta.url));
const WebSocket = require('ws');
const [url, token, list, quality] = process.argv.slice(2);
const cameras = new Set(list.split(','));
const socket = new WebSocket(url);
const waited = new Set(cameras);
const channels = new Map(), sources = new Set();
let told = false;

socket.on('open', () => {
    socket.send(JSON.stringify({ type: 'auth', token, features: [] }));
    for (const camera of cameras) {
        if (quality) socket.send(JSON.stringify({ type: 'stream_control', action: 'quality', camera_id: camera, quality: JSON.parse(quality) }));
        socket.send(JSON.stringify({ type: 'stream_control', action: 'start', camera_id: camera }));
    }
});
socket.on('message', (data, isBinary) => {
    if (told) return;
    if (!isBinary) {
        const { type, data: status } = JSON.parse(data);
        if (type === 'stream_status' && status.channel) channels.set(status.channel, status);
        return;
    }
    const status = channels.get(data.readUInt16BE(4));
    if (!status || (quality && status.source !== 'encoded')) return;
    waited.delete(status.camera_id);
    sources.add(status.encoder || status.source);
    if (waited.size > 0) return;
    told = true;
    console.log(`first picture ${[...sources].join(' ')}`);
});
socket.on('close', (code) => {
    console.error(`closed: ${code}`);
    process.exit(1);
});
