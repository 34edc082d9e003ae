import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileDurably } from './write-file-durably.ts';
import { makeRootKeyCheck, verifyRootKeyCheck } from '#crypto/root-key-check.ts';
import { RootKeyError } from '#crypto/root-key-error.ts';
import { createRootKeyFile, loadRootKeyFile } from '#crypto/root-key-file.ts';
import { createPassphraseRootKey, loadPassphraseRootKey, readPassphraseFile } from '#crypto/root-key-passphrase.ts';
import type { RootKey } from '#crypto/root-key.ts';
import { FolderLock } from '#storage/sqlite/folder-lock.ts';
import { type Config, ConfigError, keyFolderOf } from './config.ts';

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

/**
 * Opens the data folder, or makes it on a first start.
 *
 * @throws FolderInUseError, RootKeyError, ConfigError; nothing was changed then
 */
export async function openInstallation(config: Config, environment: NodeJS.ProcessEnv): Promise<Installation> {
  const folder = config.dataFolder;
  await mkdir(folder, { recursive: true, mode: 0o700 });
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

/** The id of the installation in a data folder, or `undefined` when there is none. */
export async function installationIdOf(folder: string): Promise<string | undefined> {
  return (await readRecord(folder))?.id;
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
    if (record.format === 1 && typeof record.id === 'string' && typeof record.rootKeyCheck === 'string') return record;
  } catch {
    // Told below.
  }
  throw new ConfigError(`${path} is damaged or of a version that this Coffer does not know.`);
}

async function createInstallation(
  config: Config,
  environment: NodeJS.ProcessEnv,
  lock: FolderLock,
): Promise<Installation> {
  const id = randomUUID();
  const passphrase = await passphraseOf(config);
  const notices: string[] = [];
  let rootKey: RootKey;
  let rootKeyRecord: InstallationRecord['rootKey'];
  if (passphrase !== undefined) {
    rootKey = await createPassphraseRootKey(join(config.dataFolder, PASSPHRASE_FILE), passphrase);
    rootKeyRecord = { provider: 'passphrase' };
  } else {
    const path = config.rootKeyFile ?? join(keyFolderOf(environment), `${id}.key`);
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
  if (record.rootKey.provider === 'key-file') return loadRootKeyFile(config.rootKeyFile ?? record.rootKey.path);
  const passphrase = await passphraseOf(config);
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

async function loadOrCreate(path: string): Promise<RootKey> {
  try {
    return await createRootKeyFile(path);
  } catch (error) {
    if (error instanceof RootKeyError) return loadRootKeyFile(path);
    throw error;
  }
}
