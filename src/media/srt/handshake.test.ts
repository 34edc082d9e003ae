import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readHandshake, REQUEST, SRT_MAGIC, writeHandshake } from './handshake.ts';
import { makeKeyMessage, openKeyMessage, readKeyMessageHead } from './key-message.ts';

/** What srt-live-transmit 1.5.1 sent as a caller (24-byte key, stream id, latency 150 ms), and answered as a listener. */
const INDUCTION =
  '8000000000000000000000d50000000000000004000000021795bd43000005dc00002000000000010326500d000000000100007f000000000000000000000000';
const CONCLUSION =
  '800000000000000000004e390000000000000005000300071795bd43000005dc00002000ffffffff0326500dccd0ac510100007f0000000000000000000000000001000300010501000000bf0096009600050002656d6163372d617200030010122029010000000002000200000004064d812cc89453de52431db35f3a7b0471be079fbb9a94ca5d1137490549bbf84c7201d063a32b613e359c3e9b38c70e9e';
const INDUCTION_ANSWER =
  '80000000000000000005ff470cdd74520000000500044a1753569f47000005dc00008000000000010cdd7452ef64dea40100007f000000000000000000000000';
const CONCLUSION_ANSWER =
  '8000000000000000000004640cdd7452000000050004000353569f47000005dc00002000ffffffff2ccc7ddfef64dea40100007f0000000000000000000000000002000300010501000000bf009600960004000e12202901000000000200020000000404555c17913a787589177a7aca502d57415634c1e6fdf4994cd2dca8ff6cf5bf4cf91afcb1d071db0b';
const REFUSAL =
  '80000000000000000004aa5a3c019e4d0000000500020003573d5b48000005dc00002000000003f22ccc7dddef64dea40100007f000000000000000000000000';
const PASSPHRASE = 'correct-horse-battery';

const read = (hex: string) => {
  const handshake = readHandshake(Buffer.from(hex, 'hex'));
  assert.ok(handshake !== undefined);
  return handshake;
};

describe('handshakes of libsrt', () => {
  it("are read: a caller's induction and the answer to it", () => {
    const asked = read(INDUCTION);
    assert.equal(asked.version, 4);
    assert.equal(asked.request, REQUEST.induction);
    assert.equal(asked.socketId, 0x0326500d);
    assert.equal(asked.initialSequence, 0x1795bd43);
    const answer = read(INDUCTION_ANSWER);
    assert.equal(answer.version, 5);
    assert.equal(answer.flags, SRT_MAGIC);
    assert.equal(answer.keyBytes, 32, 'the key length that the listener wants');
    assert.equal(answer.cookie, 0xef64dea4);
    assert.equal(answer.destination, 0x0cdd7452);
  });

  it("are read: a caller's conclusion with latency, stream id and key", () => {
    const { version, hello, streamId, keyMessage, keyBytes, cookie } = read(CONCLUSION);
    assert.deepEqual([version, keyBytes, cookie, streamId], [5, 24, 0xccd0ac51, 'camera-7']);
    assert.equal(hello?.version, 0x010501);
    assert.deepEqual([hello?.receiverLatencyMs, hello?.senderLatencyMs], [150, 150]);
    assert.ok(keyMessage !== undefined);
    assert.deepEqual(readKeyMessageHead(keyMessage), { keyBytes: 24 });
    const material = openKeyMessage(keyMessage, PASSPHRASE);
    assert.equal(material?.even?.length, 24);
    assert.equal(material?.odd, undefined);
    assert.equal(openKeyMessage(keyMessage, 'correct-horse-bettery'), undefined);
  });

  it('are read: an accepting answer, and one that refuses', () => {
    const accepted = read(CONCLUSION_ANSWER);
    assert.equal(accepted.request, REQUEST.conclusion);
    assert.equal(accepted.hello?.senderLatencyMs, 150);
    assert.ok(accepted.keyMessage !== undefined && openKeyMessage(accepted.keyMessage, PASSPHRASE) !== undefined);
    const refused = read(REFUSAL);
    assert.equal(refused.request, 1010);
    assert.equal(refused.hello, undefined);
  });

  it('are written as libsrt writes them', () => {
    for (const hex of [INDUCTION, INDUCTION_ANSWER, REFUSAL]) {
      assert.equal(writeHandshake(read(hex), '127.0.0.1').toString('hex'), hex);
    }
    for (const [hex, isResponse] of [
      [CONCLUSION, false],
      [CONCLUSION_ANSWER, true],
    ] as const) {
      const handshake = read(hex);
      const written = read(writeHandshake(handshake, '127.0.0.1', { ...handshake, isResponse }).toString('hex'));
      assert.deepEqual(written, handshake);
    }
  });
});

describe('a handshake', () => {
  it('of any bytes is read or not, and never throws', () => {
    const valid = Buffer.from(CONCLUSION, 'hex');
    fc.assert(
      fc.property(
        fc.nat(valid.length),
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255))),
        (length, changes) => {
          const packet = Buffer.from(valid);
          for (const [at, value] of changes) packet[at] = value;
          const handshake = readHandshake(packet.subarray(0, length));
          if (handshake?.keyMessage !== undefined) readKeyMessageHead(handshake.keyMessage);
        },
      ),
    );
  });

  it('whose extension ends beyond the packet is not taken', () => {
    assert.equal(readHandshake(Buffer.from(CONCLUSION, 'hex').subarray(0, -1)), undefined);
  });
});

describe('a key message', () => {
  const salt = Buffer.alloc(16, 7);

  it('carries one key or both, of each length', () => {
    for (const keyBytes of [16, 24, 32] as const) {
      const [even, odd] = [Buffer.alloc(keyBytes, 1), Buffer.alloc(keyBytes, 2)];
      for (const keys of [{ even }, { odd }, { even, odd }]) {
        const message = makeKeyMessage({ keyBytes, salt, ...keys }, PASSPHRASE);
        assert.deepEqual(readKeyMessageHead(message), { keyBytes });
        assert.deepEqual(openKeyMessage(message, PASSPHRASE), { keyBytes, salt, ...keys });
      }
    }
  });

  it('is refused with any byte changed', () => {
    const message = makeKeyMessage({ keyBytes: 16, salt, even: Buffer.alloc(16, 1) }, PASSPHRASE);
    // Bytes 3 to 7 and 11 to 13 have bits that mean nothing, and half of the salt is not part of the wrapping.
    const checked = [0, 1, 2, 8, 9, 10, 14, 15, ...Array.from({ length: message.length - 24 }, (_, at) => at + 24)];
    for (const at of checked) {
      const changed = Buffer.from(message);
      changed[at] = (changed[at] as number) ^ 0x40;
      assert.equal(openKeyMessage(changed, PASSPHRASE), undefined, `byte ${at}`);
    }
  });
});
