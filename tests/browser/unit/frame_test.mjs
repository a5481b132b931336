import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Kind, parseFrame, PartAssembler } from '../../../web/frame.js';

/** A binary message as the contract lays it out. */
function message({ version = 1, kind = Kind.accessUnit, flags = 0, header = 32, channel = 3, sequence = 9, offset = 0,
    captureUs = 1_700_000_000_123_456n, payload = [1, 2, 3], total = payload.length }) {
    const bytes = Buffer.alloc(header + payload.length);
    bytes.set([version, kind, flags, header]);
    bytes.writeUInt16BE(channel, 4);
    bytes.writeUInt32BE(sequence, 8);
    bytes.writeUInt32BE(offset, 12);
    bytes.writeBigUInt64BE(captureUs, 16);
    bytes.writeUInt32BE(total, 24);
    bytes.set(payload, header);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}

test('every field of the header is read, big-endian', () => {
    const frame = parseFrame(message({ flags: 3, channel: 0x8001, sequence: 0xfffffffe }));
    assert.equal(frame.kind, Kind.accessUnit);
    assert.ok(frame.keyFrame && frame.discontinuity);
    assert.deepEqual([frame.channel, frame.sequence, frame.total], [0x8001, 0xfffffffe, 3]);
    assert.equal(frame.captureUs, 1_700_000_000_123_456);
    assert.deepEqual([...frame.payload], [1, 2, 3]);
});

test('a longer header is skipped by its own length', () => {
    assert.deepEqual([...parseFrame(message({ header: 40, payload: [7] })).payload], [7]);
});

test('what is not a frame is null', () => {
    assert.equal(parseFrame(new ArrayBuffer(31)), null);
    assert.equal(parseFrame(message({ version: 2 })), null);
    assert.equal(parseFrame(message({ total: 2 })), null, 'a part that reaches beyond its payload');
    assert.equal(parseFrame(message({ offset: 0xffffffff, total: 0xffffffff })), null, 'a length nobody sends');
});

test('parts become a whole, with the flags of the first', () => {
    const assembler = new PartAssembler();
    const first = parseFrame(message({ flags: 1, payload: [1, 2], total: 5 }));
    assert.equal(assembler.add(first), null);
    assert.equal(assembler.add(parseFrame(message({ offset: 2, payload: [3], total: 5 }))), null);
    const whole = assembler.add(parseFrame(message({ offset: 3, payload: [4, 5], total: 5 })));
    assert.deepEqual([...whole.payload], [1, 2, 3, 4, 5]);
    assert.equal(whole.keyFrame, true);
    assert.equal(assembler.incomplete, 0);
});

test('channels do not disturb each other', () => {
    const assembler = new PartAssembler();
    assembler.add(parseFrame(message({ channel: 1, payload: [1], total: 2 })));
    assert.deepEqual([...assembler.add(parseFrame(message({ channel: 2, payload: [9] }))).payload], [9]);
    assert.deepEqual([...assembler.add(parseFrame(message({ channel: 1, offset: 1, payload: [2], total: 2 }))).payload], [1, 2]);
});

test('a payload that is broken off by the next one is dropped and counted', () => {
    const assembler = new PartAssembler();
    assembler.add(parseFrame(message({ sequence: 1, payload: [1], total: 2 })));
    assert.deepEqual([...assembler.add(parseFrame(message({ sequence: 2, payload: [5] }))).payload], [5]);
    assert.equal(assembler.add(parseFrame(message({ sequence: 1, offset: 1, payload: [2], total: 2 }))), null);
    assert.equal(assembler.incomplete, 1);
});

test('a hole between parts drops the payload', () => {
    const assembler = new PartAssembler();
    assembler.add(parseFrame(message({ payload: [1], total: 4 })));
    assert.equal(assembler.add(parseFrame(message({ offset: 2, payload: [3, 4], total: 4 }))), null);
    assert.equal(assembler.incomplete, 1);
});

test('an empty payload is a frame', () => {
    assert.equal(new PartAssembler().add(parseFrame(message({ payload: [] }))).total, 0);
});
