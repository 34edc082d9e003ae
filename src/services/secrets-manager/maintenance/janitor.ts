import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import { removeSecret, type SecretStore } from '../store.ts';

/** Nobody finds a secret whose time has come meanwhile. */
const SWEEP_MS = 60_000;

/** Removes secrets whose recovery window is over. */
export class Janitor {
  readonly #facts: { readonly store: SecretStore; readonly clock: Clock; readonly logger: Logger };
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<unknown> = Promise.resolve();

  constructor(facts: { readonly store: SecretStore; readonly clock: Clock; readonly logger: Logger }) {
    this.#facts = facts;
  }

  start(): void {
    this.#timer = setInterval(() => this.#wake(), SWEEP_MS);
    this.#timer.unref();
    this.#wake();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#work;
  }

  /** @returns how many secrets were removed */
  async sweep(): Promise<number> {
    const { store, clock } = this.#facts;
    const ids = await store.idsToPurge(clock.now());
    for (const id of ids) await store.write((transaction) => removeSecret(transaction, id));
    return ids.length;
  }

  #wake(): void {
    this.#work = this.#work.then(() =>
      this.sweep().catch((error: unknown) => {
        this.#facts.logger.error({ err: error }, 'deleted secrets were not removed; it is tried again in a minute');
      }),
    );
  }
}
