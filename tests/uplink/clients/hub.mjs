// A hub on the npm package `ws`, for the uplink's tests: welcomes every agent and prints what happens, one
// JSON object a line. Arguments: [CERTIFICATE KEY] to serve wss.
import { readFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { WebSocketServer } from 'ws';

const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const [certificate, key] = process.argv.slice(2);
const server = certificate
  ? createSecure({ cert: readFileSync(certificate), key: readFileSync(key) })
  : createPlain();
server.on('tlsClientError', (error) => say({ event: 'tls_error', code: error.code }));

const hub = new WebSocketServer({ server, perMessageDeflate: true });
hub.on('connection', (socket) => {
  say({ event: 'connected', protocol: socket.protocol, extensions: socket.extensions });
  socket.on('message', (data, isBinary) => {
    if (isBinary) return say({ event: 'binary', bytes: data.length, last: data.at(-1) });
    const message = JSON.parse(data.toString());
    say({ event: 'message', message });
    if (message.type !== 'auth') return;
    socket.send(JSON.stringify({ type: 'system', event: 'authenticated', data: { features: [] } }));
    socket.ping('are you there');
  });
  socket.on('pong', (data) => say({ event: 'pong', data: data.toString() }));
  socket.on('close', (code) => say({ event: 'closed', code }));
});
server.listen(0, '127.0.0.1', () => say({ event: 'listening', port: server.address().port }));
