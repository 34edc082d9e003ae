import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { CodedTrack } from '../codecs/track-codec.ts';
import { PackagingError } from '../packaging-error.ts';
import type { TimedFrame } from '../track-samples.ts';
import { tsSegment } from './ts-segment.ts';

const [SEQUENCE_SET, PICTURE_SET] = [Buffer.from('6764000dac', 'hex'), Buffer.from('68ebe3', 'hex')];
const video: CodedTrack = {
  number: 1,
  codec: {
    kind: 'avc',
    name: 'avc1.64000d',
    record: Buffer.alloc(0),
    parameterSets: [SEQUENCE_SET, PICTURE_SET],
    lengthSize: 4,
    width: 320,
    height: 180,
    reorderedFrames: 0,
  },
  frameMs: 40,
};
const audio: CodedTrack = {
  number: 2,
  codec: {
    kind: 'aac',
    name: 'mp4a.40.2',
    record: Buffer.from('1190', 'hex'),
    sampleRate: 48_000,
    channels: 2,
    samplesPerFrame: 1024,
    adts: { objectType: 2, frequencyIndex: 3, channelConfiguration: 2 },
  },
  frameMs: undefined,
};

interface Packet {
  readonly pid: number;
  readonly isStart: boolean;
  readonly counter: number;
  readonly isDiscontinuous: boolean;
  readonly isRandomAccess: boolean;
  readonly clock: number | undefined;
  readonly payload: Buffer;
}

/** Takes packets apart as ISO 13818-1 has them. */
function packetsOf(stream: Buffer): Packet[] {
  assert.equal(stream.length % 188, 0);
  const packets: Packet[] = [];
  for (let at = 0; at < stream.length; at += 188) {
    const packet = stream.subarray(at, at + 188);
    assert.equal(packet[0], 0x47);
    const head = packet.readUInt32BE(0);
    const hasField = (head & 0x20) !== 0;
    assert.ok((head & 0x10) !== 0, 'each packet has a payload');
    const fieldLength = hasField ? (packet[4] ?? 0) + 1 : 0;
    const flags = fieldLength > 1 ? (packet[5] ?? 0) : 0;
    packets.push({
      pid: (head >> 8) & 0x1fff,
      isStart: (head & 0x40_0000) !== 0,
      counter: head & 15,
      isDiscontinuous: (flags & 0x80) !== 0,
      isRandomAccess: (flags & 0x40) !== 0,
      clock: (flags & 0x10) === 0 ? undefined : packet.readUInt32BE(6) * 2 + ((packet[10] ?? 0) >> 7),
      payload: packet.subarray(4 + fieldLength),
    });
  }
  return packets;
}

interface Pes {
  readonly showTime: number;
  readonly decodeTime: number;
  readonly first: Packet;
  readonly payload: Buffer;
}

function timestamp(bytes: Buffer): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = bytes;
  return ((a >> 1) & 7) * 2 ** 30 + ((b << 7) | (c >> 1)) * 2 ** 15 + ((d << 7) | (e >> 1));
}

function pesOf(packets: readonly Packet[], pid: number): Pes[] {
  const groups: Packet[][] = [];
  for (const packet of packets.filter((one) => one.pid === pid)) {
    if (packet.isStart) groups.push([]);
    groups.at(-1)?.push(packet);
  }
  return groups.map((group) => {
    const [first] = group;
    const bytes = Buffer.concat(group.map(({ payload }) => payload));
    assert.ok(first !== undefined && bytes.readUIntBE(0, 3) === 1, 'a PES packet begins with its prefix');
    const length = bytes.readUInt16BE(4);
    if (length !== 0) assert.equal(length, bytes.length - 6);
    const showTime = timestamp(bytes.subarray(9, 14));
    const decodeTime = ((bytes[7] ?? 0) & 0x40) === 0 ? showTime : timestamp(bytes.subarray(14, 19));
    return { first, showTime, decodeTime, payload: bytes.subarray(9 + (bytes[8] ?? 0)) };
  });
}

function segment(pictures: readonly TimedFrame[], sounds: readonly TimedFrame[], startMs: number): Packet[] {
  const tracks = [
    { track: audio, frames: sounds },
    { track: video, frames: pictures },
  ];
  return packetsOf(Buffer.concat([...tsSegment(tracks, { startMs, lengthMs: 2000 })]));
}

const picture = (timeMs: number, content: Buffer, isKeyframe = false): TimedFrame => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return { timeMs, isKeyframe, payload: Buffer.concat([length, content]) };
};

/** A NAL unit of a slice, without start codes in it. */
const slice = fc
  .uint8Array({ minLength: 1, maxLength: 2000 })
  .map((bytes) => Buffer.from([0x41, ...bytes.map((byte) => byte | 1)]));
const sound = fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => Buffer.from(bytes));

describe('a segment of MPEG-TS', () => {
  it('carries each frame whole, in packets that are counted', () => {
    fc.assert(
      fc.property(
        fc.array(slice, { minLength: 1, maxLength: 12 }),
        fc.array(sound, { minLength: 1, maxLength: 30 }),
        (slices, sounds) => {
          const packets = segment(
            slices.map((content, index) => picture(index * 40, content, index === 0)),
            sounds.map((payload, index) => ({ timeMs: Math.round(index * 21.333), isKeyframe: true, payload })),
            1_790_000_000_000,
          );
          const counters = new Map<number, number>();
          for (const { pid, counter, isDiscontinuous } of packets) {
            const before = counters.get(pid);
            assert.equal(counter, before === undefined ? 0 : (before + 1) % 16);
            assert.equal(isDiscontinuous, before === undefined, 'each segment begins its counters anew, and says so');
            counters.set(pid, counter);
          }
          const delimiter = Buffer.from('0000000109f0', 'hex');
          const sets = Buffer.concat(
            [SEQUENCE_SET, PICTURE_SET].map((set) => Buffer.concat([Buffer.of(0, 0, 0, 1), set])),
          );
          assert.deepEqual(
            pesOf(packets, 0x100).map(({ payload }) => payload),
            slices.map((content, index) =>
              Buffer.concat([delimiter, ...(index === 0 ? [sets] : []), Buffer.of(0, 0, 0, 1), content]),
            ),
          );
          const adts = Buffer.concat(pesOf(packets, 0x101).map(({ payload }) => payload));
          let at = 0;
          for (const payload of sounds) {
            assert.equal(adts.readUInt16BE(at), 0xfff1);
            const length = ((adts.readUInt32BE(at + 2) >> 5) & 0x1fff) >>> 0;
            assert.deepEqual(adts.subarray(at + 7, at + length), payload);
            at += length;
          }
          assert.equal(at, adts.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('begins with its tables; the video comes first among the streams and carries the clock', () => {
    const packets = segment([picture(0, Buffer.from('65aa', 'hex'), true)], [], 20_000);
    assert.deepEqual([packets[0]?.pid, packets[1]?.pid], [0, 0x1000]);
    assert.equal(packets[0]?.payload.toString('hex', 0, 17), '0000b00d0001c100000001f0002ab104b2');
    const map = packets[1]?.payload.subarray(1) ?? Buffer.alloc(0);
    assert.equal(map.readUInt16BE(8) & 0x1fff, 0x100, 'the clock is in the video');
    assert.deepEqual([map[12], map.readUInt16BE(13) & 0x1fff], [0x1b, 0x100]);
    assert.deepEqual([map[17], map.readUInt16BE(18) & 0x1fff], [0x0f, 0x101]);
    const [pes] = pesOf(packets, 0x100);
    assert.ok(pes?.first.isRandomAccess);
    assert.ok(pes.first.clock !== undefined && pes.first.clock < pes.decodeTime);
    assert.equal(pes.showTime, 20_000 * 90);
  });

  it('counts times on a clock of 33 bits, and decodes in order what is shown in another', () => {
    const startMs = 1_790_000_000_000;
    const times = [0, 120, 40, 80];
    const content = Buffer.from('41aa', 'hex');
    const packets = segment(
      times.map((time, index) => picture(time, content, index === 0)),
      [],
      startMs,
    );
    const shown = pesOf(packets, 0x100);
    assert.deepEqual(
      shown.map(({ showTime }) => showTime),
      times.map((time) => ((startMs + time) * 90) % 2 ** 33),
    );
    assert.deepEqual(
      shown.map(({ decodeTime }) => decodeTime - (shown[0]?.decodeTime ?? 0)),
      [0, 3600, 7200, 10_800],
    );
    assert.ok(shown.every(({ showTime, decodeTime }) => showTime >= decodeTime));
  });

  it('keeps the producer’s own delimiters and parameter sets, and adds none to them', () => {
    const units = ['09f0', '67640020', '68ee', '65aa'].map((hex) => Buffer.from(hex, 'hex'));
    const payload = Buffer.concat(units.map((unit) => Buffer.concat([Buffer.of(0, 0, 0, unit.length), unit])));
    const [pes] = pesOf(segment([{ timeMs: 0, isKeyframe: true, payload }], [], 1000), 0x100);
    assert.equal(
      pes?.payload.toString('hex'),
      '0000000109f00000000167640020000000016 8ee0000000165aa'.replaceAll(' ', ''),
    );
  });

  it('is refused for media that it does not carry', () => {
    const speech: CodedTrack = {
      number: 2,
      codec: { kind: 'g711', name: 'ulaw', sampleRate: 8000, channels: 1 },
      frameMs: undefined,
    };
    assert.throws(() => tsSegment([{ track: speech, frames: [] }], { startMs: 0 }), PackagingError);
  });
});
