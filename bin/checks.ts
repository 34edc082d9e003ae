import type { RootKey } from '#crypto/root-key.ts';
import type { IndexCheck } from '#services/cloudtrail/index-check.ts';
import type { IamApi } from '#services/iam/api.ts';
import type { KinesisVideoContext } from '#services/kinesis-video/context.ts';
import { verifyKinesisVideo } from '#services/kinesis-video/maintenance/verify.ts';
import type { KmsContext } from '#services/kms/context.ts';
import type { S3Context } from '#services/s3/context.ts';
import { verifyS3 } from '#services/s3/maintenance/verify.ts';
import { openRequest } from '#services/mediaconvert/domain/job-request.ts';
import { openDocument } from '#services/mediaconvert/domain/resource-document.ts';
import type { MediaconvertStore } from '#services/mediaconvert/store.ts';
import type { MediaConnectContext } from '#services/mediaconnect/context.ts';
import { verifyFlows } from '#services/mediaconnect/maintenance/verify.ts';
import type { SecretsManagerContext } from '#services/secrets-manager/context.ts';
import { verifySecrets } from '#services/secrets-manager/maintenance/verify.ts';
import type { SqliteRecords } from '#storage/sqlite/sqlite-records.ts';
import { operatorDecrypt } from './operator-decrypt.ts';
import type { Check } from './verify.ts';

/** Everything that `coffer verify` looks at. */
export function checksOf(parts: {
  readonly records: SqliteRecords;
  readonly iam: IamApi;
  readonly kms: KmsContext;
  readonly s3: S3Context;
  readonly mediaconvert: MediaconvertStore;
  readonly kinesisVideo: KinesisVideoContext;
  readonly secretsManager: SecretsManagerContext;
  readonly mediaConnect: MediaConnectContext;
  readonly auditIndex: IndexCheck;
  readonly rootKey: RootKey;
  /** Milliseconds since the epoch: blobs that are younger may belong to uploads under way. */
  readonly startedAt: number;
}): readonly Check[] {
  const {
    records,
    iam,
    kms,
    s3,
    mediaconvert,
    kinesisVideo,
    secretsManager,
    mediaConnect,
    auditIndex,
    rootKey,
    startedAt,
  } = parts;
  return [
    {
      what: 'database',
      async *run() {
        const answer = records.checkIntegrity();
        yield answer === 'ok' ? undefined : { what: 'records.db', damage: answer };
      },
    },
    {
      what: 'sealed records',
      async *run() {
        for await (const { row, isSound } of records.checkRows()) {
          yield isSound ? undefined : { what: `record ${row}`, damage: 'it was changed outside of Coffer' };
        }
      },
    },
    {
      what: 'entries of the audit log’s index',
      async *run() {
        for await (const { row, isSound } of auditIndex.run()) {
          yield isSound ? undefined : { what: `record ${row}`, damage: 'it does not say what its events say' };
        }
      },
    },
    {
      what: 'access keys',
      async *run() {
        for await (const { accessKeyId, isSound } of iam.checkAccessKeys()) {
          yield isSound ? undefined : { what: `access key ${accessKeyId}`, damage: 'its secret does not open' };
        }
      },
    },
    {
      what: 'KMS key materials',
      async *run() {
        for (const material of await kms.store.allMaterials()) {
          const isSound = kms.materials.isSound(material);
          yield isSound ? undefined : { what: `KMS key ${material.key_id}`, damage: 'its material does not open' };
        }
        for (const { key_id } of await kms.store.materialsWithoutKeys()) {
          yield { what: `KMS key ${key_id}`, damage: 'it was destroyed, but material of it is left' };
        }
      },
    },
    {
      what: 'credentials of external key stores',
      async *run() {
        for (const store of await kms.store.allCustomKeyStores()) {
          const isSound = kms.proxies.isSound(store);
          yield isSound ? undefined : { what: `key store ${store.id}`, damage: 'its credential does not open' };
        }
      },
    },
    {
      what: 'MediaConvert job settings, queues, templates and presets',
      async *run() {
        for (const job of await mediaconvert.allJobs()) {
          yield opens(() => openRequest(rootKey, job))
            ? undefined
            : { what: `job ${job.id}`, damage: 'its settings do not open' };
        }
        for (const record of await mediaconvert.resources.everything()) {
          const { kind, name } = record;
          yield opens(() => openDocument(rootKey, record))
            ? undefined
            : { what: `MediaConvert ${kind} ${name}`, damage: 'what it says does not open' };
        }
      },
    },
    {
      what: 'video streams, connections and fragments',
      run: () => verifyKinesisVideo(kinesisVideo, operatorDecrypt(kms), startedAt),
    },
    { what: 'secrets', run: () => verifySecrets(secretsManager, operatorDecrypt(kms)) },
    { what: 'live flows', run: () => verifyFlows(mediaConnect) },
    { what: 'S3 objects', run: () => verifyS3(s3, operatorDecrypt(kms), startedAt) },
  ];
}

function opens(open: () => unknown): boolean {
  try {
    open();
    return true;
  } catch {
    return false;
  }
}
