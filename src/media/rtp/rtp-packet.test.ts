import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RTP_HEADER_BYTES, RtpPacketView, writeRtpHeader } from './rtp-packet.ts';

function packetOf(flags: number, ...rest: Uint8Array[]): Buffer {
  const header = Buffer.alloc(RTP_HEADER_BYTES);
  writeRtpHeader(header, 33, 0xfffe, 0xfedcba98, 0x89abcdef);
  header[0] = flags;
  return Buffer.concat([header, ...rest]);
}

const payload = Buffer.from('a payload');

describe('RtpPacketView', () => {
  it('reads what was written', () => {
    const view = new RtpPacketView();
    assert.ok(view.read(packetOf(0x80, payload)));
    const { sequence, timestamp, ssrc, payloadType, payloadStart } = view;
    assert.deepEqual(
      { sequence, timestamp, ssrc, payloadType, payloadStart },
      { sequence: 0xfffe, timestamp: 0xfedcba98, ssrc: 0x89abcdef, payloadType: 33, payloadStart: 12 },
    );
  });

  it('finds the payload behind contributing sources and an extension, and before padding', () => {
    const view = new RtpPacketView();
    const extension = Buffer.from([0xbe, 0xde, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]);
    const packet = packetOf(0xb2, Buffer.alloc(8), extension, payload, Buffer.from([0, 0, 3]));
    assert.ok(view.read(packet));
    assert.deepEqual(packet.subarray(view.payloadStart, view.payloadEnd), payload);
  });

  it('refuses lengths that are not there', () => {
    const view = new RtpPacketView();
    const lies = {
      'another version': packetOf(0x40, payload),
      'a cut header': packetOf(0x80).subarray(0, 11),
      'contributing sources that are not there': packetOf(0x8f, payload),
      'an extension without its head': packetOf(0x90, Buffer.alloc(3)),
      'an extension beyond the end': packetOf(0x90, Buffer.from([0, 0, 0xff, 0xff])),
      'padding beyond the beginning': packetOf(0xa0, Buffer.from([0, 0, 200])),
      'padding of nothing': packetOf(0xa0, Buffer.from([1, 2, 0])),
      'padding of an empty packet': packetOf(0xa0),
    };
    for (const [name, packet] of Object.entries(lies)) assert.equal(view.read(packet), false, name);
  });

  it('never points outside of any datagram', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const view = new RtpPacketView();
        const datagram = Buffer.from(bytes);
        if (datagram.length > 0) datagram[0] = 0x80 | ((datagram[0] ?? 0) & 0x3f);
        if (!view.read(datagram)) return;
        assert.ok(view.payloadStart >= RTP_HEADER_BYTES);
        assert.ok(view.payloadStart <= view.payloadEnd && view.payloadEnd <= datagram.length);
      }),
      { numRuns: 2000 },
    );
  });
});
