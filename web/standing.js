// Where a tile stands, in words: whether it is live, and if it isn't, why. Pure.

import { durationText } from './figures.js';

/** A picture older than this is not live, seconds. */
export const kStaleSeconds = 2;

/** How long a camera may be silent, seconds: some send a picture every few. @param {{framerate?: number}} camera */
export const longestWaitS = ({ framerate }) => Math.max(kStaleSeconds, framerate > 0 ? 2.5 / framerate : 0);

/** Whether a camera's pictures come. @param {{state?: string}} camera */
export const isDelivering = ({ state }) => state === 'live' || state === 'degraded';

/**
 * @typedef {{tone: 'live'|'wait'|'lost'|'off', label: string, notice: string, detail: string}} Standing
 *   `label`: a word or two for the badge; `notice` and `detail`: what lies over the picture, empty when it is live
 */

/**
 * @param {{connection: {state: string, reason: string, retryInS: number}, wanted: boolean, trouble: string,
 *   camera: {state?: string, reason?: string, framerate?: number}, silentS: number, waitingS: number}} facts
 *   `silentS`: since the last picture reached the screen, NaN: none did yet; `waitingS`: since one was asked for
 * @returns {Standing}
 */
export function standing(facts) {
    return connectionStanding(facts.connection) ?? cameraStanding(facts) ?? pictureStanding(facts);
}

function connectionStanding({ state, reason, retryInS }) {
    if (state === 'open') return null;
    if (state === 'refused') return of('off', 'Signed out', 'Not signed in', reason);
    const next = state === 'waiting' ? `Next try in ${durationText(retryInS)}.` : 'Connecting …';
    return of('lost', 'Offline', 'No connection to the agent', sentence(reason, next));
}

function cameraStanding({ camera, wanted, silentS }) {
    const since = silentS >= kStaleSeconds ? `No picture for ${durationText(silentS)}.` : '';
    if (camera.state === 'disabled') return of('off', 'Off', 'Camera is switched off', 'An operator can switch it on.');
    if (!wanted) return of('off', 'Stopped', 'Stopped', 'Press Start to watch.');
    if (camera.state === 'reconnecting') return of('lost', 'Reconnecting', 'Camera is reconnecting', sentence(camera.reason, since));
    if (camera.state === 'error') return of('lost', 'Error', 'Camera failed', sentence(camera.reason, since));
    if (camera.state === 'stopped') return of('off', 'Stopped', 'Camera is stopped', sentence(camera.reason, since));
    return null;
}

function pictureStanding({ camera, silentS, waitingS, trouble }) {
    const why = sentence(trouble, camera.reason !== trouble && camera.reason);
    if (Number.isNaN(silentS)) {
        const long = waitingS > 5 ? `No picture for ${durationText(waitingS)}.` : '';
        return of('wait', 'Starting', trouble ? 'Trying again' : 'Waiting for the first picture',
            sentence(why, long));
    }
    if (silentS >= longestWaitS(camera)) return of('lost', 'No picture', `No picture for ${durationText(silentS)}`, why);
    if (camera.state === 'degraded') return of('wait', 'Degraded', 'This picture cannot be trusted', sentence(camera.reason));
    return of('live', 'Live', '', '');
}

const of = (tone, label, notice, detail) => ({ tone, label, notice, detail });

/** Phrases as sentences, one after the other. @param {...(string|undefined|false)} phrases empty ones are left out */
export function sentence(...phrases) {
    return phrases.filter(Boolean)
        .map((phrase) => phrase[0].toUpperCase() + phrase.slice(1))
        .map((phrase) => (/[.…!?]$/.test(phrase) ? phrase : `${phrase}.`)).join(' ');
}
