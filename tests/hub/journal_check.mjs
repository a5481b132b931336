// The order of durable events, as a hub can see it: which of the contract's rules an event or a gap breaks, given where
// the hub is in that journal (Store.position). Pure: no socket, no clock.

/**
 * @param {{last: ?number, covered: ?number}} position before the event
 * @param {{seq: number, prev_seq: ?number}} event not seen before
 * @returns {[rule: string, text: string][]}
 */
export function eventTroubles({ last, covered }, { seq, prev_seq: previous = null }) {
    const troubles = [];
    if (covered !== null && seq <= covered) {
        troubles.push(seq > (last ?? 0)
            ? ['seq_in_gap', `${seq} was given up by a gap up to ${covered}`]
            : ['seq_order', `${seq} for the first time, after ${last}`]);
        return troubles;
    }
    if (previous !== null && previous >= seq) troubles.push(['prev_seq', `prev_seq ${previous} of ${seq}`]);
    // A hub that knows nothing of the journal (new, or it forgot) takes the chain up where it is.
    else if (covered !== null && previous !== last && previous !== covered) {
        const known = last === covered ? `${last}` : `${last}, and a gap up to ${covered}`;
        troubles.push(['prev_seq', `prev_seq ${previous} of ${seq}, but the one before it here is ${known}`]);
    }
    return troubles;
}

/**
 * @param {?number} ackedBefore what this connection began with: a gap can't take back what the agent knew to be safe
 * @param {{from_seq: number, to_seq: number, count: number}} gap
 * @returns {[rule: string, text: string][]}
 */
export function gapTroubles(ackedBefore, { from_seq: from, to_seq: to, count }) {
    if (from > to) return [['gap_range', `from ${from} to ${to}`]];
    if (count > to - from + 1) return [['gap_range', `${count} events from ${from} to ${to}`]];
    if (from <= (ackedBefore ?? 0)) return [['gap_range', `from ${from}, but up to ${ackedBefore} all was safe`]];
    return [];
}
