import { type Call } from '#kernel/operation.ts';
import { cutPage, type Page } from '../domain/page.ts';
import { quotaExceeded } from '../errors.ts';
import type { UserKeyRecord } from '../records/certificates.ts';
import type { IamQueries } from '../store.ts';
import type { KeyOwner } from './access-keys.ts';
import { callerAccount } from './targets.ts';

type Kind = UserKeyRecord['kind'];

const LIMITS: Readonly<Record<Kind, readonly [quota: string, limit: number]>> = {
  'signing-certificate': ['CertificatesPerUser', 2],
  'ssh-public-key': ['SSHPublicKeysPerUser', 5],
};

/** One of the owner's; `undefined` when there is none with this id. */
export function findUserKey(
  queries: IamQueries,
  kind: Kind,
  id: string,
  owner: KeyOwner,
  call: Call,
): Promise<UserKeyRecord | undefined> {
  return queries
    .selectFrom('iam_user_key')
    .selectAll()
    .where('id', '=', id)
    .where('kind', '=', kind)
    .where('account', '=', callerAccount(call))
    .where('user_id', 'is', owner.userId)
    .executeTakeFirst();
}

/**
 * Adds one.
 * @param duplicate what is thrown for a key that the owner has already
 * @throws ServiceError LimitExceeded
 */
export async function addUserKey(
  transaction: IamQueries,
  record: UserKeyRecord,
  duplicate: () => Error,
): Promise<void> {
  const existing = await transaction
    .selectFrom('iam_user_key')
    .select('fingerprint')
    .where('account', '=', record.account)
    .where('user_id', 'is', record.user_id)
    .where('kind', '=', record.kind)
    .execute();
  if (existing.some(({ fingerprint }) => fingerprint === record.fingerprint)) throw duplicate();
  const [quota, limit] = LIMITS[record.kind];
  if (existing.length >= limit) throw quotaExceeded(quota, limit);
  await transaction.insertInto('iam_user_key').values(record).execute();
}

/** A page of the owner's, in the order of their ids. */
export async function listUserKeys(queries: IamQueries, kind: Kind, owner: KeyOwner, call: Call, page: Page) {
  const rows = await queries
    .selectFrom('iam_user_key')
    .selectAll()
    .where('account', '=', callerAccount(call))
    .where('user_id', 'is', owner.userId)
    .where('kind', '=', kind)
    .where('id', '>', page.after)
    .orderBy('id')
    .limit(page.limit + 1)
    .execute();
  return cutPage(rows, page, (row) => row.id);
}
