import assert from 'node:assert/strict';
import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  KMSClient,
  MacAlgorithmSpec,
  ReEncryptCommand,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { failsWith } from '../harness/kms-errors.ts';
import { createKeyOf } from '../harness/kms-keys.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const OAEP = { RSAES_OAEP_SHA_1: 20, RSAES_OAEP_SHA_256: 32 } as const;
type OaepAlgorithm = keyof typeof OAEP;
const isNoCiphertext = failsWith('InvalidCiphertextException', 'UnknownError');

function spki(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' });
}

describe('what KMS keys of all kinds give', () => {
  let platform: TestPlatform;
  let kms: KMSClient;

  before(async () => {
    platform = await startTestPlatform();
    kms = new KMSClient(platform.clientConfig());
  });
  after(async () => {
    kms.destroy();
    await platform.stop();
  });

  async function publicKeyOf(KeyId: string): Promise<KeyObject> {
    const { PublicKey = new Uint8Array() } = await kms.send(new GetPublicKeyCommand({ KeyId }));
    return createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
  }

  it('RSA encrypts as much as OAEP has room for', async () => {
    for (const [spec, size] of [
      ['RSA_2048', 256],
      ['RSA_3072', 384],
      ['RSA_4096', 512],
    ] as const) {
      const { id: KeyId, arn } = await createKeyOf(kms, spec, 'ENCRYPT_DECRYPT');
      for (const [EncryptionAlgorithm, hash] of Object.entries(OAEP) as [OaepAlgorithm, number][]) {
        const max = size - 2 * hash - 2;
        for (const length of [1, max]) {
          const Plaintext = randomBytes(length);
          const sealed = await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionAlgorithm }));
          assert.equal(sealed.CiphertextBlob?.length, size);
          assert.equal(sealed.EncryptionAlgorithm, EncryptionAlgorithm);
          const { CiphertextBlob } = sealed;
          const opened = await kms.send(new DecryptCommand({ KeyId, CiphertextBlob, EncryptionAlgorithm }));
          assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext);
          assert.deepEqual([opened.KeyId, opened.EncryptionAlgorithm], [arn, EncryptionAlgorithm]);
          assert.equal(opened.KeyMaterialId, undefined);
        }
        await assert.rejects(
          kms.send(new EncryptCommand({ KeyId, Plaintext: randomBytes(max + 1), EncryptionAlgorithm })),
          failsWith(
            'ValidationException',
            `Algorithm ${EncryptionAlgorithm} and key spec ${spec} cannot encrypt data larger than ${max} bytes.`,
          ),
        );
      }
    }
  });

  it('an RSA ciphertext that was changed opens to the one error', async () => {
    const { id: KeyId } = await createKeyOf(kms, 'RSA_2048', 'ENCRYPT_DECRYPT');
    const { id: other } = await createKeyOf(kms, 'RSA_2048', 'ENCRYPT_DECRYPT');
    const how = { KeyId, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' } as const;
    const sealed = await kms.send(new EncryptCommand({ ...how, Plaintext: Buffer.from('secret') }));
    const blob = Buffer.from(sealed.CiphertextBlob ?? []);
    const fails = (CiphertextBlob: Uint8Array, changes = {}) =>
      assert.rejects(kms.send(new DecryptCommand({ ...how, CiphertextBlob, ...changes })), isNoCiphertext);
    for (let index = 0; index < blob.length; index += 5) {
      const changed = Buffer.from(blob);
      changed[index] = (changed[index] ?? 0) ^ 0x10;
      await fails(changed);
    }
    for (const changed of [blob.subarray(1), Buffer.concat([blob, blob]), Buffer.alloc(256), Buffer.alloc(256, 255)]) {
      await fails(changed);
    }
    await fails(blob, { EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' });
    await fails(blob, { KeyId: other });
    // Without the key or the algorithm it is no ciphertext of any symmetric key.
    await fails(blob, { KeyId: undefined, EncryptionAlgorithm: undefined });
    await assert.rejects(
      kms.send(new DecryptCommand({ KeyId, CiphertextBlob: blob })),
      failsWith('IncorrectKeyException'),
    );
    await assert.rejects(
      kms.send(new DecryptCommand({ ...how, KeyId: undefined, CiphertextBlob: blob })),
      failsWith('ValidationException', /key ID .* is required/),
    );
  });

  it('a context is refused where nothing binds it', async () => {
    const { id: KeyId } = await createKeyOf(kms, 'RSA_2048', 'ENCRYPT_DECRYPT');
    const { id: symmetric } = await createKeyOf(kms, 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
    const context = { EncryptionContext: { a: 'b' } };
    const how = { KeyId, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' } as const;
    const isRefused = failsWith('ValidationException', /EncryptionContext/);
    const Plaintext = Buffer.from('x');
    await assert.rejects(kms.send(new EncryptCommand({ ...how, ...context, Plaintext })), isRefused);
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ ...how, Plaintext }));
    await assert.rejects(kms.send(new DecryptCommand({ ...how, ...context, CiphertextBlob })), isRefused);
    const move = { CiphertextBlob, SourceKeyId: KeyId, SourceEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' } as const;
    const SourceEncryptionContext = { a: 'b' };
    const to = { DestinationKeyId: symmetric };
    await assert.rejects(kms.send(new ReEncryptCommand({ ...move, ...to, SourceEncryptionContext })), isRefused);
  });

  it('re-encryption goes from RSA to a symmetric key and back', async () => {
    const rsa = await createKeyOf(kms, 'RSA_2048', 'ENCRYPT_DECRYPT');
    const symmetric = await createKeyOf(kms, 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
    const algorithm = 'RSAES_OAEP_SHA_1';
    const Plaintext = Buffer.from('on the way');
    const how = { KeyId: rsa.id, EncryptionAlgorithm: algorithm } as const;
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ ...how, Plaintext }));
    const there = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceKeyId: rsa.id,
        SourceEncryptionAlgorithm: algorithm,
        DestinationKeyId: symmetric.id,
        DestinationEncryptionContext: { a: 'b' },
      }),
    );
    assert.deepEqual([there.SourceKeyId, there.KeyId], [rsa.arn, symmetric.arn]);
    assert.deepEqual(
      [there.SourceEncryptionAlgorithm, there.DestinationEncryptionAlgorithm],
      [algorithm, 'SYMMETRIC_DEFAULT'],
    );
    assert.equal(there.SourceKeyMaterialId, undefined);
    assert.match(there.DestinationKeyMaterialId ?? '', /^[0-9a-f]{64}$/);
    const back = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob: there.CiphertextBlob,
        SourceEncryptionContext: { a: 'b' },
        DestinationKeyId: rsa.id,
        DestinationEncryptionAlgorithm: algorithm,
      }),
    );
    const opened = await kms.send(new DecryptCommand({ ...how, CiphertextBlob: back.CiphertextBlob }));
    assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext);
    // What does not fit is refused after it was opened, and says no more than its length.
    const large = await kms.send(new EncryptCommand({ KeyId: symmetric.id, Plaintext: randomBytes(300) }));
    const to = { DestinationKeyId: rsa.id, DestinationEncryptionAlgorithm: algorithm } as const;
    await assert.rejects(
      kms.send(new ReEncryptCommand({ CiphertextBlob: large.CiphertextBlob, ...to })),
      failsWith('ValidationException', /cannot encrypt data larger than 214 bytes/),
    );
  });

  it('a signature is only for its message, by its key and algorithm', async () => {
    const { id: KeyId } = await createKeyOf(kms, 'RSA_2048', 'SIGN_VERIFY');
    const { id: other } = await createKeyOf(kms, 'RSA_2048', 'SIGN_VERIFY');
    const given = { KeyId, Message: Buffer.from('x'), SigningAlgorithm: 'RSASSA_PSS_SHA_256' } as const;
    const { Signature } = await kms.send(new SignCommand(given));
    const verify = (changes: object) => kms.send(new VerifyCommand({ ...given, Signature, ...changes }));
    assert.equal((await verify({})).SignatureValid, true);
    const isNone = failsWith('KMSInvalidSignatureException', 'UnknownError');
    await assert.rejects(verify({ Message: Buffer.from('y') }), isNone);
    await assert.rejects(verify({ KeyId: other }), isNone);
    await assert.rejects(verify({ SigningAlgorithm: 'RSASSA_PSS_SHA_512' }), isNone);
    await assert.rejects(verify({ Signature: Buffer.alloc(256) }), isNone);
    await assert.rejects(verify({ Signature: Buffer.alloc(6144) }), isNone);
    await assert.rejects(verify({ Signature: Buffer.alloc(6145) }), failsWith('ValidationException', /6144/));
    const isWrong = failsWith(
      'InvalidKeyUsageException',
      'Algorithm ECDSA_SHA_256 is incompatible with key spec RSA_2048.',
    );
    await assert.rejects(verify({ SigningAlgorithm: 'ECDSA_SHA_256' }), isWrong);
    const sm2 = kms.send(new SignCommand({ ...given, SigningAlgorithm: 'SM2DSA' }));
    await assert.rejects(sm2, failsWith('InvalidKeyUsageException', /SM2DSA is incompatible/));
    const digest = kms.send(new SignCommand({ ...given, MessageType: 'DIGEST' }));
    await assert.rejects(
      digest,
      failsWith('ValidationException', 'Digest is invalid length for algorithm RSASSA_PSS_SHA_256.'),
    );
    const long = kms.send(new SignCommand({ ...given, Message: randomBytes(4097) }));
    await assert.rejects(long, failsWith('ValidationException', /'message'.*less than or equal to 4096/));
  });

  it('a MAC is the key’s for its message alone', async () => {
    for (const MacAlgorithm of Object.values(MacAlgorithmSpec)) {
      const bits = Number(MacAlgorithm.slice(-3)) as 224 | 256 | 384 | 512;
      const { id: KeyId, arn } = await createKeyOf(kms, `HMAC_${bits}`, 'GENERATE_VERIFY_MAC');
      const given = { KeyId, MacAlgorithm, Message: randomBytes(4096) };
      const made = await kms.send(new GenerateMacCommand(given));
      const mac = Buffer.from(made.Mac ?? []);
      assert.equal(mac.length, bits / 8);
      assert.deepEqual([made.KeyId, made.MacAlgorithm], [arn, MacAlgorithm]);
      const again = await kms.send(new GenerateMacCommand(given));
      assert.deepEqual(Buffer.from(again.Mac ?? []), mac);
      const verified = await kms.send(new VerifyMacCommand({ ...given, Mac: mac }));
      assert.deepEqual([verified.KeyId, verified.MacAlgorithm, verified.MacValid], [arn, MacAlgorithm, true]);
      const isNone = failsWith('KMSInvalidMacException', 'UnknownError');
      const flipped = [...mac].map((byte, index) => Buffer.from(mac).fill(byte ^ 1, index, index + 1));
      for (const Mac of [...flipped, mac.subarray(1), Buffer.concat([mac, mac])]) {
        await assert.rejects(kms.send(new VerifyMacCommand({ ...given, Mac })), isNone);
      }
      const Message = randomBytes(4096);
      await assert.rejects(kms.send(new VerifyMacCommand({ ...given, Message, Mac: mac })), isNone);
      const wrong = MacAlgorithm === 'HMAC_SHA_256' ? 'HMAC_SHA_512' : 'HMAC_SHA_256';
      await assert.rejects(
        kms.send(new GenerateMacCommand({ ...given, MacAlgorithm: wrong })),
        failsWith('InvalidKeyUsageException', `Algorithm ${wrong} is incompatible with key spec HMAC_${bits}.`),
      );
    }
  });

  it('two keys derive one secret, and nothing from what is no key of their curve', async () => {
    for (const [spec, namedCurve, length] of [
      ['ECC_NIST_P256', 'P-256', 32],
      ['ECC_NIST_P384', 'P-384', 48],
      ['ECC_NIST_P521', 'P-521', 66],
    ] as const) {
      const [ann, bob] = [await createKeyOf(kms, spec, 'KEY_AGREEMENT'), await createKeyOf(kms, spec, 'KEY_AGREEMENT')];
      const derive = (KeyId: string, PublicKey: Uint8Array) =>
        kms.send(new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }));
      const byAnn = await derive(ann.id, spki(await publicKeyOf(bob.id)));
      const byBob = await derive(bob.id, spki(await publicKeyOf(ann.id)));
      assert.deepEqual(byAnn.SharedSecret, byBob.SharedSecret);
      assert.equal(byAnn.SharedSecret?.length, length);
      assert.deepEqual([byAnn.KeyId, byAnn.KeyAgreementAlgorithm, byAnn.KeyOrigin], [ann.arn, 'ECDH', 'AWS_KMS']);
      const own = generateKeyPairSync('ec', { namedCurve });
      const publicKey = await publicKeyOf(ann.id);
      const { SharedSecret = new Uint8Array() } = await derive(ann.id, spki(own.publicKey));
      assert.deepEqual(Buffer.from(SharedSecret), diffieHellman({ privateKey: own.privateKey, publicKey }));
      const offCurve = spki(own.publicKey);
      offCurve[offCurve.length - 1] = (offCurve.at(-1) ?? 0) ^ 1;
      const strangers = ['P-256', 'P-384', 'secp256k1'].filter((name) => name !== namedCurve);
      for (const PublicKey of [
        offCurve,
        spki(own.publicKey).subarray(0, -1),
        Buffer.from('no key'),
        own.privateKey.export({ format: 'der', type: 'pkcs8' }),
        spki(generateKeyPairSync('x25519').publicKey),
        ...strangers.map((name) => spki(generateKeyPairSync('ec', { namedCurve: name }).publicKey)),
      ]) {
        await assert.rejects(derive(ann.id, PublicKey), failsWith('ValidationException', /^PublicKey/));
      }
    }
  });

  it('ML-KEM’s secrets are those of another implementation', async () => {
    for (const [spec, other, length] of [
      ['ML_KEM_512', ml_kem512, 768],
      ['ML_KEM_768', ml_kem768, 1088],
      ['ML_KEM_1024', ml_kem1024, 1568],
    ] as const) {
      const { id: KeyId, arn } = await createKeyOf(kms, spec, 'ENCAPSULATE_DECAPSULATE');
      const how = { KeyId, EncapsulationAlgorithm: 'ML_KEM' } as const;
      const open = async (SharedSecretCiphertextBlob: Uint8Array) => {
        const opened = await kms.send(new DecapsulateCommand({ ...how, SharedSecretCiphertextBlob }));
        assert.deepEqual([opened.KeyId, opened.EncapsulationAlgorithm], [arn, 'ML_KEM']);
        return Buffer.from(opened.SharedSecret ?? []);
      };
      const { cipherText, sharedSecret } = other.encapsulate(
        (await publicKeyOf(KeyId)).export({ format: 'raw-public' }),
      );
      assert.deepEqual(await open(cipherText), Buffer.from(sharedSecret));
      const made = await kms.send(new EncapsulateCommand(how));
      const blob = Buffer.from(made.SharedSecretCiphertextBlob ?? []);
      assert.equal(blob.length, length);
      assert.deepEqual(await open(blob), Buffer.from(made.SharedSecret ?? []));
      // Implicit rejection (FIPS 203): another secret, no error; an error only for another length.
      blob[length - 1] = (blob.at(-1) ?? 0) ^ 1;
      const rejected = await open(blob);
      assert.equal(rejected.length, 32);
      assert.notDeepEqual(rejected, Buffer.from(made.SharedSecret ?? []));
      for (const wrong of [blob.subarray(1), Buffer.concat([blob, Buffer.of(0)])]) {
        await assert.rejects(open(wrong), isNoCiphertext);
      }
      const unknown = { ...how, EncapsulationAlgorithm: 'OTHER' as 'ML_KEM' };
      await assert.rejects(kms.send(new EncapsulateCommand(unknown)), failsWith('ValidationException', /enum/));
    }
  });

  it('a public key is given with what it is for, of key pairs alone', async () => {
    for (const [spec, usage, member] of [
      ['RSA_2048', 'ENCRYPT_DECRYPT', { EncryptionAlgorithms: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] }],
      ['ECC_SECG_P256K1', 'SIGN_VERIFY', { SigningAlgorithms: ['ECDSA_SHA_256'] }],
      ['ECC_NIST_P521', 'KEY_AGREEMENT', { KeyAgreementAlgorithms: ['ECDH'] }],
      ['ML_KEM_768', 'ENCAPSULATE_DECAPSULATE', { EncapsulationAlgorithms: ['ML_KEM'] }],
    ] as const) {
      const { id: KeyId, arn } = await createKeyOf(kms, spec, usage);
      const { PublicKey, $metadata, ...rest } = await kms.send(new GetPublicKeyCommand({ KeyId }));
      assert.equal($metadata.httpStatusCode, 200);
      assert.ok(PublicKey);
      assert.deepEqual(rest, { KeyId: arn, CustomerMasterKeySpec: spec, KeySpec: spec, KeyUsage: usage, ...member });
    }
    for (const [spec, usage] of [
      ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'],
      ['HMAC_256', 'GENERATE_VERIFY_MAC'],
    ] as const) {
      const { id: KeyId } = await createKeyOf(kms, spec, usage);
      const asked = kms.send(new GetPublicKeyCommand({ KeyId }));
      await assert.rejects(asked, failsWith('UnsupportedOperationException', /no public key/));
    }
  });

  it('a data key pair’s private key opens under its context alone', async () => {
    const { id: KeyId, arn } = await createKeyOf(kms, 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
    const EncryptionContext = { film: 'one' };
    const how = { KeyId, EncryptionContext, KeyPairSpec: 'ECC_NIST_EDWARDS25519' } as const;
    const made = await kms.send(new GenerateDataKeyPairCommand(how));
    assert.deepEqual([made.KeyId, made.KeyPairSpec], [arn, how.KeyPairSpec]);
    assert.match(made.KeyMaterialId ?? '', /^[0-9a-f]{64}$/);
    const CiphertextBlob = made.PrivateKeyCiphertextBlob;
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
    assert.deepEqual(opened.Plaintext, made.PrivateKeyPlaintext);
    await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob })), isNoCiphertext);
    const bare = await kms.send(new GenerateDataKeyPairWithoutPlaintextCommand(how));
    assert.ok(!('PrivateKeyPlaintext' in bare));
    assert.notDeepEqual(bare.PublicKey, made.PublicKey);
  });
});
