import { type KeyLastUsageTrackingOperation, KeyLastUsageTrackingOperation as Tracked } from '@aws-sdk/client-kms';
import { sql } from 'kysely';
import type { AuditRecord } from '#kernel/audit.ts';
import { accountOf, type Caller } from '#kernel/caller.ts';
import type { Clock } from '#kernel/clock.ts';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Records } from '#storage/records.ts';
import type { KmsTables } from '../tables.ts';
import type { LastUsageRecord, UsageRecord, UsageTables } from './usage-tables.ts';

const EVENT_SOURCE = 'kms.amazonaws.com';
const FLUSH_AFTER_MS = 5_000;
/** More kinds of requests than this, and they are written at once: memory is bounded. */
const MAX_GATHERED = 10_000;
const ROWS_OF_ONE_COMMIT = 200;
const DAY_MS = 86_400_000;
/** Thirteen months, and some days. */
const KEPT_DAYS = 400;
const TRACKED: ReadonlySet<string> = new Set(Object.values(Tracked));

type Tables = UsageTables & Pick<KmsTables, 'kms_key'>;

/** A count that grows; `day` in days since the epoch. */
interface Tally extends Omit<UsageRecord, 'day' | 'spec' | 'requests' | 'failed'> {
  readonly day: number;
  requests: number;
  failed: number;
}

/**
 * Counts the requests to KMS by key, operation, principal and day, and remembers when each key was last used.
 *
 * It hears of every request once it is answered, adds it up in memory and writes every few seconds, many requests in one
 * row: no request waits for it. A stop writes what is left; a crash forgets the last seconds.
 */
export class KeyUsageLog {
  readonly #records: Records<Tables>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** A key's kind never changes. */
  readonly #specs = new Map<string, UsageRecord['spec']>();
  #tallies = new Map<string, Tally>();
  #lastUses = new Map<string, LastUsageRecord>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(records: Records<Tables>, clock: Clock, logger: Logger) {
    this.#records = records;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @param eventId of the request's event in the audit log */
  append(record: AuditRecord, eventId: string): void {
    if (record.eventSource !== EVENT_SOURCE) return;
    // What services ask of themselves before they use a data key that they keep is no request that AWS would see.
    if (record.errorCode === 'DryRunOperationException' && record.via.length > 0) return;
    const keys = record.resources.filter((resource) => resource.includes(':key/'));
    // ReEncrypt is a request on each of its two keys.
    for (const key of keys) this.#count(record, key);
    if (keys.length === 0) this.#count(record, undefined);
    if (record.errorCode === undefined && TRACKED.has(record.eventName)) {
      for (const key of keys) this.#remember(record, key, eventId);
    }
    if (this.#tallies.size >= MAX_GATHERED) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS).unref();
  }

  #count(record: AuditRecord, key: string | undefined): void {
    const { time, caller, eventName: operation, errorCode } = record;
    const day = Math.floor(time / DAY_MS);
    const variant = variantOf(record);
    const principal = principalOf(caller);
    const name = `${day} ${key ?? record.region} ${operation} ${variant} ${principal}`;
    let tally = this.#tallies.get(name);
    if (tally === undefined) {
      const place = key === undefined ? { region: record.region, id: '', account: '' as const } : placeOf(key);
      tally = {
        day,
        region: place.region,
        key_id: place.id,
        key_account: place.account,
        operation,
        variant,
        principal,
        account: accountOf(caller) ?? '',
        requests: 0,
        failed: 0,
      };
      this.#tallies.set(name, tally);
    }
    tally.requests += 1;
    if (errorCode !== undefined) tally.failed += 1;
  }

  #remember({ time, eventName, requestId }: AuditRecord, key: string, eventId: string): void {
    const { region, id } = placeOf(key);
    this.#lastUses.set(key, {
      region,
      key_id: id,
      operation: eventName as KeyLastUsageTrackingOperation,
      used_at: time,
      event_id: eventId,
      request_id: requestId,
    });
  }

  /** The last use of a key, and since when uses are recorded (milliseconds since the epoch). */
  async lastUseOf(
    region: Region,
    keyId: string,
  ): Promise<{ readonly use: LastUsageRecord | undefined; readonly since: number }> {
    await this.flush();
    const { read } = this.#records;
    const use = await read
      .selectFrom('kms_last_usage')
      .selectAll()
      .where('region', '=', region)
      .where('key_id', '=', keyId)
      .executeTakeFirst();
    const start = await read.selectFrom('kms_usage_start').select('since').executeTakeFirst();
    return { use, since: start?.since ?? this.#clock.now() };
  }

  /**
   * @param from the first day, and `to` the last one: `2026-11-01`
   * @param account whose requests; absent: everybody's
   */
  async read(from: string, to: string, account: AccountId | undefined): Promise<readonly UsageRecord[]> {
    await this.flush();
    let query = this.#records.read
      .selectFrom('kms_usage')
      .selectAll()
      .where('day', '>=', from)
      .where('day', '<=', to)
      .orderBy('day')
      .orderBy('region')
      .orderBy('key_id')
      .orderBy('operation')
      .orderBy('principal');
    if (account !== undefined) query = query.where('account', '=', account);
    return await query.execute();
  }

  /** From here on uses are recorded, if they were not before. */
  async begin(): Promise<void> {
    const start = await this.#records.readUnchecked.selectFrom('kms_usage_start').select('id').executeTakeFirst();
    if (start !== undefined) return;
    await this.#records.write((transaction) =>
      transaction
        .insertInto('kms_usage_start')
        .values({ id: 1, since: this.#clock.now() })
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    );
  }

  async prune(now: number): Promise<void> {
    const first = dayOf(Math.floor(now / DAY_MS) - KEPT_DAYS);
    await this.#records.write((transaction) => transaction.deleteFrom('kms_usage').where('day', '<', first).execute());
  }

  async purgeAccount(account: AccountId): Promise<void> {
    await this.flush();
    await this.#records.write((transaction) =>
      transaction
        .deleteFrom('kms_usage')
        .where((where) => where.or([where('account', '=', account), where('key_account', '=', account)]))
        .execute(),
    );
  }

  /** Resolves when all that was counted before is written, or could not be (which is logged). */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const tallies = [...this.#tallies.values()];
    const uses = [...this.#lastUses.values()];
    this.#tallies = new Map();
    this.#lastUses = new Map();
    await this.#writeEach(tallies, (some) => this.#addTallies(some));
    await this.#writeEach(uses, (some) => this.#putLastUses(some));
  }

  async #writeEach<Item>(items: readonly Item[], write: (some: readonly Item[]) => Promise<void>): Promise<void> {
    for (let i = 0; i < items.length; i += ROWS_OF_ONE_COMMIT) {
      const some = items.slice(i, i + ROWS_OF_ONE_COMMIT);
      try {
        await write(some);
      } catch {
        // A record that was damaged keeps the others from being written with it.
        for (const one of some) await write([one]).catch((error: unknown) => this.#complain(error));
      }
    }
  }

  #complain(error: unknown): void {
    this.#logger.error({ err: error }, 'how often a key was used could not be written');
  }

  async #addTallies(tallies: readonly Tally[]): Promise<void> {
    const rows: UsageRecord[] = [];
    for (const tally of tallies) {
      rows.push({ ...tally, day: dayOf(tally.day), spec: await this.#specOf(tally.region, tally.key_id) });
    }
    await this.#records.writeBehind(async (transaction) => {
      for (const row of rows) {
        await transaction
          .insertInto('kms_usage')
          .values(row)
          .onConflict((conflict) =>
            conflict.columns(['day', 'region', 'key_id', 'operation', 'variant', 'principal']).doUpdateSet({
              requests: sql<number>`kms_usage.requests + excluded.requests`,
              failed: sql<number>`kms_usage.failed + excluded.failed`,
            }),
          )
          .execute();
      }
    });
  }

  async #putLastUses(uses: readonly LastUsageRecord[]): Promise<void> {
    await this.#records.writeBehind(async (transaction) => {
      for (const { region, key_id: keyId, ...use } of uses) {
        const key = await transaction
          .selectFrom('kms_key')
          .select('id')
          .where('region', '=', region)
          .where('id', '=', keyId)
          .executeTakeFirst();
        // A key that was destroyed meanwhile leaves nothing.
        if (key === undefined) continue;
        await transaction
          .insertInto('kms_last_usage')
          .values({ region, key_id: keyId, ...use })
          .onConflict((conflict) => conflict.columns(['region', 'key_id']).doUpdateSet(use))
          .execute();
      }
    });
  }

  async #specOf(region: Region, keyId: string): Promise<UsageRecord['spec']> {
    if (keyId === '') return '';
    const name = `${region} ${keyId}`;
    let spec = this.#specs.get(name);
    if (spec === undefined) {
      const key = await this.#records.read
        .selectFrom('kms_key')
        .select('spec')
        .where('region', '=', region)
        .where('id', '=', keyId)
        .executeTakeFirst();
      spec = key?.spec ?? '';
      if (this.#specs.size >= MAX_GATHERED) this.#specs.clear();
      this.#specs.set(name, spec);
    }
    return spec;
  }
}

/** `arn:aws:kms:<region>:<account>:key/<id>` */
function placeOf(arn: string): { readonly region: Region; readonly account: AccountId; readonly id: string } {
  const [, , , region = '', account = '', resource = ''] = arn.split(':');
  return { region: region as Region, account: account as AccountId, id: resource.slice('key/'.length) };
}

function variantOf({ eventName, parameters }: AuditRecord): string {
  if (!eventName.startsWith('GenerateDataKeyPair')) return '';
  const spec = parameters?.['keyPairSpec'];
  return typeof spec === 'string' ? spec : '';
}

function principalOf(caller: Caller): string {
  switch (caller.type) {
    case 'assumed-role':
      return caller.roleArn;
    case 'service':
      return caller.service;
    case 'anonymous':
      return 'anonymous';
    default:
      return caller.arn;
  }
}

function dayOf(days: number): string {
  return new Date(days * DAY_MS).toISOString().slice(0, 10);
}
