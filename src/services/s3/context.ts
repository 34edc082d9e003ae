import type { RootKey } from '#crypto/root-key.ts';
import type { Clock } from '#kernel/clock.ts';
import type { AccountId } from '#kernel/ids.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { KmsApi } from '#services/kms/api.ts';
import type { Blobs } from '#storage/blobs.ts';
import type { Records } from '#storage/records.ts';
import { BlobLeases } from '#storage/content/blob-leases.ts';
import { RecordSeal } from './domain/record-seal.ts';
import { BucketKeyCache } from './keys/bucket-key-cache.ts';
import { DataKeys } from './keys/data-keys.ts';
import { MasterKeys } from './keys/master-keys.ts';
import { Objects } from './objects.ts';
import { RequestScope } from './request-scope.ts';
import { S3Store, type S3Tables } from './store.ts';
import { Uploads } from './uploads.ts';

/** What S3 needs of the rest of the platform. */
export interface S3Dependencies {
  readonly records: Records<S3Tables>;
  readonly blobs: Blobs;
  readonly rootKey: RootKey;
  readonly kms: KmsApi;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
  /** The canonical user id of an account: 64 hexadecimal digits. */
  readonly canonicalIdOf: (account: AccountId) => Promise<string>;
  /** True to take customer-provided keys over plain HTTP, for tests on loopback. */
  readonly isInsecureCustomerKeyAllowed?: boolean;
}

/** What every operation of S3 works with. */
export interface S3Context {
  readonly store: S3Store;
  readonly blobs: Blobs;
  readonly seal: RecordSeal;
  readonly dataKeys: DataKeys;
  readonly leases: BlobLeases;
  readonly objects: Objects;
  readonly uploads: Uploads;
  readonly scope: RequestScope;
  readonly randomness: Randomness;
  readonly canonicalIdOf: (account: AccountId) => Promise<string>;
  readonly isInsecureCustomerKeyAllowed: boolean;
}

export function createS3Context(dependencies: S3Dependencies): S3Context {
  const { records, blobs, rootKey, kms, clock, randomness, logger, canonicalIdOf } = dependencies;
  const store = new S3Store(records);
  const macKey = rootKey.deriveKey('s3/record-seal/1');
  const seal = new RecordSeal(macKey);
  macKey.fill(0);
  const masterKeys = new MasterKeys({ store, rootKey, clock, randomness });
  const dataKeys = new DataKeys({ kms, masterKeys, bucketKeys: new BucketKeyCache(clock), randomness });
  const leases = new BlobLeases(blobs, logger);
  const objects = new Objects({ store, blobs, seal, leases });
  return {
    store,
    blobs,
    seal,
    dataKeys,
    leases,
    objects,
    uploads: new Uploads({ store, seal, leases }),
    scope: new RequestScope(store, seal, objects),
    randomness,
    canonicalIdOf,
    isInsecureCustomerKeyAllowed: dependencies.isInsecureCustomerKeyAllowed ?? false,
  };
}
