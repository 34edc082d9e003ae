import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  type KeyMetadata,
  KeySpec,
  KeyUsageType,
  KMSClient,
} from '@aws-sdk/client-kms';
import { failsWith } from '../harness/kms-errors.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const RSA_SIGNING = ['PKCS1_V1_5', 'PSS'].flatMap((padding) =>
  [256, 384, 512].map((hash) => `RSASSA_${padding}_SHA_${hash}`),
);
const RSA = {
  ENCRYPT_DECRYPT: { EncryptionAlgorithms: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] },
  SIGN_VERIFY: { SigningAlgorithms: RSA_SIGNING },
};
const nistCurve = (hash: number) => ({
  SIGN_VERIFY: { SigningAlgorithms: [`ECDSA_SHA_${hash}`] },
  KEY_AGREEMENT: { KeyAgreementAlgorithms: ['ECDH'] },
});
const mac = (hash: number) => ({ GENERATE_VERIFY_MAC: { MacAlgorithms: [`HMAC_SHA_${hash}`] } });
const ML_DSA = { SIGN_VERIFY: { SigningAlgorithms: ['ML_DSA_SHAKE_256'] } };
const ML_KEM = { ENCAPSULATE_DECAPSULATE: { EncapsulationAlgorithms: ['ML_KEM'] } };

/** Every spec of the API → its usages → the members by which a key tells what it can do. */
const KINDS: Readonly<Record<KeySpec, Partial<Record<KeyUsageType, Readonly<Record<string, readonly string[]>>>>>> = {
  SYMMETRIC_DEFAULT: { ENCRYPT_DECRYPT: { EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] } },
  RSA_2048: RSA,
  RSA_3072: RSA,
  RSA_4096: RSA,
  ECC_NIST_P256: nistCurve(256),
  ECC_NIST_P384: nistCurve(384),
  ECC_NIST_P521: nistCurve(512),
  ECC_SECG_P256K1: { SIGN_VERIFY: { SigningAlgorithms: ['ECDSA_SHA_256'] } },
  ECC_NIST_EDWARDS25519: { SIGN_VERIFY: { SigningAlgorithms: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'] } },
  HMAC_224: mac(224),
  HMAC_256: mac(256),
  HMAC_384: mac(384),
  HMAC_512: mac(512),
  ML_DSA_44: ML_DSA,
  ML_DSA_65: ML_DSA,
  ML_DSA_87: ML_DSA,
  ML_KEM_512: ML_KEM,
  ML_KEM_768: ML_KEM,
  ML_KEM_1024: ML_KEM,
  SM2: {},
};

const ALGORITHM_MEMBERS = [
  'EncryptionAlgorithms',
  'SigningAlgorithms',
  'MacAlgorithms',
  'KeyAgreementAlgorithms',
  'EncapsulationAlgorithms',
] as const;

function algorithmMembers(metadata: KeyMetadata): Record<string, unknown> {
  return Object.fromEntries(ALGORITHM_MEMBERS.flatMap((name) => (metadata[name] ? [[name, metadata[name]]] : [])));
}

describe('kinds of KMS keys', () => {
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

  async function createKey(input: CreateKeyCommandInput): Promise<KeyMetadata> {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand(input));
    assert.ok(KeyMetadata);
    return KeyMetadata;
  }

  for (const spec of Object.values(KeySpec)) {
    it(`${spec} has the usages and algorithms of AWS, and no others`, async () => {
      for (const KeyUsage of Object.values(KeyUsageType)) {
        const expected = KINDS[spec][KeyUsage];
        if (expected === undefined) {
          await assert.rejects(
            createKey({ KeySpec: spec, KeyUsage }),
            spec === 'SM2'
              ? failsWith('UnsupportedOperationException', /SM2/)
              : failsWith('ValidationException', `KeyUsage ${KeyUsage} is not compatible with KeySpec ${spec}`),
          );
          continue;
        }
        const created = await createKey({ KeySpec: spec, KeyUsage });
        const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: created.KeyId }));
        for (const metadata of [created, KeyMetadata]) {
          assert.ok(metadata);
          assert.equal(metadata.KeySpec, spec);
          assert.equal(metadata.CustomerMasterKeySpec, spec);
          assert.equal(metadata.KeyUsage, KeyUsage);
          assert.equal(metadata.KeyState, 'Enabled');
          assert.deepEqual(algorithmMembers(metadata), expected);
          assert.equal(metadata.CurrentKeyMaterialId !== undefined, spec === 'SYMMETRIC_DEFAULT');
        }
      }
    });
  }

  it('need a KeyUsage, but for symmetric encryption', async () => {
    for (const spec of Object.values(KeySpec)) {
      if (spec === 'SYMMETRIC_DEFAULT' || spec === 'SM2') continue;
      await assert.rejects(
        createKey({ KeySpec: spec }),
        failsWith(
          'ValidationException',
          'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
        ),
      );
    }
    assert.equal((await createKey({ KeySpec: 'SYMMETRIC_DEFAULT' })).KeyUsage, 'ENCRYPT_DECRYPT');
  });

  it('take the old name of the spec, but not both', async () => {
    const { KeySpec } = await createKey({ CustomerMasterKeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    assert.equal(KeySpec, 'ECC_NIST_P256');
    await assert.rejects(
      createKey({ KeySpec: 'ECC_NIST_P256', CustomerMasterKeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
      failsWith('ValidationException', /^You cannot specify KeySpec and CustomerMasterKeySpec in the same request\./),
    );
  });

  it('do only what they are for', async () => {
    const signing = await createKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    const { KeyId, Arn } = signing;
    const Plaintext = Buffer.from('x');
    const isWrongFor = (operation: string) =>
      failsWith('InvalidKeyUsageException', `${Arn} key usage is SIGN_VERIFY which is not valid for ${operation}.`);
    await assert.rejects(kms.send(new EncryptCommand({ KeyId, Plaintext })), isWrongFor('Encrypt'));
    await assert.rejects(
      kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })),
      isWrongFor('GenerateDataKey'),
    );
    const symmetric = await createKey({});
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: symmetric.KeyId, Plaintext }));
    await assert.rejects(kms.send(new DecryptCommand({ KeyId, CiphertextBlob })), failsWith('IncorrectKeyException'));
    const rsa = await createKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    await assert.rejects(
      kms.send(new GenerateDataKeyCommand({ KeyId: rsa.KeyId, KeySpec: 'AES_256' })),
      failsWith('InvalidKeyUsageException', 'You cannot generate a data key with an asymmetric CMK'),
    );
    await assert.rejects(
      kms.send(new EncryptCommand({ KeyId: rsa.KeyId, Plaintext })),
      failsWith('InvalidKeyUsageException', 'Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.'),
    );
    await assert.rejects(
      kms.send(new EncryptCommand({ KeyId: symmetric.KeyId, Plaintext, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' })),
      failsWith(
        'InvalidKeyUsageException',
        'Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.',
      ),
    );
  });
});
