// Fetches a page over TLS, for the local server's tests. Arguments: URL CA. Prints {status, bytes, protocol} or {error}.
import { readFileSync } from 'node:fs';
import { get } from 'node:https';

const [url, ca] = process.argv.slice(2);
const say = (met) => process.stdout.write(`${JSON.stringify(met)}\n`);
get(url, { ca: readFileSync(ca), agent: false }, (answer) => {
  const protocol = answer.socket.getProtocol();
  let bytes = 0;
  answer.on('data', (data) => { bytes += data.length; });
  answer.on('close', () => say({ status: answer.statusCode, bytes, protocol }));
}).on('error', (error) => say({ error: error.message }));
