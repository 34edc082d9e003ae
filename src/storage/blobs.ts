/**
 * Encrypted bytes, too large to lie in a record. What is handed in must be ciphertext already: nothing here knows a
 * key. A blob is written once and never changed; which blobs are in use is for the records to say.
 */
export interface Blobs {
  /**
   * Begins a new blob.
   *
   * @param space the service that owns it, such as `s3`: lower-case letters, digits and hyphens
   */
  create(space: string): Promise<BlobWriter>;
  /** @throws BlobMissingError */
  open(id: BlobId): Promise<BlobReader>;
  /** Removes a blob; one that does not exist is no error. Readers that are open keep reading. */
  delete(id: BlobId): Promise<void>;
  /** All blobs of a space that are complete, in no particular order. */
  list(space: string): AsyncIterable<BlobEntry>;
}

/** `space/` and 32 hexadecimal digits. */
export type BlobId = string;

export interface BlobEntry {
  readonly id: BlobId;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly writtenAt: number;
}

export interface BlobWriter {
  readonly id: BlobId;
  /** Bytes written or being written. */
  readonly size: number;
  /**
   * Appends chunks. When the promise resolves they are taken over, and there is room for more: a caller that awaits it
   * before the next call uses bounded memory. Calls may overlap.
   *
   * @throws StorageFullError when there is no room; the writer is then of no use but for `abort`
   */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /** Makes the blob durable: when the promise resolves, it would survive a power cut. */
  commit(): Promise<void>;
  /** Removes what was written. Harmless after `commit` has failed; must not follow one that succeeded. */
  abort(): Promise<void>;
}

export interface BlobReader {
  readonly size: number;
  /**
   * Reads into `target` until it is full or the blob ends.
   *
   * @returns the bytes read
   */
  read(target: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** The blob does not exist. */
export class BlobMissingError extends Error {
  readonly id: BlobId;

  constructor(id: BlobId, options?: ErrorOptions) {
    super(`The blob ${id} does not exist.`, options);
    this.name = 'BlobMissingError';
    this.id = id;
  }
}
