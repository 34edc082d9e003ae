import { sql } from 'kysely';
import type { Records } from '#storage/records.ts';
import { RowDamageError } from '#storage/row-seal.ts';
import { type PrincipalUse, UseCollector } from './domain/used-accesses.ts';
import type { CloudTrailTables } from './store.ts';

/** Events that are looked at before other work gets its turn. */
const EVENTS_OF_ONE_TURN = 200;

export interface PrincipalRange {
  readonly account: string;
  /** A role's ARN (all of its sessions) or a user's. */
  readonly principal: string;
  /** Milliseconds since the epoch, both inclusive. */
  readonly from: number;
  readonly to: number;
}

export type PrincipalUseStep =
  | { readonly kind: 'progress'; readonly events: number }
  | { readonly kind: 'done'; readonly use: PrincipalUse };

/** Reads in the audit log what a principal used. */
export class PrincipalUses {
  readonly #records: Records<CloudTrailTables>;

  constructor(records: Records<CloudTrailTables>) {
    this.#records = records;
  }

  /**
   * INVARIANT: only events whose rows bear their seals count: nobody gets rights by a changed log.
   *
   * @throws TooManyAccessesError
   */
  async *collect(range: PrincipalRange): AsyncGenerator<PrincipalUseStep> {
    const uses = new UseCollector();
    let damaged = 0;
    let events = 0;
    let last = { time: range.from, id: '' };
    for (;;) {
      const page = await this.#page(range, last);
      const end = page.at(-1);
      if (end === undefined) break;
      for (const { time, id, principal } of page) {
        if (principal !== range.principal) continue;
        const event = await this.#read(range.account, time, id);
        if (event === undefined) damaged += 1;
        else uses.add(event);
      }
      last = end;
      events += page.length;
      yield { kind: 'progress', events };
      await new Promise(setImmediate);
    }
    yield { kind: 'done', use: uses.result(damaged) };
  }

  #page(range: PrincipalRange, last: { readonly time: number; readonly id: string }) {
    const principal = sql<string>`CASE WHEN json_valid(event) THEN coalesce(
      json_extract(event, '$.userIdentity.sessionContext.sessionIssuer.arn'), json_extract(event, '$.userIdentity.arn'), '')
      ELSE '' END`;
    return this.#records.readUnchecked
      .selectFrom('cloudtrail_event')
      .select(['time', 'id', principal.as('principal')])
      .where('account', '=', range.account)
      .where('time', '<=', range.to)
      .where((where) => where(where.refTuple('time', 'id'), '>', where.tuple(last.time, last.id)))
      .orderBy('time')
      .orderBy('id')
      .limit(EVENTS_OF_ONE_TURN)
      .execute();
  }

  async #read(account: string, time: number, id: string): Promise<string | undefined> {
    try {
      const row = await this.#records.read
        .selectFrom('cloudtrail_event')
        .selectAll()
        .where('account', '=', account)
        .where('time', '=', time)
        .where('id', '=', id)
        .executeTakeFirst();
      return row?.event;
    } catch (error) {
      if (error instanceof RowDamageError) return undefined;
      throw error;
    }
  }
}
