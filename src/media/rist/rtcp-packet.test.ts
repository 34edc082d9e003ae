import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type RtcpListener, RtcpWriter, readRtcp } from './rtcp-packet.ts';

function read(datagram: Buffer) {
  const seen: unknown[] = [];
  const listener: RtcpListener = {
    senderReport: (...facts) => seen.push(['senderReport', ...facts]),
    receiverReport: () => seen.push(['receiverReport']),
    nack: (...facts) => seen.push(['nack', ...facts]),
    echoRequest: (...facts) => seen.push(['echoRequest', ...facts]),
    echoResponse: (...facts) => seen.push(['echoResponse', ...facts]),
  };
  return { isRtcp: readRtcp(datagram, listener), seen };
}

const report = (): RtcpWriter => new RtcpWriter(0x0a0b0c0d).begin().receiverReport(0x0a0b0c0d).sourceDescription(1);

describe('RTCP of RIST', () => {
  it('is read as it was written', () => {
    const { isRtcp, seen } = read(
      new RtcpWriter(8)
        .begin()
        .senderReport(8, Date.UTC(2020, 0, 1, 0, 0, 0, 500), 0xfffffff0, 12, 34)
        .sourceDescription(8)
        .rangeNack(8, Uint16Array.of(65_535, 2, 7, 0), 2)
        .echo('echoRequest', 8, 1, 0xfffffffe)
        .echo('echoResponse', 8, 3, 4)
        .datagram(),
    );
    assert.ok(isRtcp);
    // 3786825600 s since 1900 and a half, of which the middle 32 bits.
    const middle = (((3_786_825_600 & 0xffff) << 16) | 0x8000) >>> 0;
    assert.deepEqual(seen, [
      ['senderReport', 8, middle],
      ['nack', 65_535, 3],
      ['nack', 7, 1],
      ['echoRequest', 8, 1, 0xfffffffe],
      ['echoResponse', 3, 4, 0],
    ]);
  });

  it('has the layout of RFC 3550 and TR-06-1', () => {
    const written = report().rangeNack(0x01020304, Uint16Array.of(0x1122, 3), 1).datagram();
    const name = Buffer.from('coffer-0a0b0c0d').toString('hex');
    const parts = [
      '80c90001 0a0b0c0d',
      `81ca0006 00000001 010f ${name} 000000`,
      '80cc0003 01020304 52495354 1122 0003',
    ];
    assert.equal(written.toString('hex'), parts.join('').replaceAll(' ', ''));
  });

  it('asks by bitmask, too', () => {
    const feedback = Buffer.from('81cd0003 0000000100000002 fffe 8005'.replaceAll(' ', ''), 'hex');
    const { seen } = read(Buffer.concat([report().datagram(), feedback]));
    assert.deepEqual(seen, [
      ['receiverReport'],
      ['nack', 65_534, 1],
      ['nack', 65_535, 1],
      ['nack', 1, 1],
      ['nack', 14, 1],
    ]);
  });

  it('is not read where it does not begin with a report, and up to the first lie', () => {
    assert.equal(read(Buffer.from('80cc000301020304524953541122', 'hex')).isRtcp, false);
    assert.equal(read(Buffer.alloc(0)).isRtcp, false);
    const cut = report().rangeNack(1, Uint16Array.of(1, 1), 1).datagram();
    assert.deepEqual(read(cut.subarray(0, -1)).seen, [['receiverReport']]);
  });

  it('is read without a fault whatever comes', () => {
    const bytes = fc.uint8Array({ maxLength: 120 });
    fc.assert(
      fc.property(bytes, fc.constantFrom(200, 201, 204, 205, 207), (tail, type) => {
        const start = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 1, 0x80 | (tail[0] ?? 0), type]);
        const { seen } = read(Buffer.concat([start, tail]));
        assert.ok(seen.length < 1000);
      }),
      { numRuns: 2000 },
    );
  });
});
