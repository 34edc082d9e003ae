import type { KmsStore } from '../store.ts';
import type { KeyRecord, KmsTransaction } from '../tables.ts';
import { everywhere } from './history.ts';

const DAY = 86_400_000;

/** When a key that is scheduled for deletion goes: a primary waits for its replicas first. */
export async function scheduleDeletion(
  queries: KmsTransaction,
  key: KeyRecord,
  days: number,
  now: number,
): Promise<Pick<KeyRecord, 'state' | 'deletion_at'>> {
  const isWaiting = key.multi_region === 'PRIMARY' && (await everywhere(queries, key.id)).length > 1;
  if (!isWaiting) return { state: 'PendingDeletion', deletion_at: now + days * DAY };
  await queries
    .insertInto('kms_waiting_primary')
    .values({ region: key.region, key_id: key.id, window_days: days })
    .execute();
  return { state: 'PendingReplicaDeletion', deletion_at: null };
}

/**
 * Destroys the keys whose waiting period is over, with all their material.
 *
 * @returns those keys
 */
export async function destroyDueKeys(store: KmsStore, now: number): Promise<readonly KeyRecord[]> {
  const destroyed: KeyRecord[] = [];
  for (;;) {
    const due = await dueKeys(store.read, now);
    if (due.length === 0) return destroyed;
    // INVARIANT: rows are read with their seals before they go, so that a changed date does not destroy a key.
    const keys = await store.write(async (queries) => {
      const dueNow = await dueKeys(queries, now);
      for (const key of dueNow) await destroy(queries, key);
      return dueNow;
    });
    destroyed.push(...keys);
    store.grants.forgetAll();
  }
}

function dueKeys(queries: KmsTransaction, now: number): Promise<KeyRecord[]> {
  return queries.selectFrom('kms_key').selectAll().where('deletion_at', '<=', now).execute();
}

async function destroy(queries: KmsTransaction, key: KeyRecord): Promise<void> {
  await queries.deleteFrom('kms_key').where('region', '=', key.region).where('id', '=', key.id).execute();
  if (key.multi_region !== 'REPLICA' || key.deletion_at === null) return;
  const [primary, ...others] = await everywhere(queries, key.id);
  if (primary?.state !== 'PendingReplicaDeletion' || others.length > 0) return;
  await beginWaiting(queries, primary, key.deletion_at);
}

/** The waiting period of a primary begins when the last of its replicas is gone. */
async function beginWaiting(queries: KmsTransaction, primary: KeyRecord, from: number): Promise<void> {
  const waiting = await queries
    .selectFrom('kms_waiting_primary')
    .selectAll()
    .where('region', '=', primary.region)
    .where('key_id', '=', primary.id)
    .executeTakeFirstOrThrow();
  await queries
    .updateTable('kms_key')
    .set({ state: 'PendingDeletion', deletion_at: from + waiting.window_days * DAY })
    .where('region', '=', primary.region)
    .where('id', '=', primary.id)
    .execute();
  await queries
    .deleteFrom('kms_waiting_primary')
    .where('region', '=', primary.region)
    .where('key_id', '=', primary.id)
    .execute();
}
