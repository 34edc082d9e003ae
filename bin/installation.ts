import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { DecryptionError } from '#crypto/decryption-error.ts';
import { makeRootKeyCheck, verifyRootKeyCheck } from '#crypto/root-key-check.ts';
import { RootKeyError } from '#crypto/root-key-error.ts';
import type { RootKey } from '#crypto/root-key.ts';
import { FolderLock } from '#storage/sqlite/folder-lock.ts';
import { type Config, ConfigError, keyFolderOf } from './config.ts';
import {
  type InstallationRecord,
  PASSPHRASE_FILE,
  type ReadRecord,
  RECORD_FILE,
  readRecord,
  saveRecord,
} from './root-key/installation-record.ts';
import {
  loadRootKey,
  makeRootKey,
  passphraseOf,
  pkcs11Target,
  type RootKeyTarget,
} from './root-key/root-key-sources.ts';

/** A data folder that this process holds, with its root key. */
export interface Installation {
  readonly id: string;
  readonly folder: string;
  /** What lies in its `installation.json`. */
  readonly record: InstallationRecord;
  readonly rootKey: RootKey;
  readonly lock: FolderLock;
  /** What the operator must be told of a first start; empty otherwise. */
  readonly notices: readonly string[];
}

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
  const target = await firstTarget(config, environment, id);
  if (target.provider === 'passphrase') {
    // Left by a first start that did not come to its end: nothing was sealed under it.
    await rm(join(config.dataFolder, PASSPHRASE_FILE), { force: true });
  }
  const { rootKey, source, notices } = await makeRootKey(target, config.dataFolder);
  const record: InstallationRecord = {
    format: 2,
    id,
    rootKey: { ...source, id: rootKey.id, madeAt: new Date().toISOString() },
    rootKeyCheck: makeRootKeyCheck(rootKey),
  };
  await saveRecord(config.dataFolder, record);
  return { id, folder: config.dataFolder, record, rootKey, lock, notices };
}

async function firstTarget(config: Config, environment: NodeJS.ProcessEnv, id: string): Promise<RootKeyTarget> {
  const passphrase = await passphraseOf(config);
  const given = [passphrase, config.rootKeyFile, config.pkcs11.module].filter((setting) => setting !== undefined);
  if (given.length > 1) {
    throw new ConfigError('Give a root key file, a root passphrase or a PKCS#11 module, not more than one of them.');
  }
  if (config.pkcs11.module !== undefined) return pkcs11Target(config);
  if (passphrase !== undefined) return { provider: 'passphrase', passphrase, parameters: PASSPHRASE_FILE };
  const path = config.rootKeyFile ?? join(keyFolderOf(environment), `${id}.key`);
  requireOutside(config.dataFolder, path);
  return { provider: 'key-file', path, mayExist: config.rootKeyFile !== undefined };
}

/** @throws ConfigError for a path in the data folder */
export function requireOutside(folder: string, path: string): void {
  const way = relative(folder, dirname(path));
  const isWithin = way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
  if (isWithin) {
    throw new ConfigError(`The root key must lie outside of the data folder that it protects, not in ${path}.`);
  }
}

async function reopenInstallation(read: ReadRecord, config: Config, lock: FolderLock): Promise<Installation> {
  const rootKey = await loadRootKey(read.rootKey, config);
  if (!verifyRootKeyCheck(rootKey, read.rootKeyCheck)) throw wrongRootKey(read, config);
  const record: InstallationRecord = { ...read, rootKey: { ...read.rootKey, id: rootKey.id } };
  // Of an earlier version, which must not open what this one writes.
  if (read.rootKey.id === undefined) await saveRecord(config.dataFolder, record);
  try {
    rootKey.restoreTokens(record.earlierTokens ?? [], Date.now());
    if (record.change !== undefined) rootKey.restoreFormer(Buffer.from(record.change.former, 'base64'));
  } catch (error) {
    if (!(error instanceof DecryptionError)) throw error;
    throw new ConfigError(
      `${join(config.dataFolder, RECORD_FILE)} is damaged: what it says of former root keys does not open.`,
    );
  }
  return { id: record.id, folder: config.dataFolder, record, rootKey, lock, notices: [] };
}

function wrongRootKey({ rootKey: known }: ReadRecord, { rootKeyFile }: Config): RootKeyError {
  const message = 'The root key is not the one that this data folder was made with. Nothing was changed.';
  if (known.provider !== 'key-file' || rootKeyFile === undefined || known.path === rootKeyFile) {
    return new RootKeyError(message);
  }
  return new RootKeyError(`${message} COFFER_ROOT_KEY_FILE says ${rootKeyFile}; its own was written to ${known.path}.`);
}
