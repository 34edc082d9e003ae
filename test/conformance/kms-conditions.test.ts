import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { IAMClient } from '@aws-sdk/client-iam';
import * as kms from '@aws-sdk/client-kms';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { AccessEvaluation } from '#kernel/access-evaluation.ts';
import { allowing, makeUser, policyOf } from '../harness/iam-people.ts';
import { builtNamesOf, manifests } from '../harness/manifests.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

type Command = Parameters<kms.KMSClient['send']>[0];
type Conditions = Readonly<Record<string, string | readonly string[]>>;

/** What the operations are asked with. */
interface Subject {
  readonly KeyId: string;
  readonly GrantId: string;
  readonly CiphertextBlob: Uint8Array;
  readonly principal: string;
}

interface Row {
  readonly command: (subject: Subject) => unknown;
  /** The condition keys of the operation, beside those of every operation on a key. */
  readonly keys?: Conditions;
  /** Where it is not an operation on a key. */
  readonly isOfNoKey?: boolean;
  /** Asked by somebody who may do all with aliases, and nothing with keys. */
  readonly mayUseAliases?: boolean;
}

const ALIAS = 'alias/conditions';
const EncryptionContext = { Department: 'IT', Purpose: 'Test' };
const CONTEXT: Conditions = {
  'kms:encryptioncontext:department': 'IT',
  'kms:encryptioncontext:purpose': 'Test',
  'kms:encryptioncontextkeys': ['Department', 'Purpose'],
};
const SYMMETRIC: Conditions = { 'kms:encryptionalgorithm': 'SYMMETRIC_DEFAULT', ...CONTEXT };
const BY_ALIAS: Conditions = { 'kms:requestalias': ALIAS };
const FOR_NO_RESOURCE: Conditions = { 'kms:grantisforawsresource': 'false' };
const LATELY: Conditions = { 'kms:trailingdayswithoutkeyusage': '0' };
const OF_KEY_STORES = { isOfNoKey: true, keys: { 'kms:calleraccount': 'ACCOUNT' } };
const CustomKeyStoreId = 'cks-00000000000000000';
const Plaintext = Buffer.from('x');
const Message = Buffer.from('x');
const Tags = [{ TagKey: 'a', TagValue: 'b' }];

/** KMS developer guide, "AWS KMS permissions": each operation with the condition keys that it has. */
const ROWS: Readonly<Record<string, Row>> = {
  CancelKeyDeletion: { command: ({ KeyId }) => new kms.CancelKeyDeletionCommand({ KeyId }) },
  'CreateAlias, for the key': {
    command: ({ KeyId }) => new kms.CreateAliasCommand({ AliasName: 'alias/another', TargetKeyId: KeyId }),
    mayUseAliases: true,
  },
  'UpdateAlias, for the key': {
    command: ({ KeyId }) => new kms.UpdateAliasCommand({ AliasName: ALIAS, TargetKeyId: KeyId }),
    mayUseAliases: true,
  },
  'DeleteAlias, for the key': {
    command: () => new kms.DeleteAliasCommand({ AliasName: ALIAS }),
    mayUseAliases: true,
  },
  'CreateAlias, for the alias': {
    command: ({ KeyId }) => new kms.CreateAliasCommand({ AliasName: 'alias/another', TargetKeyId: KeyId }),
    isOfNoKey: true,
  },
  Encapsulate: {
    command: () => new kms.EncapsulateCommand({ KeyId: ALIAS, EncapsulationAlgorithm: 'ML_KEM' }),
    keys: BY_ALIAS,
  },
  Decapsulate: {
    command: () =>
      new kms.DecapsulateCommand({
        KeyId: ALIAS,
        EncapsulationAlgorithm: 'ML_KEM',
        SharedSecretCiphertextBlob: Message,
      }),
    keys: BY_ALIAS,
  },
  CreateCustomKeyStore: {
    command: () => new kms.CreateCustomKeyStoreCommand({ CustomKeyStoreName: 'store' }),
    ...OF_KEY_STORES,
  },
  DescribeCustomKeyStores: { command: () => new kms.DescribeCustomKeyStoresCommand({}), ...OF_KEY_STORES },
  UpdateCustomKeyStore: {
    command: () => new kms.UpdateCustomKeyStoreCommand({ CustomKeyStoreId }),
    ...OF_KEY_STORES,
  },
  DeleteCustomKeyStore: {
    command: () => new kms.DeleteCustomKeyStoreCommand({ CustomKeyStoreId }),
    ...OF_KEY_STORES,
  },
  ConnectCustomKeyStore: {
    command: () => new kms.ConnectCustomKeyStoreCommand({ CustomKeyStoreId }),
    ...OF_KEY_STORES,
  },
  DisconnectCustomKeyStore: {
    command: () => new kms.DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }),
    ...OF_KEY_STORES,
  },
  CreateGrant: {
    command: ({ KeyId, principal }) =>
      new kms.CreateGrantCommand({
        KeyId,
        GranteePrincipal: principal,
        RetiringPrincipal: principal,
        Operations: ['Decrypt', 'Encrypt'],
        Constraints: { EncryptionContextSubset: EncryptionContext, SourceArn: 'arn:aws:s3:::films' },
      }),
    keys: {
      ...CONTEXT,
      ...FOR_NO_RESOURCE,
      'kms:grantconstraintsourcearn': 'arn:aws:s3:::films',
      'kms:grantconstrainttype': 'EncryptionContextSubset',
      'kms:granteeprincipal': 'PRINCIPAL',
      'kms:grantoperations': ['Decrypt', 'Encrypt'],
      'kms:retiringprincipal': 'PRINCIPAL',
    },
  },
  'CreateGrant of services': {
    command: ({ KeyId }) =>
      new kms.CreateGrantCommand({
        KeyId,
        GranteeServicePrincipal: 's3.amazonaws.com',
        RetiringServicePrincipal: 'mediaconvert.amazonaws.com',
        Operations: ['Decrypt'],
        Constraints: { EncryptionContextEquals: EncryptionContext },
      }),
    keys: {
      ...CONTEXT,
      ...FOR_NO_RESOURCE,
      'kms:grantconstrainttype': 'EncryptionContextEquals',
      'kms:granteeserviceprincipal': 's3.amazonaws.com',
      'kms:grantoperations': 'Decrypt',
      'kms:retiringserviceprincipal': 'mediaconvert.amazonaws.com',
    },
  },
  CreateKey: {
    command: () => new kms.CreateKeyCommand({ KeySpec: 'RSA_4096', KeyUsage: 'SIGN_VERIFY' }),
    isOfNoKey: true,
    keys: {
      'kms:bypasspolicylockoutsafetycheck': 'false',
      'kms:calleraccount': 'ACCOUNT',
      'kms:customermasterkeyspec': 'RSA_4096',
      'kms:customermasterkeyusage': 'SIGN_VERIFY',
      'kms:keyorigin': 'AWS_KMS',
      'kms:keyspec': 'RSA_4096',
      'kms:keyusage': 'SIGN_VERIFY',
      'kms:multiregion': 'false',
    },
  },
  Decrypt: {
    command: ({ CiphertextBlob }) => new kms.DecryptCommand({ CiphertextBlob, EncryptionContext }),
    keys: SYMMETRIC,
  },
  DeleteImportedKeyMaterial: {
    command: ({ KeyId }) => new kms.DeleteImportedKeyMaterialCommand({ KeyId }),
  },
  DeriveSharedSecret: {
    command: () =>
      new kms.DeriveSharedSecretCommand({ KeyId: ALIAS, KeyAgreementAlgorithm: 'ECDH', PublicKey: Message }),
    keys: { ...BY_ALIAS, 'kms:keyagreementalgorithm': 'ECDH' },
  },
  DescribeKey: { command: () => new kms.DescribeKeyCommand({ KeyId: ALIAS }), keys: BY_ALIAS },
  DisableKey: { command: ({ KeyId }) => new kms.DisableKeyCommand({ KeyId }), keys: LATELY },
  DisableKeyRotation: { command: ({ KeyId }) => new kms.DisableKeyRotationCommand({ KeyId }) },
  EnableKey: { command: ({ KeyId }) => new kms.EnableKeyCommand({ KeyId }) },
  EnableKeyRotation: {
    command: ({ KeyId }) => new kms.EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 180 }),
    keys: { 'kms:rotationperiodindays': '180' },
  },
  Encrypt: {
    command: () => new kms.EncryptCommand({ KeyId: ALIAS, Plaintext, EncryptionContext }),
    keys: { ...SYMMETRIC, ...BY_ALIAS },
  },
  'Encrypt by RSA': {
    command: ({ KeyId }) => new kms.EncryptCommand({ KeyId, Plaintext, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }),
    keys: { 'kms:encryptionalgorithm': 'RSAES_OAEP_SHA_256' },
  },
  GenerateDataKey: {
    command: () => new kms.GenerateDataKeyCommand({ KeyId: ALIAS, KeySpec: 'AES_256', EncryptionContext }),
    keys: { ...SYMMETRIC, ...BY_ALIAS },
  },
  GenerateDataKeyWithoutPlaintext: {
    command: () =>
      new kms.GenerateDataKeyWithoutPlaintextCommand({ KeyId: ALIAS, KeySpec: 'AES_256', EncryptionContext }),
    keys: { ...SYMMETRIC, ...BY_ALIAS },
  },
  GenerateDataKeyPair: {
    command: () =>
      new kms.GenerateDataKeyPairCommand({ KeyId: ALIAS, KeyPairSpec: 'ECC_NIST_P256', EncryptionContext }),
    keys: { ...SYMMETRIC, ...BY_ALIAS, 'kms:datakeypairspec': 'ECC_NIST_P256' },
  },
  GenerateDataKeyPairWithoutPlaintext: {
    command: () =>
      new kms.GenerateDataKeyPairWithoutPlaintextCommand({ KeyId: ALIAS, KeyPairSpec: 'RSA_2048', EncryptionContext }),
    keys: { ...SYMMETRIC, ...BY_ALIAS, 'kms:datakeypairspec': 'RSA_2048' },
  },
  GenerateMac: {
    command: () => new kms.GenerateMacCommand({ KeyId: ALIAS, Message, MacAlgorithm: 'HMAC_SHA_256' }),
    keys: { ...BY_ALIAS, 'kms:macalgorithm': 'HMAC_SHA_256' },
  },
  VerifyMac: {
    command: () => new kms.VerifyMacCommand({ KeyId: ALIAS, Message, MacAlgorithm: 'HMAC_SHA_512', Mac: Message }),
    keys: { ...BY_ALIAS, 'kms:macalgorithm': 'HMAC_SHA_512' },
  },
  GenerateRandom: { command: () => new kms.GenerateRandomCommand({ NumberOfBytes: 8 }), isOfNoKey: true },
  GetKeyPolicy: { command: ({ KeyId }) => new kms.GetKeyPolicyCommand({ KeyId }) },
  GetKeyRotationStatus: { command: ({ KeyId }) => new kms.GetKeyRotationStatusCommand({ KeyId }) },
  GetParametersForImport: {
    command: ({ KeyId }) =>
      new kms.GetParametersForImportCommand({
        KeyId,
        WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
        WrappingKeySpec: 'RSA_3072',
      }),
    keys: { 'kms:wrappingalgorithm': 'RSAES_OAEP_SHA_256', 'kms:wrappingkeyspec': 'RSA_3072' },
  },
  GetPublicKey: { command: () => new kms.GetPublicKeyCommand({ KeyId: ALIAS }), keys: BY_ALIAS },
  ImportKeyMaterial: {
    command: ({ KeyId }) =>
      new kms.ImportKeyMaterialCommand({
        KeyId,
        ImportToken: Message,
        EncryptedKeyMaterial: Message,
        ExpirationModel: 'KEY_MATERIAL_EXPIRES',
        ValidTo: new Date('2030-01-01T00:00:00Z'),
      }),
    keys: { 'kms:expirationmodel': 'KEY_MATERIAL_EXPIRES', 'kms:validto': '2030-01-01T00:00:00.000Z' },
  },
  ListAliases: { command: () => new kms.ListAliasesCommand({}), isOfNoKey: true },
  ListGrants: { command: ({ KeyId }) => new kms.ListGrantsCommand({ KeyId }), keys: FOR_NO_RESOURCE },
  ListKeyPolicies: { command: ({ KeyId }) => new kms.ListKeyPoliciesCommand({ KeyId }) },
  ListKeyRotations: { command: ({ KeyId }) => new kms.ListKeyRotationsCommand({ KeyId }) },
  ListKeys: { command: () => new kms.ListKeysCommand({}), isOfNoKey: true },
  ListResourceTags: { command: ({ KeyId }) => new kms.ListResourceTagsCommand({ KeyId }) },
  ListRetirableGrants: {
    command: ({ principal }) => new kms.ListRetirableGrantsCommand({ RetiringPrincipal: principal }),
    isOfNoKey: true,
  },
  PutKeyPolicy: {
    command: ({ KeyId }) => new kms.PutKeyPolicyCommand({ KeyId, Policy: '{}', BypassPolicyLockoutSafetyCheck: true }),
    keys: { 'kms:bypasspolicylockoutsafetycheck': 'true' },
  },
  ReEncrypt: {
    command: ({ CiphertextBlob }) =>
      new kms.ReEncryptCommand({
        CiphertextBlob,
        SourceEncryptionContext: EncryptionContext,
        DestinationKeyId: ALIAS,
      }),
    keys: { ...SYMMETRIC, 'kms:reencryptonsamekey': 'true' },
  },
  GetKeyLastUsage: { command: ({ KeyId }) => new kms.GetKeyLastUsageCommand({ KeyId }) },
  ReplicateKey: {
    command: ({ KeyId }) => new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: 'ap-south-1' }),
    keys: { 'kms:replicaregion': 'ap-south-1' },
  },
  UpdatePrimaryRegion: {
    command: ({ KeyId }) => new kms.UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: 'eu-west-1' }),
    keys: { 'kms:primaryregion': 'eu-west-1' },
  },
  RetireGrant: {
    command: ({ KeyId, GrantId }) => new kms.RetireGrantCommand({ KeyId, GrantId }),
    keys: { ...CONTEXT, 'kms:grantconstrainttype': 'EncryptionContextEquals' },
  },
  RevokeGrant: {
    command: ({ KeyId, GrantId }) => new kms.RevokeGrantCommand({ KeyId, GrantId }),
    keys: FOR_NO_RESOURCE,
  },
  RotateKeyOnDemand: { command: ({ KeyId }) => new kms.RotateKeyOnDemandCommand({ KeyId }) },
  ScheduleKeyDeletion: {
    command: ({ KeyId }) => new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 9 }),
    keys: { ...LATELY, 'kms:schedulekeydeletionpendingwindowindays': '9' },
  },
  Sign: {
    command: () =>
      new kms.SignCommand({ KeyId: ALIAS, Message, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' }),
    keys: { ...BY_ALIAS, 'kms:messagetype': 'DIGEST', 'kms:signingalgorithm': 'ECDSA_SHA_256' },
  },
  Verify: {
    command: () =>
      new kms.VerifyCommand({ KeyId: ALIAS, Message, Signature: Message, SigningAlgorithm: 'ECDSA_SHA_384' }),
    keys: { ...BY_ALIAS, 'kms:messagetype': 'RAW', 'kms:signingalgorithm': 'ECDSA_SHA_384' },
  },
  TagResource: {
    command: ({ KeyId }) => new kms.TagResourceCommand({ KeyId, Tags }),
    keys: { 'aws:requesttag/a': 'b', 'aws:tagkeys': ['a'] },
  },
  UntagResource: {
    command: ({ KeyId }) => new kms.UntagResourceCommand({ KeyId, TagKeys: ['a'] }),
    keys: { 'aws:tagkeys': ['a'] },
  },
  UpdateKeyDescription: {
    command: ({ KeyId }) => new kms.UpdateKeyDescriptionCommand({ KeyId, Description: 'x' }),
  },
};

const TAGS = /^aws:(requesttag|resourcetag|tagkeys)/;

describe('the condition keys of KMS', () => {
  let platform: TestPlatform;
  let root: { kms: kms.KMSClient; iam: IAMClient; trail: CloudTrailClient };
  let nobody: kms.KMSClient;
  let subject: Subject;
  let refusals: ReadonlyMap<string, AccessEvaluation>;

  before(async () => {
    platform = await startTestPlatform();
    const config = platform.clientConfig();
    root = { kms: new kms.KMSClient(config), iam: new IAMClient(config), trail: new CloudTrailClient(config) };
    const { KeyMetadata } = await root.kms.send(
      new kms.CreateKeyCommand({ MultiRegion: true, Tags: [{ TagKey: 'use', TagValue: 't' }] }),
    );
    const KeyId = KeyMetadata?.Arn ?? '';
    await root.kms.send(new kms.CreateAliasCommand({ AliasName: ALIAS, TargetKeyId: KeyId }));
    await root.kms.send(new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' }));
    const principal = `arn:aws:iam::${platform.accountId}:root`;
    const { GrantId = '' } = await root.kms.send(
      new kms.CreateGrantCommand({
        KeyId,
        GranteePrincipal: principal,
        Operations: ['Decrypt'],
        Constraints: { EncryptionContextEquals: EncryptionContext },
      }),
    );
    const sealed = await root.kms.send(new kms.EncryptCommand({ KeyId, Plaintext, EncryptionContext }));
    subject = { KeyId, GrantId, principal, CiphertextBlob: sealed.CiphertextBlob ?? new Uint8Array() };
    const keys = await makeUser(root.iam, 'nobody', allowing('s3:*'));
    nobody = new kms.KMSClient(platform.clientConfig(keys));
    const ofAliases = policyOf({ Effect: 'Allow', Action: 'kms:*', Resource: 'arn:aws:kms:*:*:alias/*' });
    const somebody = new kms.KMSClient(platform.clientConfig(await makeUser(root.iam, 'somebody', ofAliases)));
    const requestIds = new Map<string, string>();
    for (const [name, { command, mayUseAliases }] of Object.entries(ROWS)) {
      const failure: unknown = await (mayUseAliases === true ? somebody : nobody)
        .send(command(subject) as Command)
        .then(
          () => assert.fail(`${name} was allowed`),
          (error: unknown) => error,
        );
      assert.ok(failure instanceof kms.KMSServiceException, String(failure));
      assert.equal(failure.name, 'AccessDeniedException', `${name}: ${failure.message}`);
      requestIds.set(failure.$metadata.requestId ?? '', name);
    }
    somebody.destroy();
    refusals = await refusalsOf(requestIds);
    const s3 = new S3Client(platform.clientConfig(keys));
    await s3.send(new CreateBucketCommand({ Bucket: 'films' }));
    const put = {
      Bucket: 'films',
      Key: 'one',
      Body: 'x',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: KeyId,
    } as const;
    await assert.rejects(s3.send(new PutObjectCommand(put)), { name: 'AccessDenied' });
    s3.destroy();
  });
  after(async () => {
    for (const client of [root.kms, root.iam, root.trail, nobody]) client.destroy();
    await platform.stop();
  });

  async function eventsOfNobody() {
    const events: { requestID: string; eventName: string; refusals: readonly AccessEvaluation[] }[] = [];
    let NextToken: string | undefined;
    do {
      const LookupAttributes = [{ AttributeKey: 'EventSource', AttributeValue: 'kms.amazonaws.com' } as const];
      const page = await root.trail.send(new LookupEventsCommand({ LookupAttributes, NextToken }));
      for (const { CloudTrailEvent = '{}' } of page.Events ?? []) {
        const event = JSON.parse(CloudTrailEvent) as {
          requestID: string;
          eventName: string;
          additionalEventData?: { refusals?: readonly AccessEvaluation[] };
        };
        events.push({ ...event, refusals: event.additionalEventData?.refusals ?? [] });
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return events;
  }

  async function refusalsOf(requestIds: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, AccessEvaluation>> {
    const found = new Map<string, AccessEvaluation>();
    for (const {
      requestID,
      refusals: [first],
    } of await eventsOfNobody()) {
      const name = requestIds.get(requestID);
      if (name !== undefined && first !== undefined) found.set(name, first);
    }
    return found;
  }

  /** What every operation on the key has. */
  const ofKey = (): Conditions => ({
    'aws:resourcetag/use': 't',
    'kms:calleraccount': platform.accountId,
    'kms:customermasterkeyspec': 'SYMMETRIC_DEFAULT',
    'kms:customermasterkeyusage': 'ENCRYPT_DECRYPT',
    'kms:keyorigin': 'AWS_KMS',
    'kms:keyspec': 'SYMMETRIC_DEFAULT',
    'kms:keyusage': 'ENCRYPT_DECRYPT',
    'kms:multiregion': 'true',
    'kms:multiregionkeytype': 'PRIMARY',
    'kms:resourcealiases': [ALIAS],
  });

  const listed = (value: string | readonly string[]) => (typeof value === 'string' ? [value] : value);
  const named = (value: string): string =>
    value === 'PRINCIPAL' ? subject.principal : value === 'ACCOUNT' ? platform.accountId : value;

  for (const [name, row] of Object.entries(ROWS)) {
    it(`are those that AWS documents: ${name}`, () => {
      const conditions = Object.entries(refusals.get(name)?.conditions ?? {}).filter(
        ([key]) => key.startsWith('kms:') || TAGS.test(key),
      );
      const expected = Object.entries({ ...(row.isOfNoKey === true ? {} : ofKey()), ...row.keys });
      assert.deepEqual(
        Object.fromEntries(conditions.map(([key, value]) => [key, listed(value)])),
        Object.fromEntries(expected.map(([key, value]) => [key, listed(value).map(named)])),
      );
    });
  }

  it('tell of the service that asks in somebody’s name', async () => {
    const asked = (await eventsOfNobody()).find(({ eventName }) => eventName === 'GenerateDataKey');
    const conditions = asked?.refusals[0]?.conditions ?? {};
    assert.equal(conditions['kms:viaservice'], 's3.us-east-1.amazonaws.com');
    assert.equal(conditions['kms:encryptioncontext:aws:s3:arn'], 'arn:aws:s3:::films/one');
    assert.equal(conditions['kms:calleraccount'], platform.accountId);
  });

  it('are in the table for every operation', () => {
    const service = manifests.find((manifest) => manifest.name === 'kms');
    assert.ok(service);
    const missing = builtNamesOf(service).filter(
      (name) => !Object.keys(ROWS).some((row) => row.split(',', 1)[0] === name),
    );
    assert.deepEqual(missing, []);
  });
});
