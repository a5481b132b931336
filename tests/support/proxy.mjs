// An HTTP proxy that opens tunnels (CONNECT, RFC 9110 section 9.3.6), on loopback.
import { createServer } from 'node:http';
import { connect } from 'node:net';

export class Proxy {
    /** What was asked for: { target, credentials }, in order. */
    asked = [];
    #ends = new Set();

    /**
     * @param {{credentials?: string, host?: string, forbids?: boolean, halting?: boolean}} [options] "user:password" that it wants; a name that
     *   stands for 127.0.0.1 here; answers 403 to all; pauses within its answer
     */
    static async listen({ credentials, host, forbids = false, halting = false } = {}) {
        const proxy = new Proxy();
        proxy.server = createServer((request, response) => response.writeHead(405).end());
        proxy.server.on('connect', (request, socket) => {
            socket.on('error', () => {});
            proxy.#hold(socket);
            const given = request.headers['proxy-authorization']?.replace(/^basic /i, '');
            proxy.asked.push({ target: request.url, credentials: given && Buffer.from(given, 'base64').toString() });
            if (credentials && proxy.asked.at(-1).credentials !== credentials) {
                // And waits for another try, as proxies do.
                return socket.write('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="p"\r\n\r\n');
            }
            if (forbids) return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
            const [, name, port] = request.url.match(/^(.+):(\d+)$/);
            return proxy.#tunnel(socket, name === host ? '127.0.0.1' : name, Number(port), halting);
        });
        await new Promise((done) => proxy.server.listen(0, '127.0.0.1', done));
        return proxy;
    }

    #tunnel(socket, host, port, halting) {
        const far = connect(port, host, async () => {
            socket.setNoDelay(true).write('HTTP/1.1 200 Connection established\r\nVia: ');
            if (halting) await new Promise((done) => setTimeout(done, 300));
            socket.write('a proxy\r\n\r\n');
            socket.pipe(far).pipe(socket);
        });
        far.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
        this.#hold(far);
        socket.on('close', () => far.destroy());
    }

    #hold(end) {
        this.#ends.add(end);
        end.on('close', () => this.#ends.delete(end));
    }

    get port() { return this.server.address().port; }

    async close() {
        for (const end of this.#ends) end.destroy();
        await new Promise((done) => this.server.close(done));
    }
}
