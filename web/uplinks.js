// Where the agent's uplinks stand: a line for each hub it dials, with why it is not live and when it is tried again, or
// that its data plan is used up.

import { element, setText } from './dom.js';
import { durationText } from './figures.js';
import { sentence } from './standing.js';

/**
 * What to show of an uplink. Pure.
 * @param {{state: string, reason?: string, retry_at?: number, plan?: object}} uplink as `system/status` has it
 * @param {number} nowS the agent's clock, seconds since the epoch
 * @returns {{tone: 'live'|'wait'|'lost', label: string, detail: string}} `detail` is empty when it is live
 * and may send everything
 */
export function uplinkStanding({ state, reason, retry_at: retryAt, plan }, nowS) {
    if (state === 'live' && plan && plan.state !== 'within') return { tone: 'wait', ...usedUp(plan) };
    if (state === 'live') return { tone: 'live', label: 'Live', detail: '' };
    if (state === 'connecting') return { tone: 'wait', label: 'Connecting', detail: sentence(reason) };
    if (state === 'authenticating') return { tone: 'wait', label: 'Signing in', detail: sentence(reason) };
    const label = state === 'rejected' ? 'Rejected' : 'Offline';
    if (retryAt === undefined) return { tone: 'lost', label, detail: sentence(reason) };
    const leftS = retryAt - nowS;
    const next = leftS >= 0.5 ? `Next try in ${durationText(leftS)}.` : 'Trying again …';
    return { tone: 'lost', label, detail: sentence(reason, next) };
}

/** Of a metered link past its plan. */
function usedUp({ monthly_mb: monthly, used_mb: used, state, until }) {
    const label = state === 'key_frames' ? 'Key frames only' : 'Events only';
    const month = until === undefined ? 'the next month' : new Date(until * 1000).toISOString().slice(0, 10);
    return { label, detail: `${Math.round(used)} of ${monthly} MB of this month are used. Until ${month}.` };
}

/** An uplink may have a connection for each purpose. */
const titleOf = ({ name, purpose = 'all' }) => (purpose === 'all' ? name : `${name} · ${purpose}`);

/** The list on the page. Has no timer of its own: the page refreshes all that counts up or down together. */
export class UplinkList {
    #list;
    /** Name and purpose → {uplink, root, badge, detail}. */
    #lines = new Map();

    /** @param {HTMLElement} list is hidden while there is no uplink */
    constructor(list) {
        this.#list = list;
        list.hidden = true;
    }

    /** @param {Array<{name: string, purpose?: string, url: string, state: string}>} [uplinks] all of them; none: nothing is known */
    show(uplinks = []) {
        const titles = new Set(uplinks.map(titleOf));
        for (const [title, { root }] of this.#lines) {
            if (titles.has(title)) continue;
            root.remove();
            this.#lines.delete(title);
        }
        for (const uplink of uplinks) {
            const title = titleOf(uplink);
            if (!this.#lines.has(title)) this.#lines.set(title, this.#line(title));
            const line = this.#lines.get(title);
            line.uplink = uplink;
            line.root.title = uplink.url;  // another hub may stand in
        }
        this.#list.hidden = uplinks.length === 0;
    }

    #line(title) {
        const badge = element('span', { class: 'badge', role: 'status' });
        const detail = element('span', { class: 'why' });  // no live region: its seconds count down
        const root = element('li', { class: 'uplink' }, element('span', { class: 'name', text: title }), badge, detail);
        this.#list.append(root);
        return { root, badge, detail };
    }

    /** @param {number} nowS the agent's clock, seconds since the epoch */
    refresh(nowS) {
        for (const { uplink, root, badge, detail } of this.#lines.values()) {
            const standing = uplinkStanding(uplink, nowS);
            root.dataset.tone = standing.tone;
            setText(badge, standing.label);
            setText(detail, standing.detail);
        }
    }
}
