import type { Clock } from '#kernel/clock.ts';
import type { Logger } from '#kernel/logger.ts';
import { Upkeep } from '#kernel/upkeep.ts';
import type { KmsContext } from '../context.ts';
import { destroyDueKeys } from '../materials/destruction.ts';
import { expireImportKeys, expireMaterials } from '../materials/imports.ts';
import { rotateDueKeys } from '../materials/rotation.ts';

const SWEEP_MS = 60_000;

/** What is due of keys by itself: rotations, the end of imported material, and that of deleted keys. */
export class KmsJanitor {
  readonly #kms: KmsContext;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #emptyLog: () => Promise<void>;
  readonly #upkeep: Upkeep;

  /** @param emptyLog takes what was destroyed out of the database's log too */
  constructor(kms: KmsContext, clock: Clock, logger: Logger, emptyLog: () => Promise<void>) {
    this.#emptyLog = emptyLog;
    this.#kms = kms;
    this.#clock = clock;
    this.#logger = logger;
    this.#upkeep = new Upkeep(
      SWEEP_MS,
      () => this.sweep(),
      (error) => logger.error({ err: error }, 'the upkeep of keys failed; it is tried again in a minute'),
    );
  }

  start(): void {
    this.#upkeep.start();
  }

  stop(): Promise<void> {
    return this.#upkeep.stop();
  }

  /** Does what is due now. */
  async sweep(): Promise<void> {
    const now = this.#clock.now();
    const { store, materials, events } = this.#kms;
    const destroyed = await destroyDueKeys(store, now);
    const expired = await expireMaterials(store, now);
    if (destroyed.length + expired.length > 0) materials.forgetAll();
    events.deleted(destroyed, now);
    events.expired(expired, now);
    await expireImportKeys(store, now);
    // Whatever destroyed it, also a process that was killed then.
    await this.#emptyLog();
    const rotated = await rotateDueKeys(this.#kms, now);
    if (destroyed.length > 0) this.#logger.info({ count: destroyed.length }, 'deleted keys were destroyed');
    if (expired.length > 0) {
      this.#logger.info({ count: expired.length }, 'imported key materials expired and were destroyed');
    }
    if (rotated > 0) this.#logger.info({ count: rotated }, 'keys were rotated');
  }
}
