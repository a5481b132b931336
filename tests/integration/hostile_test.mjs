// Strangers at the local server: bytes that are no WebSocket and no HTTP, floods, guessers, pages of other sites. Each is tried
// on the real program, as one who is signed in and as one who is not, while a viewer that may only look goes on looking.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pollAgainIn } from 'node:timers/promises';
import { AgentProcess, kSmallCamera } from '../support/agent.mjs';
import { Peer } from '../support/peer.mjs';
import { descriptorsOf, viewersPidOf } from '../support/processes.mjs';
import { parseMetrics, valueOf } from '../support/prometheus_text.mjs';
import { frame, handshake, RawSocket, request, text } from '../support/raw_socket.mjs';

const kPictures = 8;
const kStranger = '127.0.0.2';
const kGuesser = '127.0.0.3';
const kPollMs = 100;
const kFetchersSockets = 4; // fetch() keeps some open
let agent, viewer, ownDescriptors;

before(async () => {
    agent = await AgentProcess.start({ cameras: [{ ...kSmallCamera, vision: false }], log_level: 'debug' });
    viewer = await Peer.connect(agent.streamUrl, 'looker');
    await viewer.control('start', 'cam_123');
    ownDescriptors = descriptorsOf(viewersPidOf(agent));
});
after(async () => {
    await viewer?.close();
    const { code } = await agent.remove();
    assert.equal(code, 0, 'the program ends by itself, not by an abort');
});

/** So many more pictures come from now on. */
const looksOn = (pictures = kPictures) => {
    const until = viewer.frames.length + pictures;
    return viewer.until(() => viewer.frames.length >= until, `${pictures} more pictures`);
};

/** The attack and, from its begin on, pictures for the viewer; those do not wait for the attack's end. */
async function whileLooking(attack) {
    await Promise.all([attack(), looksOn()]);
    await looksOn(2);
    assert.equal(viewer.socket.readyState, viewer.socket.OPEN);
}

async function refused(reason) {
    const answer = await fetch(`${agent.pageUrl}metrics`);
    return valueOf(parseMetrics(await answer.text()), 'edgecam_refused_total', { reason });
}

/** The counter moves behind what it was; an end may be counted a moment after it is seen. */
async function countsMore(reason, than, by = 1) {
    for (let tries = 0; tries < 100; ++tries) {
        if (await refused(reason) >= than + by) return;
        await pollAgainIn(kPollMs);
    }
    assert.fail(`${reason}: ${await refused(reason)}, not ${than + by}`);
}

/** Every socket of a crowd is closed on the server's side too: a server that is still full makes room at the cost of who comes. */
async function crowdIsGone() {
    for (let tries = 0; descriptorsOf(viewersPidOf(agent)) > ownDescriptors + kFetchersSockets; ++tries) {
        assert.ok(tries < 300, 'the sockets of the crowd stay');
        await pollAgainIn(kPollMs);
    }
}

/** How each ends, by name. A few at a time: those who have not signed in have few places. */
async function endings(attacks, stream) {
    const codes = {};
    const waiting = Object.entries(attacks);
    await Promise.all(Array.from({ length: 12 }, async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
            const [name, bytes] = next;
            const raw = await stream();
            raw.send(bytes);
            codes[name] = await raw.closed(name);
        }
    }));
    return codes;
}

const closeFrame = (code, reason = '') => frame(0x88, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));
const expectAll = (codes, allowed) => {
    const wrong = Object.entries(codes).filter(([, code]) => !allowed.includes(code));
    assert.deepEqual(wrong, []);
};
const asKnown = () => RawSocket.stream(agent.port, { token: 'looker', from: kStranger });
const asNewcomer = () => RawSocket.stream(agent.port, { from: kStranger });

test('frames that are not RFC 6455 end the connection, with 1002 and nothing behind it', async () => {
    const attacks = {
        'text within a text': Buffer.concat([frame(0x01, '{'), frame(0x81, '}')]),
        'a continuation of nothing': frame(0x80, 'x'),
        'an empty one': frame(0x80),
        'one that is not the last': frame(0x00, 'x'),
        'a ping in fragments': frame(0x09, 'x'),
    };
    for (const bit of [0x40, 0x20, 0x10]) {
        for (const [what, first] of [['text', 0x81], ['ping', 0x89], ['continuation', 0x80]]) {
            attacks[`reserved bit ${bit}, ${what}`] = frame(first | bit, '{}');
        }
        attacks[`reserved bit ${bit}, empty`] = frame(0x81 | bit);
    }
    for (const opcode of [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf]) {
        attacks[`opcode ${opcode}`] = frame(0x80 | opcode, 'x');
        attacks[`opcode ${opcode}, empty`] = frame(0x80 | opcode);
    }
    await whileLooking(async () => {
        const before = await refused('framing');
        expectAll(await endings(attacks, asKnown), [1002]);
        expectAll(await endings(attacks, asNewcomer), [1002]);
        await countsMore('framing', before, 2 * Object.keys(attacks).length);
    });
});

test('control frames with a long length, and lengths beyond 63 bits, end it without a word', async () => {
    const attacks = {
        'ping of 126 bytes': frame(0x89, Buffer.alloc(126)),
        'pong of 126 bytes': frame(0x8a, Buffer.alloc(126)),
        'close of 126 bytes': frame(0x88, Buffer.alloc(126)),
        'ping whose length has 64 bits': frame(0x89, 'x', { width: 8 }),
        'length with its first bit': frame(0x81, 'x', { announced: 1n << 63n }),
    };
    await whileLooking(async () => {
        expectAll(await endings(attacks, asKnown), [1002, 1006]);
        expectAll(await endings(attacks, asNewcomer), [1002, 1006]);
    });
});

test('text that is not UTF-8 ends it with 1007, wherever it is cut', async () => {
    const attacks = {
        'a wrong second byte': frame(0x81, Buffer.from([0xc3, 0x28])),
        'over two fragments': Buffer.concat([frame(0x01, Buffer.from([0xc3])), frame(0x80, Buffer.from([0x28]))]),
        'an end in the middle': frame(0x81, Buffer.from([0x22, 0xc3])),
        'a surrogate': frame(0x81, Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])),
        'longer than needed': frame(0x81, Buffer.from([0x22, 0xc0, 0xaf, 0x22])),
    };
    await whileLooking(async () => {
        expectAll(await endings(attacks, asKnown), [1007]);
        expectAll(await endings(attacks, asNewcomer), [1007]);
    });
});

test('a close is answered and ends it; codes that no peer may send are answered with 1002', async () => {
    const bad = Object.fromEntries([0, 999, 1004, 1005, 1006, 1015, 1016, 2999].map((code) => [code, closeFrame(code)]));
    const good = Object.fromEntries([1000, 1001, 3000, 4999].map((code) => [code, closeFrame(code, 'bye')]));
    const odd = { 'one byte': frame(0x88, 'x'), 'a reason that is not UTF-8': closeFrame(1000, Buffer.from([0xc3, 0x28])),
        'data behind it': Buffer.concat([closeFrame(1000), text({ type: 'status', id: 7 })]),
        'another behind it': Buffer.concat([closeFrame(1000), closeFrame(1000)]) };
    await whileLooking(async () => {
        expectAll(await endings(bad, asKnown), [1002]);
        for (const [code, end] of Object.entries(await endings(good, asKnown))) assert.equal(end, Number(code));
        expectAll(await endings(odd, asKnown), [1000, 1002, 1005, 1006, 1007]);
    });
});

test('giant messages end it with 1009, before they are there', async () => {
    const attacks = {
        'a terabyte announced': frame(0x81, 'x'.repeat(5000), { announced: 1n << 40n }),
        '2^63 - 1 bytes announced': frame(0x81, 'x', { announced: (1n << 63n) - 1n }),
        'grown in fragments': Buffer.concat([frame(0x01, '['), ...Array.from({ length: 40 }, () => frame(0x00, ' '.repeat(30_000)))]),
    };
    await whileLooking(async () => {
        const before = await refused('message_size');
        expectAll(await endings(attacks, asKnown), [1009]);
        expectAll(await endings(attacks, asNewcomer), [1009, 4429]);
        await countsMore('message_size', before, 3);
    });
});

const kUnmasked = {
    'a message': frame(0x81, JSON.stringify({ type: 'heartbeat' }), { masked: false }),
    'an empty one': frame(0x81, '', { masked: false }),
    'an empty one in 16 bits': frame(0x81, '', { masked: false, width: 2 }),
    'an empty one in 64 bits': frame(0x81, '', { masked: false, width: 8 }),
    'a fragment': frame(0x01, '{', { masked: false }),
    'a ping': frame(0x89, 'x', { masked: false }),
    'a close': frame(0x88, Buffer.from([0x03, 0xe8]), { masked: false }),
};

test('a client that does not mask is closed at its first frame: 1002, and nothing of it is done', async () => {
    const attacks = { ...kUnmasked,
        'a right token': frame(0x81, JSON.stringify({ type: 'auth', token: 'looker', features: [] }), { masked: false }),
        'and many more behind it': Buffer.concat(Array.from({ length: 1000 }, () => kUnmasked['a message'])) };
    const withHeader = () => RawSocket.stream(agent.port, { from: kStranger, headers: { Authorization: 'Bearer looker' } });
    await whileLooking(async () => {
        const before = await refused('framing');
        expectAll(await endings(attacks, asNewcomer), [1002]);
        expectAll(await endings(attacks, withHeader), [1002]);
        await countsMore('framing', before, 2 * Object.keys(attacks).length);
    });
});

test('a head that comes byte by byte is waited for', async () => {
    await whileLooking(async () => {
        const [raw, other] = [await asNewcomer(), await asNewcomer()];
        for (const [socket, bytes] of [[raw, text({ type: 'auth', token: 'looker', features: [] })], [other, kUnmasked['a message']]]) {
            socket.send(bytes.subarray(0, 1));
            await pollAgainIn(kPollMs);
            socket.send(bytes.subarray(1, 2));
            await pollAgainIn(kPollMs);
            socket.send(bytes.subarray(2));
        }
        assert.match(await raw.says('"authenticated"'), /"authenticated"/);
        raw.drop();
        assert.equal(await other.closed(), 1002);
    });
});

test('known and without harm (docs/security.md): a later frame without a mask, a length longer than needed', async () => {
    await whileLooking(async () => {
        const odd = { ...kUnmasked, 'a length longer than needed': frame(0x81, JSON.stringify({ type: 'heartbeat' }), { width: 8 }) };
        delete odd['a close'];
        delete odd['a fragment'];
        for (const [name, bytes] of Object.entries(odd)) {
            const raw = await asKnown();
            raw.forget();
            raw.send(bytes);
            raw.send(text({ type: 'heartbeat', id: 4711 }));
            // Should a newer library close it: all the better.
            assert.ok((await raw.says('4711')).includes('4711') || [1002, 1006].includes(await raw.closed()), name);
            raw.drop();
        }
    });
});

test('floods of pings, empty fragments, messages and nonsense are cut: 4429 and 4400', async () => {
    const many = (bytes, count) => Buffer.concat(Array.from({ length: count }, () => bytes));
    // Far beyond what may come, since a slow machine reads slowly.
    const pings = many(frame(0x89, 'p'.repeat(125)), 100_000);
    const fragments = Buffer.concat([frame(0x01), many(frame(0x00), 100_000)]);
    const heartbeats = many(text({ type: 'heartbeat' }), 2500);
    await whileLooking(async () => {
        const bytes = await refused('byte_rate');
        const messages = await refused('message_rate');
        for (const stream of [asKnown, asNewcomer]) {
            // Who still writes when the reset comes may never read the close frame before it.
            expectAll(await endings({ a: pings, b: pings, c: fragments, d: fragments }, stream), [4429, 1006]);
        }
        await countsMore('byte_rate', bytes, 4);
        expectAll(await endings({ heartbeats }, asKnown), [4429]);
        await countsMore('message_rate', messages, 5);
        const bad = await refused('bad_messages');
        expectAll(await endings({ nonsense: many(frame(0x81, 'nonsense'), 30) }, asKnown), [4400]);
        expectAll(await endings({ nonsense: many(frame(0x81, 'nonsense'), 30) }, asNewcomer), [4400]);
        await countsMore('bad_messages', bad, 2);
    });
});

test('compression is never agreed to, whatever is offered', async () => {
    await whileLooking(async () => {
        for (const offer of ['permessage-deflate', 'permessage-deflate; client_max_window_bits; server_no_context_takeover',
            'permessage-deflate; server_max_window_bits=8, x-webkit-deflate-frame', 'permessage-bzip2']) {
            const raw = await RawSocket.stream(agent.port, { from: kStranger, headers: { 'Sec-WebSocket-Extensions': offer } });
            assert.match(raw.answer, /^HTTP\/1\.1 101 /);
            assert.doesNotMatch(raw.answer, /sec-websocket-extensions/i);
            raw.send(frame(0xc1, Buffer.from([0xaa, 0x56, 0x2a, 0xa9, 0x2c, 0x48, 0x55, 0xb2, 0x52, 0x50, 0x2a])));
            assert.equal(await raw.closed(), 1002);
        }
    });
});

test('requests that are no honest HTTP/1.1 get at most one answer, and it ends', async () => {
    const local = { Host: '127.0.0.1' };
    const inner = request('GET /healthz HTTP/1.1', local);
    const attacks = {
        'HTTP/2 by prior knowledge': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^(HTTP\/1\.. 403|$)/],
        'HTTP/2 by upgrade': [request('GET / HTTP/1.1', { ...local, Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c',
            'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA' }), /^$/],
        'an upgrade to both': [handshake({ Upgrade: 'h2c, websocket' }), /^(HTTP\/1\.. 40|$)/],
        'another version of the WebSocket': [handshake({ 'Sec-WebSocket-Version': '8' }), /^HTTP\/1\.1 426 [^]*\r\nSec-WebSocket-Version: 13\r\n/],
        'a WebSocket without a key': [handshake().replace(/Sec-WebSocket-Key: .*\r\n/, ''), /^$/],
        'a WebSocket by POST': [handshake({}, 'POST /v1/stream HTTP/1.1'), /^HTTP\/1\.1 40/],
        'a megabyte of headers': [request('GET / HTTP/1.1', { ...local, 'X-Long': Array(1000).fill('a'.repeat(1000)).join('\r\nX-More: ') }), /^$/],
        'one header of a megabyte': [request('GET / HTTP/1.1', { ...local, 'X-Long': 'a'.repeat(1_000_000) }), /^$/],
        'an address of 20 KB': [request(`GET /${'a'.repeat(20_000)} HTTP/1.1`, local), /^$/],
        'two lengths': [`${request('POST /healthz HTTP/1.1', { ...local, 'Content-Length': '4\r\nContent-Length: 5' })}abcd${inner}`, /^HTTP\/1\.1 400/],
        'length and chunks': [`${request('GET / HTTP/1.1', { ...local, 'Content-Length': 5, 'Transfer-Encoding': 'chunked' })}0\r\n\r\n${inner}`, /^HTTP\/1\.1 400/],
        'a request within a body': [`${request('GET / HTTP/1.1', { ...local, 'Content-Length': inner.length })}${inner}`, /^HTTP\/1\.1 400/],
        'a negative length': [`${request('GET /healthz HTTP/1.1', { ...local, 'Content-Length': -1 })}${inner}`, /^HTTP\/1\.1 400/],
        'a body without an end': [request('POST /healthz HTTP/1.1', { ...local, 'Content-Length': 1e12 }) + 'a'.repeat(100_000), /^HTTP\/1\.1 400/],
        'two hosts': [request('GET /healthz HTTP/1.1', { Host: '127.0.0.1\r\nHost: evil.example' }), /^HTTP\/1\.1 403/],
        'no host': [request('GET /healthz HTTP/1.1'), /^HTTP\/1\.1 403/],
        'a space before the colon': [request('GET /healthz HTTP/1.1', { 'Host ': '127.0.0.1' }), /^HTTP\/1\.1 403/],
        'an absolute address': [request('GET http://evil.example/healthz HTTP/1.1', local), /^HTTP\/1\.. 40/],
        'a tunnel': [`${request('CONNECT evil.example:80 HTTP/1.1', local)}hello`, /^(?!HTTP\/1\.. 2)/],
        'TLS where there is none': [Buffer.from('16030100c8010000c40303', 'hex'), /^(HTTP\/1\.. 40|$)/],
        'noise': [Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 + (i >> 5)) & 0xff)), /^(HTTP\/1\.. 40|$)/],
    };
    await whileLooking(async () => {
        for (const [name, [bytes, expected]] of Object.entries(attacks)) {
            const raw = await RawSocket.open(agent.port, kStranger);
            raw.send(bytes);
            const answer = await raw.whole(name);
            assert.match(answer, expected, name);
            assert.ok((answer.match(/HTTP\/1\.\d \d\d\d/g) ?? []).length <= 1, `${name}: ${answer}`);
            assert.doesNotMatch(answer, /"status"/, name);
        }
    });
});

/** The same numbers in every run: mulberry32. */
function chances(seed) {
    let state = seed;
    return (below) => {
        state = (state + 0x6d2b79f5) | 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) % below;
    };
}

/** An honest beginning with a few bytes changed, left out, doubled, or put in. */
function mutated(bytes, chance) {
    let result = bytes;
    for (let changes = 1 + chance(6); changes > 0; --changes) {
        const at = chance(result.length);
        const until = Math.min(result.length, at + 1 + chance(40));
        const parts = {
            0: [result.subarray(0, at), Buffer.from([chance(256)]), result.subarray(at + 1)],
            1: [result.subarray(0, at), result.subarray(until)],
            2: [result.subarray(0, until), result.subarray(at)],
            3: [result.subarray(0, at), Buffer.from(Array.from({ length: chance(20) }, () => chance(256))), result.subarray(at)],
        }[chance(4)];
        result = Buffer.concat(parts);
    }
    return result;
}

test('thousands of mutations of honest conversations neither end the program nor disturb the viewer', async () => {
    const say = (...messages) => Buffer.concat([Buffer.from(handshake()), ...messages]);
    const auth = text({ type: 'auth', token: 'looker', features: ['deflate'], id: 1 });
    const honest = [
        say(auth, text({ type: 'stream_control', action: 'start', camera_id: 'cam_123', id: 2 }), frame(0x89, 'ping'), closeFrame(1000, 'bye')),
        say(auth, frame(0x01, '{"type":'), frame(0x89, 'x'), frame(0x00, '"heartbeat"'), frame(0x80, ',"id":3}'), frame(0x8a, 'x')),
        say(frame(0x81, 'x'.repeat(300)), frame(0x82, Buffer.alloc(70_000)), frame(0x88)),
        Buffer.from(handshake({ Authorization: 'Bearer looker', Origin: 'http://127.0.0.1', 'Sec-WebSocket-Protocol': 'edgecam.v1',
            'Sec-WebSocket-Extensions': 'permessage-deflate', Cookie: 'a=b; c="d"', 'X-Forwarded-For': '198.51.100.1' })),
        ...['GET / HTTP/1.1', 'HEAD /main.js?a=b&c=%41 HTTP/1.1', 'GET /v1/%2e%2e/x HTTP/1.0', 'POST /metrics HTTP/1.1'].map((line) =>
            Buffer.from(`${request(line, { Host: '127.0.0.1', Connection: 'keep-alive', 'Content-Length': 3, Range: 'bytes=0-1', Authorization: 'Bearer x' })}abc`)),
    ];
    const chance = chances(Number(process.env.EDGECAM_SEED ?? 1));
    let left = Number(process.env.EDGECAM_MUTATIONS ?? 3000);
    await whileLooking(() => Promise.all(Array.from({ length: 16 }, async () => {
        while (left-- > 0) {
            const raw = await RawSocket.open(agent.port, `127.3.0.${1 + chance(250)}`);
            const bytes = mutated(honest[chance(honest.length)], chance);
            const cut = chance(bytes.length);
            raw.send(bytes.subarray(0, cut));
            if (chance(4) === 0) await new Promise((done) => { setImmediate(done); });
            raw.send(bytes.subarray(cut));
            await Promise.race([raw.whole().catch(() => {}), pollAgainIn(chance(30))]);
            raw.drop();
        }
    })));
});

/**
 * Keeps so many connections that send a header byte by byte, whoever closes them; `stop()` ends it. Ten times a second up to
 * `perTurn` of those that were closed come again.
 */
function slowLoris(count, addressOf, perTurn) {
    const begun = 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ';
    const open = new Set();
    let opened = 0;
    let failed = 0;
    const turn = (most) => {
        for (const raw of open) {
            raw.send('a');
            if (raw.ended) open.delete(raw);
        }
        for (let missing = Math.min(count - open.size, most); missing > 0; --missing) {
            RawSocket.open(agent.port, addressOf(opened++)).then((raw) => {
                open.add(raw);
                raw.send(begun);
            }, () => { ++failed; });
        }
    };
    const timer = setInterval(turn, kPollMs, perTurn);
    turn(count);
    return { opened: () => opened - failed, stop: () => {
        clearInterval(timer);
        open.forEach((raw) => raw.drop());
    } };
}

// Whoever has very many addresses and connects faster than a client's request takes to come could push that out.
for (const [what, addressOf, perTurn, enough] of [['one address', () => kStranger, 600, 5000],
    ['as many addresses', (n) => `127.1.${(n >> 7) & 0x7f}.${1 + (n & 0x7f)}`, 40, 1200]]) {
    test(`600 connections from ${what} that never finish their header keep nobody out`, async () => {
        const before = await refused('idle_sockets');
        const loris = slowLoris(600, addressOf, perTurn);
        try {
            await whileLooking(async () => {
                while (loris.opened() < enough) await pollAgainIn(kPollMs);
                for (let asked = 0; asked < 5; ++asked) {
                    assert.equal((await fetch(`${agent.pageUrl}healthz`)).status, 200);
                }
                const late = await Peer.connect(agent.streamUrl, 'looker');
                await late.control('start', 'cam_123');
                await late.until(() => late.frames.length >= kPictures, 'pictures for one who comes meanwhile');
                await late.close();
            });
        } finally {
            loris.stop();
        }
        await countsMore('idle_sockets', before, 100);
        await crowdIsGone();
    });
}

test('a crowd that never says who it is, and one that is told to go and stays, keep nobody out', async () => {
    await whileLooking(async () => {
        const before = await refused('newcomers');
        const crowd = [];
        for (let round = 0; round < 4; ++round) {
            crowd.push(...await Promise.all(Array.from({ length: 100 }, (_, n) => RawSocket.stream(agent.port, { from: `127.2.${round}.${1 + n}` }))));
            crowd.slice(-100).forEach((raw) => raw.send(text({ type: 'auth', token: 'guess' })));
            const late = await Peer.connect(agent.streamUrl, 'looker');
            await late.close();
        }
        crowd.forEach((raw) => raw.drop());
        await countsMore('newcomers', before, 30);
    });
    await crowdIsGone();
});

test('who guesses tokens is not listened to any more, others of the house and elsewhere are', async () => {
    const { port } = agent;
    const known = await RawSocket.stream(port, { token: 'looker', from: kGuesser });
    const ask = async (path, token, from = kGuesser) => {
        const raw = await RawSocket.open(port, from);
        raw.send(request(`GET ${path} HTTP/1.1`, { Host: '127.0.0.1', Authorization: `Bearer ${token}`, Connection: 'close' }));
        return raw.whole();
    };
    const code = async (token) => {
        const raw = await RawSocket.stream(port, { from: kGuesser });
        raw.send(text({ type: 'auth', token }));
        return raw.closed();
    };
    await whileLooking(async () => {
        const [wrong, unheard] = [await refused('wrong_token'), await refused('token_rate')];
        const codes = await Promise.all(Array.from({ length: 20 }, (_, n) => code(`hunter-${n}`)));
        assert.ok(codes.filter((one) => one === 4401).length >= 10 && codes.includes(4429), `${codes}`);
        // Refilled by time alone: every try that was left is used up first.
        while (await code('hunter-2') !== 4429);
        assert.equal(await code('looker'), 4429);
        const answer = await ask('/metrics', 'looker');
        assert.match(answer, /^HTTP\/1\.1 429 Too Many Requests\r\n/);
        assert.match(answer, /\r\nRetry-After: [1-7]\r\n/);
        const bearer = await RawSocket.open(port, kGuesser);
        bearer.send(handshake({ Authorization: 'Bearer looker' }));
        assert.match(await bearer.whole(), /^HTTP\/1\.1 429 /);
        await countsMore('wrong_token', wrong, 10);
        await countsMore('token_rate', unheard, 4);
        assert.match(await ask('/metrics', 'looker', kStranger), /^HTTP\/1\.1 200 /);
        known.forget();
        known.send(text({ type: 'heartbeat', id: 4711 }));
        assert.match(await known.says('4711'), /4711/);
        (await RawSocket.stream(port, { token: 'looker', from: kStranger })).drop();
    });
    known.drop();
    assert.match(agent.log, /too many wrong tokens from 127\.0\.0\.3:/);
    assert.doesNotMatch(agent.log, /hunter-|looker/, 'a log holds no token, right or wrong');
});

test('a foreign page with the right token gets no WebSocket, and a foreign name of our address nothing at all', async () => {
    await whileLooking(async () => {
        const [origins, hosts] = [await refused('origin'), await refused('host')];
        const head = async (headers, line) => {
            const raw = await RawSocket.open(agent.port, kStranger);
            raw.send(handshake({ Authorization: 'Bearer secret', ...headers }, line));
            const answer = await raw.says('\r\n\r\n');
            raw.drop();
            return answer.slice(9, 12);
        };
        const foreign = ['http://evil.example', 'http://127.0.0.1:81', `http://127.0.0.1.evil.example`, 'http://127.0.0.1@evil.example', 'null',
            'http://127.0.0.1\r\nOrigin: http://evil.example', 'file://'];
        for (const Origin of foreign) assert.equal(await head({ Origin }), '403', Origin);
        await countsMore('origin', origins, foreign.length);
        const names = ['evil.example', `evil.example:${agent.port}`, '127.0.0.1.evil.example', 'localhost.evil.example', 'evil.example\r\nX-Forwarded-Host: 127.0.0.1'];
        for (const Host of names) {
            assert.equal(await head({ Host }), '403', Host);
            assert.equal(await head({ Host, Origin: `http://${Host}` }), '403', `${Host} and its own page`);
            for (const path of ['/', '/healthz', '/metrics', '/main.js']) {
                const raw = await RawSocket.open(agent.port, kStranger);
                raw.send(request(`GET ${path} HTTP/1.1`, { Host, Connection: 'close' }));
                assert.match(await raw.whole(), /^HTTP\/1\.1 403 /, `${Host}${path}`);
            }
        }
        await countsMore('host', hosts, 6 * names.length);
        assert.equal(await head({ Origin: 'http://127.0.0.1' }), '101');
        assert.equal(await head({}), '101');
    });
});
