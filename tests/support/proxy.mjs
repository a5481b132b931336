// An HTTP proxy that opens tunnels (CONNECT, RFC 9110 section 9.3.6), on loopback.
import { createServer } from 'node:http';
import { connect } from 'node:net';

export class Proxy {
    /** What was asked for: { target, credentials }, in order. */
    asked = [];
    #tunnels = new Set();

    /**
     * @param {{credentials?: string, host?: string, forbids?: boolean}} [options] "user:password" that it wants; a name that
     *   stands for 127.0.0.1 here; answers 403 to all
     */
    static async listen({ credentials, host, forbids = false } = {}) {
        const proxy = new Proxy();
        proxy.server = createServer((request, response) => response.writeHead(405).end());
        proxy.server.on('connect', (request, socket) => {
            socket.on('error', () => {});
            const given = request.headers['proxy-authorization']?.replace(/^basic /i, '');
            proxy.asked.push({ target: request.url, credentials: given && Buffer.from(given, 'base64').toString() });
            if (credentials && proxy.asked.at(-1).credentials !== credentials) {
                return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="p"\r\n\r\n');
            }
            if (forbids) return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
            const [, name, port] = request.url.match(/^(.+):(\d+)$/);
            return proxy.#tunnel(socket, name === host ? '127.0.0.1' : name, Number(port));
        });
        await new Promise((done) => proxy.server.listen(0, '127.0.0.1', done));
        return proxy;
    }

    #tunnel(socket, host, port) {
        const far = connect(port, host, () => {
            socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
            socket.pipe(far).pipe(socket);
        });
        far.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
        this.#tunnels.add(socket).add(far);
        for (const end of [socket, far]) end.on('close', () => this.#tunnels.delete(end));
    }

    get port() { return this.server.address().port; }

    async close() {
        for (const end of this.#tunnels) end.destroy();
        await new Promise((done) => this.server.close(done));
    }
}
