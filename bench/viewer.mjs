// One viewer that takes what comes: viewer.mjs URL TOKEN CAMERA. Prints "first picture" once, then nothing.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../tests/package.json', import.meta.url));
const WebSocket = require('ws');
const [url, token, camera] = process.argv.slice(2);
const socket = new WebSocket(url);
let told = false;

socket.on('open', () => {
    socket.send(JSON.stringify({ type: 'auth', token }));
    socket.send(JSON.stringify({ type: 'stream_control', action: 'start', camera_id: camera }));
});
socket.on('message', (data, isBinary) => {
    if (!isBinary || told) return;
    told = true;
    console.log('first picture');
});
socket.on('close', (code) => {
    console.error(`closed: ${code}`);
    process.exit(1);
});
