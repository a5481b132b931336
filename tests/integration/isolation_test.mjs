// The viewers' process may crash, hang or be flooded: capture, journal and uplink go on as if nothing were. And it does not
// outlive the agent, nor look alive when that hangs.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { AgentProcess, kSmallCamera, tempFolder, within, withoutAgent } from '../support/agent.mjs';
import { newEvents } from '../support/event_log.mjs';
import { Hub } from '../hub/hub.mjs';
import { Peer } from '../support/peer.mjs';
import { runs, viewersPidOf } from '../support/processes.mjs';

const skip = withoutAgent;
const store = tempFolder();
let agent;
let hub;

before(async () => {
    if (skip) return;
    hub = await Hub.listen({ token: 'hub-secret', store: store.path });
    agent = await AgentProcess.start({
        agent_id: 'box-7',
        log_level: 'debug',
        cameras: [{ id: 'cam_123', source: 'test://faces?width=640&height=360&fps=15' }],
        uplinks: [{ url: hub.url, token: 'hub-secret', start: ['cam_123'] }],
    });
    await hub.until(() => hub.live('box-7'), 'the agent');
});
after(async () => {
    await agent?.remove();
    await hub?.stop();
    store.remove();
});

/** A viewer with video, as soon as somebody serves it. */
async function viewer(of = agent) {
    for (let tries = 0; ; ++tries) {
        try {
            const peer = await Peer.connect(of.streamUrl, of.token);
            await peer.control('start', 'cam_123');
            await peer.frame((each) => each.kind === 2 && each.flags & 1);
            return peer;
        } catch (error) {
            if (tries > 100) throw error;
            await passed(50);
        }
    }
}

/** What must not notice: the hub's connection, its video, and the camera. */
const untouched = async () => {
    const peer = await viewer();
    const { data } = await peer.ask({ type: 'status' });
    await peer.close();
    return { session: hub.live('box-7').auth.session, restarts: data.cameras[0].restarts ?? 0 };
};
const pictures = () => [...hub.live('box-7').media.channels.values()].reduce((sum, { frames }) => sum + frames, 0);
/** The hub gets so many more pictures, and an event more. */
async function flowsOn(what) {
    const had = pictures();
    await Promise.all([newEvents(hub, agent, 1), hub.until(() => pictures() > had + 15, `${what}: a second of video`)]);
}

test('a crash of the viewers\' process costs its viewers their connections, and nothing else', { skip }, async () => {
    const before = await untouched();
    for (const signal of ['SIGSEGV', 'SIGABRT', 'SIGKILL']) {
        const watching = await viewer();
        const pid = viewersPidOf(agent);
        process.kill(pid, signal);
        assert.equal((await watching.closed).code, 1006);
        await flowsOn(signal);
        await (await viewer()).close();
        assert.notEqual(viewersPidOf(agent), pid);
    }
    assert.deepEqual(await untouched(), before);
    assert.match(agent.log, /the process of the viewers is gone: it was ended by signal 9 \(Killed\)/);
    // The address sanitizer makes an exit of it.
    assert.match(agent.log, process.env.EDGECAM_SANITIZED ? /it ended with status 1/ : /it was ended by signal 11 \(Segmentation fault\)/);
});

// Both wait for a silence to become too long: at the same time, with an agent each.
describe('what hangs', { skip, concurrency: true }, () => {
    test('a viewers\' process that hangs is replaced, and nobody waits for it', async () => {
        const before = await untouched();
        const pid = viewersPidOf(agent);
        process.kill(pid, 'SIGSTOP');
        await flowsOn('hangs');
        await agent.logs(/viewers is gone: it did not end by itself/);
        await flowsOn('replaced');
        await (await viewer()).close();
        assert.notEqual(viewersPidOf(agent), pid);
        assert.deepEqual(await untouched(), before);
    });

    test('an agent that hangs does not look alive: its viewers are sent away, and come back with it', async () => {
        const other = await AgentProcess.start([kSmallCamera]);
        try {
            const watching = await viewer(other);
            other.signal('SIGSTOP');
            try {
                await within(20_000, watching.closed, 'the viewer to be sent away');
            } finally {
                other.signal('SIGCONT');
            }
            await (await viewer(other)).close();
        } finally {
            await other.remove();
        }
    });
});

test('it ends with the agent, however that ends', { skip }, async () => {
    for (const end of ['kill', 'stop']) {
        const pid = viewersPidOf(agent);
        await agent[end]();
        await agent.run();
        assert.ok(!runs(pid), `after ${end}`);
        await (await viewer()).close();
    }
});

test('in one process it is as it was, where that is wished', { skip }, async () => {
    agent.config.server.own_process = false;
    await agent.stop();
    await agent.run();
    assert.equal(viewersPidOf(agent), undefined);
    await (await viewer()).close();
});
