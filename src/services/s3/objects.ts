import { Readable } from 'node:stream';
import { DecryptionError } from '#crypto/decryption-error.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { Blobs } from '#storage/blobs.ts';
import { StorageFullError } from '#storage/storage-full-error.ts';
import type { BlobLeases } from '#storage/content/blob-leases.ts';
import { type ContentPiece, ContentReader, readInline } from '#storage/content/content-reader.ts';
import { type InnerStream, innerReader, layersOf, openInner } from './content/inner-layer.ts';
import { associatedDataOf } from './content/stream-binding.ts';
import {
  blobsOf,
  isMarker,
  type ObjectFacts,
  parseObjectFacts,
  parseStoredParts,
  parseVersionFacts,
  type StoredPart,
} from './domain/object-facts.ts';
import { checkWriteCondition, type WriteCondition } from './domain/preconditions.ts';
import { UNVERSIONED, type Version, type Versioning, versionText } from './domain/version.ts';
import { digestOfParts, RecordDamageError, type RecordSeal } from './domain/record-seal.ts';
import { noSuchBucket, noSuchKey } from './errors.ts';
import { findHead, type ObjectRow, putObjectRow, type S3Store, type S3Transaction, type VersionRow } from './store.ts';
import { findVersionHead } from './version-store.ts';
import { type Displaced, type ExistingObject, type Removal, Versions } from './versions.ts';

/** An object as its record has it; the record's seal was checked. */
export interface StoredObject {
  readonly row: ObjectRow;
  readonly facts: ObjectFacts;
}

/** A delete marker. */
export interface StoredMarker {
  readonly version: Version;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

export function versionOf({ facts }: StoredObject): Version {
  return facts.version ?? UNVERSIONED;
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
  readonly #versions: Versions;

  constructor(dependencies: {
    readonly store: S3Store;
    readonly blobs: Blobs;
    readonly seal: RecordSeal;
    readonly leases: BlobLeases;
    readonly randomness: Randomness;
  }) {
    this.#store = dependencies.store;
    this.#blobs = dependencies.blobs;
    this.#seal = dependencies.seal;
    this.#leases = dependencies.leases;
    this.#versions = new Versions(dependencies.seal, dependencies.randomness);
  }

  /** An object: the current version of a key, or the one that `versionId` names. A delete marker is none. */
  async find(bucket: string, key: string, versionId?: string): Promise<StoredObject | undefined> {
    const row = await this.#store.findObject(bucket, key);
    const current = row === undefined ? undefined : this.check(row);
    if (versionId === undefined) return current;
    if (current !== undefined && versionText(versionOf(current)) === versionId) return current;
    const version = await this.#store.versions.find(bucket, key, versionId);
    if (version === undefined || isMarker(parseVersionFacts(this.#seal.checkVersion(version).facts))) return undefined;
    return this.check(version);
  }

  /** The delete marker that a version id names; without one, the delete marker that is a key's newest version. */
  async findMarker(bucket: string, key: string, versionId?: string): Promise<StoredMarker | undefined> {
    const row =
      versionId === undefined
        ? await this.#store.versions.findNewest(bucket, key)
        : await this.#store.versions.find(bucket, key, versionId);
    if (row === undefined) return undefined;
    const facts = parseVersionFacts(this.#seal.checkVersion(row).facts);
    return isMarker(facts) ? { version: facts.version, modifiedAt: row.modified_at } : undefined;
  }

  /** @throws RecordDamageError */
  check(row: ObjectRow): StoredObject {
    this.#seal.checkObject(row);
    return { row, facts: parseObjectFacts(row.facts) };
  }

  /**
   * Makes an object the current version of its key; the commit is the moment of truth. What the key held before becomes
   * an older version where the bucket has versioning, else it is removed after the commit. When the write is refused,
   * the new object's own blobs are removed.
   *
   * @param also further changes of the same transaction; it gets the new version, where there is one
   * @returns the version's id, where it has one
   */
  async put(
    object: NewObject,
    condition: WriteCondition,
    versioning: Versioning,
    also?: (transaction: S3Transaction, version: Version | undefined) => Promise<void>,
  ): Promise<string | undefined> {
    const { parts, facts, ...columns } = object;
    const partsText = parts === undefined ? null : JSON.stringify(parts);
    let written: Displaced;
    try {
      written = await this.#store.write(async (transaction) => {
        const head = await findHead(transaction, object.bucket, object.key);
        checkWriteCondition(head, condition, object.key);
        const displaced = await this.#versions.displace(transaction, object, head, versioning, object.modified_at);
        const { version } = displaced;
        const text = JSON.stringify(version === undefined ? facts : { ...facts, version });
        await putObjectRow(transaction, { ...this.#seal.object({ ...columns, facts: text }), parts: partsText });
        await also?.(transaction, version);
        return displaced;
      });
    } catch (error) {
      const isBucketGone = (await this.#store.findBucket(object.bucket)) === undefined;
      const failure = isBucketGone ? noSuchBucket(object.bucket) : error;
      // Where it is not certain that nothing was committed, the clean-up at the next start decides.
      const isUndone = failure instanceof ServiceError || failure instanceof StorageFullError;
      if (isUndone && parts === undefined) this.#leases.discard(blobsOf(facts, partsText));
      throw failure;
    }
    this.#leases.discard(written.blobs);
    return written.version?.id ?? undefined;
  }

  /**
   * Removes an object, as the bucket's versioning says: for good, or behind a delete marker. With `versionId`, removes
   * that version for good, and the one before it becomes current.
   *
   * @param target.mayBypass when the caller has asked to pass by GOVERNANCE, and may
   * @param check looks at what is to go, and throws to keep it
   * @param also further changes of the same transaction
   */
  async delete(
    target: {
      readonly bucket: string;
      readonly key: string;
      readonly versionId?: string | undefined;
      readonly mayBypass?: boolean;
    },
    versioning: Versioning,
    now: number,
    check?: (head: ExistingObject | undefined) => void,
    also?: (transaction: S3Transaction, removal: Removal) => Promise<void>,
  ): Promise<Removal> {
    const { blobs, ...removal } = await this.#store.write(async (transaction) => {
      const doing =
        target.versionId === undefined
          ? await this.#versions.hide(transaction, target, versioning, now, check)
          : await this.#versions.remove(
              transaction,
              { ...target, versionId: target.versionId },
              { now, mayBypass: target.mayBypass ?? false },
              check,
            );
      await also?.(transaction, doing);
      return doing;
    });
    this.#leases.discard(blobs);
    return removal;
  }

  /** Tells which blobs are of versions that become current and of objects that are renamed while it is on, for those who walk over all records. */
  watchMoves(): { readonly blobs: ReadonlySet<string>; stop(): void } {
    return this.#versions.watchMoves();
  }

  /** To be called within the transaction in which a record moves to where a walk may have been already. */
  noteMove(row: Pick<ObjectRow, 'facts' | 'parts'>): void {
    this.#versions.noteMove(row);
  }

  /** Changes the tags of an object, if it is still the same one. */
  async setTags(
    object: StoredObject,
    tags: Readonly<Record<string, string>> | undefined,
    also?: (transaction: S3Transaction) => Promise<void>,
  ): Promise<void> {
    await this.change(
      object,
      (facts) => {
        const { tags: _, ...rest } = facts;
        return tags === undefined ? rest : { ...rest, tags };
      },
      also,
    );
  }

  /**
   * Changes what is kept about an object, if it is still the same one.
   *
   * @param change what it is given is the record of this very moment; it may throw
   * @param also further changes of the same transaction
   */
  async change(
    object: StoredObject,
    change: (facts: ObjectFacts) => ObjectFacts,
    also?: (transaction: S3Transaction) => Promise<void>,
  ): Promise<void> {
    const { bucket, key, id } = object.row;
    await this.#store.write(async (transaction) => {
      const head = await findHead(transaction, bucket, key);
      const isCurrent = head?.id === id;
      const row = isCurrent ? head : await findVersionHead(transaction, bucket, key, versionText(versionOf(object)));
      if (row?.id !== id) throw noSuchKey(key);
      this.#seal.checkObject({ ...row, body: null });
      const facts = JSON.stringify(change(parseObjectFacts(row.facts)));
      const { mac } = this.#seal.object({ ...row, facts });
      await transaction
        .updateTable(isCurrent ? 's3_object' : 's3_version')
        .set({ facts, mac })
        .where('bucket', '=', bucket)
        .where('key', '=', key)
        .where('id', '=', id)
        .execute();
      await also?.(transaction);
    });
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
      const aad = associatedDataOf(wholeBinding(object));
      const { outer, inner } = layersOf(dataKey);
      const opened = readInline(row.body, facts.content.segmentSize, outer, aad);
      const plaintext = inner === undefined ? opened : openInner(opened, inner, row.id);
      dataKey.fill(0);
      return start === 0 && end === plaintext.length ? plaintext : plaintext.subarray(start, end);
    }
    const pieces = this.piecesOf(object);
    const blobs = pieces.map((piece) => piece.blob);
    if (!this.#leases.retain(blobs)) return undefined;
    const onClose = (): void => this.#leases.release(blobs);
    const { outer, inner } = layersOf(dataKey);
    const reader = await ContentReader.open({ blobs: this.#blobs, pieces, dataKey: outer, start, end, onClose });
    return inner === undefined ? reader : innerReader(reader, this.#innerStreams(object), inner, start);
  }

  #innerStreams(object: StoredObject): InnerStream[] {
    const { row, facts } = object;
    return facts.content.kind === 'parts' ? this.partsOf(object) : [{ id: row.id, size: row.size }];
  }

  /** As `piecesOf`, of a version that is not current; a delete marker has none. @throws RecordDamageError */
  piecesOfVersion(row: VersionRow): ContentPiece[] {
    const facts = parseVersionFacts(this.#seal.checkVersion(row).facts);
    return isMarker(facts) ? [] : this.piecesOf({ row, facts });
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
          { blob, segmentSize, size: row.size, digest, associatedData: () => associatedDataOf(wholeBinding(object)) },
        ];
      }
      case 'parts':
        return this.partsOf(object).map((part) => pieceOfPart(part, row.bucket, facts.writtenAs ?? row.key, row.id));
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

/** What the stream of an object is bound to that was written whole. */
export function wholeBinding({ row, facts }: StoredObject) {
  return { bucket: row.bucket, key: facts.writtenAs ?? row.key, objectId: row.id, part: 0, partId: row.id };
}
