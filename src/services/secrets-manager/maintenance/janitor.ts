import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import { Upkeep } from '#kernel/upkeep.ts';
import { RowDamageError } from '#storage/row-seal.ts';
import { isGone } from '../secrets.ts';
import { findSecretById, removeSecret, type SecretsQueries, type SecretStore } from '../store.ts';

/** Nobody finds a secret whose time has come meanwhile. */
const SWEEP_MS = 60_000;

/** Removes secrets whose recovery window is over. */
export class Janitor {
  readonly #facts: { readonly store: SecretStore; readonly clock: Clock; readonly logger: Logger };
  readonly #upkeep: Upkeep;

  constructor(facts: { readonly store: SecretStore; readonly clock: Clock; readonly logger: Logger }) {
    this.#facts = facts;
    this.#upkeep = new Upkeep(
      SWEEP_MS,
      () => this.sweep(),
      (error) => facts.logger.error({ err: error }, 'deleted secrets were not removed; it is tried again in a minute'),
    );
  }

  start(): void {
    this.#upkeep.start();
  }

  stop(): Promise<void> {
    return this.#upkeep.stop();
  }

  /** @returns how many secrets were removed */
  async sweep(): Promise<number> {
    const { store, clock, logger } = this.#facts;
    const now = clock.now();
    let removed = 0;
    for (const id of await store.idsToPurge(now)) {
      try {
        if (await store.write((transaction) => purge(transaction, id, now))) removed++;
      } catch (error) {
        if (!(error instanceof RowDamageError)) throw error;
        logger.error({ err: error, secret: id }, 'a deleted secret cannot be removed: its record was changed');
      }
    }
    return removed;
  }
}

/** INVARIANT: the row is read with its seal before it goes, so that a changed date does not destroy a secret. */
async function purge(transaction: SecretsQueries, id: string, now: number): Promise<boolean> {
  const row = await findSecretById(transaction, id);
  if (row === undefined || !isGone(row, now)) return false;
  await removeSecret(transaction, id);
  return true;
}
