// Several hubs: uplinks of their own with places of their own, one uplink over several hubs, events on a connection of
// their own, several cameras on one, a name that does not resolve, and two boxes that say they are the same.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AgentProcess, tempFolder } from '../support/agent.mjs';
import { caughtUp, deliveredIds, newEvents, storedIds } from '../support/event_log.mjs';
import { compareEvents } from '../hub/store.mjs';
import { Hub } from '../hub/hub.mjs';
import { Peer } from '../support/peer.mjs';

const kToken = 'hub-secret';
const kCameras = ['door', 'yard'].map((id) => ({ id, source: 'test://faces?width=640&height=360&fps=10' }));

/** A hub with a store on disk; both go when the test does. */
async function startHub(folders, options = {}) {
    const folder = tempFolder();
    folders.push(folder);
    const hub = await Hub.listen({ token: kToken, store: folder.path, ...options });
    hub.folder = folder.path;
    return hub;
}

const opened = (hub) => hub.connections.filter(({ open, authenticated }) => open && authenticated);
const kindsOf = ({ messages }) => new Set(messages.map(({ type }) => type));
const purposesOf = (hubs) => hubs.flatMap(opened).map(({ auth }) => auth.purpose).sort();

/** What the agent says of an uplink's connections, once one satisfies `find`. */
async function uplinkOf(agent, name, find) {
    const peer = await Peer.connect(agent.streamUrl, agent.token);
    try {
        const found = ({ data }) => data?.uplinks?.find((uplink) => uplink.name === name && find(uplink));
        await peer.ask({ type: 'subscribe', topics: ['system'] });
        return found(await peer.message(found, 30_000));
    } finally {
        await peer.close();
    }
}

describe('two hubs of one uplink, a third with one of its own, and one that has no address', () => {
    const folders = [];
    let agent, pair, third;

    before(async () => {
        pair = [await startHub(folders), await startHub(folders)];
        third = await startHub(folders);
        agent = await AgentProcess.start({
            agent_id: 'box-7',
            log_level: 'debug',
            cameras: kCameras,
            uplinks: [
                { name: 'pair', urls: pair.map(({ url }) => url), token: kToken, separate_events: true, max_retry_s: 1,
                    start: ['door', 'yard'] },
                { name: 'third', url: third.url, token: kToken, max_retry_s: 1 },
                { name: 'nowhere', url: 'wss://hub.invalid/v1/stream', token: kToken, max_retry_s: 1 },
            ],
        });
    });
    after(async () => {
        await agent.remove();
        await Promise.all([...pair, third].map((hub) => hub.stop()));
        folders.forEach((folder) => folder.remove());
    });

    const judge = () => [...pair, third].forEach((hub) => {
        assert.deepEqual(hub.violations, []);
        assert.equal(hub.unplaced, 0);
    });
    const pairFolders = () => pair.map(({ folder }) => folder);

    test('events and video have a connection each, on a hub each', async () => {
        await Promise.all(pair.map((hub) => hub.until(() => opened(hub).length === 1, 'one connection a hub')));
        assert.deepEqual(purposesOf(pair), ['events', 'media']);
        const holder = pair.find((hub) => opened(hub)[0].auth.purpose === 'events');
        const [events] = opened(holder);
        const mediaHub = pair.find((hub) => hub !== holder);
        const [media] = opened(mediaHub);
        await mediaHub.until(() => [...media.media.channels.values()].length >= 2, 'both cameras on one connection');
        await newEvents(third, agent, 4);
        await caughtUp(holder, agent.log, [holder.folder], 'the connection for events');
        assert.ok(!kindsOf(media).has('face_detected'), 'no event beside the video');
        assert.equal([...events.media.channels.values()].length, 0, 'no video beside the events');
        judge();
    });

    test('each uplink has all events, whatever the other has', async () => {
        third.misbehave({ ack: 'never' });
        await newEvents(third, agent, 4);
        await caughtUp(third, agent.log, [third.folder], 'the third hub');
        await caughtUp(pair[0], agent.log, pairFolders(), 'the pair');
        third.misbehave({ ack: 'now' });
        const cameras = new Set(opened(third)[0].messages.filter(({ type }) => type === 'face_detected').map(({ data }) => data.camera_id));
        assert.deepEqual([...cameras].sort(), ['door', 'yard']);
        judge();
    });

    test('a name that does not resolve is told, tried again, and holds up no other uplink', async () => {
        const nowhere = await uplinkOf(agent, 'nowhere', ({ state, attempts }) => state === 'backing_off' && attempts >= 2);
        assert.match(nowhere.reason, /\w{3,}/);
        assert.ok(nowhere.retry_at > 1e9);
        for (const name of ['pair', 'third']) await uplinkOf(agent, name, ({ state }) => state === 'live');
    });

    test('when a hub of the pair goes, its connections move to the other and nothing is lost', async () => {
        const gone = pair.find((hub) => opened(hub)[0]?.auth.purpose === 'events');
        const stays = pair.find((hub) => hub !== gone);
        await gone.stop();
        await stays.until(() => opened(stays).length === 2, 'both connections at the hub that is left');
        assert.deepEqual(purposesOf([stays]), ['events', 'media']);
        await newEvents(third, agent, 4);
        await caughtUp(stays, agent.log, pairFolders(), 'the hub that is left');
        judge();
    });

    test('all in all: every uplink got what was stored, and nothing else', async (t) => {
        const stays = pair.find((hub) => opened(hub).length > 0);
        for (const [hub, stores] of [[third, [third.folder]], [stays, pairFolders()]]) {
            await caughtUp(hub, agent.log, stores, 'at last');
            const delivered = () => stores.flatMap(deliveredIds);
            // The log comes by another way than the event, and may be behind it.
            await hub.until(() => compareEvents(storedIds(agent.log), delivered()).unexpected.length === 0, 'nothing else');
            t.diagnostic(`${new Set(delivered()).size} events`);
        }
    });
});

describe('two boxes with the same name', () => {
    const folders = [];
    let hub, agents;

    before(async () => {
        hub = await startHub(folders, { probeMs: 1000 });
        const config = () => ({ agent_id: 'twin', log_level: 'debug', cameras: [],
            uplinks: [{ name: 'hub', url: hub.url, token: kToken, max_retry_s: 2 }] });
        agents = [await AgentProcess.start(config())];
        await hub.until(() => hub.live('twin'), 'the first');
        agents.push(await AgentProcess.start(config()));
    });
    after(async () => {
        agents.forEach((agent) => agent.signal('SIGCONT'));
        for (const agent of agents) await agent.remove();
        await hub.stop();
        folders.forEach((folder) => folder.remove());
    });

    test('the second is told of the conflict, says so, and leaves the first alone', async () => {
        const [first] = opened(hub);
        const uplink = await uplinkOf(agents[1], 'hub', ({ reason }) => /another|conflict/.test(reason ?? ''));
        assert.ok(['backing_off', 'rejected'].includes(uplink.state), uplink.state);
        assert.equal(hub.live('twin'), first);
    });

    test('a predecessor that is half dead gives way, and comes into the conflict when it wakes', async () => {
        const [first] = opened(hub);
        agents[0].signal('SIGSTOP');
        const second = await hub.until(() => opened(hub).find((connection) => connection !== first), 'the second');
        assert.notEqual(second.auth.instance, first.auth.instance);
        agents[0].signal('SIGCONT');
        await uplinkOf(agents[0], 'hub', ({ reason }) => /another|conflict/.test(reason ?? ''));
        assert.equal(hub.live('twin'), second);
    });

    test('a connection that was replaced (4409) is not fought for: the box says so, waits the maximum, and comes back', async () => {
        await agents[0].stop();
        const connection = hub.live('twin');
        const rejected = uplinkOf(agents[1], 'hub', ({ state, reason }) => state === 'rejected' && reason.includes('4409'));
        hub.close(4409);
        await rejected;
        await hub.until(() => hub.live('twin') && hub.live('twin') !== connection, 'the box again');
        assert.deepEqual(hub.violations, []);
    });
});
