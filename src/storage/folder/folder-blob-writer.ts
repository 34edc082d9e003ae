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
  readonly #sync: FolderSync;
  readonly #pending = new Set<Promise<void>>();
  #size = 0;
  #syncedSize = 0;
  #isSyncing = false;
  #failure: unknown;
  #state: 'open' | 'closed' | 'committed' = 'open';

  constructor(id: BlobId, descriptor: number, temporaryPath: string, finalPath: string, sync: FolderSync) {
    this.id = id;
    this.#descriptor = descriptor;
    this.#temporaryPath = temporaryPath;
    this.#finalPath = finalPath;
    this.#sync = sync;
  }

  get size(): number {
    return this.#size;
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#state !== 'open') throw new Error('The blob is closed.');
    const position = this.#size;
    for (const chunk of chunks) this.#size += chunk.length;
    const done = writeAll(this.#descriptor, chunks, position);
    this.#pending.add(done);
    try {
      await done;
    } catch (error) {
      this.#failure ??= error;
      throw storageError(error);
    } finally {
      this.#pending.delete(done);
    }
    if (position - this.#syncedSize >= SYNC_EVERY && !this.#isSyncing) this.#syncEarly(position);
  }

  /** Not waited for, but by `commit` and `abort`: it only spreads the work. */
  #syncEarly(size: number): void {
    this.#isSyncing = true;
    this.#syncedSize = size;
    const syncing = syncData(this.#descriptor).then(
      () => {
        this.#isSyncing = false;
        this.#pending.delete(syncing);
      },
      (error: unknown) => {
        // A failed sync is told once only: the next one would say that all is well.
        this.#failure ??= error;
        this.#pending.delete(syncing);
      },
    );
    this.#pending.add(syncing);
  }

  async commit(): Promise<void> {
    if (this.#state !== 'open') throw new Error('The blob is closed.');
    try {
      await Promise.allSettled(this.#pending);
      // INVARIANT: a blob of which any write failed never gets its name.
      if (this.#failure !== undefined) throw this.#failure;
      await syncFile(this.#descriptor);
      this.#state = 'closed';
      await closeFile(this.#descriptor);
      await rename(this.#temporaryPath, this.#finalPath);
      this.#state = 'committed';
      await this.#sync.sync(dirname(this.#finalPath));
    } catch (error) {
      throw storageError(error);
    }
  }

  async abort(): Promise<void> {
    await Promise.allSettled(this.#pending);
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

/** Writes all chunks at a position; the system may take fewer bytes at a time than it is given. */
function writeAll(descriptor: number, chunks: readonly Uint8Array[], position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let rest = chunks.filter((chunk) => chunk.length > 0);
    let offset = position;
    const next = (): void => {
      if (rest.length === 0) return resolve();
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
