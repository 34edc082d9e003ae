import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openKeyMessage, readKeyMessageHead } from './key-message.ts';
import { EVEN_KEY, ODD_KEY } from './packet.ts';
import { ReceivingKeys } from './receiving-keys.ts';
import { makeKeyMaterial, SendingKeys } from './sending-keys.ts';

const PASSPHRASE = 'correct-horse-battery';
const REFRESH = { packets: 10, announce: 4 };
const payload = () => Buffer.alloc(188, 0x47);

describe('the keys of a sender', () => {
  it('change only when the peer has confirmed the next one, which is announced again until then', () => {
    const keys = new SendingKeys(PASSPHRASE, makeKeyMaterial(16), REFRESH);
    for (let sequence = 0; sequence < 6; sequence++) assert.equal(keys.encrypt(sequence, payload(), true), EVEN_KEY);
    assert.equal(keys.tick(0, 50), undefined, 'not yet');
    keys.encrypt(6, payload(), true);
    const message = keys.tick(10, 50);
    assert.ok(message !== undefined);
    assert.equal(keys.tick(20, 50), undefined);
    assert.deepEqual(keys.tick(60, 50), message);
    for (let sequence = 7; sequence < 15; sequence++) assert.equal(keys.encrypt(sequence, payload(), true), EVEN_KEY);
    keys.answer(Buffer.alloc(4));
    assert.equal(keys.encrypt(15, payload(), true), EVEN_KEY, 'a refusal is no confirmation');
    keys.answer(message);
    assert.equal(keys.tick(200, 50), undefined);
    assert.equal(keys.encrypt(16, payload(), true), ODD_KEY);
    assert.equal(keys.hasFailed(1000), false);
  });

  it('are not those of the peer: without one that was made here, nothing is encrypted before the peer has it', () => {
    const theirs = makeKeyMaterial(32);
    const keys = new SendingKeys(PASSPHRASE, { keyBytes: 32, salt: theirs.salt }, REFRESH);
    assert.equal(keys.isReady, false);
    assert.equal(keys.encrypt(0, payload(), true), undefined);
    const message = keys.tick(0, 50);
    assert.ok(message !== undefined);
    assert.equal(keys.isReady, false);
    keys.answer(message);
    assert.equal(keys.encrypt(0, payload(), true), ODD_KEY);
    assert.notDeepEqual(openKeyMessage(message, PASSPHRASE)?.odd, theirs.even);
  });

  it('have failed when the peer never takes the first one, or the next', () => {
    const first = new SendingKeys(PASSPHRASE, { keyBytes: 16, salt: Buffer.alloc(16) }, REFRESH);
    first.tick(0, 50);
    assert.equal(first.hasFailed(4000), false);
    assert.equal(first.hasFailed(6000), true);
    const next = new SendingKeys(PASSPHRASE, makeKeyMaterial(16), REFRESH);
    for (let sequence = 0; sequence < 21; sequence++) next.encrypt(sequence, payload(), true);
    next.tick(0, 50);
    assert.equal(next.hasFailed(1), true);
  });
});

describe('the keys of a receiver', () => {
  it('are changed by the peer, and open what it encrypted under each', () => {
    const material = makeKeyMaterial(24);
    const [sender, receiver] = [
      new SendingKeys(PASSPHRASE, material, REFRESH),
      new ReceivingKeys(PASSPHRASE, material),
    ];
    for (let sequence = 0; sequence < 100; sequence++) {
      const message = sender.tick(sequence * 100, 50);
      if (message !== undefined && receiver.accept(message, sequence * 100)) sender.answer(message);
      const packet = payload();
      const keyBits = sender.encrypt(sequence, packet, true);
      assert.ok(keyBits !== undefined && !packet.equals(payload()));
      assert.ok(receiver.decrypt(keyBits, sequence, packet) && packet.equals(payload()));
    }
  });

  it('are not taken of a wrong passphrase, or of another length', () => {
    const receiver = new ReceivingKeys(PASSPHRASE, makeKeyMaterial(32));
    const messageOf = (keyBytes: 16 | 32, passphrase: string): Buffer => {
      const message = new SendingKeys(passphrase, { keyBytes, salt: Buffer.alloc(16, 3) }, REFRESH).tick(0, 50);
      assert.ok(message !== undefined && readKeyMessageHead(message).keyBytes === keyBytes);
      return message;
    };
    assert.equal(receiver.accept(messageOf(32, 'wrong-horse-battery'), 100), false);
    assert.equal(receiver.accept(messageOf(16, PASSPHRASE), 200), false);
    assert.equal(receiver.decrypt(ODD_KEY, 0, payload()), false);
    assert.equal(receiver.accept(messageOf(32, PASSPHRASE), 300), true);
    assert.equal(receiver.decrypt(ODD_KEY, 0, payload()), true);
    assert.equal(receiver.decrypt(0, 0, payload()), false, 'in the clear');
  });
});
