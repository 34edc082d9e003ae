import { createHash, type Hash } from 'node:crypto';
import { sealStream, SegmentSealer, StreamEncryptor } from '#crypto/streaming-aead.ts';
import type { BlobWriter, Blobs } from '../blobs.ts';
import { releaseBuffer } from '#kernel/release-buffer.ts';

/** A ciphertext that lies in the record of what it belongs to. */
export interface InlineContent {
  readonly kind: 'inline';
  readonly segmentSize: number;
  readonly digest?: CiphertextDigest;
}

/** A ciphertext that lies in a blob. */
export interface BlobContent {
  readonly kind: 'blob';
  readonly blob: string;
  readonly segmentSize: number;
  readonly digest?: CiphertextDigest;
}

/** SHA-256 of a stream's ciphertext, in base64, for those who verify it without its key. */
export type CiphertextDigest = string;

/** Content up to this size lies in its record: one commit instead of two synced files. */
const INLINE_LIMIT = 64 * 1024;
const SMALL_LIMIT = 1024 * 1024;
const SMALL_SEGMENT = 64 * 1024;
const LARGE_SEGMENT = 1024 * 1024;

/** Sees the plaintext pass: a checksum, an MD5. */
export interface Observer {
  update(chunk: Uint8Array): unknown;
}

export interface WriteRequest {
  readonly blobs: Blobs;
  /** In whose space a blob is made, such as `s3`. */
  readonly space: string;
  /** Its chunks are taken over: nobody else may use them afterwards. */
  readonly source: AsyncIterable<Uint8Array>;
  /** 32 bytes. */
  readonly dataKey: Buffer;
  readonly associatedData: Buffer;
  readonly observers: readonly Observer[];
  /** Encrypts what the observers have seen once more, before the encryption of this layer; keeps its length. */
  readonly firstLayer?: (chunk: Uint8Array) => Uint8Array;
  /** Bytes to expect, where that is known: chooses the segment size. */
  readonly expectedSize?: number | undefined;
  /** Called for each chunk, with the size so far; throws to refuse more. */
  readonly checkSize: (size: number) => void;
  /** Called at the end, before anything becomes durable, with the whole size; throws to refuse the content. */
  readonly verify?: (size: number) => void;
  /** Whether to take the digest of the ciphertext. */
  readonly needsDigest: boolean;
  /** False for content that must not lie in a record. */
  readonly mayBeInline: boolean;
}

export interface WrittenContent {
  /** Bytes of plaintext. */
  readonly size: number;
  readonly content: InlineContent | BlobContent;
  /** The ciphertext, when it is inline. */
  readonly body: Buffer | null;
}

/**
 * Encrypts a stream into storage. When the promise resolves, a blob is durable; nothing refers to it yet. When it is
 * rejected, nothing is left.
 */
export async function writeContent(request: WriteRequest): Promise<WrittenContent> {
  const { source, observers, checkSize, firstLayer, mayBeInline } = request;
  const first: Uint8Array[] = [];
  let size = 0;
  let large: LargeContent | undefined;
  try {
    for await (const plaintext of source) {
      if (plaintext.length === 0) continue;
      size += plaintext.length;
      checkSize(size);
      for (const observer of observers) observer.update(plaintext);
      const chunk = firstLayer === undefined ? plaintext : firstLayer(plaintext);
      if (firstLayer !== undefined) releaseBuffer(plaintext);
      if (large !== undefined) {
        const wait = large.add(chunk);
        if (wait !== undefined) await wait;
        releaseBuffer(chunk);
        continue;
      }
      first.push(chunk);
      if (size > INLINE_LIMIT) {
        large = await LargeContent.start(request);
        for (const piece of first) await large.add(piece);
      }
    }
    request.verify?.(size);
    if (large === undefined && mayBeInline) return sealInline(request, first, size);
    if (large === undefined) {
      large = await LargeContent.start(request);
      for (const piece of first) await large.add(piece);
    }
    return { size, content: await large.finish(), body: null };
  } catch (error) {
    await large?.abort();
    throw error;
  }
}

function sealInline(request: WriteRequest, pieces: readonly Uint8Array[], size: number): WrittenContent {
  const { dataKey, associatedData } = request;
  const body = sealStream(dataKey, associatedData, LARGE_SEGMENT, pieces);
  const digest = request.needsDigest && { digest: createHash('sha256').update(body).digest('base64') };
  return { size, content: { kind: 'inline', segmentSize: LARGE_SEGMENT, ...digest }, body };
}

/** Content that goes to a blob: the next segment is gathered and encrypted while earlier ones are being written. */
class LargeContent {
  readonly #writer: BlobWriter;
  readonly #encryptor: StreamEncryptor;
  readonly #segmentSize: number;
  readonly #hash: Hash | undefined;

  private constructor(writer: BlobWriter, encryptor: StreamEncryptor, segmentSize: number, hash: Hash | undefined) {
    this.#writer = writer;
    this.#encryptor = encryptor;
    this.#segmentSize = segmentSize;
    this.#hash = hash;
  }

  static async start(request: WriteRequest): Promise<LargeContent> {
    const { expectedSize = Number.POSITIVE_INFINITY, dataKey, associatedData } = request;
    const segmentSize = expectedSize <= SMALL_LIMIT ? SMALL_SEGMENT : LARGE_SEGMENT;
    const sealer = new SegmentSealer(dataKey, associatedData, segmentSize);
    const hash = request.needsDigest ? createHash('sha256') : undefined;
    return new LargeContent(await request.blobs.create(request.space), new StreamEncryptor(sealer), segmentSize, hash);
  }

  /** @returns what to wait for before more is added, if anything */
  add(chunk: Uint8Array): Promise<void> | undefined {
    const pieces = this.#encryptor.update(chunk);
    return pieces.length === 0 ? undefined : this.#write(pieces);
  }

  async finish(): Promise<BlobContent> {
    await this.#write(this.#encryptor.end());
    await this.#writer.commit();
    const digest = this.#hash && { digest: this.#hash.digest('base64') };
    return { kind: 'blob', blob: this.#writer.id, segmentSize: this.#segmentSize, ...digest };
  }

  async abort(): Promise<void> {
    await this.#writer.abort();
  }

  async #write(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) this.#hash?.update(piece);
    await this.#writer.write(pieces);
    for (const piece of pieces) releaseBuffer(piece);
  }
}
