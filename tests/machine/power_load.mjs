// Keeps the box at work until its power is pulled: waits until it came up and some events are on disk, and tells the host so,
// which ends the machine a moment later (tests/machine/run). What is on disk, by the agent's own log, is written down on the
// host's disk. In every other round the hub is there too, and takes the events.
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { storedIds } from '../support/event_log.mjs';
import { listen } from './hub_side.mjs';

const kNewEvents = 6;
const round = Number(readFileSync('/host/round', 'utf8'));

/** What was seen of this boot; times are seconds since the kernel began. */
const boot = { round, hub: round % 2 === 1, stored: 0 };

function take({ MESSAGE: text, __MONOTONIC_TIMESTAMP: monotonic, UNIT: unit }) {
    if (typeof text !== 'string') return;
    const at = Number(monotonic) / 1e6;
    if (unit === 'edgecam.service' && /^Started/.test(text)) boot.readyS = at;
    if (/^counter: live/.test(text)) boot.firstPictureS ??= at;
    boot.journal ??= text.match(/^events are kept in journal (\S+)/)?.[1];
    for (const id of storedIds(text)) {
        appendFileSync('/host/stored.log', `${id}\n`);
        boot.stored++;
    }
    if (boot.told || boot.stored < kNewEvents || !boot.readyS || !boot.firstPictureS || !boot.journal) return;
    boot.told = true;
    appendFileSync('/host/boots.log', `${JSON.stringify(boot)}\n`);
    writeFileSync('/host/pull', 'now');
}

if (boot.hub) await listen();
// As soon as a line is there: a program that asks again and again costs an emulated machine more than all that it watches.
const log = spawn('journalctl', ['-b', '-u', 'edgecam', '-f', '-n', 'all', '-o', 'json'], { stdio: ['ignore', 'pipe', 'inherit'] });
createInterface({ input: log.stdout }).on('line', (line) => take(JSON.parse(line)));
