import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeRootKeyCheck } from '#crypto/root-key-check.ts';
import type { RootKey } from '#crypto/root-key.ts';
import type { Logger } from '#kernel/logger.ts';
import { followRootKey, type S3Context } from '#services/s3/context.ts';
import { s3SealRenewals } from '#services/s3/maintenance/seal-renewals.ts';
import type { RenewalProgress } from '#storage/root-sealed-column.ts';
import { ROW_SEAL_PURPOSE } from '#storage/row-seal.ts';
import type { SqliteRecords } from '#storage/sqlite/sqlite-records.ts';
import { AdministrationError } from '../administration-error.ts';
import type { Installation } from '../installation.ts';
import { type InstallationRecord, type KnownRootKey, saveRecord } from './installation-record.ts';
import { makeRootKey, type RootKeyTarget } from './root-key-sources.ts';
import { rootSealedColumns } from './root-sealed-columns.ts';

/** What was sealed under the former key before the change is stored by then: no request takes so long in between. */
const SETTLE_MS = 5_000;
/** No session token lives longer. */
const LONGEST_TOKEN_MS = 36 * 3_600_000;

/** How a change ended. */
export interface ChangedRootKey {
  readonly rootKey: KnownRootKey;
  readonly from: KnownRootKey;
  readonly renewed: number;
  /** Rows that open under neither key; `coffer verify` names them. */
  readonly damaged: number;
}

/**
 * Changes the root key while the platform runs.
 *
 * One write of `installation.json` is the change: before it, the former key opens everything; after it, the new key does,
 * since the former one lies sealed under it until the walk through the records has come to its end. What a kill breaks
 * off goes on with the next start.
 */
export class RootKeyChange {
  readonly #folder: string;
  readonly #rootKey: RootKey;
  readonly #records: SqliteRecords;
  readonly #s3: S3Context;
  readonly #logger: Logger;
  #record: InstallationRecord;
  #walk: Promise<ChangedRootKey> | undefined;
  #isServing = false;
  #isPreparing = false;
  #isClosed = false;
  #progress: RenewalProgress | undefined;

  constructor(installation: Installation, records: SqliteRecords, s3: S3Context, logger: Logger) {
    this.#folder = installation.folder;
    this.#rootKey = installation.rootKey;
    this.#record = installation.record;
    this.#records = records;
    this.#s3 = s3;
    this.#logger = logger;
  }

  get record(): InstallationRecord {
    return this.#record;
  }

  /** How far a change under way has come. */
  get progress(): RenewalProgress | undefined {
    return this.#progress;
  }

  /** Requests may come from now on. Goes on with a change that was broken off, in the background. */
  serve(): void {
    this.#isServing = true;
    if (this.#record.change === undefined || this.#walk !== undefined) return;
    this.#logger.info({ since: this.#record.change.since }, 'a change of the root key goes on');
    this.#startWalk();
  }

  /**
   * Puts everything under a new root key. From the moment at which this resolves, the new key is the root key.
   *
   * @param endsSessions ends what was handed out under the former key: temporary credentials, playback sessions
   * @returns what the operator must be told
   * @throws AdministrationError while another change is under way, RootKeyError; nothing was changed then
   */
  async start(target: RootKeyTarget, endsSessions: boolean): Promise<readonly string[]> {
    if (this.#isPreparing || this.#record.change !== undefined) {
      throw new AdministrationError(
        'A change of the root key is under way. coffer root-key status says how far it is.',
      );
    }
    this.#isPreparing = true;
    try {
      const { rootKey: next, source, notices } = await makeRootKey(target, this.#folder);
      const now = Date.now();
      const { rootKey: from, earlierTokens: _, ...rest } = this.#record;
      const earlierTokens = endsSessions ? [] : next.adoptTokens(this.#rootKey, now, now + LONGEST_TOKEN_MS);
      const since = new Date(now).toISOString();
      const record: InstallationRecord = {
        ...rest,
        rootKey: { ...source, id: next.id, madeAt: since },
        rootKeyCheck: makeRootKeyCheck(next),
        change: { from, former: next.sealFormer(this.#rootKey).toString('base64'), since },
        ...(earlierTokens.length > 0 && { earlierTokens }),
      };
      // INVARIANT: nothing is written under the new key before this is durable.
      await saveRecord(this.#folder, record);
      this.#record = record;
      this.#rootKey.changeTo(next);
      const sealKey = this.#rootKey.deriveKey(ROW_SEAL_PURPOSE);
      this.#records.changeSealKey(sealKey);
      sealKey.fill(0);
      followRootKey(this.#s3, this.#rootKey);
      this.#logger.info(
        { from: from.id, to: next.id },
        'the root key was changed; what lies under the former one follows',
      );
      this.#startWalk();
      return notices;
    } finally {
      this.#isPreparing = false;
    }
  }

  /** Resolves when a change under way has come to its end. */
  async finished(): Promise<ChangedRootKey | undefined> {
    return await this.#walk;
  }

  /** Breaks off; the next start goes on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#walk?.catch(() => undefined);
  }

  #startWalk(): void {
    this.#walk = this.#renewEverything().finally(() => {
      this.#progress = undefined;
    });
    // Told to whoever waits; nobody may.
    this.#walk.catch((error: unknown) => {
      if (!this.#isClosed) this.#logger.error({ err: error }, 'the change of the root key goes on at the next start');
    });
  }

  async #renewEverything(): Promise<ChangedRootKey> {
    const { change } = this.#record;
    if (change === undefined) throw new Error('There is no change of the root key.');
    const settled = Date.now() + (this.#isServing ? SETTLE_MS : 0);
    let renewed = 0;
    for (;;) {
      const isLast = Date.now() >= settled;
      const pass = await this.#renewOnce();
      renewed += pass.renewed;
      // The last pass begins when nothing can be on its way any longer, and finds nothing to do.
      if (isLast && pass.renewed === 0) return await this.#finish(change.from, renewed, pass.damaged);
      await this.#waitUntil(settled);
    }
  }

  async #renewOnce(): Promise<RenewalProgress> {
    let progress: RenewalProgress = { rows: 0, total: 0, renewed: 0, damaged: 0 };
    const others = s3SealRenewals(this.#s3.seal);
    for await (const step of this.#records.renewRows(this.#rootKey, rootSealedColumns, others)) {
      this.#stopWhenClosed();
      progress = step;
      this.#progress = step;
    }
    return progress;
  }

  async #finish(from: KnownRootKey, renewed: number, damaged: number): Promise<ChangedRootKey> {
    const others = s3SealRenewals(this.#s3.seal);
    const places = await this.#records.findSealedElsewhere(rootSealedColumns, others, from.id);
    // INVARIANT: the former key is kept as long as anything lies under it. Both are found without the list of the walk.
    if (places.length > 0) {
      throw new AdministrationError(
        `${places.join(', ')} holds what is sealed under the former root key and is not known here. The former key is kept.`,
      );
    }
    for await (const { row, isFormer } of this.#records.checkRows()) {
      this.#stopWhenClosed();
      if (isFormer) throw new AdministrationError(`The record ${row} was not renewed. The former root key is kept.`);
    }
    await this.#records.emptyLog();
    const { change: _, ...record } = this.#record;
    await saveRecord(this.#folder, record);
    this.#record = record;
    this.#records.forgetFormerSealKey();
    this.#s3.seal.forgetFormerKey();
    const { rootKey } = record;
    if (
      from.provider === 'passphrase' &&
      !(rootKey.provider === 'passphrase' && rootKey.parameters === from.parameters)
    ) {
      await rm(join(this.#folder, from.parameters), { force: true });
    }
    this.#logger.info({ renewed, damaged }, 'everything is under the new root key');
    return { rootKey, from, renewed, damaged };
  }

  async #waitUntil(time: number): Promise<void> {
    while (Date.now() < time) {
      this.#stopWhenClosed();
      await delay(100);
    }
  }

  #stopWhenClosed(): void {
    if (this.#isClosed) throw new Error('The platform is closed.');
  }
}
