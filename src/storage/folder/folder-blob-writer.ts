import { close, fdatasync, fsync, writev } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { BlobId, BlobWriter } from '../blobs.ts';
import { isMissing, storageError } from './errno.ts';
import type { FolderSync } from './folder-sync.ts';

const closeFile = promisify(close);
const syncFile = promisify(fsync);
const syncData = promisify(fdatasync);
/** IOV_MAX on Linux. */
const MAXIMUM_PIECES = 1024;
/** As much is handed to the disk while more is coming, so that the last sync finds little left to do. */
const SYNC_EVERY = 32 * 1024 * 1024;

/** Writes one blob: into a temporary file, which is given its name when it is complete and on the disk. */
export class FolderBlobWriter implements BlobWriter {
  readonly id: BlobId;
  readonly #descriptor: number;
  readonly #temporaryPath: string;
  readonly #finalPath: string;
  readonly #folderSync: FolderSync;
  #queued: Uint8Array[] = [];
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #size = 0;
  #writtenSize = 0;
  #syncedSize = 0;
  #failure: unknown;
  #state: 'open' | 'closed' | 'committed' = 'open';

  constructor(id: BlobId, descriptor: number, temporaryPath: string, finalPath: string, sync: FolderSync) {
    this.id = id;
    this.#descriptor = descriptor;
    this.#temporaryPath = temporaryPath;
    this.#finalPath = finalPath;
    this.#folderSync = sync;
  }

  get size(): number {
    return this.#size;
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#state !== 'open') throw new Error('The blob is closed.');
    for (const chunk of chunks) this.#size += chunk.length;
    this.#queued.push(...chunks);
    try {
      // Chunks that come while a write is under way go together in the next: writes to one file exclude one another
      // in the kernel, and several at once would only spin.
      this.#next ??= this.#afterCurrent();
      await this.#next;
    } catch (error) {
      throw storageError(error);
    }
  }

  async #afterCurrent(): Promise<void> {
    await this.#current;
    this.#current = this.#writeQueued();
    this.#next = undefined;
    await this.#current;
  }

  async #writeQueued(): Promise<void> {
    const chunks = this.#queued;
    this.#queued = [];
    const position = this.#writtenSize;
    // INVARIANT: a blob of which any write failed never gets its name.
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#writtenSize += await writeAll(this.#descriptor, chunks, position);
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
    if (this.#writtenSize - this.#syncedSize >= SYNC_EVERY && this.#syncing === undefined) this.#syncEarly();
  }

  /** Waited for only by `commit` and `abort`: it spreads the work. */
  #syncEarly(): void {
    this.#syncedSize = this.#writtenSize;
    this.#syncing = this.#sync();
  }

  async #sync(): Promise<void> {
    try {
      await syncData(this.#descriptor);
    } catch (error) {
      // A failed sync is told once only: the next one would say that all is well.
      this.#failure ??= error;
    }
    this.#syncing = undefined;
  }

  /** Waits until nothing is under way any more. */
  async #settle(): Promise<void> {
    await Promise.allSettled([this.#next, this.#current]);
    await this.#syncing;
  }

  async commit(): Promise<void> {
    if (this.#state !== 'open') throw new Error('The blob is closed.');
    try {
      await this.#settle();
      if (this.#failure !== undefined) throw this.#failure;
      await syncFile(this.#descriptor);
      this.#state = 'closed';
      await closeFile(this.#descriptor);
      await rename(this.#temporaryPath, this.#finalPath);
      this.#state = 'committed';
      await this.#folderSync.sync(dirname(this.#finalPath));
    } catch (error) {
      throw storageError(error);
    }
  }

  async abort(): Promise<void> {
    await this.#settle();
    if (this.#state === 'open') {
      this.#state = 'closed';
      await closeFile(this.#descriptor);
    }
    for (const path of [this.#temporaryPath, this.#finalPath]) {
      try {
        await unlink(path);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
  }
}

/**
 * Writes all chunks at a position; the system may take fewer bytes at a time than it is given.
 *
 * @returns the bytes written
 */
function writeAll(descriptor: number, chunks: readonly Uint8Array[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let rest = chunks.filter((chunk) => chunk.length > 0);
    let offset = position;
    const next = (): void => {
      if (rest.length === 0) return resolve(offset - position);
      writev(descriptor, rest.slice(0, MAXIMUM_PIECES), offset, (error, written) => {
        if (error !== null) return reject(error);
        offset += written;
        rest = withoutFirst(rest, written);
        next();
      });
    };
    next();
  });
}

function withoutFirst(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  let index = 0;
  for (; index < chunks.length; index++) {
    const length = chunks[index]?.length ?? 0;
    if (left < length) break;
    left -= length;
  }
  const rest = chunks.slice(index);
  if (left > 0 && rest[0] !== undefined) rest[0] = rest[0].subarray(left);
  return rest;
}
