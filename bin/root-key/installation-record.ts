import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SealedTokenKey } from '#crypto/root-key.ts';
import { ConfigError } from '../config.ts';
import { writeFileDurably } from '../write-file-durably.ts';

/** How a root key is found. Frozen: see docs/formats/data-folder.md. */
export type RootKeySource =
  | { readonly provider: 'key-file'; readonly path: string }
  | {
      readonly provider: 'passphrase';
      /** The file in the data folder that says how the passphrase becomes the key. */
      readonly parameters: string;
    }
  | {
      readonly provider: 'pkcs11';
      readonly module: string;
      readonly token: string;
      readonly key: string;
      /** The root key, as the token's key has wrapped it; in base64. */
      readonly wrapped: string;
    };

/** A root key without its secret. */
export type KnownRootKey = RootKeySource & {
  /** `RootKey.id`. */
  readonly id: string;
  /** ISO 8601. */
  readonly madeAt: string;
};

/** What lies in `installation.json`. Frozen: see docs/formats/data-folder.md. */
export interface InstallationRecord {
  readonly format: 2;
  readonly id: string;
  readonly rootKey: KnownRootKey;
  /** A known text sealed under the root key, so that a wrong key is noticed before anything is touched. */
  readonly rootKeyCheck: string;
  /** While not everything is under the root key yet. */
  readonly change?: {
    readonly from: KnownRootKey;
    /** The former root key, sealed under the present one (`RootKey.sealFormer`), in base64. */
    readonly former: string;
    /** ISO 8601. */
    readonly since: string;
  };
  readonly earlierTokens?: readonly SealedTokenKey[];
}

/** As the first version wrote it. */
interface FirstRecord {
  readonly format: 1;
  readonly id: string;
  readonly rootKey: { readonly provider: 'key-file'; readonly path: string } | { readonly provider: 'passphrase' };
  readonly rootKeyCheck: string;
}

/** A record whose root key's id is not known before the root key is. */
export type ReadRecord = Omit<InstallationRecord, 'rootKey'> & {
  readonly rootKey: RootKeySource & { readonly id?: string; readonly madeAt: string };
};

export const RECORD_FILE = 'installation.json';
export const PASSPHRASE_FILE = 'root-passphrase.json';

/** @throws ConfigError when it is damaged; `undefined` when there is none */
export async function readRecord(folder: string): Promise<ReadRecord | undefined> {
  const path = join(folder, RECORD_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const record = JSON.parse(text) as InstallationRecord | FirstRecord | null;
    if (record !== null && isKnown(record)) {
      return record.format === 1 ? upgraded(record, (await stat(path)).mtime) : record;
    }
  } catch {
    // Told below.
  }
  throw new ConfigError(`${path} is damaged or of a version that this Coffer does not know.`);
}

export async function saveRecord(folder: string, record: InstallationRecord): Promise<void> {
  await writeFileDurably(join(folder, RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`, 0o600);
}

function isKnown(record: InstallationRecord | FirstRecord): boolean {
  if (typeof record.id !== 'string' || typeof record.rootKeyCheck !== 'string') return false;
  const { rootKey } = record;
  if (record.format === 1) {
    return rootKey?.provider === 'passphrase' || (rootKey?.provider === 'key-file' && typeof rootKey.path === 'string');
  }
  return record.format === 2 && isKnownKey(record.rootKey) && (record.change === undefined || isKnownChange(record));
}

function isKnownKey(key: KnownRootKey | null | undefined): boolean {
  if (typeof key?.id !== 'string' || typeof key.madeAt !== 'string') return false;
  switch (key.provider) {
    case 'key-file':
      return typeof key.path === 'string';
    case 'passphrase':
      return typeof key.parameters === 'string';
    case 'pkcs11':
      return [key.module, key.token, key.key, key.wrapped].every((text) => typeof text === 'string');
    default:
      return false;
  }
}

function isKnownChange({ change }: InstallationRecord): boolean {
  return isKnownKey(change?.from) && typeof change?.former === 'string' && typeof change.since === 'string';
}

/** The first version wrote the record once, when it made the root key. */
function upgraded({ id, rootKey, rootKeyCheck }: FirstRecord, writtenAt: Date): ReadRecord {
  const source: RootKeySource =
    rootKey.provider === 'passphrase' ? { provider: 'passphrase', parameters: PASSPHRASE_FILE } : rootKey;
  return { format: 2, id, rootKey: { ...source, madeAt: writtenAt.toISOString() }, rootKeyCheck };
}
