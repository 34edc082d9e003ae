import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  CreateKeyCommand,
  type DataKeyPairSpec,
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DisableKeyCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  KeyUsageType,
  KMSClient,
  ReEncryptCommand,
  type ReEncryptCommandInput,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { createAccount } from '../harness/accounts.ts';
import { failsWith } from '../harness/kms-errors.ts';
import { createKeyOf, KIND_OF, type TestKey } from '../harness/kms-keys.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const Message = Buffer.from('the message');
const peer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PublicKey = peer.publicKey.export({ format: 'der', type: 'spki' });

interface Send {
  (kms: KMSClient, KeyId: string, more?: { DryRun?: boolean; GrantTokens?: string[] }): Promise<unknown>;
}

interface Use {
  /** Of the key that it takes. */
  readonly usage: KeyUsageType | 'data keys';
  /** What the right key answers to what is sent: the error where it is no valid signature, say. */
  readonly answer?: string;
  readonly send: Send;
}

const mac = { MacAlgorithm: 'HMAC_SHA_256', Message } as const;
const signature = { SigningAlgorithm: 'ECDSA_SHA_256', Message } as const;
const rsa = { EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' } as const;
const pair = { KeyPairSpec: 'ECC_NIST_P256' } as const;
const kem = { EncapsulationAlgorithm: 'ML_KEM' } as const;

/** Every operation with a key of a kind. */
const USES: Readonly<Record<string, Use>> = {
  Encrypt: {
    usage: 'ENCRYPT_DECRYPT',
    send: (kms, KeyId, more) => kms.send(new EncryptCommand({ KeyId, Plaintext: Message, ...rsa, ...more })),
  },
  Decrypt: {
    usage: 'ENCRYPT_DECRYPT',
    answer: 'InvalidCiphertextException',
    send: (kms, KeyId, more) => kms.send(new DecryptCommand({ KeyId, CiphertextBlob: Message, ...rsa, ...more })),
  },
  Sign: {
    usage: 'SIGN_VERIFY',
    send: (kms, KeyId, more) => kms.send(new SignCommand({ KeyId, ...signature, ...more })),
  },
  Verify: {
    usage: 'SIGN_VERIFY',
    answer: 'KMSInvalidSignatureException',
    send: (kms, KeyId, more) => kms.send(new VerifyCommand({ KeyId, ...signature, Signature: Message, ...more })),
  },
  GenerateMac: {
    usage: 'GENERATE_VERIFY_MAC',
    send: (kms, KeyId, more) => kms.send(new GenerateMacCommand({ KeyId, ...mac, ...more })),
  },
  VerifyMac: {
    usage: 'GENERATE_VERIFY_MAC',
    answer: 'KMSInvalidMacException',
    send: (kms, KeyId, more) => kms.send(new VerifyMacCommand({ KeyId, ...mac, Mac: Message, ...more })),
  },
  DeriveSharedSecret: {
    usage: 'KEY_AGREEMENT',
    send: (kms, KeyId, more) =>
      kms.send(new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey, ...more })),
  },
  Encapsulate: {
    usage: 'ENCAPSULATE_DECAPSULATE',
    send: (kms, KeyId, more) => kms.send(new EncapsulateCommand({ KeyId, ...kem, ...more })),
  },
  Decapsulate: {
    usage: 'ENCAPSULATE_DECAPSULATE',
    send: (kms, KeyId, more) =>
      kms.send(new DecapsulateCommand({ KeyId, SharedSecretCiphertextBlob: Buffer.alloc(768), ...kem, ...more })),
  },
  GenerateDataKeyPair: {
    usage: 'data keys',
    send: (kms, KeyId, more) => kms.send(new GenerateDataKeyPairCommand({ KeyId, ...pair, ...more })),
  },
  GenerateDataKeyPairWithoutPlaintext: {
    usage: 'data keys',
    send: (kms, KeyId, more) => kms.send(new GenerateDataKeyPairWithoutPlaintextCommand({ KeyId, ...pair, ...more })),
  },
};

describe('the use of KMS keys of all kinds', () => {
  let platform: TestPlatform;
  let kms: KMSClient;
  let keys: Readonly<Record<Use['usage'], TestKey>>;

  before(async () => {
    platform = await startTestPlatform();
    kms = new KMSClient(platform.clientConfig());
    keys = await keysOfAllKinds(kms);
  });
  after(async () => {
    kms.destroy();
    await platform.stop();
  });

  for (const [operation, { usage, answer, send }] of Object.entries(USES)) {
    it(`${operation} takes the keys that are for it, and no others`, async () => {
      const sent = send(kms, keys[usage].id);
      await (answer === undefined ? sent : assert.rejects(sent, failsWith(answer)));
      for (const other of Object.values(KeyUsageType)) {
        const { id, arn } = keys[other];
        if (other === usage) continue;
        const message =
          usage === 'data keys' && other === 'ENCRYPT_DECRYPT'
            ? 'You cannot generate a data key with an asymmetric CMK'
            : `${arn} key usage is ${other} which is not valid for ${operation}.`;
        await assert.rejects(send(kms, id), failsWith('InvalidKeyUsageException', message));
      }
    });

    it(`${operation} in a dry run says whether it would have gone, and no more`, async () => {
      await assert.rejects(send(kms, keys[usage].id, { DryRun: true }), failsWith('DryRunOperationException'));
      const wrong = usage === 'SIGN_VERIFY' ? 'KEY_AGREEMENT' : 'SIGN_VERIFY';
      await assert.rejects(send(kms, keys[wrong].id, { DryRun: true }), failsWith('InvalidKeyUsageException'));
    });
  }

  it('can be asked of ReEncrypt without a ciphertext, in a dry run', async () => {
    const [source, destination] = [keys.ENCRYPT_DECRYPT, keys['data keys']];
    const ask = (more: Partial<ReEncryptCommandInput>) =>
      kms.send(
        new ReEncryptCommand({
          CiphertextBlob: undefined,
          SourceKeyId: source.id,
          SourceEncryptionAlgorithm: 'RSAES_OAEP_SHA_1',
          DestinationKeyId: destination.id,
          DryRun: true,
          DryRunModifiers: ['IGNORE_CIPHERTEXT'],
          ...more,
        }),
      );
    await assert.rejects(ask({}), failsWith('DryRunOperationException'));
    const symmetric = { SourceKeyId: destination.id, SourceEncryptionAlgorithm: undefined };
    await assert.rejects(ask(symmetric), failsWith('DryRunOperationException'));
    await assert.rejects(ask({ SourceKeyId: undefined }), failsWith('ValidationException', /key ID/));
    await assert.rejects(ask({ DryRun: false }), failsWith('ValidationException', /DryRunModifiers/));
    await assert.rejects(
      ask({ DryRunModifiers: undefined }),
      failsWith('ValidationException', /Value null at 'ciphertextBlob'/),
    );
    await assert.rejects(ask({ SourceKeyId: keys.SIGN_VERIFY.id }), failsWith('InvalidKeyUsageException'));
    await assert.rejects(ask({ DestinationKeyId: keys.SIGN_VERIFY.id }), failsWith('InvalidKeyUsageException'));
  });

  it('is for those of other accounts whom the key policy lets, but its state is not', async () => {
    const account = await createAccount(platform);
    const { accessKeyId, secretAccessKey } = account;
    const foreign = new KMSClient(platform.clientConfig({ accessKeyId, secretAccessKey }));
    const statement = (who: string) => ({
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${who}:root` },
      Action: 'kms:*',
      Resource: '*',
    });
    const policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [statement(platform.accountId), statement(account.accountId)],
    });
    const shared = await keysOfAllKinds(kms, policy);
    for (const { usage, answer, send } of Object.values(USES)) {
      const sent = send(foreign, shared[usage].arn);
      await (answer === undefined ? sent : assert.rejects(sent, failsWith(answer)));
      await assert.rejects(send(foreign, keys[usage].arn), failsWith('AccessDeniedException'));
    }
    await foreign.send(new GetPublicKeyCommand({ KeyId: shared.SIGN_VERIFY.arn }));
    await assert.rejects(
      foreign.send(new DisableKeyCommand({ KeyId: shared.SIGN_VERIFY.arn })),
      failsWith('AccessDeniedException'),
    );
    foreign.destroy();
  });

  it('can be narrowed by the conditions of each operation', async () => {
    for (const [action, condition, value, allowed] of [
      ['Sign', 'SigningAlgorithm', 'RSASSA_PSS_SHA_256', 'RSASSA_PSS_SHA_512'],
      ['Verify', 'SigningAlgorithm', 'RSASSA_PSS_SHA_256', 'RSASSA_PSS_SHA_512'],
      ['Sign', 'MessageType', 'DIGEST', 'RAW'],
      ['Verify', 'MessageType', 'RAW', 'DIGEST'],
      ['GenerateMac', 'MacAlgorithm', 'HMAC_SHA_256', undefined],
      ['VerifyMac', 'MacAlgorithm', 'HMAC_SHA_256', undefined],
      ['Encrypt', 'EncryptionAlgorithm', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
      ['Decrypt', 'EncryptionAlgorithm', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
      ['DeriveSharedSecret', 'KeyAgreementAlgorithm', 'ECDH', undefined],
      ['GenerateDataKeyPair', 'DataKeyPairSpec', 'ECC_NIST_P384', 'ECC_NIST_P256'],
      ['GenerateDataKeyPairWithoutPlaintext', 'DataKeyPairSpec', 'ECC_NIST_P384', 'ECC_NIST_P256'],
      ['GenerateDataKeyPair', 'EncryptionAlgorithm', 'SYMMETRIC_DEFAULT', undefined],
      ['ReEncryptFrom', 'EncryptionAlgorithm', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
    ] as const) {
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'kms:*', Resource: '*' },
          {
            Effect: 'Deny',
            Principal: '*',
            Action: `kms:${action}`,
            Resource: '*',
            Condition: { StringEquals: { [`kms:${condition}`]: value } },
          },
        ],
      });
      const isSigning = action === 'Sign' || action === 'Verify';
      const usage = isSigning
        ? 'SIGN_VERIFY'
        : action.endsWith('Mac')
          ? 'GENERATE_VERIFY_MAC'
          : action === 'DeriveSharedSecret'
            ? 'KEY_AGREEMENT'
            : 'ENCRYPT_DECRYPT';
      const spec = isSigning ? 'RSA_2048' : action.startsWith('GenerateData') ? 'SYMMETRIC_DEFAULT' : KIND_OF[usage];
      const { id: KeyId } = await createKeyOf(kms, spec, usage, Policy);
      const attempt = (given: string): Promise<unknown> => {
        const chosen = { [condition]: given };
        const digest = { Message: randomBytes(32), MessageType: 'DIGEST' } as const;
        const signing = { KeyId, SigningAlgorithm: 'RSASSA_PSS_SHA_256', Message } as const;
        const signed = given === 'DIGEST' ? { ...signing, ...digest } : { ...signing, ...chosen };
        const pairOf = (KeyPairSpec: string) =>
          condition === 'DataKeyPairSpec' ? { KeyId, KeyPairSpec: KeyPairSpec as DataKeyPairSpec } : { KeyId, ...pair };
        const moving = { SourceKeyId: KeyId, DestinationKeyId: keys['data keys'].id, CiphertextBlob: Message };
        switch (action) {
          case 'Sign':
            return kms.send(new SignCommand(signed));
          case 'Verify':
            return kms.send(new VerifyCommand({ ...signed, Signature: Message }));
          case 'GenerateMac':
            return kms.send(new GenerateMacCommand({ KeyId, ...mac }));
          case 'VerifyMac':
            return kms.send(new VerifyMacCommand({ KeyId, ...mac, Mac: Message }));
          case 'Encrypt':
            return kms.send(new EncryptCommand({ KeyId, Plaintext: Message, ...chosen }));
          case 'Decrypt':
            return kms.send(new DecryptCommand({ KeyId, CiphertextBlob: Message, ...chosen }));
          case 'ReEncryptFrom':
            return kms.send(new ReEncryptCommand({ ...moving, SourceEncryptionAlgorithm: given as 'SM2PKE' }));
          case 'DeriveSharedSecret':
            return kms.send(new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }));
          case 'GenerateDataKeyPair':
            return kms.send(new GenerateDataKeyPairCommand(pairOf(given)));
          case 'GenerateDataKeyPairWithoutPlaintext':
            return kms.send(new GenerateDataKeyPairWithoutPlaintextCommand(pairOf(given)));
        }
      };
      await assert.rejects(attempt(value), failsWith('AccessDeniedException', /explicit deny/));
      if (allowed === undefined) continue;
      const outcome = attempt(allowed);
      const isFake = ['Verify', 'Decrypt', 'ReEncryptFrom'].includes(action);
      const fault = failsWith(action === 'Verify' ? 'KMSInvalidSignatureException' : 'InvalidCiphertextException');
      await (isFake ? assert.rejects(outcome, fault) : outcome);
    }
  });

  it('in enclaves is refused by name', async () => {
    const Recipient = { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument: randomBytes(10) } as const;
    const derive = { KeyId: keys.KEY_AGREEMENT.id, KeyAgreementAlgorithm: 'ECDH', PublicKey, Recipient } as const;
    const isRefused = failsWith('UnsupportedOperationException', /^Recipient/);
    await assert.rejects(kms.send(new DeriveSharedSecretCommand(derive)), isRefused);
    const KeyId = keys['data keys'].id;
    await assert.rejects(kms.send(new GenerateDataKeyPairCommand({ KeyId, ...pair, Recipient })), isRefused);
    const SM2 = { KeyId, KeyPairSpec: 'SM2' } as const;
    await assert.rejects(
      kms.send(new GenerateDataKeyPairCommand(SM2)),
      failsWith('UnsupportedOperationException', /SM2/),
    );
  });
});

async function keysOfAllKinds(kms: KMSClient, Policy?: string): Promise<Readonly<Record<Use['usage'], TestKey>>> {
  const keys: Partial<Record<Use['usage'], TestKey>> = {};
  for (const usage of Object.values(KeyUsageType)) keys[usage] = await createKeyOf(kms, KIND_OF[usage], usage, Policy);
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Policy }));
  const symmetric = { id: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '' };
  return { ...(keys as Record<KeyUsageType, TestKey>), 'data keys': symmetric };
}
