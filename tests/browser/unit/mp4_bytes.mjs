// Fragmented MP4 for tests, box by box: our muxer's layout, and others that are just as valid.

export const bytes = (...parts) => new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))));
export const u16 = (value) => [value >> 8 & 255, value & 255];
export const u32 = (value) => [...u16(value >>> 16), ...u16(value & 0xffff)];
export const u64 = (value) => [...u32(Math.floor(value / 2 ** 32)), ...u32(value % 2 ** 32)];
export const box = (name, ...content) => {
    const body = bytes(...content);
    return bytes(u32(body.length + 8), Buffer.from(name, 'latin1'), body);
};

export const avcC = [1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 2, 0x67, 0x64, 1, 0, 1, 0x68];
const hvcC = [1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, ...new Array(10).fill(0)];

/** An init segment. @param {'avc1'|'hvc1'} entry */
export function initSegment({ entry = 'avc1', timescale = 1_000_000, width = 1280, height = 720, mdhdVersion = 0 } = {}) {
    const configuration = entry === 'avc1' ? box('avcC', avcC) : box('hvcC', hvcC);
    const sample = box(entry, new Array(24).fill(0), u16(width), u16(height), new Array(50).fill(0),
        box('colr', [1, 2, 3, 4]), configuration);
    const times = mdhdVersion === 1 ? [...u64(0), ...u64(0)] : [...u32(0), ...u32(0)];
    return bytes(box('ftyp', Buffer.from('iso6')), box('moov', box('mvhd', new Array(100).fill(0)), box('trak',
        box('tkhd', new Array(84).fill(0)), box('mdia', box('mdhd', [mdhdVersion, 0, 0, 0], times, u32(timescale), u32(0)),
            box('minf', box('stbl', box('stsd', u32(0), u32(1), sample)))))));
}

/** moof+mdat as our muxer writes it: tfhd 0x020000, tfdt version 1, trun 0x000701 (and 0x800 with B-frames). */
export function fragment({ decodeTime = 33333, duration = 33333, keyFrame = true, compositionOffset, sample = [0, 0, 0, 1, 0x65] } = {}) {
    const flags = keyFrame ? 0x02000000 : 0x01010000;
    const composed = compositionOffset !== undefined;
    const moofOf = (dataOffset) => box('moof', box('mfhd', u32(0), u32(1)), box('traf',
        box('tfhd', u32(0x020000), u32(1)), box('tfdt', u32(0x01000000), u64(decodeTime)),
        box('trun', u32((composed ? 0x01000800 : 0) | 0x000701), u32(1), u32(dataOffset), u32(duration),
            u32(sample.length), u32(flags), composed ? u32(compositionOffset) : [])));
    return bytes(moofOf(moofOf(0).length + 8), box('mdat', sample));
}

/** The same picture as ffmpeg lays it out: everything in tfhd's defaults, an index box before. */
export function fragmentWithDefaults({ decodeTime = 33333, duration = 33333, sample = [0, 0, 0, 1, 0x65] } = {}) {
    const moofOf = (dataOffset) => box('moof', box('mfhd', u32(0), u32(1)), box('traf',
        box('tfhd', u32(0x020038), u32(1), u32(duration), u32(sample.length), u32(0x01010000)),
        box('tfdt', u32(0), u32(decodeTime)), box('trun', u32(0x000005), u32(1), u32(dataOffset), u32(0x02000000))));
    return bytes(box('styp', Buffer.from('msdh')), moofOf(moofOf(0).length + 8), box('mdat', sample));
}
