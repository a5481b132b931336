// A proxy of the worst kind for live video: takes all that comes as fast as it comes, and passes it on at the rate of a
// thin link. TCP before it sees no queue; the queue is all here.
import { connect, createServer } from 'node:net';

const kTickMs = 10;

export class SlowRelay {
    #sockets = new Set();
    /** Bytes that it has and the hub has not, now and at most. */
    waiting = 0;
    mostWaiting = 0;

    /** Listens on loopback, and passes to `port` there: up at `bitsPerSecond`, down at once. */
    static async listen(port, bitsPerSecond) {
        const relay = new SlowRelay();
        relay.bytesPerTick = (bitsPerSecond / 8) * (kTickMs / 1000);
        relay.server = createServer((client) => relay.#accept(client, port));
        await new Promise((done) => relay.server.listen(0, '127.0.0.1', done));
        return relay;
    }

    get port() { return this.server.address().port; }

    #accept(client, port) {
        const hub = connect(port, '127.0.0.1');
        const queue = [];
        client.setNoDelay(true);
        hub.setNoDelay(true);
        client.on('data', (data) => {
            queue.push(data);
            this.waiting += data.length;
            this.mostWaiting = Math.max(this.mostWaiting, this.waiting);
        });
        hub.on('data', (data) => client.write(data));
        // By the clock, not by the number of ticks: a busy machine skips some.
        let credit = 0;
        let last = performance.now();
        const timer = setInterval(() => {
            const now = performance.now();
            credit = queue.length > 0 ? credit + (this.bytesPerTick * (now - last)) / kTickMs : this.bytesPerTick;
            last = now;
            while (queue.length > 0 && credit >= 1) {
                const part = queue[0].subarray(0, Math.floor(credit));
                if (part.length === queue[0].length) queue.shift();
                else queue[0] = queue[0].subarray(part.length);
                credit -= part.length;
                this.waiting -= part.length;
                hub.write(part);
            }
        }, kTickMs);
        const end = () => {
            clearInterval(timer);
            this.waiting -= queue.reduce((sum, { length }) => sum + length, 0);
            queue.length = 0;
            for (const socket of [client, hub]) {
                this.#sockets.delete(socket);
                socket.destroy();
            }
        };
        for (const socket of [client, hub]) {
            this.#sockets.add(socket);
            socket.on('error', () => {});
            socket.on('close', end);
        }
    }

    async close() {
        for (const socket of this.#sockets) socket.destroy();
        await new Promise((done) => this.server.close(done));
    }
}
