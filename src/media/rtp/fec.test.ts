import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FecEncoder, type FecMatrix } from './fec-encoder.ts';
import { FEC_HEADER_BYTES } from './fec-packet.ts';
import { FecReceiver } from './fec-receiver.ts';
import { RTP_HEADER_BYTES, RtpPacketView, writeRtpHeader } from './rtp-packet.ts';

interface Sent {
  readonly packet: Buffer;
  /** Of media its index, of FEC the indices that it protects. */
  readonly media?: number;
  readonly protects?: readonly number[];
}

function mediaPacket(index: number, first: number, bytes = 20 + ((index * 7) % 30)): Buffer {
  const packet = Buffer.alloc(RTP_HEADER_BYTES + bytes, `${index} `);
  writeRtpHeader(packet, 33, (first + index) & 0xffff, (index * 1234) >>> 0, 77);
  return packet;
}

const isRow = (packet: Buffer): boolean => ((packet[24] ?? 0) & 0x40) !== 0;

/** A stream in the order in which it is sent. */
function encode(matrix: FecMatrix, first: number, count: number): Sent[] {
  const sent: Sent[] = [];
  const encoder = new FecEncoder(matrix, (packet) => {
    const base = (packet.readUInt16BE(12) - first) & 0xffff;
    const [offset = 0, members = 0] = [packet[25], packet[26]];
    sent.push({ packet, protects: Array.from({ length: members }, (_, member) => base + member * offset) });
  });
  for (let index = 0; index < count; index++) {
    const packet = mediaPacket(index, first);
    sent.push({ packet, media: index });
    encoder.add(packet);
  }
  return sent;
}

/** What can be recovered: as long as some FEC misses just one packet, that one can. */
function recoverable(sent: readonly Sent[], isLost: (at: number) => boolean): Set<number> {
  const known = new Set(sent.flatMap(({ media }, at) => (media === undefined || isLost(at) ? [] : [media])));
  const groups = sent.flatMap(({ protects }, at) => (protects === undefined || isLost(at) ? [] : [protects]));
  for (let hasMore = true; hasMore; ) {
    hasMore = false;
    for (const group of groups) {
      const missing = group.filter((index) => !known.has(index));
      if (missing.length !== 1) continue;
      for (const index of missing) known.add(index);
      hasMore = true;
    }
  }
  return known;
}

function receive(sent: readonly Sent[], isOrdered: boolean, msEach = 1) {
  const delivered: { readonly payload: Buffer; readonly sequence: number }[] = [];
  const receiver = new FecReceiver(isOrdered, (payload, sequence) => delivered.push({ payload, sequence }));
  const view = new RtpPacketView();
  let now = 0;
  for (const { packet, media } of sent) {
    now += msEach;
    if (media === undefined) receiver.fec(packet, isRow(packet), now);
    else {
      assert.ok(view.read(packet));
      receiver.media(packet, packet.subarray(view.payloadStart, view.payloadEnd), view.sequence, now);
    }
    if (receiver.deadline(now) <= now) receiver.tick(now);
  }
  const finish = (): void => receiver.tick(now + 5000);
  return { receiver, delivered, finish };
}

const matrices = fc
  .record({ columns: fc.integer({ min: 1, max: 20 }), rows: fc.integer({ min: 4, max: 20 }) })
  .filter(({ columns, rows }) => columns * rows <= 100);

/** Runs of packets that arrive and that do not, as bursts make them. */
const losses = fc.array(fc.record({ arrive: fc.nat(60), vanish: fc.nat(12) }), { minLength: 1, maxLength: 20 });

function lossesOf(runs: readonly { arrive: number; vanish: number }[]): Set<number> {
  const lost = new Set<number>();
  let at = 1;
  for (const { arrive, vanish } of runs) {
    at += arrive;
    for (const end = at + vanish; at < end; at++) lost.add(at);
  }
  return lost;
}

describe('FEC of ST 2022-1', () => {
  it('recovers all that can be recovered, unchanged, in order and once, and counts the rest as lost', () => {
    fc.assert(
      fc.property(matrices, fc.nat(0xffff), losses, fc.boolean(), (matrix, first, runs, isOrdered) => {
        const span = matrix.columns * matrix.rows;
        // Two matrices follow without loss, in which the last FEC comes.
        const count = 300 + 3 * span;
        const sent = encode(matrix, first, count);
        const lost = lossesOf(runs);
        const isLost = (at: number): boolean => lost.has(at) && (sent[at]?.media ?? 0) < 300;
        const { receiver, delivered, finish } = receive(
          sent.filter((_, at) => !isLost(at)),
          isOrdered,
        );
        finish();
        const indices = delivered.map(({ sequence }) => (sequence - first) & 0xffff);
        const expected = [...recoverable(sent, isLost)].toSorted((left, right) => left - right);
        if (isOrdered) assert.deepEqual(indices, expected);
        assert.deepEqual(
          indices.toSorted((left, right) => left - right),
          expected,
        );
        for (const [at, index] of indices.entries()) {
          assert.deepEqual(delivered[at]?.payload, mediaPacket(index, first).subarray(RTP_HEADER_BYTES));
        }
        const arrived = sent.filter(({ media }, at) => media !== undefined && !isLost(at)).length;
        assert.equal(receiver.recovered, expected.length - arrived);
        assert.equal(delivered.length + receiver.lost, count);
      }),
      { numRuns: 300 },
    );
  });

  it('recovers in any order of arrival within a few packets, and delivers nothing twice', () => {
    const order = fc.array(fc.nat(8), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(order, losses, (delays, runs) => {
        const sent = encode({ columns: 5, rows: 5 }, 65_500, 300);
        const lost = lossesOf(runs);
        const isLost = (at: number): boolean => lost.has(at) && (sent[at]?.media ?? 0) < 200;
        const arrivals = sent
          .map((one, at) => ({ one, at, time: at + (at < 3 ? 0 : (delays[at % delays.length] ?? 0)) }))
          .filter(({ at }) => !isLost(at))
          .toSorted((left, right) => left.time - right.time);
        const { delivered, finish } = receive(
          arrivals.map(({ one }) => one),
          true,
        );
        finish();
        const indices = delivered.map(({ sequence }) => (sequence - 65_500) & 0xffff);
        assert.deepEqual(
          indices,
          [...recoverable(sent, isLost)].toSorted((left, right) => left - right),
        );
      }),
    );
  });

  it('recovers one packet after the other as soon as the FEC comes that the first one needs', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 }), (ranks) => {
        const sent = encode({ columns: 10, rows: 10 }, 7, 150);
        // A staircase: two in each row, two in each column but the first.
        const vanished = new Set(Array.from({ length: 9 }, (_, step) => [step * 11, step * 11 + 1]).flat());
        vanished.delete(0);
        const media = sent.filter(({ media: index = 100 }) => index < 100 && !vanished.has(index));
        const repair = sent.filter(({ protects = [100] }) => protects.every((index) => index < 100));
        const isFirstRow = ({ protects }: Sent): boolean => protects?.includes(0) === true && protects.includes(1);
        const shuffled = repair
          .map((one, at) => ({ one, rank: isFirstRow(one) ? 2000 : (ranks[at] ?? 0) }))
          .toSorted((left, right) => left.rank - right.rank)
          .map(({ one }) => one);
        const before = [...media, ...shuffled.slice(0, -1)];
        assert.equal(receive(before, false, 0).delivered.length, recoverable(before, () => false).size);
        assert.equal(receive([...media, ...shuffled], false, 0).delivered.length, 100);
      }),
    );
  });

  it('makes nothing of FEC that tells of a longer packet than it holds', () => {
    const sent = encode({ columns: 5, rows: 4 }, 0, 20).filter(({ media }) => media !== 7);
    for (const { packet, protects } of sent) if (protects?.includes(7)) packet.writeUInt16BE(0x7fff, 14);
    const { receiver, delivered, finish } = receive(sent, true);
    finish();
    assert.equal(delivered.length, 19);
    assert.deepEqual([receiver.recovered, receiver.lost, receiver.dropped], [0, 1, 1]);
  });

  it('waits behind a gap for two matrices at most, and not at all where nothing is missing', () => {
    const matrix = { columns: 10, rows: 10 };
    const sent = encode(matrix, 0, 1000).filter(
      ({ media, protects }) => media !== 450 && protects?.includes(450) !== true,
    );
    const arrived = sent.filter(({ media }) => (media ?? 0) <= 450);
    assert.equal(receive(arrived, true).delivered.length, 450);
    const upTo = (last: number) =>
      receive(
        sent.filter((_, at) => at <= sent.findIndex(({ media }) => media === last)),
        true,
      );
    assert.equal(upTo(663).delivered.length, 450);
    const { delivered, receiver } = upTo(664);
    assert.equal(delivered.length, 664);
    assert.equal(receiver.lost, 1);
  });

  it('closes gaps like plain RTP where no FEC comes', () => {
    const sent = encode({ columns: 10, rows: 10 }, 0, 5000).filter(
      ({ media }) => media !== undefined && media !== 4500,
    );
    const upTo = (count: number) => receive(sent.slice(0, count), true).delivered.length;
    assert.equal(upTo(4510), 4500);
    assert.equal(upTo(4525), 4525);
  });

  it('recovers the last packet of a stream, which no later one shows to be missing', () => {
    const sent = encode({ columns: 5, rows: 4 }, 0, 20).filter(({ media }) => media !== 19);
    const { delivered, finish } = receive(sent, true);
    assert.equal(delivered.length, 19);
    finish();
    assert.equal(delivered.length, 20);
  });

  it('writes the headers of ST 2022-1', () => {
    const packets: { readonly packet: Buffer; readonly isRow: boolean }[] = [];
    const encoder = new FecEncoder({ columns: 2, rows: 4 }, (packet, isRowPacket) =>
      packets.push({ packet, isRow: isRowPacket }),
    );
    const media = Array.from({ length: 10 }, (_, index) => mediaPacket(index, 65_534, index === 4 ? 40 : 30));
    for (const packet of media) encoder.add(packet);
    const xor = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum ^ number, 0) >>> 0;
    const check = (packet: Buffer | undefined, isRow: boolean, members: readonly number[]): void => {
      assert.ok(packet);
      const parts = members.map((index) => media[index] ?? Buffer.alloc(0));
      const longest = Math.max(...parts.map(({ length }) => length - RTP_HEADER_BYTES));
      const expected = Buffer.alloc(FEC_HEADER_BYTES + longest);
      writeRtpHeader(expected, 96, packet.readUInt16BE(2), packet.readUInt32BE(4), 0);
      expected.writeUInt16BE(parts[0]?.readUInt16BE(2) ?? 0, 12);
      expected.writeUInt16BE(xor(parts.map(({ length }) => length - RTP_HEADER_BYTES)), 14);
      expected[0] = 0x80;
      expected[16] = 0x80 | xor(parts.map((part) => part[1] ?? 0));
      expected.writeUInt32BE(xor(parts.map((part) => part.readUInt32BE(4))), 20);
      expected[24] = isRow ? 0x40 : 0;
      expected[25] = isRow ? 1 : 2;
      expected[26] = members.length;
      for (let at = 0; at < longest; at++) {
        expected[FEC_HEADER_BYTES + at] = xor(parts.map((part) => part[RTP_HEADER_BYTES + at] ?? 0));
      }
      assert.equal(packet.toString('hex'), expected.toString('hex'));
    };
    const rows = packets.filter(({ isRow }) => isRow).map(({ packet }) => packet);
    const columns = packets.filter(({ isRow }) => !isRow).map(({ packet }) => packet);
    assert.deepEqual([rows.length, columns.length], [5, 1]);
    for (const [index, row] of rows.entries()) check(row, true, [index * 2, index * 2 + 1]);
    check(columns[0], false, [0, 2, 4, 6]);
  });

  it('takes any FEC without a fault, and delivers no more than there are sequence numbers', () => {
    const hostile = fc.record({
      base: fc.integer({ min: -40, max: 40 }),
      header: fc.uint8Array({ minLength: 14, maxLength: 14 }),
      length: fc.nat(60),
      offset: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 5)),
      count: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 4, 20)),
      isLost: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 300 }), fc.boolean(), (packets, isOrdered) => {
        let bytes = 0;
        const receiver = new FecReceiver(isOrdered, (payload) => (bytes += payload.length));
        for (const [index, { base, header, length, offset, count, isLost }] of packets.entries()) {
          const packet = mediaPacket(index, 0);
          if (!isLost) receiver.media(packet, packet.subarray(RTP_HEADER_BYTES), index, index);
          const fec = Buffer.alloc(length);
          fec.set(Buffer.from([0x80, 96, ...header]).subarray(0, length));
          if (length > 26) {
            fec.writeUInt16BE((index + base) & 0xffff, 12);
            fec.set([0, offset, count], 24);
          }
          receiver.fec(fec, index % 2 === 0, index);
          receiver.tick(index);
        }
        receiver.tick(10_000);
        assert.ok(bytes <= packets.length * 3 * 60);
      }),
    );
  });
});
