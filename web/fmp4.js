// What a player must know of fragmented MP4 (ISO/IEC 14496-12): decode time, sample duration, where the sample lies,
// and the decoder configuration of an init segment. Boxes are walked, no offset is assumed. Pure.

const kTfhdBaseOffset = 0x1, kTfhdDescription = 0x2, kTfhdDuration = 0x8, kTfhdSize = 0x10;
const kTrunDataOffset = 0x1, kTrunFirstFlags = 0x4, kTrunDuration = 0x100, kTrunSize = 0x200, kTrunFlags = 0x400,
    kTrunComposition = 0x800;
const kNonSync = 0x00010000;

/** Box name → box, for the children of a byte range. The first of a name wins. */
function children(bytes, start, end) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const found = new Map();
    for (let at = start; at + 8 <= end;) {
        let size = view.getUint32(at), header = 8;
        const name = String.fromCharCode(bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]);
        if (size === 1 && at + 16 <= end) {
            size = Number(view.getBigUint64(at + 8));
            header = 16;
        } else if (size === 0) {
            size = end - at;
        }
        if (size < header || at + size > end) throw new RangeError(`box ${name} reaches beyond its container`);
        if (!found.has(name)) found.set(name, { start: at, body: at + header, end: at + size });
        at += size;
    }
    return found;
}

/** The box at a path of names; throws when it is missing. */
function descend(bytes, names, start = 0, end = bytes.length) {
    let box = { body: start, end };
    for (const name of names) {
        box = children(bytes, box.body, box.end).get(name);
        if (!box) throw new RangeError(`no ${name} box`);
    }
    return box;
}

const hex2 = (value) => value.toString(16).padStart(2, '0');

/** RFC 6381 name of a codec from its decoder configuration record (ISO/IEC 14496-15, annex E for H.265). */
function codecName(entry, record) {
    if (entry === 'avc1' || entry === 'avc3') return `${entry}.${hex2(record[1])}${hex2(record[2])}${hex2(record[3])}`;
    const profileSpace = ['', 'A', 'B', 'C'][record[1] >> 6];
    const compatibility = new DataView(record.buffer, record.byteOffset).getUint32(2);
    let reversed = 0;
    for (let bit = 0; bit < 32; bit += 1) reversed = (reversed * 2) + ((compatibility >>> bit) & 1);
    let name = `${entry}.${profileSpace}${record[1] & 31}.${reversed.toString(16)}`;
    name += `.${record[1] & 32 ? 'H' : 'L'}${record[12]}`;
    const constraints = [...record.subarray(6, 12)];
    while (constraints.length && constraints.at(-1) === 0) constraints.pop();
    return constraints.reduce((text, byte) => `${text}.${byte.toString(16)}`, name);
}

/**
 * @param {Uint8Array} bytes `ftyp`+`moov` with one video track
 * @returns {{timescale: number, codec: string, description: Uint8Array, width: number, height: number}}
 *   `timescale` in ticks a second; `description` is the avcC or hvcC record, for a decoder; size in pixels
 * @throws {RangeError} not such a thing
 */
export function parseInit(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const media = descend(bytes, ['moov', 'trak', 'mdia']);
    const mdhd = descend(bytes, ['mdhd'], media.body, media.end);
    const timescale = view.getUint32(mdhd.body + (bytes[mdhd.body] === 1 ? 20 : 12));
    const stsd = descend(bytes, ['minf', 'stbl', 'stsd'], media.body, media.end);
    const [[entry, sample]] = children(bytes, stsd.body + 8, stsd.end);
    const configuration = children(bytes, sample.body + 78, sample.end);  // after VisualSampleEntry's own fields
    const box = configuration.get('avcC') ?? configuration.get('hvcC');
    if (!box) throw new RangeError(`no decoder configuration in ${entry}`);
    const description = bytes.slice(box.body, box.end);
    return {
        timescale,
        codec: codecName(entry, description),
        description,
        width: view.getUint16(sample.body + 24),
        height: view.getUint16(sample.body + 26),
    };
}

/**
 * @param {Uint8Array} bytes one `moof`+`mdat` that holds one sample
 * @returns {{decodeTime: number, compositionOffset: number, duration: number, durationAt: number,
 *   keyFrame: boolean, sample: Uint8Array}} times in ticks of the init segment's timescale; `durationAt`: byte offset
 *   of the 32-bit sample duration, -1 where there is none; `sample` is a view into `bytes`
 * @throws {RangeError} not such a thing
 */
export function parseFragment(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const moof = descend(bytes, ['moof']);
    const boxes = children(bytes, ...range(descend(bytes, ['traf'], moof.body, moof.end)));
    const tfdt = boxes.get('tfdt'), tfhd = boxes.get('tfhd'), trun = boxes.get('trun');
    if (!tfdt || !tfhd || !trun) throw new RangeError('fragment without tfdt, tfhd or trun');
    const defaults = readTrackHeader(view, tfhd);
    const run = readTrackRun(view, trun, defaults);
    const from = moof.start + run.dataOffset;
    if (run.size > bytes.length - from) throw new RangeError('sample reaches beyond its fragment');
    return {
        decodeTime: bytes[tfdt.body] === 1 ? Number(view.getBigUint64(tfdt.body + 4)) : view.getUint32(tfdt.body + 4),
        compositionOffset: run.compositionOffset,
        duration: run.durationAt < 0 ? 0 : view.getUint32(run.durationAt),
        durationAt: run.durationAt,
        keyFrame: (run.flags & kNonSync) === 0,
        sample: bytes.subarray(from, from + run.size),
    };
}

const range = (box) => [box.body, box.end];

/** Defaults of `tfhd`: where its duration lies, size, flags. */
function readTrackHeader(view, box) {
    const present = view.getUint32(box.body) & 0xffffff;
    let at = box.body + 8;
    if (present & kTfhdBaseOffset) at += 8;
    if (present & kTfhdDescription) at += 4;
    const durationAt = present & kTfhdDuration ? at : -1;
    if (present & kTfhdDuration) at += 4;
    const size = present & kTfhdSize ? view.getUint32(at) : 0;
    if (present & kTfhdSize) at += 4;
    return { durationAt, size, flags: present & 0x20 ? view.getUint32(at) : 0 };
}

/** The first sample of `trun`. */
function readTrackRun(view, box, defaults) {
    const present = view.getUint32(box.body) & 0xffffff;
    let at = box.body + 8, dataOffset = 0;
    let { durationAt, size, flags } = defaults;
    const next = () => view.getUint32((at += 4) - 4);
    if (present & kTrunDataOffset) dataOffset = next() | 0;
    if (present & kTrunFirstFlags) flags = next();
    if (present & kTrunDuration) {
        durationAt = at;
        at += 4;
    }
    if (present & kTrunSize) size = next();
    if (present & kTrunFlags) flags = next();
    const compositionOffset = present & kTrunComposition ? next() | 0 : 0;  // version 0 never uses the top bit here
    return { dataOffset, durationAt, size, flags, compositionOffset };
}

/**
 * Writes a sample duration into a fragment, in place. Media Source Extensions throw away frames that come later than
 * twice the duration their predecessor declared, up to the next key frame; a long one keeps them, and each next frame
 * trims it.
 * @param {Uint8Array} bytes
 * @param {{durationAt: number}} fragment of `parseFragment(bytes)`
 * @param {number} ticks
 */
export function setSampleDuration(bytes, fragment, ticks) {
    if (fragment.durationAt < 0) return;
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).setUint32(fragment.durationAt, ticks);
}
