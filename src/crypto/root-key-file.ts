import { randomBytes } from 'node:crypto';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { decodeBase64Url, encodeBase64Url } from './base64url-bytes.ts';
import { RootKey } from './root-key.ts';
import { RootKeyError } from './root-key-error.ts';
import { ROOT_SECRET_LENGTH } from './root-secret.ts';
import { syncFolder } from './sync-folder.ts';

/** Frozen: the first word of a root key file (docs/formats/root-key.md). */
const PREFIX = 'coffer-root-key-1:';
/** A line end, and what an editor may leave. */
const BLANKS: ReadonlySet<number> = new Set(Buffer.from(' \t\r\n'));
const ENCODED_LENGTH = Math.ceil((ROOT_SECRET_LENGTH * 4) / 3);

/**
 * Makes a new root key in a new file of mode 0600. The folder is made (mode 0700) where it is missing.
 *
 * @throws RootKeyError when the file exists: a key is never overwritten
 */
export async function createRootKeyFile(path: string): Promise<RootKey> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  let file: FileHandle;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (error) {
    if (isErrno(error, 'EEXIST')) throw new RootKeyError(`The root key file ${path} exists; it is never overwritten.`);
    throw new RootKeyError(`The root key file ${path} cannot be made (${errnoOf(error)}).`, { cause: error });
  }
  const secret = randomBytes(ROOT_SECRET_LENGTH);
  try {
    // The mode given to open is subject to the umask, which can only take away; this sets it exactly.
    await file.chmod(0o600);
    const encoded = encodeBase64Url(secret);
    const text = Buffer.concat([Buffer.from(PREFIX), encoded, Buffer.from('\n')]);
    encoded.fill(0);
    await file.writeFile(text).finally(() => text.fill(0));
    await file.sync();
    await syncFolder(dirname(path));
    return new RootKey(secret);
  } finally {
    secret.fill(0);
    await file.close();
  }
}

/**
 * Reads the root key from its file.
 *
 * @throws RootKeyError when the file is missing, readable by others, or not a root key
 */
export async function loadRootKeyFile(path: string): Promise<RootKey> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      throw new RootKeyError(`The root key file ${path} does not exist. Without it the stored data cannot be read.`);
    }
    throw new RootKeyError(`The root key file ${path} cannot be read (${errnoOf(error)}).`, { cause: error });
  }
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new RootKeyError(`The root key file ${path} is not a regular file.`);
    if ((facts.mode & 0o077) !== 0) {
      const mode = (facts.mode & 0o777).toString(8).padStart(4, '0');
      throw new RootKeyError(
        `The root key file ${path} has mode ${mode}; it must be readable by its owner alone (0600).`,
      );
    }
    if (facts.size > 1024) throw new RootKeyError(`The file ${path} is not a root key file: it is too long.`);
    const text = await file.readFile();
    try {
      return parse(text, path);
    } finally {
      text.fill(0);
    }
  } finally {
    await file.close();
  }
}

function parse(bytes: Buffer, path: string): RootKey {
  const prefix = Buffer.from(PREFIX);
  if (!bytes.subarray(0, prefix.length).equals(prefix)) {
    throw new RootKeyError(`The file ${path} is not a root key file of a known version.`);
  }
  let end = bytes.length;
  while (end > prefix.length && BLANKS.has(bytes[end - 1] ?? 0)) end -= 1;
  const secret = decodeBase64Url(bytes.subarray(prefix.length, end));
  try {
    if (secret?.length === ROOT_SECRET_LENGTH) return new RootKey(secret);
  } finally {
    secret?.fill(0);
  }
  throw new RootKeyError(
    `The root key file ${path} is damaged: its key must be ${ENCODED_LENGTH} base64url characters.`,
  );
}

function isErrno(error: unknown, code: string): boolean {
  return errnoOf(error) === code;
}

function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
