import { Readable } from 'node:stream';
import { DecryptionError } from '#crypto/decryption-error.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { Blobs } from '#storage/blobs.ts';
import { StorageFullError } from '#storage/storage-full-error.ts';
import type { BlobLeases } from '#storage/content/blob-leases.ts';
import { type ContentPiece, ContentReader, readInline } from '#storage/content/content-reader.ts';
import { associatedDataOf } from './content/stream-binding.ts';
import {
  blobsOf,
  blobsOfRow,
  type ObjectFacts,
  parseObjectFacts,
  parseStoredParts,
  type StoredPart,
} from './domain/object-facts.ts';
import { checkWriteCondition, type WriteCondition } from './domain/preconditions.ts';
import { digestOfParts, RecordDamageError, type RecordSeal } from './domain/record-seal.ts';
import { noSuchBucket, noSuchKey } from './errors.ts';
import { findHead, type ObjectRow, putObjectRow, type S3Store, type S3Transaction } from './store.ts';

/** An object as its record has it; the record's seal was checked. */
export interface StoredObject {
  readonly row: ObjectRow;
  readonly facts: ObjectFacts;
}

/** An object to be written, without its seal. */
export type NewObject = Omit<ObjectRow, 'mac' | 'facts' | 'parts'> & {
  readonly facts: ObjectFacts;
  readonly parts?: readonly StoredPart[];
};

/** The objects: their records, and the way to their content. */
export class Objects {
  readonly #store: S3Store;
  readonly #blobs: Blobs;
  readonly #seal: RecordSeal;
  readonly #leases: BlobLeases;

  constructor(dependencies: {
    readonly store: S3Store;
    readonly blobs: Blobs;
    readonly seal: RecordSeal;
    readonly leases: BlobLeases;
  }) {
    this.#store = dependencies.store;
    this.#blobs = dependencies.blobs;
    this.#seal = dependencies.seal;
    this.#leases = dependencies.leases;
  }

  async find(bucket: string, key: string): Promise<StoredObject | undefined> {
    const row = await this.#store.findObject(bucket, key);
    return row === undefined ? undefined : this.check(row);
  }

  /** @throws RecordDamageError */
  check(row: ObjectRow): StoredObject {
    this.#seal.checkObject(row);
    return { row, facts: parseObjectFacts(row.facts) };
  }

  /**
   * Makes an object visible in place of what its key held; the commit is the moment of truth. What the key held before
   * is removed after it. When the write is refused, the new object's own blobs are removed.
   *
   * @param also further changes of the same transaction
   */
  async put(
    object: NewObject,
    condition: WriteCondition,
    also?: (transaction: S3Transaction) => Promise<void>,
  ): Promise<void> {
    const { parts, facts, ...columns } = object;
    const partsText = parts === undefined ? null : JSON.stringify(parts);
    const row = { ...this.#seal.object({ ...columns, facts: JSON.stringify(facts) }), parts: partsText };
    let replaced: readonly string[];
    try {
      replaced = await this.#store.write(async (transaction) => {
        const head = await findHead(transaction, object.bucket, object.key);
        checkWriteCondition(head, condition, object.key);
        await also?.(transaction);
        await putObjectRow(transaction, row);
        return head === undefined ? [] : blobsOfRow(head);
      });
    } catch (error) {
      const isBucketGone = (await this.#store.findBucket(object.bucket)) === undefined;
      const failure = isBucketGone ? noSuchBucket(object.bucket) : error;
      // Where it is not certain that nothing was committed, the clean-up at the next start decides.
      const isUndone = failure instanceof ServiceError || failure instanceof StorageFullError;
      if (isUndone && parts === undefined) this.#leases.discard(blobsOf(facts, partsText));
      throw failure;
    }
    this.#leases.discard(replaced);
  }

  /**
   * Removes an object; `undefined` when there was none.
   *
   * @param check looks at the object before it goes, and throws to keep it
   */
  async delete(
    bucket: string,
    key: string,
    check?: (head: { readonly etag: string; readonly size: number; readonly modified_at: number } | undefined) => void,
  ): Promise<void> {
    const removed = await this.#store.write(async (transaction) => {
      const head = await findHead(transaction, bucket, key);
      check?.(head);
      if (head === undefined) return [];
      await transaction.deleteFrom('s3_object').where('bucket', '=', bucket).where('key', '=', key).execute();
      return blobsOfRow(head);
    });
    this.#leases.discard(removed);
  }

  /** Changes the tags of an object, if it is still the same one. */
  async setTags(object: StoredObject, tags: Readonly<Record<string, string>> | undefined): Promise<void> {
    const { tags: _, ...rest } = object.facts;
    const facts = JSON.stringify(tags === undefined ? rest : { ...rest, tags });
    const { row } = object;
    const { mac } = this.#seal.object({ ...row, facts });
    const [result] = await this.#store.write((transaction) =>
      transaction
        .updateTable('s3_object')
        .set({ facts, mac })
        .where('bucket', '=', row.bucket)
        .where('key', '=', row.key)
        .where('id', '=', row.id)
        .execute(),
    );
    if (result?.numUpdatedRows === 0n) throw noSuchKey(row.key);
  }

  /** The parts of a multipart object; none for one that was written whole. */
  partsOf(object: StoredObject): StoredPart[] {
    const { content } = object.facts;
    if (content.kind !== 'parts') return [];
    const { parts, bucket, key } = object.row;
    if (parts === null || digestOfParts(parts) !== content.digest)
      throw new RecordDamageError(`object ${bucket}/${key}`);
    return parseStoredParts(parts);
  }

  /**
   * Opens a range of an object's content.
   *
   * @param dataKey is the reader's from now on, and overwritten when it is done
   * @returns `undefined` when the object is being removed: then its record is out of date
   */
  async open(
    object: StoredObject,
    dataKey: Buffer,
    start: number,
    end: number,
  ): Promise<Readable | Buffer | undefined> {
    const { row, facts } = object;
    if (facts.content.kind === 'inline') {
      if (row.body === null) throw new DecryptionError();
      const aad = associatedDataOf(wholeBinding(row));
      const plaintext = readInline(row.body, facts.content.segmentSize, dataKey, aad);
      dataKey.fill(0);
      return start === 0 && end === plaintext.length ? plaintext : plaintext.subarray(start, end);
    }
    const pieces = this.piecesOf(object);
    const blobs = pieces.map((piece) => piece.blob);
    if (!this.#leases.retain(blobs)) return undefined;
    const onClose = (): void => this.#leases.release(blobs);
    return await ContentReader.open({ blobs: this.#blobs, pieces, dataKey, start, end, onClose });
  }

  /** The streams that make up the content of an object that is not inline. */
  piecesOf(object: StoredObject): ContentPiece[] {
    const { row, facts } = object;
    switch (facts.content.kind) {
      case 'inline':
        return [];
      case 'blob': {
        const { blob, segmentSize, digest } = facts.content;
        return [
          { blob, segmentSize, size: row.size, digest, associatedData: () => associatedDataOf(wholeBinding(row)) },
        ];
      }
      case 'parts':
        return this.partsOf(object).map((part) => pieceOfPart(part, row.bucket, row.key, row.id));
    }
  }
}

/** The stream of a part, in an upload or in the finished object. */
export function pieceOfPart(part: StoredPart, bucket: string, key: string, objectId: string): ContentPiece {
  const { blob, segmentSize, size, digest, number, id } = part;
  return {
    blob,
    segmentSize,
    size,
    digest,
    associatedData: () => associatedDataOf({ bucket, key, objectId, part: number, partId: id }),
  };
}

function wholeBinding(row: Pick<ObjectRow, 'bucket' | 'key' | 'id'>) {
  return { bucket: row.bucket, key: row.key, objectId: row.id, part: 0, partId: row.id };
}
