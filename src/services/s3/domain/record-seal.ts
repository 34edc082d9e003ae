import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { BucketRow, ObjectRow, PartRow, UploadRow, VersionRow } from '../store.ts';
import { parseVersionFacts } from './object-facts.ts';
import { UNVERSIONED, versionText } from './version.ts';

type Columns = readonly (string | number | null)[];
type Unsealed<Row> = Omit<Row, 'mac' | 'body' | 'parts' | 'rank' | 'version'>;

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
  #key: KeyObject;
  #former: KeyObject | undefined;
  /** Buckets are looked up by every request: those whose very bytes were checked before need no second check. */
  readonly #checkedBuckets = new Map<string, { readonly text: string; readonly mac: Uint8Array }>();

  /**
   * @param key 32 bytes, derived from the root key for this purpose
   * @param former the former root key's, while the records are sealed anew
   */
  constructor(key: Uint8Array, former?: Uint8Array) {
    this.#key = createSecretKey(key);
    this.#former = former && createSecretKey(former);
  }

  /** From now on records are sealed under `key`; those that bear the seal of the one before are sound, too. */
  changeKey(key: Uint8Array): void {
    this.#former = this.#key;
    this.#key = createSecretKey(key);
  }

  forgetFormerKey(): void {
    this.#former = undefined;
    this.#checkedBuckets.clear();
  }

  /** The present seal of a record that bears the former key's; `present` and `damaged` for the others. */
  renew(table: keyof typeof COLUMNS, row: unknown): Buffer | 'present' | 'damaged' {
    const text = JSON.stringify(COLUMNS[table](row));
    const { mac } = row as { readonly mac: Uint8Array };
    const present = macOf(this.#key, text);
    if (isSame(present, mac)) return 'present';
    return this.#former !== undefined && isSame(macOf(this.#former, text), mac) ? present : 'damaged';
  }

  bucket<Row extends Unsealed<BucketRow>>(row: Row): Row & { readonly mac: Buffer } {
    return { ...row, mac: this.#mac(bucketColumns(row)) };
  }

  object<Row extends Unsealed<ObjectRow>>(row: Row): Row & { readonly mac: Buffer } {
    return { ...row, mac: this.#mac(objectColumns(row)) };
  }

  upload<Row extends Unsealed<UploadRow>>(row: Row): Row & { readonly mac: Buffer } {
    return { ...row, mac: this.#mac(uploadColumns(row)) };
  }

  part<Row extends Unsealed<PartRow>>(row: Row): Row & { readonly mac: Buffer } {
    return { ...row, mac: this.#mac(partColumns(row)) };
  }

  /** @throws RecordDamageError */
  checkBucket(row: BucketRow): BucketRow {
    const text = JSON.stringify(bucketColumns(row));
    const checked = this.#checkedBuckets.get(row.name);
    if (checked !== undefined && checked.text === text && isSame(checked.mac, row.mac)) return row;
    if (!this.#isSealed(text, row.mac)) throw new RecordDamageError(`bucket ${row.name}`);
    if (this.#checkedBuckets.size >= CHECKED_BUCKETS) this.#checkedBuckets.clear();
    this.#checkedBuckets.set(row.name, { text, mac: row.mac });
    return row;
  }

  /** @throws RecordDamageError */
  checkObject<Row extends ObjectRow>(row: Row): Row {
    if (!this.#isSealed(JSON.stringify(objectColumns(row)), row.mac))
      throw new RecordDamageError(`object ${row.bucket}/${row.key}`);
    return row;
  }

  /** As `checkObject`; the columns by which a version is found say what its facts say. @throws RecordDamageError */
  checkVersion(row: VersionRow): VersionRow {
    const { version = UNVERSIONED } = parseVersionFacts(this.checkObject(row).facts);
    if (row.rank !== -version.order || row.version !== versionText(version)) {
      throw new RecordDamageError(`object ${row.bucket}/${row.key}`);
    }
    return row;
  }

  /** @throws RecordDamageError */
  checkUpload(row: UploadRow): UploadRow {
    if (!this.#isSealed(JSON.stringify(uploadColumns(row)), row.mac)) throw new RecordDamageError(`upload ${row.id}`);
    return row;
  }

  /** @throws RecordDamageError */
  checkPart(row: PartRow): PartRow {
    if (!this.#isSealed(JSON.stringify(partColumns(row)), row.mac))
      throw new RecordDamageError(`part ${row.number} of upload ${row.upload}`);
    return row;
  }

  #isSealed(text: string, mac: Uint8Array): boolean {
    if (isSame(macOf(this.#key, text), mac)) return true;
    return this.#former !== undefined && isSame(macOf(this.#former, text), mac);
  }

  #mac(columns: Columns): Buffer {
    return macOf(this.#key, JSON.stringify(columns));
  }
}

function macOf(key: KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function bucketColumns(row: Unsealed<BucketRow>): Columns {
  const { name, account, region, created_at: createdAt, policy, encryption, tags, settings } = row;
  const columns = ['bucket', name, account, region, createdAt, policy, encryption, tags];
  // Frozen: records that were sealed before there were settings bear no mark of them.
  return settings === null ? columns : [...columns, settings];
}

function objectColumns(row: Unsealed<ObjectRow>): Columns {
  const { bucket, key, id, size, etag, modified_at: modifiedAt, facts } = row;
  return ['object', bucket, key, id, size, etag, modifiedAt, facts];
}

function uploadColumns(row: Unsealed<UploadRow>): Columns {
  const { id, bucket, key, object_id: objectId, initiated_at: initiatedAt, facts } = row;
  return ['upload', id, bucket, key, objectId, initiatedAt, facts];
}

function partColumns(row: Unsealed<PartRow>): Columns {
  const { upload, number, facts, modified_at: modifiedAt } = row;
  return ['part', upload, number, facts, modifiedAt];
}

const COLUMNS = {
  s3_bucket: (row: unknown) => bucketColumns(row as BucketRow),
  s3_object: (row: unknown) => objectColumns(row as ObjectRow),
  s3_version: (row: unknown) => objectColumns(row as VersionRow),
  s3_upload: (row: unknown) => uploadColumns(row as UploadRow),
  s3_part: (row: unknown) => partColumns(row as PartRow),
} as const;

/** Every table whose records bear seals of this kind. */
export const SEALED_TABLES = Object.keys(COLUMNS) as readonly (keyof typeof COLUMNS)[];

/** The digest by which an object's facts cover its list of parts. */
export function digestOfParts(parts: string): string {
  return createHash('sha256').update(parts).digest('base64');
}

function isSame(expected: Uint8Array, actual: Uint8Array): boolean {
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
