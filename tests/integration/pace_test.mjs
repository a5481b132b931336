// Looking for faces gives way where the config's budget of processor time is used up, and says so; video goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentProcess, kSmallCamera, withoutAgent } from '../support/agent.mjs';
import { Peer } from '../support/peer.mjs';

test('faces are looked for as often and in as large pictures as video leaves room for, and what that is is said', { skip: withoutAgent }, async () => {
    const agent = await AgentProcess.start({
        cameras: [kSmallCamera], vision: { rate_hz: 10, cpu_budget_percent: 1 }, server: { tokens: [] },
    });
    try {
        const token = new URL(agent.printedUrl).hash.replace('#token=', '');
        const peer = await Peer.connect(agent.streamUrl, token);
        await peer.control('start', kSmallCamera.id);
        // More than all of the budget is video. A machine whose threads wait for a processor takes a step before.
        const slowed = await peer.message(
            (m) => m.type === 'stream_status' && m.data.analysis?.rate_hz === 0.2 && m.data.streaming, 30_000);
        assert.deepEqual([slowed.data.analysis.width, slowed.data.analysis.height], [320, 180]);
        assert.match(slowed.data.analysis.reason, /^video takes \d+ % of a processor core, of the 1 % that the config gives the agent$/);
        assert.equal(slowed.data.state, 'live');
        await agent.logs(/faces are looked for (only )?0\.2 times a second and camera, in pictures of 320x180: video takes/);
        const page = await (await fetch(`${agent.pageUrl}metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
        assert.match(page, /edgecam_vision_rate_hertz\{camera="cam_123"\} 0\.2/);
        assert.match(page, /edgecam_vision_width_pixels\{camera="cam_123"\} 320/);
        assert.match(page, /edgecam_vision_processor_seconds_total\{camera="cam_123"\} (0\.\d*[1-9]|[1-9])/);
        await peer.close();
    } finally {
        await agent.remove();
    }
});
