import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PacketAligner } from './packet-aligner.ts';

/** Packets whose bytes are unlike the sync byte, numbered. */
function packets(count: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, index) => {
      const packet = Buffer.alloc(188, 0xaa);
      packet[0] = 0x47;
      // Even bytes: none is the sync byte.
      packet[4] = (index >> 7) << 1;
      packet[5] = (index << 1) & 0xff;
      return packet;
    }),
  );
}

function align(pieces: readonly Buffer[]) {
  const datagrams: Buffer[] = [];
  const aligner = new PacketAligner((datagram) => datagrams.push(datagram));
  for (const piece of pieces) aligner.push(piece);
  aligner.flush();
  return { datagrams, bytes: Buffer.concat(datagrams), counters: aligner.counters };
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? bytes.length;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** Whether somewhere within a packet as many bytes are lost as whole packets have. */
function losesWholePackets(pieces: readonly Buffer[], isKept: (index: number) => boolean): boolean {
  let at = 0;
  let lost = 0;
  return pieces.some(({ length }, index) => {
    at += length;
    lost = isKept(index) ? 0 : lost + length;
    return lost > 0 && lost % 188 === 0 && at % 188 !== 0;
  });
}

describe('the aligner', () => {
  it('passes datagrams of seven packets on as they are, without a copy', () => {
    const stream = packets(70);
    const pieces = cut(stream, [1316]);
    const { datagrams } = align(pieces);
    assert.ok(datagrams.every((datagram, index) => datagram === pieces[index]));
  });

  it('puts a stream that was cut anywhere together again', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 }), (sizes) => {
        const stream = packets(100);
        const { bytes, datagrams, counters } = align(cut(stream, sizes));
        assert.deepEqual(bytes, stream);
        assert.ok(datagrams.every(({ length }) => length <= 1316 && length % 188 === 0));
        assert.deepEqual(counters, { syncLosses: 0, syncByteErrors: 0, garbageBytes: 0 });
      }),
    );
  });

  it('gives nothing but whole packets of the stream where datagrams of any size are lost', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 189, max: 2000 }),
        fc.array(fc.boolean(), { minLength: 5, maxLength: 30 }),
        (size, kept) => {
          const stream = packets(200);
          const isKept = (index: number): boolean => kept[index % kept.length] ?? false;
          // A packet whose middle went with whole packets behind it looks whole: only its counters could tell.
          fc.pre(!losesWholePackets(cut(stream, [size]), isKept));
          const { bytes } = align(cut(stream, [size]).filter((_, index) => isKept(index)));
          const known = new Set(
            Array.from({ length: 200 }, (_, index) => stream.toString('latin1', index * 188, index * 188 + 188)),
          );
          let strange = 0;
          for (let at = 0; at < bytes.length; at += 188) {
            assert.equal(bytes[at], 0x47);
            if (!known.has(bytes.toString('latin1', at, at + 188))) strange += 1;
          }
          assert.equal(strange, 0);
        },
      ),
    );
  });

  it('throws away what is no transport stream, and counts it', () => {
    const { bytes, counters } = align(
      Array.from({ length: 50 }, () => randomBytes(1316).map((byte) => (byte === 0x47 ? 0 : byte))).map((bytes) =>
        Buffer.from(bytes),
      ),
    );
    assert.equal(bytes.length, 0);
    assert.ok(counters.garbageBytes > 45 * 1316);
  });

  it('finds the stream in garbage, and says that it was lost', () => {
    const stream = packets(21);
    const { bytes, counters } = align([stream, Buffer.alloc(1000, 1), stream]);
    assert.deepEqual(bytes, Buffer.concat([stream, stream]));
    assert.equal(counters.syncLosses, 1);
    assert.equal(counters.garbageBytes, 1000);
  });

  it('takes no packet of another stream for the rest of one', () => {
    const datagrams: Buffer[] = [];
    const aligner = new PacketAligner((datagram) => datagrams.push(datagram));
    const stream = packets(14);
    aligner.push(stream.subarray(0, 7 * 188 + 100));
    aligner.reset();
    aligner.push(stream);
    aligner.flush();
    assert.deepEqual(Buffer.concat(datagrams), Buffer.concat([stream.subarray(0, 7 * 188), stream]));
  });
});
