import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SqliteRecords } from '#storage/sqlite/sqlite-records.ts';
import { AdministrationError } from '../administration-error.ts';
import { keyFolderOf } from '../config.ts';
import type { ControlReply } from '../control-protocol.ts';
import { requireOutside } from '../installation.ts';
import type { KnownRootKey } from './installation-record.ts';
import type { ChangedRootKey, RootKeyChange } from './root-key-change.ts';
import type { RootKeyTarget } from './root-key-sources.ts';
import { rootSealedColumns } from './root-sealed-columns.ts';
import type { RotateRequest } from './rotate-request.ts';

const REPORT_MS = 200;

/** What may be told of a root key: nothing of it is secret. */
export type ToldRootKey = Omit<KnownRootKey, 'wrapped'> & {
  readonly path?: string;
  readonly module?: string;
  readonly token?: string;
  readonly key?: string;
};

/** The answer to `coffer root-key status`. */
export interface RootKeyStatus {
  readonly rootKey: ToldRootKey;
  /** While not everything is under it. */
  readonly change?: {
    readonly from: ToldRootKey;
    readonly since: string;
    readonly rows?: number;
    readonly total?: number;
  };
  /** `table.column` → id of the root key → how many texts are sealed under it. The empty id: they do not name it. */
  readonly sealed: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The answer to `coffer root-key rotate`: what is to be known, then how it ended. */
export type RotateItem =
  | { readonly notice: string }
  | {
      readonly changed: Omit<ChangedRootKey, 'rootKey' | 'from'> & {
        readonly rootKey: ToldRootKey;
        readonly from: ToldRootKey;
      };
    };

export function rootKeyStatus(change: RootKeyChange, records: SqliteRecords): RootKeyStatus {
  const { rootKey, change: pending } = change.record;
  const { progress } = change;
  return {
    rootKey: told(rootKey),
    ...(pending !== undefined && {
      change: {
        from: told(pending.from),
        since: pending.since,
        ...(progress !== undefined && { rows: progress.rows, total: progress.total }),
      },
    }),
    sealed: Object.fromEntries(
      rootSealedColumns.map((column) => [
        `${column.table}.${column.column}`,
        Object.fromEntries(records.countSealed(column)),
      ]),
    ),
  };
}

/** @throws AdministrationError, RootKeyError */
export async function* rotateRootKey(
  change: RootKeyChange,
  dataFolder: string,
  { to, endsSessions }: RotateRequest,
): AsyncGenerator<ControlReply> {
  for (const notice of await change.start(targetOf(to, change, dataFolder), endsSessions)) yield item({ notice });
  // It goes on whether or not somebody waits for it.
  const finished = change.finished();
  while ((await Promise.race([finished.then(() => true), delay(REPORT_MS, false)])) === false) {
    const { progress } = change;
    if (progress === undefined) continue;
    yield { type: 'progress', done: progress.rows, total: progress.total, what: 'rows looked at' };
  }
  const changed = await finished;
  if (changed === undefined)
    throw new AdministrationError('The change was broken off; the next start goes on with it.');
  yield item({ changed: { ...changed, rootKey: told(changed.rootKey), from: told(changed.from) } });
}

/** @throws ConfigError for a key file in the data folder */
function targetOf(to: RotateRequest['to'], change: RootKeyChange, dataFolder: string): RootKeyTarget {
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-');
  switch (to.provider) {
    case 'key-file': {
      const path = to.path ?? join(keyFolderOf(process.env), `${change.record.id}-${stamp}.key`);
      requireOutside(dataFolder, path);
      return { provider: 'key-file', path };
    }
    case 'passphrase':
      return { ...to, parameters: `root-passphrase-${stamp}.json` };
    case 'pkcs11':
      return to;
  }
}

function told(rootKey: KnownRootKey): ToldRootKey {
  if (rootKey.provider !== 'pkcs11') return rootKey;
  const { wrapped: _, ...rest } = rootKey;
  return rest;
}

function item(value: RotateItem): ControlReply {
  return { type: 'item', value };
}
