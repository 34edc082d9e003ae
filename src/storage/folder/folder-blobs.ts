import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, open, read } from 'node:fs';
import { mkdir, readdir, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import {
  type BlobEntry,
  type BlobId,
  BlobMissingError,
  type BlobReader,
  type Blobs,
  type BlobWriter,
} from '../blobs.ts';
import { AlignedBlocks } from './aligned-blocks.ts';
import { BlobFile } from './blob-file.ts';
import { isMissing, storageError } from './errno.ts';
import { FolderBlobWriter } from './folder-blob-writer.ts';
import { FolderSync } from './folder-sync.ts';

const openFile = promisify(open);
const BLOB_ID = /^[a-z0-9-]{1,32}\/[0-9a-f]{32}$/;
const SPACE = /^[a-z0-9-]{1,32}$/;
const TEMPORARY = 'tmp';

/**
 * Blobs as files: `<root>/<space>/<first two digits>/<id>`, and unfinished ones in `<root>/tmp`, which is emptied at
 * start. One process owns the folder at a time (the data folder's lock sees to that).
 */
export class FolderBlobs implements Blobs {
  readonly #root: string;
  readonly #sync = new FolderSync();
  readonly #blocks = new AlignedBlocks();
  readonly #knownFolders = new Map<string, Promise<void>>();

  private constructor(root: string) {
    this.#root = root;
  }

  /** Opens the folder, making it where it is missing, and removes what unfinished writes left behind. */
  static async open(root: string): Promise<FolderBlobs> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    await rm(join(root, TEMPORARY), { recursive: true, force: true });
    await mkdir(join(root, TEMPORARY), { mode: 0o700 });
    const blobs = new FolderBlobs(root);
    await blobs.#sync.sync(root);
    await blobs.#sync.sync(dirname(root));
    return blobs;
  }

  async create(space: string): Promise<BlobWriter> {
    if (!SPACE.test(space)) throw new RangeError(`'${space}' is no space for blobs.`);
    const name = randomBytes(16).toString('hex');
    const folder = join(this.#root, space, name.slice(0, 2));
    const temporary = join(this.#root, TEMPORARY, name);
    try {
      await this.#ensureFolder(space, folder);
      const place = { id: `${space}/${name}`, temporaryPath: temporary, finalPath: join(folder, name) };
      return new FolderBlobWriter(place, await BlobFile.create(temporary), this.#blocks, this.#sync);
    } catch (error) {
      throw storageError(error);
    }
  }

  async open(id: BlobId): Promise<BlobReader> {
    const path = this.#pathOf(id);
    try {
      const descriptor = await openFile(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      return FolderBlobReader.make(descriptor);
    } catch (error) {
      if (isMissing(error)) throw new BlobMissingError(id, { cause: error });
      throw error;
    }
  }

  async delete(id: BlobId): Promise<void> {
    try {
      await unlink(this.#pathOf(id));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async *list(space: string): AsyncGenerator<BlobEntry> {
    if (!SPACE.test(space)) throw new RangeError(`'${space}' is no space for blobs.`);
    const folder = join(this.#root, space);
    for (const fan of await namesIn(folder)) {
      for (const name of await namesIn(join(folder, fan))) {
        const id = `${space}/${name}`;
        if (!BLOB_ID.test(id)) continue;
        try {
          const facts = await stat(join(folder, fan, name));
          yield { id, size: facts.size, writtenAt: facts.mtimeMs };
        } catch (error) {
          // Deleted since it was listed.
          if (!isMissing(error)) throw error;
        }
      }
    }
  }

  #pathOf(id: BlobId): string {
    // INVARIANT: an id never names a file outside of the folder.
    if (!BLOB_ID.test(id)) throw new BlobMissingError(id);
    const slash = id.indexOf('/');
    const name = id.slice(slash + 1);
    return join(this.#root, id.slice(0, slash), name.slice(0, 2), name);
  }

  #ensureFolder(space: string, folder: string): Promise<void> {
    let known = this.#knownFolders.get(folder);
    if (known === undefined) {
      known = this.#makeFolder(space, folder);
      this.#knownFolders.set(folder, known);
      known.catch(() => this.#knownFolders.delete(folder));
    }
    return known;
  }

  async #makeFolder(space: string, folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await this.#sync.sync(join(this.#root, space));
    await this.#sync.sync(this.#root);
  }
}

class FolderBlobReader implements BlobReader {
  readonly size: number;
  readonly #descriptor: number;
  #isClosed = false;

  private constructor(descriptor: number, size: number) {
    this.#descriptor = descriptor;
    this.size = size;
  }

  /** What is known of an open file, and its closing, do not touch the disk: a thread would cost more than they do. */
  static make(descriptor: number): FolderBlobReader {
    try {
      return new FolderBlobReader(descriptor, fstatSync(descriptor).size);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      let filled = 0;
      const next = (): void => {
        read(this.#descriptor, target, filled, target.length - filled, position + filled, (error, count) => {
          if (error !== null) return reject(error);
          filled += count;
          if (count === 0 || filled === target.length) resolve(filled);
          else next();
        });
      };
      if (target.length === 0) resolve(0);
      else next();
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#descriptor);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
