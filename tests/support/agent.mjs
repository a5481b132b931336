// The real agent, and other programs, as child processes of a test: a config in a folder of its own, a free port, ended by
// their pid. Needs nothing but Node.js.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const kReadyWithinMs = 30_000;
const kEndWithinMs = 15_000;

const sourceRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const shared = path.resolve(process.env.EDGECAM_SHARED ?? path.join(sourceRoot, '../shared'));

/** The program under test. */
export const agentBinary = process.env.EDGECAM_BIN ?? '';
/** Why tests of the agent cannot run here; false when they can. */
export const withoutAgent = existsSync(agentBinary) ? false : 'EDGECAM_BIN does not name the edgecam program';

/** A file of the shared test data, or undefined where it is absent. */
export function sharedFile(name) {
    const file = path.join(shared, name);
    return existsSync(file) ? file : undefined;
}

/** A drawn camera that costs a test little, for what does not look at the size of its picture. */
export const kSmallCamera = { id: 'cam_123', source: 'test://faces?width=640&height=360&fps=15' };

/** A folder of the test's own; `remove()` when done. */
export function tempFolder() {
    const folder = mkdtempSync(path.join(tmpdir(), 'edgecam-test-'));
    return { path: folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A TCP port on loopback that was free a moment ago. */
export async function freePort() {
    const server = createServer();
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address();
    await new Promise((done) => server.close(done));
    return port;
}

/** Rejects with `what` after `ms`; a deadline, never a pace. */
export function within(ms, promise, what) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A running program that has said it is ready. */
export class ChildProcess {
    #output = '';

    /** Starts `command`, with `environment` added to ours, and waits until its stdout or stderr matches `ready`. */
    static async start(command, args, ready, environment = {}) {
        const child = new ChildProcess();
        child.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
        child.exited = new Promise((done) => {
            child.process.once('exit', (code, signal) => done({ code, signal }));
        });
        const said = new Promise((found, reject) => {
            const take = (data) => {
                child.#output += data;
                const match = child.#output.match(ready);
                if (match) found(match);
            };
            child.process.stdout.on('data', take);
            child.process.stderr.on('data', take);
            child.exited.then(({ code, signal }) => {
                reject(new Error(`${command} ended with ${code ?? signal}:\n${child.#output}`));
            });
        });
        child.match = await within(kReadyWithinMs, said, `${command} to say ${ready}`);
        return child;
    }

    get output() { return this.#output; }

    /** Resolves once what it said since `from`, an index into `output`, matches. */
    says(pattern, from = 0) {
        return within(kReadyWithinMs, new Promise((found) => {
            const look = () => {
                const match = this.#output.slice(from).match(pattern);
                if (!match) return;
                this.process.stderr.off('data', look);
                found(match);
            };
            this.process.stderr.on('data', look);
            look();
        }), `the log to say ${pattern}`);
    }

    signal(name) { this.process.kill(name); }

    /** Ends it; resolves with { code, signal }. */
    end(signal = 'SIGTERM') {
        const { exitCode, signalCode } = this.process;
        if (exitCode === null && signalCode === null) this.process.kill(signal);
        return within(kEndWithinMs, this.exited, `the end after ${signal}`);
    }
}

/** Zones by which a face that moves has something to tell every second or so. */
export const kStripes = Array.from({ length: 16 }, (_, n) => ({
    name: `stripe${n}`, polygon: [[n / 16, 0], [(n + 1) / 16, 0], [(n + 1) / 16, 1], [n / 16, 1]],
}));
const withStripes = (camera) => (camera.source.startsWith('test://faces') ? { zones: kStripes, ...camera } : camera);

export class AgentProcess {
    #folder = tempFolder();
    #child;
    #environment;

    /**
     * Starts the agent with `config`: cameras, or more of a config; `data_dir` and a server on a free port with the tokens
     * "secret" (operator) and "looker" (viewer) are filled in, and cameras of drawn faces get zones. `environment` is added to ours.
     */
    static async start(config = [{ id: 'cam_123', source: 'test://faces' }], environment = {}) {
        const agent = new AgentProcess();
        agent.#environment = environment;
        const given = Array.isArray(config) ? { cameras: config } : config;
        const cameras = given.cameras?.map(withStripes);
        agent.port = await freePort();
        const tokens = [{ token: 'secret', role: 'operator' }, { token: 'looker', role: 'viewer' }];
        agent.config = {
            data_dir: path.join(agent.folder, 'data'),
            ...given,
            ...(cameras && { cameras }),
            server: { listen: `127.0.0.1:${agent.port}`, own_process: true, tokens, ...given.server },
        };
        agent.token = agent.config.server.tokens[0]?.token;
        await agent.run();
        return agent;
    }

    get folder() { return this.#folder.path; }
    get #s() { return this.config.server.tls ? 's' : ''; }
    get pageUrl() { return `http${this.#s}://127.0.0.1:${this.port}/`; }
    get streamUrl() { return `ws${this.#s}://127.0.0.1:${this.port}/v1/stream`; }
    /** The address it printed, with a token. */
    get printedUrl() { return this.#child.match[1]; }
    get pid() { return this.#child.process.pid; }
    get log() { return this.#child.output; }

    /** Resolves once the log since `from` matches. */
    logs(pattern, from = 0) { return this.#child.says(pattern, from); }

    /** Starts the process and waits until it serves. */
    async run() {
        const file = path.join(this.folder, 'config.json');
        writeFileSync(file, JSON.stringify(this.config));
        this.#child = await ChildProcess.start(agentBinary, ['run', '--config', file], /page: (\S+)/,
            this.#environment);
    }

    signal(name) { this.#child.signal(name); }

    /** Dies at once, as in a power cut. */
    kill() { return this.#child.end('SIGKILL'); }

    /** Ends as a service is stopped; resolves with { code, signal }. */
    stop() { return this.#child.end('SIGTERM'); }

    /** Ends it for good: a clean end within the deadline is part of every test. */
    async remove() {
        const how = await this.stop();
        this.#folder.remove();
        return how;
    }
}
