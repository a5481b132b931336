// The watchdog with the real agent and a socket in systemd's place: it is fed while the agent lives, and not asked for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentProcess, kSmallCamera, tempFolder } from '../support/agent.mjs';
import { NotifySocket } from '../support/notify_socket.mjs';

async function withAgent(environment, use) {
    const folder = tempFolder();
    const notices = await NotifySocket.listen(folder.path);
    const agent = await AgentProcess.start([kSmallCamera], { NOTIFY_SOCKET: notices.path, ...environment });
    try {
        await use(agent, notices);
    } finally {
        await agent.remove();
        await notices.close();
        folder.remove();
    }
}

const fed = (notices) => notices.messages.filter((m) => m.WATCHDOG === '1').length;

test('systemd is fed three times in its interval, from the time on when the agent is ready', async () => {
    await withAgent({ WATCHDOG_USEC: '1500000' }, async (agent, notices) => {
        const begin = Date.now();
        await notices.message(() => fed(notices) >= 7);
        const each = (Date.now() - begin) / 6;
        console.log(`# fed every ${each.toFixed(0)} ms`);
        assert.ok(each < 1000, `twice in the interval at the least, not every ${each} ms`);
        assert.equal(notices.messages[0].READY, '1');
        await agent.stop();
        assert.equal(notices.messages.at(-1).STOPPING, '1');
        assert.doesNotMatch(agent.log, /stand still|cannot be ended/);
    });
});

test('an agent that is stopped feeds nobody, and does so again when it goes on', async () => {
    await withAgent({ WATCHDOG_USEC: '600000' }, async (agent, notices) => {
        await notices.message(() => fed(notices) >= 2);
        agent.signal('SIGSTOP');
        // What was under way when it stopped; then nothing more.
        await new Promise((done) => {
            setTimeout(done, 500);
        });
        const count = fed(notices);
        await new Promise((done) => {
            setTimeout(done, 2000);
        });
        assert.equal(fed(notices), count);
        agent.signal('SIGCONT');
        await notices.message(() => fed(notices) > count);
    });
});

test('where nobody asks for it nobody is fed', async () => {
    await withAgent({}, async (agent, notices) => {
        await notices.message((m) => m.READY === '1');
        await agent.stop();
        await notices.message((m) => m.STOPPING === '1');
        assert.equal(fed(notices), 0);
    });
});
