import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { asRegion } from '#kernel/ids.ts';
import { ClockedServer } from '../harness/clocked-server.ts';
import { builtNamesOf, manifests } from '../harness/manifests.ts';

type State = Exclude<kms.KeyState, 'Creating' | 'Updating'>;
type Command = Parameters<kms.KMSClient['send']>[0];

const STATES: readonly State[] = [
  'Enabled',
  'Disabled',
  'PendingImport',
  'PendingDeletion',
  'PendingReplicaDeletion',
  'Unavailable',
];

/** What an operation is answered with: nothing for success, or the error's name and the end of its message. */
type Outcome = string;

const OK = '';
const DISABLED = 'DisabledException is disabled.';
const DELETION = 'KMSInvalidStateException is pending deletion.';
const REPLICA_DELETION = 'KMSInvalidStateException is pending replica deletion.';
const IMPORT = 'KMSInvalidStateException is pending import.';
/** In the words of external key stores. */
const UNAVAILABLE = 'KMSInvalidStateException';
const NOT_IN_DELETION = 'KMSInvalidStateException is not pending deletion.';
const UNSUPPORTED = 'UnsupportedOperationException';

type Outcomes = Readonly<Record<State, Outcome>>;

/** KMS developer guide, "Key states of AWS KMS keys": the rows that are alike. */
const ALWAYS: Outcomes = {
  Enabled: OK,
  Disabled: OK,
  PendingImport: OK,
  PendingDeletion: OK,
  PendingReplicaDeletion: OK,
  Unavailable: OK,
};
const UNLESS_DELETED: Outcomes = { ...ALWAYS, PendingDeletion: DELETION, PendingReplicaDeletion: REPLICA_DELETION };
const CRYPTOGRAPHIC: Outcomes = {
  ...UNLESS_DELETED,
  Disabled: DISABLED,
  PendingImport: IMPORT,
  Unavailable: UNAVAILABLE,
};
const ROTATING: Outcomes = { ...CRYPTOGRAPHIC, PendingImport: UNSUPPORTED, Unavailable: UNSUPPORTED };
/** Of keys whose material is imported: that they are disabled or wait for material is no hindrance. */
const IMPORTING: Outcomes = { ...UNLESS_DELETED, Unavailable: UNSUPPORTED };
const NEVER: Outcomes = {
  Enabled: UNSUPPORTED,
  Disabled: UNSUPPORTED,
  PendingImport: UNSUPPORTED,
  PendingDeletion: UNSUPPORTED,
  PendingReplicaDeletion: UNSUPPORTED,
  Unavailable: UNSUPPORTED,
};
const IN_DELETION: Outcomes = {
  Enabled: NOT_IN_DELETION,
  Disabled: NOT_IN_DELETION,
  PendingImport: NOT_IN_DELETION,
  PendingDeletion: OK,
  PendingReplicaDeletion: OK,
  Unavailable: NOT_IN_DELETION,
};

/** A key of its own for each call, with what was made of it while it was enabled. */
interface Subject {
  readonly KeyId: string;
  readonly GrantId: string;
  readonly alias: string;
  readonly CiphertextBlob: Uint8Array;
}

interface Row {
  readonly outcomes: Outcomes;
  readonly command: (subject: Subject) => unknown;
  /** What kind of key it is for. Symmetric keys for encryption where it is absent. */
  readonly key?: kms.CreateKeyCommandInput;
  /** The states that such a key can be in, where those are not all. */
  readonly states?: readonly State[];
  /** Where the key's material is imported, whatever its state. */
  readonly isImported?: boolean;
  /** In which Region such a key is replicated before. */
  readonly replica?: string;
}

const Message = Buffer.from('message');
const Plaintext = Buffer.from('plaintext');
const ECC: kms.CreateKeyCommandInput = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' };
const HMAC: kms.CreateKeyCommandInput = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' };
const AGREEMENT: kms.CreateKeyCommandInput = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' };
const MULTI_REGION: kms.CreateKeyCommandInput = { MultiRegion: true };
const KEM: kms.CreateKeyCommandInput = { KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' };
/** External key stores have symmetric keys alone. */
const OF_KEY_PAIRS: readonly State[] = STATES.filter((state) => state !== 'Unavailable');
const SIGNING = { SigningAlgorithm: 'ECDSA_SHA_256', Message } as const;
const MAC = { MacAlgorithm: 'HMAC_SHA_256', Message } as const;
const PublicKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' });
const GRANT = { GranteePrincipal: 'arn:aws:iam::000000000000:root', Operations: ['DescribeKey' as const] };

const WRAPPING = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const;
const IMPORT_OF_NOTHING = {
  ImportToken: Message,
  EncryptedKeyMaterial: Message,
  ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
} as const;
/** Keys with KMS's own material are refused by these, whatever their state. */
const OF_OWN_MATERIAL: readonly State[] = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingReplicaDeletion'];

const ROWS: Readonly<Record<string, Row>> = {
  GetParametersForImport: {
    outcomes: IMPORTING,
    isImported: true,
    command: ({ KeyId }) => new kms.GetParametersForImportCommand({ KeyId, ...WRAPPING }),
  },
  'GetParametersForImport for a key of KMS': {
    outcomes: NEVER,
    states: OF_OWN_MATERIAL,
    command: ({ KeyId }) => new kms.GetParametersForImportCommand({ KeyId, ...WRAPPING }),
  },
  ImportKeyMaterial: {
    // Where the state lets it come so far, the token is looked at.
    outcomes: {
      ...IMPORTING,
      Enabled: 'InvalidImportTokenException',
      Disabled: 'InvalidImportTokenException',
      PendingImport: 'InvalidImportTokenException',
    },
    isImported: true,
    command: ({ KeyId }) => new kms.ImportKeyMaterialCommand({ KeyId, ...IMPORT_OF_NOTHING }),
  },
  'ImportKeyMaterial into a key of KMS': {
    outcomes: NEVER,
    states: OF_OWN_MATERIAL,
    command: ({ KeyId }) => new kms.ImportKeyMaterialCommand({ KeyId, ...IMPORT_OF_NOTHING }),
  },
  DeleteImportedKeyMaterial: {
    outcomes: { ...ALWAYS, Unavailable: UNSUPPORTED },
    isImported: true,
    command: ({ KeyId }) => new kms.DeleteImportedKeyMaterialCommand({ KeyId }),
  },
  'DeleteImportedKeyMaterial of a key of KMS': {
    outcomes: NEVER,
    states: OF_OWN_MATERIAL,
    command: ({ KeyId }) => new kms.DeleteImportedKeyMaterialCommand({ KeyId }),
  },
  ReplicateKey: {
    outcomes: CRYPTOGRAPHIC,
    key: MULTI_REGION,
    states: OF_KEY_PAIRS,
    command: ({ KeyId }) => new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' }),
  },
  'ReplicateKey of a key of one Region': {
    outcomes: NEVER,
    states: ['Enabled', 'Disabled', 'PendingImport', 'PendingDeletion'],
    command: ({ KeyId }) => new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' }),
  },
  UpdatePrimaryRegion: {
    outcomes: CRYPTOGRAPHIC,
    key: MULTI_REGION,
    replica: 'eu-west-1',
    states: OF_KEY_PAIRS,
    command: ({ KeyId }) => new kms.UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: 'eu-west-1' }),
  },
  GetKeyLastUsage: { outcomes: ALWAYS, command: ({ KeyId }) => new kms.GetKeyLastUsageCommand({ KeyId }) },
  CancelKeyDeletion: { outcomes: IN_DELETION, command: ({ KeyId }) => new kms.CancelKeyDeletionCommand({ KeyId }) },
  CreateAlias: {
    outcomes: UNLESS_DELETED,
    command: ({ KeyId, alias }) => new kms.CreateAliasCommand({ AliasName: `${alias}-new`, TargetKeyId: KeyId }),
  },
  CreateGrant: {
    outcomes: { ...CRYPTOGRAPHIC, Unavailable: OK },
    command: ({ KeyId }) => new kms.CreateGrantCommand({ KeyId, ...GRANT, GranteePrincipal: rootOf(KeyId) }),
  },
  Decrypt: {
    outcomes: CRYPTOGRAPHIC,
    command: ({ CiphertextBlob }) => new kms.DecryptCommand({ CiphertextBlob }),
  },
  DeleteAlias: { outcomes: ALWAYS, command: ({ alias }) => new kms.DeleteAliasCommand({ AliasName: alias }) },
  DeriveSharedSecret: {
    outcomes: CRYPTOGRAPHIC,
    key: AGREEMENT,
    states: OF_KEY_PAIRS,
    command: ({ KeyId }) => new kms.DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }),
  },
  DescribeKey: { outcomes: ALWAYS, command: ({ KeyId }) => new kms.DescribeKeyCommand({ KeyId }) },
  DisableKey: {
    outcomes: { ...UNLESS_DELETED, PendingImport: IMPORT },
    command: ({ KeyId }) => new kms.DisableKeyCommand({ KeyId }),
  },
  DisableKeyRotation: {
    outcomes: ROTATING,
    command: ({ KeyId }) => new kms.DisableKeyRotationCommand({ KeyId }),
  },
  EnableKey: {
    outcomes: { ...UNLESS_DELETED, PendingImport: IMPORT },
    command: ({ KeyId }) => new kms.EnableKeyCommand({ KeyId }),
  },
  EnableKeyRotation: { outcomes: ROTATING, command: ({ KeyId }) => new kms.EnableKeyRotationCommand({ KeyId }) },
  Encapsulate: {
    outcomes: CRYPTOGRAPHIC,
    key: KEM,
    states: OF_KEY_PAIRS,
    command: ({ KeyId }) => new kms.EncapsulateCommand({ KeyId, EncapsulationAlgorithm: 'ML_KEM' }),
  },
  Decapsulate: {
    outcomes: { ...CRYPTOGRAPHIC, Enabled: 'InvalidCiphertextException' },
    key: KEM,
    states: OF_KEY_PAIRS,
    command: ({ KeyId }) =>
      new kms.DecapsulateCommand({
        KeyId,
        EncapsulationAlgorithm: 'ML_KEM',
        SharedSecretCiphertextBlob: Buffer.from('x'),
      }),
  },
  Encrypt: {
    outcomes: CRYPTOGRAPHIC,
    command: ({ KeyId }) => new kms.EncryptCommand({ KeyId, Plaintext }),
  },
  GenerateDataKey: {
    outcomes: CRYPTOGRAPHIC,
    command: ({ KeyId }) => new kms.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }),
  },
  GenerateDataKeyWithoutPlaintext: {
    outcomes: CRYPTOGRAPHIC,
    command: ({ KeyId }) => new kms.GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' }),
  },
  GenerateDataKeyPair: {
    outcomes: CRYPTOGRAPHIC,
    command: ({ KeyId }) => new kms.GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' }),
  },
  GenerateDataKeyPairWithoutPlaintext: {
    outcomes: CRYPTOGRAPHIC,
    command: ({ KeyId }) => new kms.GenerateDataKeyPairWithoutPlaintextCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' }),
  },
  GenerateMac: {
    outcomes: CRYPTOGRAPHIC,
    key: HMAC,
    states: OF_KEY_PAIRS,
    command: ({ KeyId }) => new kms.GenerateMacCommand({ KeyId, ...MAC }),
  },
  VerifyMac: {
    outcomes: { ...CRYPTOGRAPHIC, Enabled: 'KMSInvalidMacException' },
    key: HMAC,
    states: OF_KEY_PAIRS,
    command: ({ KeyId }) => new kms.VerifyMacCommand({ KeyId, ...MAC, Mac: Buffer.alloc(32) }),
  },
  GetKeyPolicy: { outcomes: ALWAYS, command: ({ KeyId }) => new kms.GetKeyPolicyCommand({ KeyId }) },
  GetKeyRotationStatus: {
    outcomes: { ...ALWAYS, PendingImport: UNSUPPORTED, Unavailable: UNSUPPORTED },
    command: ({ KeyId }) => new kms.GetKeyRotationStatusCommand({ KeyId }),
  },
  GetPublicKey: {
    outcomes: CRYPTOGRAPHIC,
    key: ECC,
    states: OF_KEY_PAIRS,
    command: ({ KeyId }) => new kms.GetPublicKeyCommand({ KeyId }),
  },
  ListAliases: { outcomes: ALWAYS, command: ({ KeyId }) => new kms.ListAliasesCommand({ KeyId }) },
  ListGrants: { outcomes: ALWAYS, command: ({ KeyId }) => new kms.ListGrantsCommand({ KeyId }) },
  ListKeyPolicies: { outcomes: ALWAYS, command: ({ KeyId }) => new kms.ListKeyPoliciesCommand({ KeyId }) },
  ListKeyRotations: { outcomes: ALWAYS, command: ({ KeyId }) => new kms.ListKeyRotationsCommand({ KeyId }) },
  ListResourceTags: { outcomes: ALWAYS, command: ({ KeyId }) => new kms.ListResourceTagsCommand({ KeyId }) },
  PutKeyPolicy: {
    outcomes: ALWAYS,
    command: ({ KeyId }) => new kms.PutKeyPolicyCommand({ KeyId, Policy: policyOf(KeyId) }),
  },
  ReEncrypt: {
    outcomes: CRYPTOGRAPHIC,
    command: ({ KeyId, CiphertextBlob }) => new kms.ReEncryptCommand({ CiphertextBlob, DestinationKeyId: KeyId }),
  },
  RetireGrant: {
    outcomes: ALWAYS,
    command: ({ KeyId, GrantId }) => new kms.RetireGrantCommand({ KeyId, GrantId }),
  },
  RevokeGrant: {
    outcomes: ALWAYS,
    command: ({ KeyId, GrantId }) => new kms.RevokeGrantCommand({ KeyId, GrantId }),
  },
  RotateKeyOnDemand: {
    outcomes: { ...ROTATING, PendingImport: IMPORT },
    command: ({ KeyId }) => new kms.RotateKeyOnDemandCommand({ KeyId }),
  },
  ScheduleKeyDeletion: {
    outcomes: UNLESS_DELETED,
    command: ({ KeyId }) => new kms.ScheduleKeyDeletionCommand({ KeyId }),
  },
  Sign: {
    outcomes: CRYPTOGRAPHIC,
    key: ECC,
    states: OF_KEY_PAIRS,
    command: ({ KeyId }) => new kms.SignCommand({ KeyId, ...SIGNING }),
  },
  Verify: {
    outcomes: { ...CRYPTOGRAPHIC, Enabled: 'KMSInvalidSignatureException' },
    key: ECC,
    states: OF_KEY_PAIRS,
    command: ({ KeyId }) => new kms.VerifyCommand({ KeyId, ...SIGNING, Signature: Buffer.alloc(70) }),
  },
  TagResource: {
    outcomes: UNLESS_DELETED,
    command: ({ KeyId }) => new kms.TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] }),
  },
  UntagResource: {
    outcomes: UNLESS_DELETED,
    command: ({ KeyId }) => new kms.UntagResourceCommand({ KeyId, TagKeys: ['a'] }),
  },
  UpdateAlias: {
    outcomes: UNLESS_DELETED,
    command: ({ KeyId, alias }) => new kms.UpdateAliasCommand({ AliasName: alias, TargetKeyId: KeyId }),
  },
  UpdateKeyDescription: {
    outcomes: UNLESS_DELETED,
    command: ({ KeyId }) => new kms.UpdateKeyDescriptionCommand({ KeyId, Description: 'new' }),
  },
};

/** They name no key, or none that exists. */
const WITHOUT_KEY = new Set(['CreateKey', 'ListKeys', 'ListRetirableGrants', 'GenerateRandom']);

function rootOf(keyArn: string): string {
  return `arn:aws:iam::${keyArn.split(':')[4]}:root`;
}

function policyOf(keyArn: string): string {
  const statement = { Effect: 'Allow', Principal: { AWS: rootOf(keyArn) }, Action: 'kms:*', Resource: '*' };
  return JSON.stringify({ Version: '2012-10-17', Statement: statement });
}

describe('a key in each of its states', () => {
  let server: ClockedServer;
  let client: kms.KMSClient;
  let made = 0;

  before(async () => {
    server = await ClockedServer.start();
    client = new kms.KMSClient(server.clientConfig());
  });
  after(async () => {
    client.destroy();
    await server.stop();
  });

  /** Makes a key, and brings it into a state by its record, whatever way leads there. */
  async function subjectIn(state: State, row: Row): Promise<Subject> {
    const { KeyMetadata } = await client.send(new kms.CreateKeyCommand(row.key ?? {}));
    const KeyId = KeyMetadata?.Arn ?? '';
    made++;
    const alias = `alias/key-${made}`;
    await client.send(new kms.CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyId }));
    const grant = { GranteePrincipal: rootOf(KeyId), Operations: GRANT.Operations };
    const { GrantId = '' } = await client.send(new kms.CreateGrantCommand({ KeyId, ...grant }));
    const isSymmetric = row.key === undefined;
    const sealed = isSymmetric ? await client.send(new kms.EncryptCommand({ KeyId, Plaintext })) : undefined;
    if (row.replica !== undefined)
      await client.send(new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: row.replica }));
    await server.parts.services.kms.store.write((transaction) =>
      transaction
        .updateTable('kms_key')
        .set({
          // A key whose store is not connected is as it was, and shows that it cannot be used.
          state: state === 'Unavailable' ? 'Enabled' : state,
          ...((state === 'PendingImport' || row.isImported === true) && { origin: 'EXTERNAL' as const }),
          ...(state === 'Unavailable' && { origin: 'EXTERNAL_KEY_STORE' as const }),
          ...(state === 'PendingReplicaDeletion' && { multi_region: 'PRIMARY' as const }),
          ...(state === 'PendingDeletion' && { deletion_at: server.parts.now + 7 * 86_400_000 }),
        })
        .where('id', '=', KeyMetadata?.KeyId ?? '')
        .where('region', '=', asRegion('us-east-1'))
        .execute(),
    );
    return { KeyId, GrantId, alias, CiphertextBlob: sealed?.CiphertextBlob ?? new Uint8Array() };
  }

  for (const [name, row] of Object.entries(ROWS)) {
    it(`is answered as AWS does: ${name}`, async () => {
      const found: Record<string, Outcome> = {};
      const expected: Record<string, Outcome> = {};
      for (const state of row.states ?? STATES) {
        const subject = await subjectIn(state, row);
        expected[state] = row.outcomes[state];
        found[state] = await client.send(row.command(subject) as Command).then(
          () => OK,
          (error: unknown) => {
            assert.ok(error instanceof kms.KMSServiceException, String(error));
            const end = expected[state]?.includes(' ') === true ? error.message.replace(subject.KeyId, '') : '';
            return `${error.name}${end}`;
          },
        );
      }
      assert.deepEqual(found, expected);
    });
  }

  it('is in the table with every operation', () => {
    const service = manifests.find((manifest) => manifest.name === 'kms');
    assert.ok(service);
    const missing = builtNamesOf(service).filter(
      (name) => !(name in ROWS) && !WITHOUT_KEY.has(name) && !name.includes('CustomKeyStore'),
    );
    assert.deepEqual(missing, []);
  });
});
