import { type PrincipalUse, UseCollector } from './domain/used-accesses.ts';
import type { CloudTrailStore, LogRange } from './store.ts';

export interface PrincipalRange extends LogRange {
  /** A role's ARN (all of its sessions) or a user's. */
  readonly principal: string;
}

export type PrincipalUseStep =
  | { readonly kind: 'progress'; readonly events: number }
  | { readonly kind: 'done'; readonly use: PrincipalUse };

/** Reads in the audit log what a principal used. */
export class PrincipalUses {
  readonly #store: CloudTrailStore;

  constructor(store: CloudTrailStore) {
    this.#store = store;
  }

  /**
   * INVARIANT: only events whose block bears its seal count: nobody gets rights by a changed log.
   *
   * @throws TooManyAccessesError
   */
  async *collect(range: PrincipalRange): AsyncGenerator<PrincipalUseStep> {
    const uses = new UseCollector();
    let damaged = 0;
    let events = 0;
    for await (const block of this.#store.soundEvents(range)) {
      events += block.count;
      if (block.isDamaged) damaged += block.count;
      for (const { facts } of block.events) {
        const { sessionContext, arn } = facts.userIdentity;
        if ((sessionContext?.sessionIssuer?.arn ?? arn) === range.principal) uses.add(facts);
      }
      yield { kind: 'progress', events };
    }
    yield { kind: 'done', use: uses.result(damaged) };
  }
}
