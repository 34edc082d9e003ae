import type { Randomness } from '#kernel/randomness.ts';
import { settingsOf } from './domain/bucket-settings.ts';
import { blobsOfRow, isMarker, type MarkerFacts, type ObjectFacts, parseVersionFacts } from './domain/object-facts.ts';
import { type Removing, requireRemovable } from './domain/object-lock.ts';
import { RecordDamageError, type RecordSeal } from './domain/record-seal.ts';
import { UNVERSIONED, type Version, type Versioning, versionText } from './domain/version.ts';
import { findHead, type ObjectHeadRow, type S3Transaction, type VersionRow } from './store.ts';
import { findVersionHead, moveToVersions, promote, removeVersion, type VersionHead } from './version-store.ts';

/** What conditions on a removal look at. */
export type ExistingObject = Pick<ObjectHeadRow, 'etag' | 'size' | 'modified_at' | 'facts'>;

/** What a write does to the versions of its key. */
export interface Displaced {
  /** That of the new object; none in a bucket without versioning. */
  readonly version: Version | undefined;
  /** Blobs that nothing names any more. */
  readonly blobs: readonly string[];
}

/** What became of a removal. */
export interface Removal {
  /** Of the delete marker that was made, or of what was removed for good. */
  readonly version: Version | undefined;
  /** True when a delete marker was made, or removed. */
  readonly isMarker: boolean;
  /** False when there was nothing to remove. */
  readonly hasChanged: boolean;
}

type Place = Pick<VersionRow, 'bucket' | 'key'>;
type Doing = Removal & { readonly blobs: readonly string[] };

/** How the versions of a key change, within a transaction. */
export class Versions {
  readonly #seal: RecordSeal;
  readonly #randomness: Randomness;
  readonly #watches = new Set<Set<string>>();

  constructor(seal: RecordSeal, randomness: Randomness) {
    this.#seal = seal;
    this.#randomness = randomness;
  }

  watchMoves(): { readonly blobs: ReadonlySet<string>; stop(): void } {
    const blobs = new Set<string>();
    this.#watches.add(blobs);
    return { blobs, stop: () => this.#watches.delete(blobs) };
  }

  noteMove(row: Pick<ObjectHeadRow, 'facts' | 'parts'>): void {
    for (const blobs of this.#watches) for (const blob of blobsOfRow(row)) blobs.add(blob);
  }

  /** Makes room for a new current version. A version with an id is never overwritten, whatever the bucket said before. */
  async displace(
    transaction: S3Transaction,
    place: Place,
    head: ObjectHeadRow | undefined,
    versioning: Versioning,
    now: number,
  ): Promise<Displaced> {
    const removing = { now, mayBypass: false };
    const before = versionOfRow(head);
    if (versioning === 'Never' && before === undefined) {
      if (head !== undefined) await this.#requireRemovable(transaction, head, removing);
      return { version: undefined, blobs: head === undefined ? [] : blobsOfRow(head) };
    }
    const id = versioning === 'Enabled' ? this.#randomness.bytes(24).toString('base64url') : null;
    const version = { id, order: await nextOrder(transaction, place, head) };
    const { bucket, key } = place;
    if (head !== undefined) {
      const current = before ?? UNVERSIONED;
      if (version.id === null && current.id === null) {
        await this.#requireRemovable(transaction, head, removing);
        return { version, blobs: blobsOfRow(head) };
      }
      const mac = this.#sealNow(head);
      await moveToVersions(transaction, { bucket, key, rank: -current.order, version: versionText(current), mac });
    }
    return { version, blobs: version.id === null ? await this.#removeNullVersion(transaction, place, removing) : [] };
  }

  /** Removes the current version: behind a delete marker where the bucket has versioning, else for good. */
  async hide(
    transaction: S3Transaction,
    { bucket, key }: Place,
    versioning: Versioning,
    now: number,
    check: ((head: ExistingObject | undefined) => void) | undefined,
  ): Promise<Doing> {
    const head = await findHead(transaction, bucket, key);
    check?.(head);
    const place = { bucket, key };
    const { version, blobs } = await this.displace(transaction, place, head, versioning, now);
    // What a version without an id displaced still lies there, to be written over.
    await transaction.deleteFrom('s3_object').where('bucket', '=', bucket).where('key', '=', key).execute();
    if (version === undefined) return { version, isMarker: false, hasChanged: head !== undefined, blobs };
    const facts: MarkerFacts = { version, isMarker: true };
    const columns = { bucket, key, id: '', size: 0, etag: '', modified_at: now, facts: JSON.stringify(facts) };
    const row = this.#seal.object(columns);
    await transaction
      .insertInto('s3_version')
      .values({ ...row, rank: -version.order, version: versionText(version), parts: null, body: null })
      .execute();
    return { version, isMarker: true, hasChanged: true, blobs };
  }

  /** Removes one version for good; the newest that is left becomes current, if it is no delete marker. */
  async remove(
    transaction: S3Transaction,
    { bucket, key, versionId }: Place & { readonly versionId: string },
    removing: Removing,
    check: ((head: ExistingObject | undefined) => void) | undefined,
  ): Promise<Doing> {
    const head = await findHead(transaction, bucket, key);
    const current = head === undefined ? undefined : (versionOfRow(head) ?? UNVERSIONED);
    if (head !== undefined && current !== undefined && versionText(current) === versionId) {
      check?.(head);
      await this.#requireRemovable(transaction, head, removing);
      await transaction.deleteFrom('s3_object').where('bucket', '=', bucket).where('key', '=', key).execute();
      await this.#promoteNewest(transaction, { bucket, key });
      return { version: current, isMarker: false, hasChanged: true, blobs: blobsOfRow(head) };
    }
    const row = await findVersionHead(transaction, bucket, key, versionId);
    check?.(row);
    if (row === undefined) return { version: undefined, isMarker: false, hasChanged: false, blobs: [] };
    const { facts } = this.#checked(row);
    if (!isMarker(facts)) requireRemovable(facts, removing);
    await removeVersion(transaction, row);
    if (head === undefined) await this.#promoteNewest(transaction, { bucket, key });
    const version = facts.version ?? UNVERSIONED;
    return { version, isMarker: isMarker(facts), hasChanged: true, blobs: blobsOfRow(row) };
  }

  /**
   * INVARIANT: no version is removed before this was asked, in the same transaction. What a damaged record had to say of
   * its lock is not known: in a bucket with object lock it stays.
   */
  async #requireRemovable(transaction: S3Transaction, head: ObjectHeadRow, removing: Removing): Promise<void> {
    const facts = readFacts(head);
    if (facts !== undefined && !isMarker(facts)) requireRemovable(facts, removing);
    if (facts !== undefined && this.#seal.renew('s3_object', head) !== 'damaged') return;
    const bucket = await transaction
      .selectFrom('s3_bucket')
      .select('settings')
      .where('name', '=', head.bucket)
      .executeTakeFirst();
    if (bucket === undefined || settingsOf(bucket).objectLock === undefined) return;
    throw new RecordDamageError(`object ${head.bucket}/${head.key}`);
  }

  /** There is one version without an id at most. @returns its blobs */
  async #removeNullVersion(
    transaction: S3Transaction,
    { bucket, key }: Place,
    removing: Removing,
  ): Promise<readonly string[]> {
    const row = await findVersionHead(transaction, bucket, key, 'null');
    if (row === undefined) return [];
    await this.#requireRemovable(transaction, row, removing);
    await removeVersion(transaction, row);
    return blobsOfRow(row);
  }

  async #promoteNewest(transaction: S3Transaction, { bucket, key }: Place): Promise<void> {
    const newest = await findVersionHead(transaction, bucket, key);
    if (newest === undefined || isMarker(this.#checked(newest).facts)) return;
    await promote(transaction, { ...newest, mac: this.#sealNow(newest) });
    this.noteMove(newest);
  }

  /**
   * The seal of a record that moves, under the root key of now: a walk that puts records under another root key may have
   * left the table behind to which this one goes. A damaged record keeps what it has.
   */
  #sealNow(row: ObjectHeadRow): Uint8Array {
    const seal = this.#seal.renew('s3_object', row);
    return seal === 'present' || seal === 'damaged' ? row.mac : seal;
  }

  #checked(row: VersionHead) {
    return { facts: parseVersionFacts(this.#seal.checkVersion({ ...row, body: null }).facts) };
  }
}

/** A damaged record can be replaced: it counts as one without a version. */
function versionOfRow(row: { readonly facts: string } | undefined): Version | undefined {
  return row === undefined ? undefined : readFacts(row)?.version;
}

function readFacts(row: { readonly facts: string }): ObjectFacts | MarkerFacts | undefined {
  try {
    return parseVersionFacts(row.facts);
  } catch {
    return undefined;
  }
}

async function nextOrder(transaction: S3Transaction, { bucket, key }: Place, head: ObjectHeadRow | undefined) {
  const newest = await findVersionHead(transaction, bucket, key);
  return Math.max(versionOfRow(head)?.order ?? 0, newest === undefined ? 0 : -newest.rank) + 1;
}
