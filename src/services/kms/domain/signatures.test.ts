import assert from 'node:assert/strict';
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  privateEncrypt,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { before, describe, it } from 'node:test';
import type { MessageType, SigningAlgorithmSpec } from '@aws-sdk/client-kms';
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js';
import fc from 'fast-check';
import { ServiceError } from '#kernel/service-error.ts';
import { signEd25519ph, verifyEd25519ph } from './prehashed-signatures.ts';
import { generatePair } from './generate-key.ts';
import { type KeyPair, readKeyPair } from './key-pair.ts';
import { algorithmsOf, type PairSpec } from './key-specs.ts';
import { checkMessage, type SignedMessage, signMessage, verifyMessage } from './signatures.ts';

const SPECS = [
  'RSA_2048',
  'RSA_3072',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'ECC_NIST_EDWARDS25519',
  'ML_DSA_44',
  'ML_DSA_65',
  'ML_DSA_87',
] as const satisfies readonly PairSpec[];

/** As Node's own verification takes the message of an algorithm, where it takes it. */
function nodeOptions(algorithm: SigningAlgorithmSpec): { hash: string | null; padding?: number; saltLength?: number } {
  const [, bits] = /SHA_(\d+)$/.exec(algorithm) ?? [];
  if (algorithm.startsWith('ML_DSA') || algorithm.startsWith('ED25519')) return { hash: null };
  const hash = `sha${bits}`;
  return algorithm.includes('PSS')
    ? { hash, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: Number(bits) / 8 }
    : { hash };
}

/** What stands for a message where it is not sent itself, and how that is called. */
function shortened(pair: KeyPair, algorithm: SigningAlgorithmSpec, message: Uint8Array): [MessageType, Buffer] {
  if (algorithm !== 'ML_DSA_SHAKE_256') {
    return [
      'DIGEST',
      createHash(`sha${algorithm.slice(-3)}`)
        .update(message)
        .digest(),
    ];
  }
  // FIPS 204, 6.2: μ of a message without a context.
  const shake = (...parts: readonly Uint8Array[]) => {
    const hash = createHash('shake256', { outputLength: 64 });
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const key = pair.publicKey.export({ format: 'raw-public' });
  return ['EXTERNAL_MU', shake(shake(key), Buffer.of(0, 0), message)];
}

interface Case {
  readonly spec: PairSpec;
  readonly algorithm: SigningAlgorithmSpec;
  readonly pair: KeyPair;
}

describe('signatures', () => {
  const pairs = new Map<PairSpec, KeyPair>();
  const cases: Case[] = [];

  before(async () => {
    for (const spec of SPECS) {
      const pair = await generatePair(spec);
      pairs.set(spec, pair);
      for (const algorithm of algorithmsOf(spec)?.SIGN_VERIFY ?? []) cases.push({ spec, algorithm, pair });
    }
  });

  const raw = ({ spec, algorithm }: Case, message: Uint8Array): SignedMessage =>
    ({ spec, algorithm, messageType: 'RAW', message }) as const;
  const short = ({ spec, algorithm, pair }: Case, message: Uint8Array): SignedMessage => {
    const [messageType, shortMessage] = shortened(pair, algorithm, message);
    return { spec, algorithm, messageType, message: shortMessage };
  };
  /** Algorithms that sign a message and what stands for it alike. */
  const bothWays = () => cases.filter(({ algorithm }) => !algorithm.startsWith('ED25519'));

  it('of a message, and of what stands for it, are the same to both and to Node', async () => {
    for (const one of bothWays()) {
      const { hash, ...padding } = nodeOptions(one.algorithm);
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (message) => {
          for (const made of [raw(one, message), short(one, message)]) {
            checkMessage(made);
            const signature = await signMessage(one.pair, made);
            assert.ok(verify(hash, message, { key: one.pair.publicKey, ...padding }, signature), one.algorithm);
            assert.ok(await verifyMessage(one.pair, raw(one, message), signature), one.algorithm);
            assert.ok(await verifyMessage(one.pair, short(one, message), signature), one.algorithm);
          }
        }),
        { numRuns: 5 },
      );
    }
  });

  it('made by Node are taken for the message and for what stands for it', async () => {
    const message = Buffer.from('made elsewhere');
    for (const one of bothWays()) {
      const { hash, ...padding } = nodeOptions(one.algorithm);
      const signature = sign(hash, message, { key: one.pair.privateKey, ...padding });
      assert.ok(await verifyMessage(one.pair, raw(one, message), signature), one.algorithm);
      assert.ok(await verifyMessage(one.pair, short(one, message), signature), one.algorithm);
    }
  });

  it('with any byte changed, cut or extended are none', async () => {
    const message = Buffer.from('the message');
    for (const one of cases) {
      const forms =
        one.algorithm === 'ED25519_SHA_512' ? [raw] : one.algorithm === 'ED25519_PH_SHA_512' ? [short] : [raw, short];
      for (const form of forms) {
        const signed = form(one, message);
        const signature = Buffer.from(await signMessage(one.pair, signed));
        // Of a long one under a slow algorithm not every byte.
        const isSlow = signed.messageType === 'DIGEST' && one.spec.startsWith('ECC');
        const step = signed.messageType === 'EXTERNAL_MU' ? 197 : one.spec.startsWith('ML_DSA') ? 11 : isSlow ? 3 : 1;
        for (let i = 0; i < signature.length; i += step) {
          const changed = Buffer.from(signature);
          changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8));
          assert.equal(await verifyMessage(one.pair, signed, changed), false, `${one.algorithm} byte ${i}`);
        }
        for (const other of [
          signature.subarray(1),
          signature.subarray(0, -1),
          Buffer.alloc(0),
          Buffer.alloc(signature.length),
        ]) {
          assert.equal(await verifyMessage(one.pair, signed, other), false, one.algorithm);
        }
        const longer = Buffer.concat([signature, Buffer.of(0)]);
        assert.equal(await verifyMessage(one.pair, signed, longer), false, one.algorithm);
      }
    }
  });

  it('of another message, key or algorithm are none', async () => {
    const message = Buffer.from('the message');
    for (const one of bothWays()) {
      const signature = await signMessage(one.pair, short(one, message));
      const stranger = { ...one, pair: await generatePair(one.spec) };
      for (const form of [raw, short]) {
        assert.equal(await verifyMessage(one.pair, form(one, Buffer.from('another')), signature), false);
        assert.equal(await verifyMessage(stranger.pair, form(stranger, message), signature), false);
        for (const other of cases.filter(({ spec, algorithm }) => spec === one.spec && algorithm !== one.algorithm)) {
          assert.equal(await verifyMessage(one.pair, form(other, message), signature), false, other.algorithm);
        }
      }
    }
  });

  it('with a salt of another length, or with a broken padding, are none', async () => {
    const message = Buffer.from('the message');
    const pair = pairs.get('RSA_2048');
    assert.ok(pair);
    const one: Case = { spec: 'RSA_2048', algorithm: 'RSASSA_PSS_SHA_256', pair };
    for (const saltLength of [0, 20, 31, 33]) {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const options = { key: pair.privateKey, padding, saltLength };
      const signature: Buffer = sign('sha256', message, options);
      for (const form of [raw, short]) assert.equal(await verifyMessage(pair, form(one, message), signature), false);
    }
    for (const content of [
      Buffer.alloc(256),
      Buffer.alloc(256, 1),
      Buffer.concat([Buffer.alloc(255), Buffer.of(0xbc)]),
    ]) {
      const signature = privateEncrypt({ key: pair.privateKey, padding: constants.RSA_NO_PADDING }, content);
      for (const form of [raw, short]) assert.equal(await verifyMessage(pair, form(one, message), signature), false);
    }
    // A DigestInfo of another hash, and one with something behind it.
    const pkcs1: Case = { spec: 'RSA_2048', algorithm: 'RSASSA_PKCS1_V1_5_SHA_256', pair };
    const digest = createHash('sha256').update(message).digest();
    const head = Buffer.from('3031300d060960864801650304020105000420', 'hex');
    for (const content of [
      digest,
      Buffer.concat([head, digest, Buffer.of(0)]),
      Buffer.concat([head.fill(1, 12, 13), digest]),
    ]) {
      const signature = privateEncrypt({ key: pair.privateKey, padding: constants.RSA_PKCS1_PADDING }, content);
      for (const form of [raw, short]) assert.equal(await verifyMessage(pair, form(pkcs1, message), signature), false);
    }
  });

  it('without their leading zero are none', async () => {
    const pair = pairs.get('RSA_2048');
    assert.ok(pair);
    for (const algorithm of ['RSASSA_PSS_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_256'] as const) {
      const one: Case = { spec: 'RSA_2048', algorithm, pair };
      for (let count = 0, found = 0; found < 1; count++) {
        const signed = raw(one, Buffer.from(`message ${count}`));
        const signature: Buffer = Buffer.from(await signMessage(pair, signed));
        if (signature[0] !== 0) continue;
        found++;
        assert.ok(await verifyMessage(pair, signed, signature));
        assert.equal(await verifyMessage(pair, signed, signature.subarray(1)), false);
      }
    }
  });

  it('of an external μ are made with an imported key that has no seed', async () => {
    const { secretKey } = ml_dsa44.keygen(randomBytes(32));
    // PKCS #8 with the choice `expandedKey` of RFC 9881.
    const tagged = (tag: number, ...parts: readonly Uint8Array[]) => {
      const content = Buffer.concat(parts);
      return Buffer.concat([Buffer.of(tag, 0x82, content.length >> 8, content.length & 255), content]);
    };
    const head = Buffer.from('020100300b0609608648016503040311', 'hex');
    const pair = readKeyPair(tagged(0x30, head, tagged(4, tagged(4, secretKey))));
    const one: Case = { spec: 'ML_DSA_44', algorithm: 'ML_DSA_SHAKE_256', pair };
    const message = Buffer.from('the message');
    const signature = await signMessage(pair, short(one, message));
    assert.ok(verify(null, message, pair.publicKey, signature));
  });

  it('by Ed25519ph are those of RFC 8032, 7.3', () => {
    const secret = Buffer.from('833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42', 'hex');
    const privateKey = createPrivateKey({ key: secret, format: 'raw-private', asymmetricKeyType: 'ed25519' });
    const pair = { privateKey, publicKey: createPublicKey(privateKey) };
    const expected =
      '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41' +
      '31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406';
    assert.equal(Buffer.from(signEd25519ph(pair, Buffer.from('abc'))).toString('hex'), expected);
    assert.ok(verifyEd25519ph(pair, Buffer.from('abc'), Buffer.from(expected, 'hex')));
    assert.equal(verify(null, Buffer.from('abc'), pair.publicKey, Buffer.from(expected, 'hex')), false);
  });

  it('of messages are asked for only in the types and lengths that the algorithm has', () => {
    const isRefused = (message: RegExp) => (error: unknown) => {
      assert.ok(error instanceof ServiceError);
      assert.equal(error.code, 'ValidationException');
      assert.match(error.message, message);
      return true;
    };
    const check = (algorithm: SigningAlgorithmSpec, messageType: MessageType, length: number) =>
      checkMessage({ algorithm, messageType, message: Buffer.alloc(length) });
    const lengths = { SHA_256: 32, SHA_384: 48, SHA_512: 64 };
    for (const { algorithm } of cases) {
      const isPure = algorithm === 'ED25519_SHA_512';
      const isPrehashed = algorithm === 'ED25519_PH_SHA_512';
      const isLattice = algorithm === 'ML_DSA_SHAKE_256';
      const [, length] = Object.entries(lengths).find(([hash]) => algorithm.endsWith(hash)) ?? ['', 64];
      if (isPrehashed) assert.throws(() => check(algorithm, 'RAW', 64), isRefused(/MessageType RAW is not valid/));
      else check(algorithm, 'RAW', 4096);
      const [taken, others] = isLattice
        ? (['EXTERNAL_MU', ['DIGEST']] as const)
        : isPure
          ? ([undefined, ['DIGEST', 'EXTERNAL_MU']] as const)
          : (['DIGEST', ['EXTERNAL_MU']] as const);
      for (const other of others) {
        assert.throws(() => check(algorithm, other, 64), isRefused(new RegExp(`MessageType ${other} is not valid`)));
      }
      if (taken === undefined) continue;
      check(algorithm, taken, length);
      for (const wrong of [0, 1, length - 1, length + 1, 4096]) {
        assert.throws(
          () => check(algorithm, taken, wrong),
          isRefused(/^Digest is invalid length for algorithm \w+\.$/),
        );
      }
    }
  });
});
