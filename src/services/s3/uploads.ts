import type { BlobLeases } from '#storage/content/blob-leases.ts';
import { parseStoredPart, parseUploadFacts, type StoredPart, type UploadFacts } from './domain/object-facts.ts';
import type { RecordSeal } from './domain/record-seal.ts';
import { noSuchUpload } from './errors.ts';
import type { S3Store, S3Transaction, UploadRow } from './store.ts';

/** A multipart upload as its record has it; the record's seal was checked. */
export interface StoredUpload {
  readonly row: UploadRow;
  readonly facts: UploadFacts;
}

export interface UploadedPart {
  readonly part: StoredPart;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** Multipart uploads that are not complete yet. */
export class Uploads {
  readonly #store: S3Store;
  readonly #seal: RecordSeal;
  readonly #leases: BlobLeases;

  constructor(dependencies: { readonly store: S3Store; readonly seal: RecordSeal; readonly leases: BlobLeases }) {
    this.#store = dependencies.store;
    this.#seal = dependencies.seal;
    this.#leases = dependencies.leases;
  }

  /** @throws ServiceError NoSuchUpload */
  async find(bucket: string, key: string, uploadId: string | undefined): Promise<StoredUpload> {
    const row = uploadId === undefined || uploadId === '' ? undefined : await this.#store.findUpload(uploadId);
    if (row === undefined || row.bucket !== bucket || row.key !== key) throw noSuchUpload(uploadId ?? '');
    return this.check(row);
  }

  check(row: UploadRow): StoredUpload {
    this.#seal.checkUpload(row);
    return { row, facts: parseUploadFacts(row.facts) };
  }

  async create(row: Omit<UploadRow, 'mac' | 'facts'>, facts: UploadFacts): Promise<void> {
    const sealed = this.#seal.upload({ ...row, facts: JSON.stringify(facts) });
    await this.#store.write((transaction) => transaction.insertInto('s3_upload').values(sealed).execute());
  }

  /** Records a part in place of what its number held. @throws ServiceError NoSuchUpload when the upload is gone */
  async putPart(upload: string, part: StoredPart, modifiedAt: number): Promise<void> {
    const row = this.#seal.part({ upload, number: part.number, facts: JSON.stringify(part), modified_at: modifiedAt });
    const replaced = await this.#store.write(async (transaction) => {
      await requireUpload(transaction, upload);
      const old = await transaction
        .selectFrom('s3_part')
        .select('facts')
        .where('upload', '=', upload)
        .where('number', '=', part.number)
        .executeTakeFirst();
      await transaction
        .insertInto('s3_part')
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(['upload', 'number'])
            .doUpdateSet({ facts: row.facts, modified_at: row.modified_at, mac: row.mac }),
        )
        .execute();
      return old === undefined ? [] : [parseStoredPart(old.facts).blob];
    });
    this.#leases.discard(replaced);
  }

  async parts(upload: string, after = 0, limit = 10_000): Promise<UploadedPart[]> {
    const rows = await this.#store.listParts(upload, after, limit);
    return rows.map((row) => ({
      part: parseStoredPart(this.#seal.checkPart(row).facts),
      modifiedAt: row.modified_at,
    }));
  }

  /** Removes an upload with all its parts. @throws ServiceError NoSuchUpload */
  async abort(upload: string): Promise<void> {
    const blobs = await this.#store.write(async (transaction) => await takeUpload(transaction, upload));
    this.#leases.discard(blobs);
  }
}

/** @throws ServiceError NoSuchUpload */
async function requireUpload(transaction: S3Transaction, upload: string): Promise<void> {
  const row = await transaction.selectFrom('s3_upload').select('id').where('id', '=', upload).executeTakeFirst();
  if (row === undefined) throw noSuchUpload(upload);
}

/** Removes an upload's records. @returns the blobs of its parts */
export async function takeUpload(transaction: S3Transaction, upload: string): Promise<string[]> {
  await requireUpload(transaction, upload);
  const parts = await transaction.selectFrom('s3_part').select('facts').where('upload', '=', upload).execute();
  await transaction.deleteFrom('s3_part').where('upload', '=', upload).execute();
  await transaction.deleteFrom('s3_upload').where('id', '=', upload).execute();
  return parts.map((part) => parseStoredPart(part.facts).blob);
}
