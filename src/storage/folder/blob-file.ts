import { close, constants, fsync, ftruncate, open, unlink, write } from 'node:fs';
import { promisify } from 'node:util';

const openFile = promisify(open);
const closeFile = promisify(close);
const syncFile = promisify(fsync);
const truncateFile = promisify(ftruncate);
const removeFile = promisify(unlink);
/** Direct I/O moves whole sectors; no disk in use has larger ones. */
const SECTOR = 4096;
const FLAGS = constants.O_WRONLY | constants.O_NOFOLLOW;
/** Absent on systems that have no direct I/O of this kind. */
const DIRECT: number | undefined = constants.O_DIRECT;

/**
 * A new file that is written past the page cache where the system lets us: large media would push everything else out
 * of it, and its fresh pages and their later write-back cost more time than the disk does. Elsewhere it is written the
 * ordinary way.
 */
export class BlobFile {
  readonly #path: string;
  #descriptor: number;
  #isDirect: boolean;
  /** Not closed before the end: other writes may be under way on it. */
  #refused: number | undefined;
  #fallback: Promise<void> | undefined;

  private constructor(path: string, descriptor: number, isDirect: boolean) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#isDirect = isDirect;
  }

  /** @throws when the file exists already */
  static async create(path: string): Promise<BlobFile> {
    const descriptor = await openFile(path, FLAGS | constants.O_CREAT | constants.O_EXCL, 0o600);
    if (DIRECT === undefined) return new BlobFile(path, descriptor, false);
    try {
      // A second time, so that a refusal leaves no doubt about who made the file.
      const direct = await openFile(path, FLAGS | DIRECT);
      await closeFile(descriptor);
      return new BlobFile(path, direct, true);
    } catch (error) {
      if (isNotPossible(error)) return new BlobFile(path, descriptor, false);
      // Such as when the process has no descriptor left: nobody else knows of this one, nor of the file.
      await closeFile(descriptor);
      await removeFile(path);
      throw error;
    }
  }

  /**
   * Writes the first `length` bytes of a block.
   *
   * @param block begins at a page's start, and is whole sectors long: its bytes beyond `length` may be overwritten
   * @param position whole sectors; only the file's last write may have a length that is not
   */
  async write(block: Buffer, length: number, position: number): Promise<void> {
    if (this.#isDirect) {
      const padded = Math.ceil(length / SECTOR) * SECTOR;
      block.fill(0, length, padded);
      try {
        await this.#writeAll(block, padded, position);
        return;
      } catch (error) {
        if (!isNotPossible(error)) throw error;
        await (this.#fallback ??= this.#reopen());
      }
    }
    await this.#writeAll(block, length, position);
  }

  /** @param size of the whole file, in bytes. When the promise resolves, they would survive a power cut. */
  async sync(size: number): Promise<void> {
    if (size % SECTOR !== 0) await truncateFile(this.#descriptor, size);
    await syncFile(this.#descriptor);
  }

  async close(): Promise<void> {
    if (this.#refused !== undefined) await closeFile(this.#refused);
    await closeFile(this.#descriptor);
  }

  async #reopen(): Promise<void> {
    const descriptor = await openFile(this.#path, FLAGS);
    this.#refused = this.#descriptor;
    this.#descriptor = descriptor;
    this.#isDirect = false;
  }

  /** The system may take fewer bytes at a time than it is given. */
  #writeAll(block: Buffer, length: number, position: number): Promise<void> {
    const descriptor = this.#descriptor;
    return new Promise((resolve, reject) => {
      const next = (offset: number): void => {
        write(descriptor, block, offset, length - offset, position + offset, (error, written) => {
          if (error !== null) reject(error);
          else if (offset + written >= length) resolve();
          else if (written === 0) reject(new Error('The disk took no bytes.'));
          else next(offset + written);
        });
      };
      next(0);
    });
  }
}

/** File systems without direct I/O, or with stricter rules for it, say that the argument is invalid. */
function isNotPossible(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'EINVAL' || code === 'EOPNOTSUPP';
}
