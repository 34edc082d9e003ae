import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { readEcdsaSignature, writeEcdsaSignature } from './ecdsa-der.ts';
import { generatePair } from './generate-key.ts';
import { algorithmsOf } from './key-specs.ts';
import { type SignedMessage, signMessage, verifyMessage } from './signatures.ts';

describe('ECDSA signatures of digests', () => {
  it('are taken by another implementation, and its are taken, whatever the digest', async () => {
    const curves = {
      ECC_NIST_P256: p256,
      ECC_NIST_P384: p384,
      ECC_NIST_P521: p521,
      ECC_SECG_P256K1: secp256k1,
    } as const;
    for (const [spec, curve] of Object.entries(curves) as [keyof typeof curves, typeof p256][]) {
      const pair = await generatePair(spec);
      const [algorithm] = algorithmsOf(spec)?.SIGN_VERIFY ?? [];
      assert.ok(algorithm);
      const length = Number(algorithm.slice(-3)) / 8;
      const order = Buffer.from(curve.Point.Fn.ORDER.toString(16), 'hex');
      const point = pair.publicKey.export({ format: 'raw-public' });
      const options = { prehash: false, lowS: false, format: 'der' } as const;
      for (const digest of [
        Buffer.alloc(length),
        Buffer.alloc(length, 255),
        Buffer.alloc(length).fill(1, length - 1),
        // Of the curves whose order is as long as the hash: a digest that is 0 to them.
        ...(order.length === length ? [order] : []),
        randomBytes(length),
      ]) {
        const signed: SignedMessage = { spec, algorithm, messageType: 'DIGEST', message: digest };
        const signature = await signMessage(pair, signed);
        assert.ok(curve.verify(signature, digest, point, options), `${spec} ${digest.toString('hex')}`);
        assert.ok(await verifyMessage(pair, signed, signature), `${spec} ${digest.toString('hex')}`);
        const secret = pair.privateKey.export({ format: 'raw-private' });
        const other = curve.sign(digest, secret, options);
        assert.ok(await verifyMessage(pair, signed, other), `${spec} ${digest.toString('hex')}`);
        const wrong: SignedMessage = { ...signed, message: Buffer.from(digest.map((byte) => byte ^ 2)) };
        assert.equal(await verifyMessage(pair, wrong, signature), false);
      }
    }
  });

  it('are read in the one form that DER gives them', async () => {
    const pair = await generatePair('ECC_NIST_P256');
    const message = Buffer.from('the message');
    const raw: SignedMessage = { spec: 'ECC_NIST_P256', algorithm: 'ECDSA_SHA_256', messageType: 'RAW', message };
    const digest = createHash('sha256').update(message).digest();
    const signed: SignedMessage = { ...raw, messageType: 'DIGEST', message: digest };
    const signature = Buffer.from(await signMessage(pair, signed));
    const read = readEcdsaSignature(signature);
    assert.ok(read);
    const { ORDER } = p256.Point.Fn;
    // The other root of the same: OpenSSL and AWS take it.
    assert.ok(await verifyMessage(pair, signed, writeEcdsaSignature(read.r, ORDER - read.s)));
    const [r, s] = [read.r.toString(16).padStart(64, '0'), read.s.toString(16).padStart(64, '0')];
    for (const [what, form] of Object.entries({
      'r of another round': writeEcdsaSignature(read.r + ORDER, read.s),
      's of another round': writeEcdsaSignature(read.r, read.s + ORDER),
      'r is 0': Buffer.from(`3025020100022100${s}`, 'hex'),
      's is 0': Buffer.from(`3026022100${r}020100`, 'hex'),
      'zeros before the numbers': Buffer.from(`304802220000${r}02220000${s}`, 'hex'),
      'long length': Buffer.concat([Buffer.of(0x30, 0x81), signature.subarray(1)]),
      'indefinite length': Buffer.concat([Buffer.of(0x30, 0x80), signature.subarray(2), Buffer.alloc(2)]),
      'another tag': Buffer.concat([Buffer.of(0x31), signature.subarray(1)]),
      'a third number': Buffer.concat([
        Buffer.of(0x30, signature.length + 1),
        signature.subarray(2),
        Buffer.of(2, 1, 1),
      ]),
      'not in DER': Buffer.from(r + s, 'hex'),
      'r alone': Buffer.from(`3023022100${r}`, 'hex'),
    })) {
      assert.equal(await verifyMessage(pair, signed, form), false, what);
      assert.equal(await verifyMessage(pair, raw, form), false, what);
    }
  });
});
