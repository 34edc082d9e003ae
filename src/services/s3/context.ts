import type { RootKey } from '#crypto/root-key.ts';
import type { Clock } from '#kernel/clock.ts';
import type { AccountId } from '#kernel/ids.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { PolicyPrincipals } from '#services/iam/api.ts';
import type { KmsApi } from '#services/kms/api.ts';
import type { Blobs } from '#storage/blobs.ts';
import type { Records } from '#storage/records.ts';
import { BlobLeases } from '#storage/content/blob-leases.ts';
import { RecordSeal } from './domain/record-seal.ts';
import { BucketKeyCache } from './keys/bucket-key-cache.ts';
import { DataKeys } from './keys/data-keys.ts';
import { MasterKeys } from './keys/master-keys.ts';
import { AccessLog } from './access-log/access-log.ts';
import { AccessLogStore } from './access-log/access-log-store.ts';
import { InventoryStore } from './inventory/inventory-store.ts';
import { Announcer, type AppendEvent } from './notifications/announcer.ts';
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
  /** Whether an account has this canonical user id. */
  readonly isCanonicalId: (id: string) => Promise<boolean>;
  readonly policyPrincipals: PolicyPrincipals;
  /** Takes a code, once, of an MFA device of an account's root user; `now` in milliseconds since the epoch. */
  readonly takeRootMfaCode: (account: AccountId, serial: string, code: string, now: number) => Promise<boolean>;
  /** Writes into the installation's event log. */
  readonly appendEvent: AppendEvent;
  /** Webhooks that buckets may name. */
  readonly webhookNames: ReadonlySet<string>;
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
  readonly announcer: Announcer;
  readonly accessLog: AccessLog;
  readonly accessLogStore: AccessLogStore;
  readonly inventories: InventoryStore;
  readonly webhookNames: ReadonlySet<string>;
  readonly randomness: Randomness;
  readonly canonicalIdOf: (account: AccountId) => Promise<string>;
  readonly isCanonicalId: (id: string) => Promise<boolean>;
  readonly policyPrincipals: PolicyPrincipals;
  readonly takeRootMfaCode: S3Dependencies['takeRootMfaCode'];
  readonly isInsecureCustomerKeyAllowed: boolean;
}

/** Frozen: docs/formats/root-key.md. */
const RECORD_SEAL_PURPOSE = 's3/record-seal/1';

export function createS3Context(dependencies: S3Dependencies): S3Context {
  const { records, blobs, rootKey, kms, clock, randomness, logger, canonicalIdOf, policyPrincipals } = dependencies;
  const store = new S3Store(records);
  const seal = recordSealOf(rootKey);
  const masterKeys = new MasterKeys({ store, rootKey, clock, randomness });
  const dataKeys = new DataKeys({ kms, masterKeys, bucketKeys: new BucketKeyCache(clock), randomness });
  const leases = new BlobLeases(blobs, logger);
  const objects = new Objects({ store, blobs, seal, leases, randomness });
  const scope = new RequestScope(store, seal, objects);
  const accessLogStore = new AccessLogStore(records);
  return {
    store,
    blobs,
    seal,
    dataKeys,
    leases,
    objects,
    uploads: new Uploads({ store, seal, leases }),
    scope,
    accessLog: new AccessLog({ store: accessLogStore, scope, canonicalIdOf, clock, logger }),
    accessLogStore,
    inventories: new InventoryStore(records),
    announcer: new Announcer(clock, dependencies.appendEvent),
    webhookNames: dependencies.webhookNames,
    randomness,
    canonicalIdOf,
    isCanonicalId: dependencies.isCanonicalId,
    policyPrincipals,
    takeRootMfaCode: dependencies.takeRootMfaCode,
    isInsecureCustomerKeyAllowed: dependencies.isInsecureCustomerKeyAllowed ?? false,
  };
}

function recordSealOf(rootKey: RootKey): RecordSeal {
  const key = rootKey.deriveKey(RECORD_SEAL_PURPOSE);
  const former = rootKey.deriveFormerKey(RECORD_SEAL_PURPOSE);
  try {
    return new RecordSeal(key, former);
  } finally {
    key.fill(0);
    former?.fill(0);
  }
}

/** After the root key was changed: from now on records are sealed under what is derived from the present one. */
export function followRootKey({ seal }: S3Context, rootKey: RootKey): void {
  const key = rootKey.deriveKey(RECORD_SEAL_PURPOSE);
  seal.changeKey(key);
  key.fill(0);
}
