import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { BucketRow, ObjectRow, PartRow, UploadRow } from '../store.ts';

type Columns = readonly (string | number | null)[];
type Unsealed<Row> = Omit<Row, 'mac' | 'body' | 'parts'>;

const CHECKED_BUCKETS = 1000;

/** A stored record does not bear its seal: something other than Coffer changed it. */
export class RecordDamageError extends Error {
  constructor(what: string) {
    super(`The record of ${what} was changed outside of Coffer.`);
    this.name = 'RecordDamageError';
  }
}

/**
 * Binds each record's columns together, so that a byte changed in the database is an error on read and never served.
 *
 * INVARIANT: every record is checked before anything in it is believed. Bodies have their own tags; the parts of a
 * multipart object are covered by the digest among its facts.
 */
export class RecordSeal {
  readonly #key: KeyObject;
  /** Buckets are looked up by every request: those whose very bytes were checked before need no second check. */
  readonly #checkedBuckets = new Map<string, { readonly text: string; readonly mac: Uint8Array }>();

  /** @param key 32 bytes, derived from the root key for this purpose */
  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  bucket<Row extends Unsealed<BucketRow>>(row: Row): Row & { readonly mac: Buffer } {
    return { ...row, mac: this.#mac(bucketColumns(row)) };
  }

  object<Row extends Unsealed<ObjectRow>>(row: Row): Row & { readonly mac: Buffer } {
    return { ...row, mac: this.#objectMac(row) };
  }

  upload<Row extends Unsealed<UploadRow>>(row: Row): Row & { readonly mac: Buffer } {
    return { ...row, mac: this.#uploadMac(row) };
  }

  part<Row extends Unsealed<PartRow>>(row: Row): Row & { readonly mac: Buffer } {
    return { ...row, mac: this.#partMac(row) };
  }

  /** @throws RecordDamageError */
  checkBucket(row: BucketRow): BucketRow {
    const text = JSON.stringify(bucketColumns(row));
    const checked = this.#checkedBuckets.get(row.name);
    if (checked !== undefined && checked.text === text && isSame(checked.mac, row.mac)) return row;
    if (!isSame(this.#macOf(text), row.mac)) throw new RecordDamageError(`bucket ${row.name}`);
    if (this.#checkedBuckets.size >= CHECKED_BUCKETS) this.#checkedBuckets.clear();
    this.#checkedBuckets.set(row.name, { text, mac: row.mac });
    return row;
  }

  /** @throws RecordDamageError */
  checkObject(row: ObjectRow): ObjectRow {
    if (!isSame(this.#objectMac(row), row.mac)) throw new RecordDamageError(`object ${row.bucket}/${row.key}`);
    return row;
  }

  /** @throws RecordDamageError */
  checkUpload(row: UploadRow): UploadRow {
    if (!isSame(this.#uploadMac(row), row.mac)) throw new RecordDamageError(`upload ${row.id}`);
    return row;
  }

  /** @throws RecordDamageError */
  checkPart(row: PartRow): PartRow {
    if (!isSame(this.#partMac(row), row.mac)) throw new RecordDamageError(`part ${row.number} of upload ${row.upload}`);
    return row;
  }

  #objectMac(row: Unsealed<ObjectRow>): Buffer {
    const { bucket, key, id, size, etag, modified_at: modifiedAt, facts } = row;
    return this.#mac(['object', bucket, key, id, size, etag, modifiedAt, facts]);
  }

  #uploadMac(row: Unsealed<UploadRow>): Buffer {
    const { id, bucket, key, object_id: objectId, initiated_at: initiatedAt, facts } = row;
    return this.#mac(['upload', id, bucket, key, objectId, initiatedAt, facts]);
  }

  #partMac(row: Unsealed<PartRow>): Buffer {
    const { upload, number, facts, modified_at: modifiedAt } = row;
    return this.#mac(['part', upload, number, facts, modifiedAt]);
  }

  #mac(columns: Columns): Buffer {
    return this.#macOf(JSON.stringify(columns));
  }

  #macOf(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}

function bucketColumns(row: Unsealed<BucketRow>): Columns {
  const { name, account, region, created_at: createdAt, policy, encryption, tags } = row;
  return ['bucket', name, account, region, createdAt, policy, encryption, tags];
}

/** The digest by which an object's facts cover its list of parts. */
export function digestOfParts(parts: string): string {
  return createHash('sha256').update(parts).digest('base64');
}

function isSame(expected: Uint8Array, actual: Uint8Array): boolean {
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
