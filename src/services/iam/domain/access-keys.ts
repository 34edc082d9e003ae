import type { RootKey } from '#crypto/root-key.ts';
import type { AccountId } from '#kernel/ids.ts';
import type { RootSealedColumn } from '#storage/root-sealed-column.ts';
import type { AccessKeyRecord } from '../store.ts';

function sealContext(accessKeyId: string): string {
  return `iam/access-key/${accessKeyId}`;
}

/** The record of a long-lived access key. INVARIANT: the secret lies under the root key. */
export function accessKeyRecord(
  key: {
    readonly id: string;
    readonly secret: string;
    readonly account: AccountId;
    /** Absent for the root user. */
    readonly userId?: string;
    readonly now: number;
  },
  rootKey: RootKey,
): AccessKeyRecord {
  return {
    id: key.id,
    account: key.account,
    user_id: key.userId ?? null,
    sealed: rootKey.seal(Buffer.from(key.secret), sealContext(key.id)),
    status: 'Active',
    created_at: key.now,
  };
}

/** @throws DecryptionError when the record was changed */
export function openSecret(key: Pick<AccessKeyRecord, 'id' | 'sealed'>, rootKey: RootKey): string {
  return rootKey.open(key.sealed, sealContext(key.id)).toString();
}

export const accessKeyColumn: RootSealedColumn = {
  table: 'iam_access_key',
  column: 'sealed',
  contextOf: (row) => sealContext(String(row['id'])),
};
