import type { EventFacts } from './domain/audit-event.ts';
import type { KmsUsage, ServiceUsage, UsageColumn, UsageRange, UsageStep } from './domain/usage.ts';
import type { CloudTrailStore, SoundEvents } from './store.ts';

/** More kinds of requests than a report may have: the counts in memory are bounded. */
export class TooManyKindsError extends Error {}

const MAX_KINDS = 100_000;
const KMS = 'kms.amazonaws.com';

/** What KMS requests are told apart by. */
const COLUMN_VALUES: Readonly<Record<UsageColumn, (facts: EventFacts) => string>> = {
  // Of two keys, as ReEncrypt has them, the first. Where none was found, what the request calls it.
  key: ({ resources, requestParameters }) => resources?.[0]?.ARN ?? textOf(requestParameters?.['keyId']),
  operation: ({ eventName }) => eventName,
  principal: ({ userIdentity }) => userIdentity.arn ?? userIdentity.invokedBy ?? '',
  credential: ({ userIdentity }) => userIdentity.accessKeyId ?? '',
  via: ({ additionalEventData }) => additionalEventData?.via?.at(-1) ?? '',
};

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

interface Tally {
  readonly source: string;
  readonly columns: Readonly<Partial<Record<UsageColumn, string>>>;
  requests: number;
  failed: number;
}

/** Counts requests in the audit log. */
export class RequestUsage {
  readonly #store: CloudTrailStore;

  constructor(store: CloudTrailStore) {
    this.#store = store;
  }

  /**
   * Adds up a stretch of the log, block by block. INVARIANT: only events whose block bears its seal are counted.
   *
   * @throws TooManyKindsError
   */
  async *count(range: UsageRange, by: readonly UsageColumn[]): AsyncGenerator<UsageStep> {
    const tallies = new Map<string, Tally>();
    let events = 0;
    let damaged = 0;
    for await (const { account, ...block } of this.#blocks(range)) {
      events += block.count;
      if (block.isDamaged) damaged += block.count;
      for (const { facts } of block.events) {
        // What a service did by itself is no request.
        if (facts.eventType === 'AwsServiceEvent') continue;
        if (range.account !== undefined || isFirstRecord(facts, account)) addTo(tallies, facts, by);
      }
      if (tallies.size > MAX_KINDS) {
        throw new TooManyKindsError(
          `More than ${MAX_KINDS} kinds of requests: take a shorter time, one account, or fewer columns.`,
        );
      }
      yield { kind: 'progress', events };
    }
    yield { kind: 'done', kms: kmsUsage(tallies), services: serviceUsage(tallies), damaged };
  }

  async *#blocks({ account: one, from, to }: UsageRange): AsyncGenerator<SoundEvents & { readonly account: string }> {
    for await (const account of one === undefined ? this.#store.accounts() : [one]) {
      for await (const block of this.#store.soundEvents({ account, from, to })) yield { account, ...block };
    }
  }
}

/**
 * A request on another account's resource stands in both logs: it counts in its caller's, or, where the caller has no
 * account, in that of the first resource.
 */
function isFirstRecord({ userIdentity, resources }: EventFacts, account: string): boolean {
  const caller = userIdentity.accountId === 'anonymous' ? undefined : userIdentity.accountId;
  return account === (caller ?? resources?.[0]?.accountId);
}

function addTo(tallies: Map<string, Tally>, facts: EventFacts, by: readonly UsageColumn[]): void {
  const source = facts.eventSource;
  const columns = Object.fromEntries(by.map((column) => [column, source === KMS ? COLUMN_VALUES[column](facts) : '']));
  const kind = JSON.stringify([source, ...Object.values(columns)]);
  let tally = tallies.get(kind);
  if (tally === undefined) {
    tally = { source, columns, requests: 0, failed: 0 };
    tallies.set(kind, tally);
  }
  tally.requests += 1;
  if (facts.errorCode !== undefined) tally.failed += 1;
}

function kmsUsage(tallies: ReadonlyMap<string, Tally>): KmsUsage[] {
  return [...tallies.values()]
    .filter(({ source }) => source === KMS)
    .map(({ columns, requests, failed }) => ({ ...columns, requests, failed }))
    .toSorted((a, b) => b.requests - a.requests);
}

function serviceUsage(tallies: ReadonlyMap<string, Tally>): ServiceUsage[] {
  const services = new Map<string, { requests: number; failed: number }>();
  for (const { source, requests, failed } of tallies.values()) {
    const sum = services.get(source) ?? { requests: 0, failed: 0 };
    services.set(source, { requests: sum.requests + requests, failed: sum.failed + failed });
  }
  return [...services].map(([service, sum]) => ({ service, ...sum })).toSorted((a, b) => b.requests - a.requests);
}
