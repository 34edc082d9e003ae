import type { AccountId } from '#kernel/ids.ts';
import { readEvent } from './domain/audit-event.ts';
import type { EventBuffer } from './domain/event-buffer.ts';
import type { CloudTrailStore } from './store.ts';

/** The last time at which a principal called an operation. */
export interface OperationUse {
  /** AIDA…, or AROA…:session. */
  readonly principalId: string;
  /** `s3.amazonaws.com`. */
  readonly source: string;
  readonly operation: string;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** What principals did, from the audit log: attempts count, whether they were allowed or not. */
export class PrincipalActivity {
  readonly #store: CloudTrailStore;
  readonly #buffer: EventBuffer;

  constructor(store: CloudTrailStore, buffer: EventBuffer) {
    this.#store = store;
    this.#buffer = buffer;
  }

  /**
   * Walks an account's log, the oldest first, and tells of each block of it the last uses in it: the same principal and
   * operation may come again, later. INVARIANT: only events whose block bears its seal are told.
   *
   * @throws RowDamageError for blocks that were changed
   */
  async *lastUses(account: AccountId): AsyncGenerator<readonly OperationUse[]> {
    await this.#buffer.flush();
    for await (const key of this.#store.blocks({ account, from: 0, to: Number.MAX_SAFE_INTEGER / 2 })) {
      const uses = new Map<string, OperationUse>();
      // Of each kind the last one stays.
      for (const event of await this.#store.open(key)) {
        const { facts, time } = readEvent(event);
        const principalId = facts.userIdentity.principalId ?? '';
        const { eventSource: source, eventName: operation, awsRegion: region } = facts;
        uses.set(JSON.stringify([source, operation, principalId]), { principalId, source, operation, region, time });
      }
      yield [...uses.values()];
    }
  }
}
