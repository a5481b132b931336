// The socket by which systemd hears of a service, for tests: a datagram socket of the file system, which
// Node.js has none of, so python3 (Meson needs it anyhow) holds it.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { within } from './agent.mjs';

const kProgram = `
import json, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print(json.dumps("listening"), flush=True)
while True:
    print(json.dumps(listener.recv(65536).decode()), flush=True)
`;

export class NotifySocket {
    #waiters = new Set();
    messages = [];  // each as { NAME: value }

    static async listen(folder) {
        const socket = new NotifySocket();
        socket.path = path.join(folder, 'notify');
        socket.process = spawn('python3', ['-c', kProgram, socket.path], { stdio: ['ignore', 'pipe', 'inherit'] });
        socket.ended = new Promise((done) => {
            socket.process.once('exit', done);
        });
        let listening = false;
        createInterface({ input: socket.process.stdout }).on('line', (line) => {
            if (listening) socket.#take(JSON.parse(line));
            listening = true;
            for (const waiter of [...socket.#waiters]) waiter();
        });
        await socket.#until(() => listening, 'the notification socket');
        return socket;
    }

    #take(text) {
        this.messages.push(Object.fromEntries(text.split('\n').filter(Boolean).map((field) => {
            const at = field.indexOf('=');
            return [field.slice(0, at), field.slice(at + 1)];
        })));
    }

    #until(find, what, ms = 30_000) {
        return within(
            ms, new Promise((found) => {
                const look = () => {
                    const result = find();
                    if (!result) return;
                    this.#waiters.delete(look);
                    found(result);
                };
                this.#waiters.add(look);
                look();
            }),
            what);
    }

    /** Resolves with the first message from the `from`th on that matches. */
    message(match, from = 0) { return this.#until(() => this.messages.slice(from).find(match), `a notification like ${match}`); }

    async close() {
        this.process.kill();
        await this.ended;
    }
}
