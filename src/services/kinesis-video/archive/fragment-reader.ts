import { DecryptionError } from '#crypto/decryption-error.ts';
import { openStream } from '#crypto/streaming-aead.ts';
import type { Authority } from '#kernel/door.ts';
import { BlobMissingError } from '#storage/blobs.ts';
import type { ArchiveParts } from './archive-parts.ts';
import { checkDecrypt, checkKey, decryptDataKey } from './data-keys.ts';
import type { ArchivedStream, FragmentContent, FragmentRecord } from './fragment.ts';
import type { IngestRow } from './fragment-store.ts';
import {
  fragmentAssociatedData,
  HEADER_SEGMENT_SIZE,
  headerAssociatedData,
  openBlob,
  openBody,
} from './sealed-fragment.ts';

/** A consumer that goes on reading under one data key is asked for its permission again after so long. */
const CHECK_EVERY_MS = 1000;
const CACHED_INGESTS = 64;

/** The fragment went between its record's reading and its own. */
export class FragmentMissingError extends Error {
  constructor(number: string) {
    super(`The fragment ${number} is gone.`);
    this.name = 'FragmentMissingError';
  }
}

interface OpenIngest {
  readonly row: IngestRow;
  readonly dataKey: Buffer;
  readonly header: Buffer;
  checkedAt: number;
}

/** Reads fragments of one stream in a consumer's name. */
export class FragmentReader {
  readonly #parts: ArchiveParts;
  readonly #stream: ArchivedStream;
  readonly #authority: Authority;
  readonly #ingests = new Map<string, Promise<OpenIngest>>();
  #isClosed = false;

  constructor(parts: ArchiveParts, stream: ArchivedStream, authority: Authority) {
    this.#parts = parts;
    this.#stream = stream;
    this.#authority = authority;
    parts.activity.watch(stream.id);
  }

  /**
   * Touches the stream's key where there is no fragment yet whose data key could be opened.
   *
   * @throws ServiceError as KMS answers
   */
  async checkKey(): Promise<void> {
    await checkKey(this.#parts.kms, this.#stream, this.#authority);
  }

  /**
   * A whole fragment, in memory.
   *
   * @throws ServiceError as KMS answers; FragmentMissingError; DecryptionError, RowDamageError
   */
  async read(record: FragmentRecord): Promise<FragmentContent> {
    const { header } = await this.#allowedIngest(record);
    const pieces: Uint8Array[] = [];
    for await (const piece of this.stream(record)) pieces.push(piece);
    const whole = Buffer.concat(pieces);
    return { header, cluster: whole.subarray(0, record.clusterSize), tags: whole.subarray(record.clusterSize) };
  }

  /** All that came before the first fragment of the fragment's connection. @throws as `read` */
  async readHeader(record: FragmentRecord): Promise<Buffer> {
    return (await this.#allowedIngest(record)).header;
  }

  /**
   * A fragment piece by piece: its cluster (`record.clusterSize` bytes), then its tags.
   *
   * @throws as `read`, before the first piece or any later one
   */
  async *stream(record: FragmentRecord): AsyncGenerator<Uint8Array> {
    const { dataKey } = await this.#allowedIngest(record);
    const { streamId, number, ingestId, size, segmentSize, blob } = record;
    const { store, blobs, recent } = this.#parts;
    const pieces = recent.find(streamId, number);
    if (pieces !== undefined) {
      yield* pieces;
      return;
    }
    const binding = { account: this.#stream.account, streamId, ingestId, number };
    const associatedData = fragmentAssociatedData(binding);
    if (blob === null) {
      const body = await store.findBody(streamId, number);
      if (body === undefined) return await this.#explainMissing(record);
      const plaintext = openBody(dataKey, associatedData, segmentSize, body);
      if (plaintext.length !== size) throw new DecryptionError();
      yield plaintext;
      return;
    }
    try {
      yield* openBlob(blobs, blob, dataKey, associatedData, segmentSize, size);
    } catch (error) {
      if (error instanceof BlobMissingError) await this.#explainMissing(record);
      throw error;
    }
  }

  /** Forgets the data keys. What is being streamed fails. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { activity, recent } = this.#parts;
    activity.unwatch(this.#stream.id);
    if (!activity.isWatched(this.#stream.id)) recent.forget(this.#stream.id);
    for (const ingest of this.#ingests.values()) ingest.then(forget, () => {});
    this.#ingests.clear();
  }

  /** A ciphertext that is not there belongs to a fragment that went meanwhile, or was taken away. */
  async #explainMissing({ streamId, number }: FragmentRecord): Promise<never> {
    const [row] = await this.#parts.store.find(streamId, [number]);
    if (row === undefined) throw new FragmentMissingError(number);
    throw new DecryptionError();
  }

  /**
   * The open data key of a fragment's connection.
   *
   * INVARIANT: KMS was asked in the consumer's name whether it may be used, at most `CHECK_EVERY_MS` ago.
   */
  async #allowedIngest(record: FragmentRecord): Promise<OpenIngest> {
    const { kms, clock } = this.#parts;
    // Numbers are unique, streams are not asked for by their records alone.
    if (record.streamId !== this.#stream.id || this.#isClosed) throw new FragmentMissingError(record.number);
    let opening = this.#ingests.get(record.ingestId);
    if (opening === undefined) {
      this.#makeRoom();
      opening = this.#open(record);
      this.#ingests.set(record.ingestId, opening);
      opening.catch(() => this.#ingests.delete(record.ingestId));
      return await opening;
    }
    const ingest = await opening;
    const now = clock.now();
    if (now - ingest.checkedAt >= CHECK_EVERY_MS) {
      await checkDecrypt(kms, this.#stream, ingest.row, this.#authority);
      ingest.checkedAt = now;
    }
    return ingest;
  }

  async #open({ ingestId, number }: FragmentRecord): Promise<OpenIngest> {
    const { kms, clock, store } = this.#parts;
    const { account, id: streamId } = this.#stream;
    const row = await store.findIngest(streamId, ingestId);
    if (row === undefined) throw new FragmentMissingError(number);
    const checkedAt = clock.now();
    const dataKey = await decryptDataKey(kms, this.#stream, row, this.#authority);
    const associatedData = headerAssociatedData({ account, streamId, ingestId });
    return { row, dataKey, header: openStream(dataKey, associatedData, HEADER_SEGMENT_SIZE, row.header), checkedAt };
  }

  #makeRoom(): void {
    if (this.#ingests.size < CACHED_INGESTS) return;
    // Not overwritten: what is being streamed may still need it.
    for (const id of this.#ingests.keys()) {
      this.#ingests.delete(id);
      break;
    }
  }
}

function forget({ dataKey }: OpenIngest): void {
  dataKey.fill(0);
}
