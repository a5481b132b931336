// A viewer on the npm package `ws`, for the local server's tests. Arguments: URL TOKEN [CA]. Authenticates, asks for
// the status, pings, closes; prints what it met as one JSON object and ends with 0 when all of it came.
import { readFileSync } from 'node:fs';
import WebSocket from 'ws';

const [url, token, ca] = process.argv.slice(2);
const met = { types: [] };
const socket = new WebSocket(url, ['edgecam.v1'], { perMessageDeflate: true, ...(ca && { ca: readFileSync(ca) }) });
socket.on('open', () => {
  met.protocol = socket.protocol;
  met.extensions = socket.extensions;
  socket.send(JSON.stringify({ type: 'auth', token, features: [] }));
});
socket.on('message', (data) => {
  const message = JSON.parse(data.toString());
  met.types.push(`${message.type}/${message.event ?? ''}`);
  if (message.event === 'authenticated') socket.send(JSON.stringify({ type: 'heartbeat', id: 1, t0: 5 }));
  if (message.type === 'heartbeat') socket.ping('hello');
});
socket.on('pong', (data) => {
  met.pong = data.toString();
  socket.close(1000, 'done');
});
socket.on('close', (code) => {
  met.code = code;
  process.stdout.write(`${JSON.stringify(met)}\n`);
  process.exitCode = met.pong === 'hello' && code === 1000 ? 0 : 1;
});
socket.on('error', (error) => {
  met.error = error.message;
});
