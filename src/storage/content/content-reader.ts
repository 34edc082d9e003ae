import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { callbackify } from 'node:util';
import { DecryptionError } from '#crypto/decryption-error.ts';
import { openStream, SegmentOpener, STREAM_HEADER_LENGTH } from '#crypto/streaming-aead.ts';
import type { OwnedChunks } from '#kernel/owned-chunks.ts';
import type { BlobReader, Blobs } from '../blobs.ts';
import { releaseBuffer } from '#kernel/release-buffer.ts';

/** One stream of ciphertext that is a piece of a content. */
export interface ContentPiece {
  readonly blob: string;
  readonly segmentSize: number;
  /** Bytes of plaintext. */
  readonly size: number;
  /** SHA-256 of the ciphertext, in base64, where it was taken. */
  readonly digest?: string | undefined;
  readonly associatedData: () => Buffer;
}

export interface ReadRequest {
  readonly blobs: Blobs;
  readonly pieces: readonly ContentPiece[];
  /** 32 bytes; overwritten when the reader is closed. */
  readonly dataKey: Buffer;
  /** The first byte of the plaintext to read. */
  readonly start: number;
  /** The byte after the last. */
  readonly end: number;
  /** Called once, when the reader needs the blobs no more. */
  readonly onClose: () => void;
}

/** Decrypts a small content that lies in its record. */
export function readInline(body: Uint8Array, segmentSize: number, dataKey: Buffer, associatedData: Buffer): Buffer {
  return openStream(dataKey, associatedData, segmentSize, body);
}

/**
 * The plaintext of a content, or of a range of it, decrypted segment by segment; the next segment is read while the
 * last one is on its way.
 *
 * INVARIANT: nothing leaves before its tag has been checked; a damaged segment ends the stream with an error.
 */
export class ContentReader extends Readable implements OwnedChunks {
  readonly #request: ReadRequest;
  #pieceIndex = 0;
  /** Where the current piece begins in the whole plaintext. */
  #pieceStart = 0;
  #current: OpenPiece | undefined;
  #position: number;
  #next: Promise<Buffer | undefined> | undefined;
  /** The last read that was begun: while it is under way, the system writes into the piece's memory. */
  #reading: Promise<unknown> = Promise.resolve();

  private constructor(request: ReadRequest) {
    super({ highWaterMark: 1024 * 1024 });
    this.#request = request;
    this.#position = request.start;
  }

  /** Opens the content and checks its first segment, so that damage there is an error before anything is answered. */
  static async open(request: ReadRequest): Promise<ContentReader> {
    const reader = new ContentReader(request);
    const first = reader.#readNext();
    reader.#next = first;
    try {
      await first;
    } catch (error) {
      reader.destroy();
      throw error;
    }
    return reader;
  }

  override _read(): void {
    const next = this.#next ?? this.#readNext();
    this.#next = undefined;
    next.then(
      (chunk) => {
        if (this.destroyed) return;
        if (chunk === undefined) {
          this.push(null);
          return;
        }
        if (this.#position < this.#request.end) {
          const following = this.#readNext();
          // Its failure is told when its turn comes.
          following.catch(() => {});
          this.#next = following;
        }
        this.push(chunk);
      },
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** The memory of a large chunk is given back at once: the garbage collector would walk the heap for every few of them. */
  release(chunk: Uint8Array): void {
    releaseBuffer(new Uint8Array(chunk.buffer));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const close = async (): Promise<void> => {
      // INVARIANT: nothing is closed or given back that a read still uses.
      await this.#reading.catch(() => {});
      await this.#current?.close();
      this.#current = undefined;
      this.#request.dataKey.fill(0);
      this.#request.onClose();
    };
    callbackify(close)((failure) => callback(error ?? failure));
  }

  #readNext(): Promise<Buffer | undefined> {
    const reading = this.#readSegment();
    this.#reading = reading;
    return reading;
  }

  /** The next segment's plaintext within the range; `undefined` at its end. */
  async #readSegment(): Promise<Buffer | undefined> {
    const { end } = this.#request;
    if (this.#position >= end) return undefined;
    const piece = await this.#pieceAtPosition();
    const offset = this.#position - this.#pieceStart;
    const { plaintext, plaintextStart } = await piece.readSegmentAt(offset);
    const from = offset - plaintextStart;
    const to = Math.min(plaintext.length, end - this.#pieceStart - plaintextStart);
    this.#position += to - from;
    return from === 0 && to === plaintext.length ? plaintext : plaintext.subarray(from, to);
  }

  async #pieceAtPosition(): Promise<OpenPiece> {
    for (;;) {
      const piece = this.#request.pieces[this.#pieceIndex];
      if (piece === undefined) throw new DecryptionError();
      if (this.#position < this.#pieceStart + piece.size) {
        this.#current ??= await OpenPiece.open(this.#request.blobs, piece, this.#request.dataKey);
        return this.#current;
      }
      await this.#current?.close();
      this.#current = undefined;
      this.#pieceStart += piece.size;
      this.#pieceIndex++;
    }
  }
}

class OpenPiece {
  readonly #reader: BlobReader;
  readonly #opener: SegmentOpener;
  readonly #buffer: Buffer;

  private constructor(reader: BlobReader, opener: SegmentOpener) {
    this.#reader = reader;
    this.#opener = opener;
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(opener.segmentSize, opener.ciphertextLength));
  }

  static async open(blobs: Blobs, piece: ContentPiece, dataKey: Buffer): Promise<OpenPiece> {
    const reader = await blobs.open(piece.blob);
    try {
      const header = Buffer.allocUnsafe(STREAM_HEADER_LENGTH);
      if ((await reader.read(header, 0)) !== STREAM_HEADER_LENGTH) throw new DecryptionError();
      const opener = new SegmentOpener(dataKey, piece.associatedData(), piece.segmentSize, header, reader.size);
      // A stream of another length cannot be the one that the record names.
      if (opener.plaintextLength !== piece.size) throw new DecryptionError();
      return new OpenPiece(reader, opener);
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  async readSegmentAt(offset: number): Promise<{ readonly plaintext: Buffer; readonly plaintextStart: number }> {
    const index = this.#opener.segmentAt(offset);
    const { start, end } = this.#opener.ciphertextRange(index);
    const target = this.#buffer.subarray(0, end - start);
    if ((await this.#reader.read(target, start)) !== target.length) throw new DecryptionError();
    return { plaintext: this.#opener.open(index, target), plaintextStart: this.#opener.plaintextStart(index) };
  }

  async close(): Promise<void> {
    await this.#reader.close();
    releaseBuffer(this.#buffer);
  }
}

/** Reads and checks a whole stream without keeping it. @throws DecryptionError */
export async function checkPiece(blobs: Blobs, piece: ContentPiece, dataKey: Buffer): Promise<void> {
  const open = await OpenPiece.open(blobs, piece, dataKey);
  try {
    let offset = 0;
    do {
      const { plaintext } = await open.readSegmentAt(offset);
      offset += plaintext.length;
    } while (offset < piece.size);
  } finally {
    await open.close();
  }
}

/** Reads a whole stream and compares its digest, for who has no key. @throws DecryptionError */
export async function checkDigest(blobs: Blobs, piece: ContentPiece): Promise<void> {
  const reader = await blobs.open(piece.blob);
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
    for (let position = 0; position < reader.size; ) {
      const count = await reader.read(buffer, position);
      if (count === 0) throw new DecryptionError();
      hash.update(buffer.subarray(0, count));
      position += count;
    }
    if (piece.digest !== hash.digest('base64')) throw new DecryptionError();
  } finally {
    await reader.close();
  }
}
