import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { BucketRow, ObjectRow, PartRow, UploadRow } from '../store.ts';

type Unsealed<Row> = Omit<Row, 'mac' | 'body' | 'parts'>;

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

  /** @param key 32 bytes, derived from the root key for this purpose */
  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  bucket<Row extends Unsealed<BucketRow>>(row: Row): Row & { readonly mac: Buffer } {
    return { ...row, mac: this.#bucketMac(row) };
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
    if (!isSame(this.#bucketMac(row), row.mac)) throw new RecordDamageError(`bucket ${row.name}`);
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

  #bucketMac(row: Unsealed<BucketRow>): Buffer {
    const { name, account, region, created_at: createdAt, policy, encryption, tags } = row;
    return this.#mac(['bucket', name, account, region, createdAt, policy, encryption, tags]);
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

  #mac(columns: readonly (string | number | null)[]): Buffer {
    return createHmac('sha256', this.#key).update(JSON.stringify(columns)).digest();
  }
}

/** The digest by which an object's facts cover its list of parts. */
export function digestOfParts(parts: string): string {
  return createHash('sha256').update(parts).digest('base64');
}

function isSame(expected: Buffer, actual: Uint8Array): boolean {
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
