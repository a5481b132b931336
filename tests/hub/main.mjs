// The hub as a program. Prints one JSON line for each thing that happens, takes commands as JSON lines. See README.md.
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Hub } from './hub.mjs';
import { parseMisbehaviour } from './misbehaviour.mjs';

const kUsage = `node tests/hub/main.mjs [OPTION...]
  --host ADDRESS        listen here, default 127.0.0.1
  --port N              default 0: any, printed as {"event":"listening","port":N}
  --token TOKEN         what agents must say, default "secret"
  --store DIR           keep durable events here, and know what lies there; default: in memory
  --record DIR          write media payloads here
  --cert FILE --key FILE  serve wss
  --features LIST       default "ack"; "ack,deflate" takes deflated batches, "ack,media_ack" tells
                        when pictures come, "" none
  --subscriptions JSON  by topic, instead of the agent's default
  --misbehave NAME=VALUE  any number of: ack=never ack={"late_ms":500} ack={"every":50,"within_ms":200} accept=never
                        accept=MS plain handshake={"status":302,"location":"ws://..."} handshake={"status":503}
                        refuse=4401 garbage=bad_json close_after=N close_within_ms=[FROM,TO] pause foreign_journal
  --quiet               no lines for single messages, payloads, events and acks
  --until-eof           end when stdin does
Ends on SIGTERM, SIGINT or {"do":"stop"}, with a summary line. Exit status: 0, 1 after violations of the contract.
`;
const kQuiet = new Set(['message', 'payload', 'stored', 'duplicate', 'acked']);

const kOptions = {
    host: { type: 'string' }, port: { type: 'string' }, token: { type: 'string' }, store: { type: 'string' },
    record: { type: 'string' }, cert: { type: 'string' }, key: { type: 'string' }, features: { type: 'string' },
    subscriptions: { type: 'string' }, misbehave: { type: 'string', multiple: true }, quiet: { type: 'boolean' },
    'until-eof': { type: 'boolean' }, help: { type: 'boolean', short: 'h' },
};

function readArguments() {
    const { values } = parseArgs({ options: kOptions });
    const { host, port, token, store, record, cert, key, features, subscriptions, misbehave = [], ...rest } = values;
    const given = {
        host, token, store, record,
        port: port && Number(port),
        tls: cert && { cert, key },
        features: features?.split(',').filter(Boolean),
        subscriptions: subscriptions && JSON.parse(subscriptions),
        misbehave: Object.assign({}, ...misbehave.map(parseMisbehaviour)),
    };
    return { ...rest, options: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Commands on stdin: {"do": NAME, ...}. */
const kCommands = {
    ask: async (hub, { request, agent, within_ms: withinMs, tag }) => {
        const { answer, roundTripMs } = await hub.ask(request, { agent, withinMs });
        print({ event: 'answer', tag, round_trip_ms: Math.round(roundTripMs * 1000) / 1000, answer });
    },
    send: (hub, { message, agent }) => hub.send(message, { agent }),
    misbehave: (hub, { do: _, ...changes }) => hub.misbehave(changes),
    garbage: (hub, { kind }) => hub.garbage(kind),
    cut: (hub) => hub.cut(),
    close: (hub, { code, reason }) => hub.close(code, reason),
    going_away: (hub, { retry_after_s: seconds }) => hub.goingAway(seconds),
    forget: (hub) => hub.forget(),
    summary: (hub) => print({ event: 'summary', ...hub.summary() }),
    stop: (hub) => stop(hub),
};

async function obey(hub, line) {
    try {
        const command = JSON.parse(line);
        if (!Object.hasOwn(kCommands, command.do)) throw new Error(`commands are ${Object.keys(kCommands).join(', ')}`);
        await kCommands[command.do](hub, command);
    } catch (error) {
        print({ event: 'failed', command: line, text: error.message });
    }
}

let stopping = false;
async function stop(hub) {
    if (stopping) return;
    stopping = true;
    await hub.stop();
    print({ event: 'summary', ...hub.summary() });
    process.exitCode = hub.violationCount === 0 ? 0 : 1;
    process.stdin.destroy();
}

async function main() {
    const { help, quiet, 'until-eof': untilEof, options } = readArguments();
    if (help) return process.stdout.write(kUsage);
    const hub = await Hub.listen(options);
    print({ event: 'listening', port: hub.port, url: hub.url });
    hub.on('event', (event) => { if (!quiet || !kQuiet.has(event.event)) print(event); });
    const commands = createInterface({ input: process.stdin });
    commands.on('line', (line) => { if (line.trim()) obey(hub, line); });
    if (untilEof) commands.on('close', () => stop(hub));
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => stop(hub));
    return undefined;
}

main().catch((error) => {
    process.stderr.write(`${error.message}\n${kUsage}`);
    process.exitCode = 64;
});
