import { randomBytes, scrypt } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RootKey } from './root-key.ts';
import { RootKeyError } from './root-key-error.ts';
import { ROOT_SECRET_LENGTH } from './root-secret.ts';
import { syncFolder } from './sync-folder.ts';

/** How a passphrase becomes a root key: the cost parameters of scrypt (RFC 7914) and the salt. Nothing secret. */
interface PassphraseParameters {
  readonly format: 'coffer-root-passphrase-1';
  /** CPU and memory cost, a power of two. */
  readonly n: number;
  readonly r: number;
  readonly p: number;
  /** At least 16 bytes in base64. */
  readonly salt: string;
}

const FORMAT = 'coffer-root-passphrase-1';
/** 128 MiB and about half a second on one core. */
const COST = { n: 131_072, r: 8, p: 1 } as const;
const MINIMUM_PASSPHRASE_LENGTH = 12;
const MAXIMUM_MEMORY = 1024 ** 3;

/**
 * Chooses a salt, stores the parameters in a new file, and derives the root key.
 *
 * @throws RootKeyError when the file exists or the passphrase is too short
 */
export async function createPassphraseRootKey(path: string, passphrase: string): Promise<RootKey> {
  if (passphrase.length < MINIMUM_PASSPHRASE_LENGTH) {
    throw new RootKeyError(`The root passphrase must have at least ${MINIMUM_PASSPHRASE_LENGTH} characters.`);
  }
  const parameters: PassphraseParameters = { format: FORMAT, ...COST, salt: randomBytes(32).toString('base64') };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    throw new RootKeyError(`The file ${path} of the passphrase's parameters cannot be made.`, { cause: error });
  });
  try {
    await file.writeFile(`${JSON.stringify(parameters, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolder(dirname(path));
  return await derive(passphrase, parameters, path);
}

/**
 * Derives the root key from the passphrase and the stored parameters. A wrong passphrase gives a wrong key, which
 * `verifyRootKeyCheck` finds.
 *
 * @throws RootKeyError when the parameters are missing or damaged
 */
export async function loadPassphraseRootKey(path: string, passphrase: string): Promise<RootKey> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new RootKeyError(`The file ${path} of the passphrase's parameters cannot be read.`, { cause: error });
  });
  return await derive(passphrase, parse(text, path), path);
}

/**
 * Reads a passphrase from a file; one line end at its end is not part of it.
 *
 * @throws RootKeyError when the file cannot be read
 */
export async function readPassphraseFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw new RootKeyError(`The passphrase file ${path} cannot be read.`, { cause: error });
  }
}

function parse(text: string, path: string): PassphraseParameters {
  const damaged = new RootKeyError(`The file ${path} does not hold passphrase parameters of a known version.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged;
  }
  if (typeof value !== 'object' || value === null) throw damaged;
  const { format, n, r, p, salt } = value as Record<string, unknown>;
  if (format !== FORMAT || !isCount(n) || !isCount(r) || !isCount(p) || typeof salt !== 'string') throw damaged;
  if ((n & (n - 1)) !== 0 || n < 2 || 128 * n * r > MAXIMUM_MEMORY || p > 16) throw damaged;
  if (Buffer.from(salt, 'base64').length < 16) throw damaged;
  return { format, n, r, p, salt };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0 && Number(value) < 2 ** 31;
}

async function derive(passphrase: string, parameters: PassphraseParameters, path: string): Promise<RootKey> {
  const { n, r, p } = parameters;
  const salt = Buffer.from(parameters.salt, 'base64');
  // NFC, so that the same passphrase typed on another system is the same bytes.
  const password = Buffer.from(passphrase.normalize('NFC'));
  const secret = await new Promise<Buffer>((resolve, reject) => {
    const options = { N: n, r, p, maxmem: 128 * r * (n + p + 2) + 1024 * 1024 };
    scrypt(password, salt, ROOT_SECRET_LENGTH, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(new RootKeyError(`The parameters in ${path} cannot be used.`, { cause: error }));
    });
  });
  try {
    return new RootKey(secret);
  } finally {
    secret.fill(0);
    password.fill(0);
  }
}
