import type { Call } from '#kernel/operation.ts';
import type { RecordSeal } from './domain/record-seal.ts';
import { noSuchBucket } from './errors.ts';
import type { Objects, StoredObject } from './objects.ts';
import type { BucketRow, S3Store } from './store.ts';

interface Seen {
  /** Those of `buckets` that were found. */
  readonly rows: Map<string, BucketRow>;
  readonly buckets: Map<string, Promise<BucketRow | undefined>>;
  readonly objects: Map<string, Promise<StoredObject | undefined>>;
}

/** What one call has looked up: authorisation and the work itself ask for the same records. */
export class RequestScope {
  readonly #store: S3Store;
  readonly #seal: RecordSeal;
  readonly #objects: Objects;
  readonly #seen = new WeakMap<Call, Seen>();

  constructor(store: S3Store, seal: RecordSeal, objects: Objects) {
    this.#store = store;
    this.#seal = seal;
    this.#objects = objects;
  }

  /** @throws ServiceError NoSuchBucket */
  async bucket(call: Call, name: string): Promise<BucketRow> {
    const { buckets, rows } = this.#of(call);
    let found = buckets.get(name);
    if (found === undefined) {
      found = this.#findBucket(name);
      buckets.set(name, found);
    }
    const row = await found;
    if (row === undefined) throw noSuchBucket(name);
    rows.set(name, row);
    return row;
  }

  /** A bucket that the call has looked up. */
  knownBucket(call: Call, name: string): BucketRow | undefined {
    return this.#seen.get(call)?.rows.get(name);
  }

  /** As `bucket`, also where it is not known who asks. */
  async bucketOf(call: Call | undefined, name: string): Promise<BucketRow> {
    if (call !== undefined) return await this.bucket(call, name);
    const row = await this.#findBucket(name);
    if (row === undefined) throw noSuchBucket(name);
    return row;
  }

  /** The current version of a key, or the one that is asked for; a delete marker is none. */
  object(call: Call, bucket: string, key: string, versionId?: string): Promise<StoredObject | undefined> {
    const { objects } = this.#of(call);
    const id = objectId(bucket, key, versionId);
    let found = objects.get(id);
    if (found === undefined) {
      found = this.#objects.find(bucket, key, versionId);
      objects.set(id, found);
    }
    return found;
  }

  /** Forgets an object, after it turned out to have changed. */
  forget(call: Call, bucket: string, key: string, versionId?: string): void {
    this.#of(call).objects.delete(objectId(bucket, key, versionId));
  }

  async #findBucket(name: string): Promise<BucketRow | undefined> {
    const row = await this.#store.findBucket(name);
    return row === undefined ? undefined : this.#seal.checkBucket(row);
  }

  #of(call: Call): Seen {
    let seen = this.#seen.get(call);
    if (seen === undefined) {
      seen = { rows: new Map(), buckets: new Map(), objects: new Map() };
      this.#seen.set(call, seen);
    }
    return seen;
  }
}

function objectId(bucket: string, key: string, versionId: string | undefined): string {
  return versionId === undefined ? `${bucket}/${key}` : `${bucket}/${versionId}?${key}`;
}
