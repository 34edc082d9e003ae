import { rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BlobId, BlobWriter } from '../blobs.ts';
import { type AlignedBlocks, BLOCK_SIZE } from './aligned-blocks.ts';
import type { BlobFile } from './blob-file.ts';
import { isMissing, storageError } from './errno.ts';
import type { FolderSync } from './folder-sync.ts';

/** Blocks on their way to the disk while the next one is being filled. */
const BLOCKS_IN_FLIGHT = 2;

export interface BlobPlace {
  readonly id: BlobId;
  readonly temporaryPath: string;
  readonly finalPath: string;
}

/**
 * Writes one blob, block by block: into a temporary file, which is given its name when it is complete and on the disk.
 */
export class FolderBlobWriter implements BlobWriter {
  readonly #place: BlobPlace;
  readonly #file: BlobFile;
  readonly #blocks: AlignedBlocks;
  readonly #folderSync: FolderSync;
  readonly #inFlight = new Set<Promise<void>>();
  #last: Promise<void> = Promise.resolve();
  #block: Buffer | undefined;
  #filled = 0;
  #position = 0;
  #size = 0;
  #failure: { readonly error: unknown } | undefined;
  #state: 'open' | 'closed' | 'committed' = 'open';

  constructor(place: BlobPlace, file: BlobFile, blocks: AlignedBlocks, folderSync: FolderSync) {
    this.#place = place;
    this.#file = file;
    this.#blocks = blocks;
    this.#folderSync = folderSync;
  }

  get id(): BlobId {
    return this.#place.id;
  }

  get size(): number {
    return this.#size;
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#state !== 'open') throw new Error('The blob is closed.');
    for (const chunk of chunks) this.#size += chunk.length;
    // Calls may overlap: each begins when the one before has put its chunks away.
    const turn = this.#last.then(() => this.#gather(chunks));
    this.#last = turn.catch(() => {});
    try {
      await turn;
    } catch (error) {
      throw storageError(error);
    }
  }

  async #gather(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      for (let offset = 0; offset < chunk.length; ) {
        if (this.#inFlight.size >= BLOCKS_IN_FLIGHT && this.#block === undefined) await Promise.race(this.#inFlight);
        // INVARIANT: a blob of which any write failed never gets its name.
        if (this.#failure !== undefined) throw this.#failure.error;
        this.#block ??= this.#blocks.take();
        const end = Math.min(chunk.length, offset + BLOCK_SIZE - this.#filled);
        this.#block.set(chunk.subarray(offset, end), this.#filled);
        this.#filled += end - offset;
        offset = end;
        if (this.#filled === BLOCK_SIZE) this.#flush(this.#block);
      }
    }
  }

  #flush(block: Buffer): void {
    const written = this.#writeBlock(block, this.#filled, this.#position).finally(() => {
      this.#inFlight.delete(written);
    });
    this.#inFlight.add(written);
    this.#position += this.#filled;
    this.#filled = 0;
    this.#block = undefined;
  }

  async #writeBlock(block: Buffer, length: number, position: number): Promise<void> {
    try {
      await this.#file.write(block, length, position);
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#blocks.give(block);
  }

  /** Waits until nothing is under way any more. */
  async #settle(): Promise<void> {
    await this.#last;
    await Promise.all(this.#inFlight);
  }

  async commit(): Promise<void> {
    if (this.#state !== 'open') throw new Error('The blob is closed.');
    const { temporaryPath, finalPath } = this.#place;
    try {
      await this.#last;
      if (this.#block !== undefined) this.#flush(this.#block);
      await this.#settle();
      if (this.#failure !== undefined) throw this.#failure.error;
      await this.#file.sync(this.#size);
      this.#state = 'closed';
      await this.#file.close();
      await rename(temporaryPath, finalPath);
      this.#state = 'committed';
      await this.#folderSync.sync(dirname(finalPath));
    } catch (error) {
      throw storageError(error);
    }
  }

  async abort(): Promise<void> {
    await this.#settle();
    if (this.#block !== undefined) this.#blocks.give(this.#block);
    this.#block = undefined;
    if (this.#state === 'open') {
      this.#state = 'closed';
      await this.#file.close();
    }
    for (const path of [this.#place.temporaryPath, this.#place.finalPath]) {
      try {
        await unlink(path);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
  }
}
