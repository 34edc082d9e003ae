import type { KeySpec } from '@aws-sdk/client-kms';
import { isPairSpec } from '../domain/key-specs.ts';
import prices from './prices.json' with { type: 'json' };
import type { UsageRecord } from './usage-tables.ts';

/** The kinds of requests that AWS has a price of their own for. */
export type PriceClass = keyof typeof prices.requests;

/** A customer managed key, for as long as it costs something. Times are milliseconds since the epoch. */
export interface ChargedKey {
  readonly account: string;
  readonly createdAt: number;
  /** When its material was made anew; the first material is not among them. */
  readonly rotatedAt: readonly number[];
}

/** What an account's use in a month costs at AWS, in US dollars. */
export interface AccountCost {
  readonly account: string;
  /** Keys, and how many key-months those are, with rotations: a key that was made in the middle is half a one. */
  readonly keys: number;
  readonly keyMonths: number;
  readonly keyCost: number;
  readonly requests: readonly {
    readonly priceClass: PriceClass;
    readonly requests: number;
    /** Among them those that the free tier covers. */
    readonly free: number;
    readonly cost: number;
  }[];
  readonly total: number;
}

export interface PriceSource {
  readonly source: string;
  /** ISO 8601. */
  readonly date: string;
}

export const priceSource: PriceSource = { source: prices.source, date: prices.date };

/** Requests with an asymmetric key that have its price; others on it, such as DescribeKey, cost as any. */
const ON_KEY_PAIRS: ReadonlySet<string> = new Set([
  'Encrypt',
  'Decrypt',
  'ReEncrypt',
  'Sign',
  'Verify',
  'DeriveSharedSecret',
  'Encapsulate',
  'Decapsulate',
  'GetPublicKey',
]);

export function priceClassOf({
  operation,
  variant,
  spec,
}: Pick<UsageRecord, 'operation' | 'variant' | 'spec'>): PriceClass {
  if (operation.startsWith('GenerateDataKeyPair'))
    return variant.startsWith('RSA') ? 'rsaDataKeyPair' : 'eccDataKeyPair';
  if (spec === '' || !isPairSpec(spec as KeySpec) || !ON_KEY_PAIRS.has(operation)) return 'symmetric';
  return spec === 'RSA_2048' ? 'rsa2048' : 'asymmetric';
}

/**
 * @param rows one month's. Requests that were answered with an error are not charged here
 * @param month its first moment and the first one after it, or now while it lasts; milliseconds since the epoch
 */
export function costOf(
  rows: readonly UsageRecord[],
  keys: readonly ChargedKey[],
  month: { readonly from: number; readonly length: number; readonly to: number },
): readonly AccountCost[] {
  const accounts = new Set([...rows.map(({ account }) => account), ...keys.map(({ account }) => account)]);
  accounts.delete('');
  return [...accounts].toSorted().map((account) => {
    const own = keys.filter((key) => key.account === account && key.createdAt < month.to);
    const keyMonths = own.reduce((sum, key) => sum + keyMonthsOf(key, month), 0);
    const keyCost = keyMonths * prices.keyMonth;
    const requests = requestCosts(rows.filter((row) => row.account === account));
    const total = requests.reduce((sum, { cost }) => sum + cost, keyCost);
    return { account, keys: own.length, keyMonths, keyCost, requests, total };
  });
}

function keyMonthsOf({ createdAt, rotatedAt }: ChargedKey, month: Parameters<typeof costOf>[2]): number {
  const rotations = rotatedAt.toSorted((a, b) => a - b).slice(0, prices.chargedRotations);
  const rotationPart = prices.rotationMonth / prices.keyMonth;
  const share = (since: number) => Math.max(0, month.to - Math.max(since, month.from)) / month.length;
  return share(createdAt) + rotations.reduce((sum, since) => sum + share(since) * rotationPart, 0);
}

function requestCosts(rows: readonly UsageRecord[]): AccountCost['requests'] {
  const counts = new Map<PriceClass, number>();
  for (const row of rows) {
    const priceClass = priceClassOf(row);
    counts.set(priceClass, (counts.get(priceClass) ?? 0) + row.requests - row.failed);
  }
  const sorted = [...counts].toSorted(([a], [b]) => a.localeCompare(b));
  return sorted.map(([priceClass, requests]) => {
    // The free tier is not for asymmetric keys, nor for pairs of data keys.
    const free = priceClass === 'symmetric' ? Math.min(requests, prices.freeRequests) : 0;
    const cost = ((requests - free) / prices.requestsOfPrice) * prices.requests[priceClass];
    return { priceClass, requests, free, cost };
  });
}
