import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateLoginProfileCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  IAMClient,
  UploadServerCertificateCommand,
} from '@aws-sdk/client-iam';
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GetParametersForImportCommand,
  KMSClient,
} from '@aws-sdk/client-kms';
import { CreateQueueCommand, GetQueueCommand, MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { rootSealedColumns } from '../../bin/root-key/root-sealed-columns.ts';
import { issueCertificate } from './certificates.ts';
import { filesUnder } from './files-under.ts';
import type { ClientConfig } from './platform.ts';

type Credentials = ClientConfig['credentials'];

const NAME = 'sealed-things';
const VALUE = 'what only this installation can read';
const BODY = Buffer.alloc(200_000, 'content of an object ');

/** One of everything that depends on the root key, and whether it is still what it was. */
export class SealedThings {
  readonly #ciphertexts: Uint8Array[] = [];
  #user: Credentials | undefined;
  #session: Credentials | undefined;
  #keyId = '';

  static async make(config: ClientConfig): Promise<SealedThings> {
    const things = new SealedThings();
    const iam = new IAMClient(config);
    await iam.send(new CreateUserCommand({ UserName: NAME }));
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
    await iam.send(new AttachUserPolicyCommand({ UserName: NAME, PolicyArn }));
    await iam.send(new CreateLoginProfileCommand({ UserName: NAME, Password: 'A-long-password-of-7-words' }));
    await iam.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: NAME }));
    const { certificate, key } = issueCertificate('sealed.example');
    const files = { ServerCertificateName: NAME, CertificateBody: certificate, PrivateKey: key };
    await iam.send(new UploadServerCertificateCommand(files));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: NAME }));
    iam.destroy();
    things.#user = credentialsOf(AccessKey);
    const sts = new STSClient({ ...config, credentials: things.#user });
    things.#session = credentialsOf((await sts.send(new GetSessionTokenCommand({}))).Credentials);
    sts.destroy();
    const kms = new KMSClient(config);
    things.#keyId = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL' }));
    const parameters = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const;
    await kms.send(new GetParametersForImportCommand({ KeyId: KeyMetadata?.KeyId, ...parameters }));
    kms.destroy();
    await things.encrypt(config);
    const s3 = new S3Client(config);
    await s3.send(new CreateBucketCommand({ Bucket: NAME }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: NAME, VersioningConfiguration }));
    await s3.send(new PutObjectCommand({ Bucket: NAME, Key: 'large', Body: 'an earlier version' }));
    await s3.send(new PutObjectCommand({ Bucket: NAME, Key: 'large', Body: BODY }));
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: NAME, Key: 'parts' }));
    await s3.send(new UploadPartCommand({ Bucket: NAME, Key: 'parts', UploadId, PartNumber: 1, Body: VALUE }));
    await s3.send(new PutObjectCommand({ Bucket: NAME, Key: 'small', Body: VALUE }));
    s3.destroy();
    const secrets = new SecretsManagerClient(config);
    await secrets.send(new CreateSecretCommand({ ...SECRET }));
    secrets.destroy();
    const mediaconvert = new MediaConvertClient(config);
    await mediaconvert.send(new CreateQueueCommand({ Name: NAME, Description: VALUE }));
    mediaconvert.destroy();
    return things;
  }

  /** One more ciphertext under a key of its own, and one under the first. */
  async encrypt(config: ClientConfig): Promise<void> {
    const kms = new KMSClient(config);
    try {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
      for (const KeyId of [KeyMetadata?.KeyId, this.#keyId]) {
        const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from(VALUE) }));
        if (CiphertextBlob !== undefined) this.#ciphertexts.push(CiphertextBlob);
      }
    } finally {
      kms.destroy();
    }
  }

  /** @param isSessionAlive whether the temporary credentials must still work, or must not */
  async check(config: ClientConfig, isSessionAlive = true): Promise<void> {
    // With the user's access key, which lies sealed, too.
    const own: ClientConfig = { ...config, credentials: this.#user ?? config.credentials };
    const kms = new KMSClient(own);
    for (const CiphertextBlob of this.#ciphertexts) {
      const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }));
      assert.equal(Buffer.from(Plaintext ?? []).toString(), VALUE);
    }
    kms.destroy();
    const s3 = new S3Client(own);
    const large = await s3.send(new GetObjectCommand({ Bucket: NAME, Key: 'large' }));
    assert.ok(BODY.equals((await large.Body?.transformToByteArray()) ?? Buffer.alloc(0)));
    const small = await s3.send(new GetObjectCommand({ Bucket: NAME, Key: 'small' }));
    assert.equal(await small.Body?.transformToString(), VALUE);
    s3.destroy();
    const secrets = new SecretsManagerClient(own);
    assert.equal((await secrets.send(new GetSecretValueCommand({ SecretId: NAME }))).SecretString, VALUE);
    // The same request again is known by its fingerprint.
    await secrets.send(new CreateSecretCommand({ ...SECRET }));
    secrets.destroy();
    const mediaconvert = new MediaConvertClient(own);
    assert.equal((await mediaconvert.send(new GetQueueCommand({ Name: NAME }))).Queue?.Description, VALUE);
    mediaconvert.destroy();
    const sts = new STSClient({ ...config, ...(this.#session && { credentials: this.#session }) });
    const asking = sts.send(new GetCallerIdentityCommand({})).finally(() => sts.destroy());
    if (isSessionAlive) await asking;
    else await assert.rejects(asking, { name: 'InvalidClientTokenId' });
  }
}

const SECRET = { Name: NAME, SecretString: VALUE, ClientRequestToken: 'a'.repeat(32) } as const;

function credentialsOf(given: Partial<Record<keyof AnyCredentials, unknown>> | undefined): Credentials {
  const { AccessKeyId, SecretAccessKey, SessionToken } = (given ?? {}) as AnyCredentials;
  return {
    accessKeyId: AccessKeyId ?? '',
    secretAccessKey: SecretAccessKey ?? '',
    ...(SessionToken !== undefined && { sessionToken: SessionToken }),
  };
}

interface AnyCredentials {
  readonly AccessKeyId?: string | undefined;
  readonly SecretAccessKey?: string | undefined;
  readonly SessionToken?: string | undefined;
}

/** Everything in a data folder that is sealed under its root key, and all seals of its rows. */
export function sealedBytes(dataFolder: string): readonly Uint8Array[] {
  const database = new DatabaseSync(join(dataFolder, 'records.db'), { readOnly: true });
  try {
    const seals = database
      .prepare(
        `SELECT m.name AS "table" FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
         WHERE m.type = 'table' AND c.name = 'mac' AND m.name NOT LIKE 'cloudtrail%'`,
      )
      .all()
      .map(({ table }) => ({ table: String(table), column: 'mac' }));
    return [...rootSealedColumns, ...seals].flatMap(({ table, column }) =>
      database
        .prepare(`SELECT "${column}" AS value FROM "${table}" WHERE "${column}" IS NOT NULL`)
        .all()
        .map(({ value }) => value as Uint8Array),
    );
  } finally {
    database.close();
  }
}

/** How many of these bytes lie in any file of a folder. */
export async function countFound(folder: string, sought: readonly Uint8Array[]): Promise<number> {
  const found = new Set<Uint8Array>();
  for (const path of await filesUnder(folder)) {
    const content = await readFile(path);
    for (const bytes of sought) if (content.includes(bytes)) found.add(bytes);
  }
  return found.size;
}
