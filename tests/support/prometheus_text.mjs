// A small reader of Prometheus' text format (version 0.0.4), strict enough to catch what a scraper would refuse.
import assert from 'node:assert/strict';

const kName = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const kSample = new RegExp(`^(${kName})(?:\\{(.*)\\})? (\\S+)$`);
const kLabel = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

function parseLabels(text) {
    const labels = {};
    kLabel.lastIndex = 0;
    while (kLabel.lastIndex < text.length) {
        const match = kLabel.exec(text);
        assert.ok(match, `labels: ${text}`);
        assert.ok(!(match[1] in labels), `a label twice: ${text}`);
        labels[match[1]] = match[2];
    }
    return labels;
}

/**
 * @param {string} text of /metrics
 * @returns {Map<string, {type: string, help: string, samples: Array<{labels: object, value: number}>}>}
 */
export function parseMetrics(text) {
    assert.ok(text.endsWith('\n'), 'the last line ends');
    const families = new Map();
    const seen = new Set();
    for (const line of text.trimEnd().split('\n')) {
        const comment = line.match(new RegExp(`^# (HELP|TYPE) (${kName}) (.+)$`));
        if (comment) {
            const [, what, name, rest] = comment;
            const family = families.get(name) ?? { samples: [] };
            assert.ok(!(what.toLowerCase() in family), `${what} twice: ${name}`);
            assert.equal(family.samples.length, 0, `${what} after samples: ${name}`);
            family[what.toLowerCase()] = rest;
            families.set(name, family);
            continue;
        }
        const sample = line.match(kSample);
        assert.ok(sample, `neither comment nor sample: ${line}`);
        const [, name, labels = '', value] = sample;
        const part = name.match(/^(.*)_(?:bucket|sum|count)$/);
        const histogram = part && families.get(part[1])?.type === 'histogram' ? families.get(part[1]) : null;
        if (histogram && !families.has(name)) families.set(name, { ...histogram, samples: [] });
        const family = families.get(name);
        assert.ok(family?.help && family?.type, `no HELP and TYPE before ${line}`);
        assert.ok(!Number.isNaN(Number(value)), line);
        assert.ok(!seen.has(`${name}{${labels}}`), `twice: ${line}`);
        seen.add(`${name}{${labels}}`);
        if (family.type === 'counter') assert.match(name, /_total$/);
        family.samples.push({ labels: parseLabels(labels), value: Number(value) });
    }
    return families;
}

/** The value of the one sample whose labels include `labels`; undefined when there is none. */
export function valueOf(families, name, labels = {}) {
    const found = (families.get(name)?.samples ?? []).filter((sample) =>
        Object.entries(labels).every(([key, value]) => sample.labels[key] === value));
    assert.ok(found.length <= 1, `${found.length} samples of ${name} with ${JSON.stringify(labels)}`);
    return found[0]?.value;
}
