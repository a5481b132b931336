// Which player this browser can use, and which codecs it may ask the agent for.
//
// WebCodecs shows a picture within milliseconds but exists on secure contexts only; Media Source Extensions is what
// a plain http:// address on the LAN gets; JPEG works anywhere.

import { JpegPlayer } from './player_jpeg.js';
import { MsePlayer, mediaSourceClass } from './player_mse.js';
import { WebCodecsPlayer } from './player_webcodecs.js';

const kPlayers = { webcodecs: WebCodecsPlayer, mse: MsePlayer, jpeg: JpegPlayer };
/** What a camera is likely to send, as examples for "can you play this". */
const kSamples = { avc1: 'avc1.64001f', hvc1: 'hvc1.1.6.L93.B0' };

async function decodes(codec) {
    try {
        return (await VideoDecoder.isConfigSupported({ codec, optimizeForLatency: true })).supported === true;
    } catch {
        return false;
    }
}

async function canPlay(player, codec) {
    if (player === 'webcodecs') return decodes(codec);
    return mediaSourceClass()?.isTypeSupported(`video/mp4; codecs="${codec}"`) ?? false;
}

/**
 * @typedef {{name: string, Player: typeof WebCodecsPlayer | typeof MsePlayer | typeof JpegPlayer,
 *   format: 'cmaf'|'jpeg', codecs: string[]}} Choice
 */

/**
 * The players this browser can use, best first; never empty, since JPEG always works.
 * @param {string | null} forced name of the only one to try
 * @returns {Promise<Choice[]>}
 */
export async function choosePlayers(forced) {
    const present = {
        webcodecs: globalThis.isSecureContext && 'VideoDecoder' in globalThis,
        mse: mediaSourceClass() !== null,
        jpeg: true,
    };
    const wanted = forced in kPlayers ? [forced] : Object.keys(kPlayers);
    const choices = [];
    for (const name of wanted.filter((one) => present[one])) {
        const choice = { name, Player: kPlayers[name], format: name === 'jpeg' ? 'jpeg' : 'cmaf', codecs: [] };
        for (const [prefix, sample] of Object.entries(kSamples)) {
            if (choice.format === 'cmaf' && await canPlay(name, sample)) choice.codecs.push(prefix);
        }
        if (choice.format === 'jpeg' || choice.codecs.length) choices.push(choice);
    }
    return choices.length ? choices : [{ name: 'jpeg', Player: JpegPlayer, format: 'jpeg', codecs: [] }];
}
