import assert from 'node:assert/strict';
import { createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import {
  ConnectCustomKeyStoreCommand,
  CreateAliasCommand,
  CreateCustomKeyStoreCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DescribeCustomKeyStoresCommand,
  DescribeKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GetKeyLastUsageCommand,
  GetKeyRotationStatusCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  type ImportKeyMaterialCommandInput,
  KMSClient,
  ListGrantsCommand,
  ListKeyRotationsCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import type { ClientConfig } from './platform.ts';
import { XksProxy } from './xks-proxy.ts';

/** A table of KMS, which row of it is changed, and what believes that row. */
interface KmsCase {
  readonly table: string;
  readonly where: string;
  /** By these columns the row is found: with others it is as if it were not there. */
  readonly lookedUpBy: readonly string[];
  readonly read: (kms: KMSClient) => Promise<unknown>;
}

/** There are managed keys beside it. */
const TESTED_KEY = `(SELECT key_id FROM kms_alias WHERE name = 'alias/test')`;

/** Makes a row of every table of KMS, and tells the ARN of the tested key. */
export async function furnishKms(kms: KMSClient): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Tags: [{ TagKey: 'use', TagValue: 'test' }] }));
  const KeyId = KeyMetadata?.KeyId;
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/test', TargetKeyId: KeyId }));
  const GranteePrincipal = KeyMetadata?.Arn?.replace(/^arn:aws:kms:[^:]*:(\d+):.*/, 'arn:aws:iam::$1:root');
  await kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Decrypt'] }));
  await kms.send(new EnableKeyRotationCommand({ KeyId }));
  await kms.send(new RotateKeyOnDemandCommand({ KeyId }));
  await prepareImport(kms);
  await deletePrimary(kms);
  // Two uses, of which the last is remembered.
  await encrypt(kms);
  return KeyMetadata?.Arn ?? '';
}

/** A proxy of external keys that is asked while rows are made, by plain HTTP. */
export function startKeyStoreProxy(): Promise<XksProxy> {
  return XksProxy.start('xks.example', false);
}

let externalKey: string | undefined;

/** Makes a key in an external key store. */
export async function furnishKeyStore(kms: KMSClient, proxy: XksProxy): Promise<void> {
  proxy.makeKey('first');
  const { CustomKeyStoreId } = await kms.send(
    new CreateCustomKeyStoreCommand({
      CustomKeyStoreName: 'store',
      CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
      XksProxyConnectivity: 'PUBLIC_ENDPOINT',
      XksProxyUriEndpoint: proxy.endpoint,
      XksProxyUriPath: proxy.path,
      XksProxyAuthenticationCredential: proxy.credential,
    }),
  );
  await kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({ Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: 'first' }),
  );
  externalKey = KeyMetadata?.KeyId;
}

async function listKeyStores(kms: KMSClient): Promise<void> {
  const { CustomKeyStores } = await kms.send(new DescribeCustomKeyStoresCommand({}));
  assert.equal(CustomKeyStores?.length, 1, 'the row is not there');
}

async function describeExternalKey(kms: KMSClient): Promise<void> {
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: externalKey }));
  assert.equal(KeyMetadata?.XksKeyConfiguration?.Id, 'first', 'the row is not there');
}

let imported: ImportKeyMaterialCommandInput | undefined;

async function prepareImport(kms: KMSClient): Promise<void> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL' }));
  const KeyId = KeyMetadata?.KeyId;
  const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const;
  const { PublicKey = Buffer.of(), ImportToken } = await kms.send(
    new GetParametersForImportCommand({ KeyId, ...wrapping }),
  );
  const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
  const EncryptedKeyMaterial = publicEncrypt({ key, oaepHash: 'sha256' }, randomBytes(32));
  imported = { KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' };
}

let primary: string | undefined;

/** A primary that waits for its replica. */
async function deletePrimary(kms: KMSClient): Promise<void> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ MultiRegion: true }));
  primary = KeyMetadata?.KeyId;
  await kms.send(new ReplicateKeyCommand({ KeyId: primary, ReplicaRegion: 'eu-west-1' }));
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: primary }));
}

async function describePrimary(kms: KMSClient): Promise<void> {
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: primary }));
  assert.equal(KeyMetadata?.PendingDeletionWindowInDays, 30, 'the row is not there');
}

async function importMaterial(kms: KMSClient): Promise<void> {
  assert.ok(imported);
  await kms.send(new ImportKeyMaterialCommand(imported));
}

async function encrypt(kms: KMSClient): Promise<void> {
  await kms.send(new EncryptCommand({ KeyId: 'alias/test', Plaintext: Buffer.from('x') }));
}

async function keyId(kms: KMSClient): Promise<string> {
  return (await kms.send(new DescribeKeyCommand({ KeyId: 'alias/test' }))).KeyMetadata?.KeyId ?? '';
}

async function listRotations(kms: KMSClient): Promise<void> {
  const { Rotations } = await kms.send(new ListKeyRotationsCommand({ KeyId: await keyId(kms) }));
  assert.equal(Rotations?.length, 1, 'the row is not there');
}

async function listGrants(kms: KMSClient): Promise<void> {
  const { Grants } = await kms.send(new ListGrantsCommand({ KeyId: await keyId(kms) }));
  assert.equal(Grants?.length, 1, 'the row is not there');
}

async function askRotationStatus(kms: KMSClient): Promise<void> {
  const { KeyRotationEnabled } = await kms.send(new GetKeyRotationStatusCommand({ KeyId: await keyId(kms) }));
  assert.equal(KeyRotationEnabled, true, 'the row is not there');
}

async function askLastUsage(kms: KMSClient): Promise<void> {
  const { KeyLastUsage } = await kms.send(new GetKeyLastUsageCommand({ KeyId: await keyId(kms) }));
  assert.equal(KeyLastUsage?.Operation, 'Encrypt', 'the row is not there');
}

const CASES: readonly KmsCase[] = [
  { table: 'kms_custom_key_store', where: '1', read: listKeyStores, lookedUpBy: ['account', 'region'] },
  { table: 'kms_external_key', where: '1', read: describeExternalKey, lookedUpBy: ['region', 'key_id'] },
  { table: 'kms_key', where: `id = ${TESTED_KEY}`, read: encrypt, lookedUpBy: ['region', 'id'] },
  { table: 'kms_alias', where: `name = 'alias/test'`, read: encrypt, lookedUpBy: ['account', 'region', 'name'] },
  { table: 'kms_tag', where: '1', read: encrypt, lookedUpBy: ['region', 'key_id'] },
  { table: 'kms_grant', where: '1', read: listGrants, lookedUpBy: ['region', 'key_id'] },
  {
    table: 'kms_material',
    where: `id = (SELECT material_id FROM kms_key WHERE id = ${TESTED_KEY})`,
    read: encrypt,
    lookedUpBy: ['region', 'id'],
  },
  { table: 'kms_material_history', where: '1', read: listRotations, lookedUpBy: ['region', 'key_id'] },
  {
    table: 'kms_rotation_schedule',
    where: `key_id = ${TESTED_KEY}`,
    read: askRotationStatus,
    lookedUpBy: ['region', 'key_id'],
  },
  { table: 'kms_waiting_primary', where: '1', read: describePrimary, lookedUpBy: ['region', 'key_id'] },
  { table: 'kms_import_parameters', where: '1', read: importMaterial, lookedUpBy: ['id'] },
  {
    table: 'kms_last_usage',
    where: `key_id = ${TESTED_KEY}`,
    read: askLastUsage,
    lookedUpBy: ['region', 'key_id'],
  },
  { table: 'kms_usage_start', where: '1', read: askLastUsage, lookedUpBy: [] },
];

/** The cases of KMS, each with what believes the row at an endpoint. */
export function kmsCases(clientConfig: (endpoint: string) => ClientConfig) {
  return CASES.map(({ table, where, lookedUpBy, read }) => ({
    table,
    where,
    lookedUpBy,
    use: async (endpoint: string) => {
      const kms = new KMSClient(clientConfig(endpoint));
      await read(kms).finally(() => kms.destroy());
    },
  }));
}
