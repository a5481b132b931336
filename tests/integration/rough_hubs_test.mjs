// Hubs that do what no hub should: one that sends the agent elsewhere, one that never answers, one that stops reading, one
// that is not ready yet. Each is told apart in the agent's status, and each gets everything once it behaves.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AgentProcess, tempFolder, withoutAgent } from '../support/agent.mjs';
import { caughtUp, newEvents } from '../support/event_log.mjs';
import { Hub } from '../hub/hub.mjs';
import { Peer } from '../support/peer.mjs';

const kAuthWithinMs = 10_000;
const kDeadWithinMs = 25_000;
const kMarginMs = 20_000;

/** What each does wrong, how the agent tells it, with which state, and how long that may take. */
const kRough = {
    redirects: { does: { handshake: { status: 302, location: 'ws://127.0.0.1:1/elsewhere' } }, told: /302|redirect/i },
    overloaded: { does: { handshake: { status: 503, retry_after_s: 1 } }, told: /503/ },
    silent: { does: { accept: 'never' }, told: /4408/, afterMs: kAuthWithinMs },
    refuses: { does: { refuse: 4403 }, told: /4403/, state: 'rejected' },
    deaf: { does: { pause: true }, told: /nothing was heard of the hub for 2\d s/, afterMs: kDeadWithinMs },
};

describe('rough hubs', { skip: withoutAgent, concurrency: true }, () => {
    const hubs = {}, stores = {};
    let agent, peer;
    const names = Object.keys(kRough);
    /** Whether the log has it: the status skips what lasts less than a second. */
    const lastState = (name, state, told) => agent.log.split('\n')
        .some((line) => line.includes(`uplink: ${name} `) && line.includes(`: ${state}: `) && told.test(line));
    const uplinkOf = ({ data }, name) => data?.uplinks?.find((uplink) => uplink.name === name);

    before(async () => {
        for (const name of names) {
            stores[name] = tempFolder();
            hubs[name] = await Hub.listen({ token: 'hub-secret', store: stores[name].path, misbehave: kRough[name].does });
        }
        agent = await AgentProcess.start({
            agent_id: 'box-7',
            log_level: 'debug',
            cameras: [{ id: 'cam_123', source: 'test://faces?width=640&height=360&fps=10' }],
            uplinks: names.map((name) => ({ name, url: hubs[name].url, token: 'hub-secret', max_retry_s: 1,
                start: name === 'deaf' ? ['cam_123'] : [] })),
        });
        peer = await Peer.connect(agent.streamUrl, agent.token);
        await peer.ask({ type: 'subscribe', topics: ['system'] });
    });
    after(async () => {
        await peer?.close();
        await agent?.remove();
        for (const name of names) {
            await hubs[name].stop();
            stores[name].remove();
        }
    });

    for (const [name, { told, state = 'backing_off', afterMs = 0 }] of Object.entries(kRough)) {
        test(`a hub that ${name === 'redirects' || name === 'refuses' ? name : `is ${name}`}`, async () => {
            const hub = hubs[name];
            await hub.until(() => lastState(name, state, told), `${state} for ${told}`, afterMs + kMarginMs);
            hub.misbehave({ handshake: null, accept: 'now', refuse: null, pause: false });
            await hub.until(() => hub.live('box-7'), 'the agent', kMarginMs);
            await peer.message((message) => uplinkOf(message, name)?.state === 'live', kMarginMs);
            await newEvents(hub, agent, 2);
            await caughtUp(hub, agent.log, [stores[name].path], name);
            assert.deepEqual(hub.violations, []);
            assert.equal(hub.unplaced, 0);
        });
    }
});
