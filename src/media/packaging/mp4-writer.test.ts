import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listBoxes, moovForFront } from './mp4-boxes.ts';
import { withCompositionShift } from './mp4-composition-shift.ts';
import { Mp4Writer } from './mp4-writer.ts';

function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

/** A full box with 32-bit values. */
function table(type: string, ...values: readonly number[]): Buffer {
  const body = Buffer.alloc(4 + values.length * 4);
  values.forEach((value, index) => body.writeInt32BE(value | 0, 4 + index * 4));
  return box(type, body);
}

function moov(...tracks: readonly Buffer[][]): Buffer {
  const traks = tracks.map((tables) => box('trak', box('mdia', box('minf', box('stbl', ...tables)))));
  return box('moov', box('mvhd', Buffer.alloc(100)), ...traks, box('udta', Buffer.alloc(20)));
}

/** The tables of all tracks, in order. */
function tables(bytes: Uint8Array): Buffer[] {
  const containers = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl']);
  const visit = (start: number, end: number): Buffer[] =>
    listBoxes(bytes, start, end).flatMap((found) => {
      assert.ok(found.end <= end, `${found.type} stays inside its parent`);
      if (containers.has(found.type)) return visit(found.body, found.end);
      return [Buffer.from(bytes.subarray(found.start, found.end))];
    });
  return visit(0, bytes.length).filter((found) => /^(stco|co64|cslg|ctts)$/.test(found.toString('latin1', 4, 8)));
}

describe('moving the index to the front', () => {
  test('adds the size of the index to each chunk offset', () => {
    const made = moovForFront(moov([table('stco', 2, 48, 1000)], [table('stco', 1, 500)]));
    const [first, second] = tables(made);
    assert.equal(first?.readUInt32BE(16), 48 + made.length);
    assert.equal(first?.readUInt32BE(20), 1000 + made.length);
    assert.equal(second?.readUInt32BE(16), 500 + made.length);
  });

  test('widens a table whose offsets no longer fit, and keeps the sizes of all boxes around it right', () => {
    const edge = 0xffff_ffff - 200;
    const plain = moov([table('stco', 2, 48, edge)], [table('stco', 1, 500)], [table('stco', 1, edge)]);
    const made = moovForFront(plain);
    assert.equal(made.length, plain.length + 8 + 4);
    const found = tables(made);
    assert.deepEqual(
      found.map((bytes) => bytes.toString('latin1', 4, 8)),
      ['co64', 'stco', 'co64'],
    );
    assert.equal(found[0]?.readBigUInt64BE(24), BigInt(edge + made.length));
    assert.equal(found[1]?.readUInt32BE(16), 500 + made.length);
    assert.equal(found[2]?.readBigUInt64BE(16), BigInt(edge + made.length));
    assert.equal(listBoxes(made)[0]?.end, made.length);
  });

  test('refuses a cut-off index', () => {
    const whole = moov([table('stco', 2, 48, 1000)]);
    assert.throws(() => moovForFront(whole.subarray(0, whole.length - 40)), RangeError);
    assert.throws(() => moovForFront(moov([table('stco', 900, 48)])), RangeError);
  });
});

test('the composition shift box says what the offsets say', () => {
  const times = table('stts', 1, 4, 100);
  const offsets = table('ctts', 3, 1, 0, 2, -100, 1, 200);
  const made = withCompositionShift(moov([times, offsets], [table('stco', 1, 7)]), 1);
  const [ctts, cslg] = tables(made);
  assert.equal(ctts?.readUInt8(8), 1);
  const values = [0, 1, 2, 3, 4].map((index) => cslg?.readInt32BE(12 + index * 4));
  // Decoding at 0, 100, 200, 300; shown at 0, 0, 100, 500.
  assert.deepEqual(values, [100, -100, 200, 0, 600]);
  assert.equal(listBoxes(made)[0]?.end, made.length);
});

describe('writing a file of several parts', () => {
  /** Does what FFmpeg's muxer does, with an index that is larger than the muxer's buffer. */
  function write(placement: 'front' | 'end', mediaBytes: number): { parts: Map<number, Uint8Array>; whole: Buffer } {
    const parts = new Map<number, Uint8Array>();
    let count = 0;
    const sink = {
      open: () => 0,
      part: (_object: number, part: number, bytes: Uint8Array) => void parts.set(part, bytes),
      end: (_object: number, total: number) => {
        count = total;
      },
    };
    const writer = new Mp4Writer(sink, { key: 'film.mp4', contentType: 'video/mp4' }, placement);
    const ftyp = box('ftyp', Buffer.alloc(24));
    const mdatHead = box('mdat');
    writer.write(Buffer.concat([ftyp, box('free'), mdatHead]));
    for (let at = 0; at < mediaBytes; at += 100_000) writer.write(Buffer.alloc(Math.min(100_000, mediaBytes - at), 7));
    writer.beginTrailer();
    const last = Buffer.from('the last packet');
    writer.write(last);
    const index = moov([table('stco', 1, ftyp.length + 16)]);
    const moovStart = writer.length;
    writer.write(Buffer.concat([Buffer.alloc(4), index.subarray(4)]));
    writer.seek(ftyp.length + 8);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(mediaBytes + last.length + 8);
    writer.write(size);
    writer.seek(moovStart);
    writer.write(index.subarray(0, 4));
    writer.seek(moovStart + index.length);
    writer.end();
    assert.equal(parts.size, count);
    const ordered = [...parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
    for (const part of ordered.slice(0, -1)) assert.ok(part.length >= 5 * 1024 * 1024, 'S3 wants 5 MiB in a part');
    return { parts, whole: Buffer.concat(ordered) };
  }

  for (const mediaBytes of [10, 8 * 1024 * 1024 - 48, 8 * 1024 * 1024, 8 * 1024 * 1024 + 1, 30_000_000]) {
    test(`puts ${mediaBytes} bytes of media data in their place`, () => {
      const end = write('end', mediaBytes).whole;
      assert.deepEqual(
        listBoxes(end).map(({ type }) => type),
        ['ftyp', 'free', 'mdat', 'moov'],
      );
      const { whole: front, parts } = write('front', mediaBytes);
      const boxes = listBoxes(front);
      assert.deepEqual(
        boxes.map(({ type }) => type),
        ['ftyp', 'moov', 'free', 'mdat'],
      );
      assert.equal(boxes.at(-1)?.end, front.length);
      const mdat = boxes.at(-1);
      assert.equal(tables(front.subarray(boxes[1]?.start, boxes[1]?.end))[0]?.readUInt32BE(16), mdat?.body);
      assert.equal(front.subarray(-15).toString(), 'the last packet');
      if (mediaBytes > 9_000_000) assert.ok(parts.size > 1);
    });
  }
});
