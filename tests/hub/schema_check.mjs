// Checks text messages against docs/protocol/*.schema.json (JSON Schema draft-04).
import { readFileSync } from 'node:fs';
import Ajv from 'ajv-draft-04';

const folder = new URL('../../docs/protocol/', import.meta.url);
const ajv = new Ajv({ strict: false });
for (const name of ['message', 'request']) {
    ajv.addSchema(JSON.parse(readFileSync(new URL(`${name}.schema.json`, folder), 'utf8')), name);
}

/** The definition that a message of the agent must keep to, by its type (and event). */
function definitionOf({ type, event }) {
    if (type === 'system') return `system_${event}`;
    return ['metrics', 'analytics', 'sessions'].includes(type) ? 'report' : type;
}

function complaint(name, value, definition) {
    const whole = ajv.getSchema(name);
    if (whole(value)) return undefined;
    // `anyOf` complains of every alternative; that of the type alone says what is wrong.
    const one = definition && ajv.getSchema(`${name}#/definitions/${definition}`);
    const errors = one && !one(value) ? one.errors : whole.errors;
    return ajv.errorsText(errors.slice(0, 1), { dataVar: 'message' });
}

/** What is wrong with a message from an agent; undefined when nothing is. */
export const messageComplaint = (message) => complaint('message', message, definitionOf(message ?? {}));

/** What is wrong with a message from a hub; undefined when nothing is. */
export const requestComplaint = (request) => complaint('request', request);
