import type { Clock } from '#kernel/clock.ts';
import type { AccountId } from '#kernel/ids.ts';
import type { Records } from '#storage/records.ts';
import type { KmsTables } from '../tables.ts';
import { type AccountCost, type ChargedKey, costOf, type PriceSource, priceSource } from './cost.ts';
import type { KeyUsageLog } from './key-usage-log.ts';
import type { UsageRecord } from './usage-tables.ts';

/** A month's requests to KMS by day, and what the same use costs at AWS. */
export interface UsageReport {
  /** `2026-11` */
  readonly month: string;
  readonly days: readonly UsageRecord[];
  readonly costs: readonly AccountCost[];
  readonly prices: PriceSource;
}

/** @param account whose requests and keys; absent: everybody's */
export async function reportUsage(
  log: KeyUsageLog,
  records: Records<KmsTables>,
  clock: Clock,
  { month, account }: { readonly month: string; readonly account?: AccountId },
): Promise<UsageReport> {
  const from = Date.parse(`${month}-01T00:00:00Z`);
  const end = endOfMonth(from);
  const days = await log.read(`${month}-01`, `${month}-31`, account);
  const keys = await chargedKeys(records, account);
  const costs = costOf(days, keys, { from, length: end - from, to: Math.min(end, clock.now()) });
  return { month, days, costs, prices: priceSource };
}

/** Keys that are there and cost something: not AWS managed ones, nor those that wait for their deletion. */
async function chargedKeys(
  { read }: Records<KmsTables>,
  account: AccountId | undefined,
): Promise<readonly ChargedKey[]> {
  let query = read
    .selectFrom('kms_key')
    .select(['region', 'id', 'account', 'created_at'])
    .where('manager', '=', 'CUSTOMER')
    .where('state', 'not in', ['PendingDeletion', 'PendingReplicaDeletion']);
  if (account !== undefined) query = query.where('account', '=', account);
  const keys = await query.execute();
  const materials = await read.selectFrom('kms_material').select(['region', 'key_id', 'created_at']).execute();
  const madeAt = Map.groupBy(materials, ({ region, key_id: id }) => `${region} ${id}`);
  return keys.map((key) => {
    const made = (madeAt.get(`${key.region} ${key.id}`) ?? []).map(({ created_at: at }) => at);
    return { account: key.account, createdAt: key.created_at, rotatedAt: made.toSorted((a, b) => a - b).slice(1) };
  });
}

function endOfMonth(from: number): number {
  const first = new Date(from);
  return Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 1);
}
