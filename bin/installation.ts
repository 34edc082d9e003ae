import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { makeRootKeyCheck, verifyRootKeyCheck } from '#crypto/root-key-check.ts';
import { RootKeyError } from '#crypto/root-key-error.ts';
import { createRootKeyFile, loadRootKeyFile } from '#crypto/root-key-file.ts';
import { createPassphraseRootKey, loadPassphraseRootKey, readPassphraseFile } from '#crypto/root-key-passphrase.ts';
import type { RootKey } from '#crypto/root-key.ts';
import { FolderLock } from '#storage/sqlite/folder-lock.ts';
import { type Config, ConfigError, keyFolderOf } from './config.ts';
import { writeFileDurably } from './write-file-durably.ts';

/** A data folder that this process holds, with its root key. */
export interface Installation {
  readonly id: string;
  readonly folder: string;
  readonly rootKey: RootKey;
  readonly lock: FolderLock;
  /** What the operator must be told of a first start; empty otherwise. */
  readonly notices: readonly string[];
}

/** What lies in `installation.json`. Frozen: see docs/formats/data-folder.md. */
interface InstallationRecord {
  readonly format: 1;
  readonly id: string;
  readonly rootKey: { readonly provider: 'key-file'; readonly path: string } | { readonly provider: 'passphrase' };
  /** A known text sealed under the root key, so that a wrong key is noticed before anything is touched. */
  readonly rootKeyCheck: string;
}

const RECORD_FILE = 'installation.json';
const PASSPHRASE_FILE = 'root-passphrase.json';
/** What tells that an installation was here, even where its record is gone. */
const DATA = ['records.db', 'blobs'];

/**
 * Opens the data folder, or makes it on a first start.
 *
 * @throws FolderInUseError, RootKeyError, ConfigError; nothing was changed then
 */
export async function openInstallation(config: Config, environment: NodeJS.ProcessEnv): Promise<Installation> {
  const folder = config.dataFolder;
  await makeFolder(folder);
  const lock = FolderLock.acquire(folder);
  try {
    const record = await readRecord(folder);
    return record === undefined
      ? await createInstallation(config, environment, lock)
      : await reopenInstallation(record, config, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * The id of the installation in a data folder, for commands that must not make one.
 *
 * @throws ConfigError when there is none
 */
export async function requireInstallation(folder: string): Promise<string> {
  const record = await readRecord(folder);
  if (record !== undefined) return record.id;
  throw new ConfigError(`There is no installation in ${folder}. Start the server once: coffer start`);
}

async function readRecord(folder: string): Promise<InstallationRecord | undefined> {
  const path = join(folder, RECORD_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const record = JSON.parse(text) as InstallationRecord;
    if (isKnown(record)) return record;
  } catch {
    // Told below.
  }
  throw new ConfigError(`${path} is damaged or of a version that this Coffer does not know.`);
}

function isKnown(record: InstallationRecord | null): boolean {
  if (record?.format !== 1 || typeof record.id !== 'string' || typeof record.rootKeyCheck !== 'string') return false;
  const provider = record.rootKey?.provider;
  return provider === 'passphrase' || (provider === 'key-file' && typeof record.rootKey.path === 'string');
}

/** Makes the folder, closed to others. A folder that is there already keeps its mode; it may belong to a volume. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ConfigError(`The data folder ${folder} cannot be made (${reason}).`);
  }
}

/** INVARIANT: data is never taken over by a new root key, under which none of it could be read. */
async function refuseOtherData(folder: string): Promise<void> {
  const names = await readdir(folder);
  const found = DATA.find((name) => names.includes(name));
  if (found === undefined) return;
  throw new ConfigError(
    `${join(folder, RECORD_FILE)} is missing, but ${found} is there. Put ${RECORD_FILE} back from a backup, or give another --data.`,
  );
}

async function createInstallation(
  config: Config,
  environment: NodeJS.ProcessEnv,
  lock: FolderLock,
): Promise<Installation> {
  await refuseOtherData(config.dataFolder);
  const id = randomUUID();
  const passphrase = await passphraseOf(config);
  const notices: string[] = [];
  let rootKey: RootKey;
  let rootKeyRecord: InstallationRecord['rootKey'];
  if (passphrase !== undefined) {
    if (config.rootKeyFile !== undefined) {
      throw new ConfigError('Give a root key file or a root passphrase, not both.');
    }
    // Left by a first start that did not come to its end: nothing was sealed under it.
    await rm(join(config.dataFolder, PASSPHRASE_FILE), { force: true });
    rootKey = await createPassphraseRootKey(join(config.dataFolder, PASSPHRASE_FILE), passphrase);
    rootKeyRecord = { provider: 'passphrase' };
  } else {
    const path = config.rootKeyFile ?? join(keyFolderOf(environment), `${id}.key`);
    if (isWithin(config.dataFolder, path)) {
      throw new ConfigError(`The root key must lie outside of the data folder that it protects, not in ${path}.`);
    }
    rootKey = config.rootKeyFile === undefined ? await createRootKeyFile(path) : await loadOrCreate(path);
    rootKeyRecord = { provider: 'key-file', path };
    notices.push(`The root key is in ${path}. Keep a copy elsewhere: without it the stored data cannot be read.`);
  }
  const record: InstallationRecord = { format: 1, id, rootKey: rootKeyRecord, rootKeyCheck: makeRootKeyCheck(rootKey) };
  await writeFileDurably(join(config.dataFolder, RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`, 0o600);
  return { id, folder: config.dataFolder, rootKey, lock, notices };
}

async function reopenInstallation(record: InstallationRecord, config: Config, lock: FolderLock): Promise<Installation> {
  const rootKey = await loadRootKey(record, config);
  if (!verifyRootKeyCheck(rootKey, record.rootKeyCheck)) {
    throw new RootKeyError('The root key is not the one that this data folder was made with. Nothing was changed.');
  }
  return { id: record.id, folder: config.dataFolder, rootKey, lock, notices: [] };
}

async function loadRootKey(record: InstallationRecord, config: Config): Promise<RootKey> {
  const passphrase = await passphraseOf(config);
  if (record.rootKey.provider === 'key-file') {
    if (passphrase !== undefined) {
      throw new RootKeyError('This data folder has a root key file; unset the root passphrase, which is not its key.');
    }
    return loadRootKeyFile(config.rootKeyFile ?? record.rootKey.path);
  }
  if (config.rootKeyFile !== undefined) {
    throw new RootKeyError('This data folder has a root passphrase; unset COFFER_ROOT_KEY_FILE, which is not its key.');
  }
  if (passphrase === undefined) {
    throw new RootKeyError(
      'This data folder wants its passphrase: set COFFER_ROOT_PASSPHRASE_FILE or COFFER_ROOT_PASSPHRASE.',
    );
  }
  return loadPassphraseRootKey(join(config.dataFolder, PASSPHRASE_FILE), passphrase);
}

async function passphraseOf(config: Config): Promise<string | undefined> {
  return config.rootPassphraseFile === undefined
    ? config.rootPassphrase
    : readPassphraseFile(config.rootPassphraseFile);
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, dirname(path));
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
}

async function loadOrCreate(path: string): Promise<RootKey> {
  try {
    return await createRootKeyFile(path);
  } catch (error) {
    if (error instanceof RootKeyError) return loadRootKeyFile(path);
    throw error;
  }
}
