import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '#kernel/clock.ts';
import type { EventSink } from '#kernel/event-sink.ts';
import type { Logger } from '#kernel/logger.ts';
import { objectArn } from '../../access.ts';
import type { S3Context } from '../../context.ts';
import { type OperatorDecrypt, type S3Damage, verifyObject, verifyPart, verifyVersion } from '../verify.ts';
import { allObjects, allParts, allVersions } from '../walk.ts';
import type { ScrubPosition, ScrubPositions } from './scrub-position.ts';
import { Throttle, throttledBlobs } from './throttle.ts';

/** A reading begins this long after the one before it began, at the earliest. */
const PERIOD_MS = 24 * 3_600_000;
const REMEMBER_MS = 10_000;
const RETRY_MS = 60_000;
/** What a record counts for, beside its content. */
const RECORD_BYTES = 4096;

export interface ScrubStatus {
  /** Since the process began. */
  readonly checked: number;
  readonly bytes: number;
  readonly damaged: number;
  /** Milliseconds since the epoch: when a reading of everything last came to its end; 0 for not yet. */
  readonly finishedAt: number;
}

/**
 * Reads everything that S3 keeps again and again, at a bounded rate, and tells what is damaged: before somebody needs it.
 * It opens data keys on the operator's authority, who has turned it on.
 */
export class Scrubber {
  readonly #s3: S3Context;
  readonly #decrypt: OperatorDecrypt;
  readonly #positions: ScrubPositions;
  readonly #events: EventSink;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #bytesPerSecond: number;
  readonly #stopping = new AbortController();
  #status: ScrubStatus = { checked: 0, bytes: 0, damaged: 0, finishedAt: 0 };
  #work: Promise<void> | undefined;
  #rememberedAt = 0;

  constructor(parts: {
    readonly s3: S3Context;
    readonly decrypt: OperatorDecrypt;
    readonly positions: ScrubPositions;
    readonly events: EventSink;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly bytesPerSecond: number;
  }) {
    this.#s3 = parts.s3;
    this.#decrypt = parts.decrypt;
    this.#positions = parts.positions;
    this.#events = parts.events;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#bytesPerSecond = parts.bytesPerSecond;
  }

  get status(): ScrubStatus {
    return this.#status;
  }

  start(): void {
    this.#work ??= this.#run();
  }

  /** Ends at once; what was not remembered is read again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#work;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#read();
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.error({ err: error }, 'reading everything again failed; it goes on in a minute');
        await pause(RETRY_MS, signal);
      }
    }
  }

  /** Goes on with a reading, or waits for the time of the next one. */
  async #read(): Promise<void> {
    const { signal } = this.#stopping;
    let position = await this.#remembered();
    const now = this.#clock.now();
    if (position?.phase === 'done') {
      const wait = position.startedAt + PERIOD_MS - now;
      if (wait > 0) return await pause(Math.min(wait, RETRY_MS), signal);
      position = undefined;
    }
    position ??= { startedAt: now, phase: 'objects', bucket: '', key: '', rank: 0, checked: 0, damaged: 0 };
    const throttle = new Throttle(this.#bytesPerSecond, signal);
    const s3: S3Context = { ...this.#s3, blobs: throttledBlobs(this.#s3.blobs, throttle) };
    const inUse = new Set<string>();
    const pass = async (found: S3Damage | undefined, place: Place, phase: ScrubPosition['phase']): Promise<void> => {
      inUse.clear();
      await throttle.take(RECORD_BYTES);
      const { checked, damaged, startedAt } = position as ScrubPosition;
      const { bucket, key, rank = 0, size = 0 } = place;
      const isDamaged = found === undefined ? 0 : 1;
      position = { startedAt, phase, bucket, key, rank, checked: checked + 1, damaged: damaged + isDamaged };
      const { status } = this;
      this.#status = {
        ...status,
        checked: status.checked + 1,
        bytes: status.bytes + size,
        damaged: status.damaged + isDamaged,
      };
      if (found !== undefined) await this.#report(found, bucket, key);
      if (performance.now() - this.#rememberedAt > REMEMBER_MS) await this.#remember(position);
    };
    if (position.phase === 'objects') {
      for await (const row of allObjects(s3.store, undefined, position)) {
        await pass(await verifyObject(s3, this.#decrypt, row, inUse), row, 'objects');
      }
      position = { ...position, phase: 'versions', bucket: '', key: '', rank: 0 };
    }
    if (position.phase === 'versions') {
      for await (const row of allVersions(s3.store, undefined, position)) {
        await pass(await verifyVersion(s3, this.#decrypt, row, inUse), row, 'versions');
      }
    }
    // Uploads that are not complete are few, and are read from the beginning.
    for await (const { upload, part } of allParts(s3.store)) {
      await pass(await verifyPart(s3, this.#decrypt, upload, part, inUse), upload, 'parts');
    }
    position = { ...position, phase: 'done' };
    await this.#remember(position);
    this.#status = { ...this.#status, finishedAt: this.#clock.now() };
    const { checked, damaged } = position;
    this.#logger.info({ checked, damaged }, 'everything in S3 was read again');
  }

  /** One that cannot be believed is none: everything is read from the beginning. */
  async #remembered(): Promise<ScrubPosition | undefined> {
    try {
      return await this.#positions.read();
    } catch (error) {
      this.#logger.error({ err: error }, 'it cannot be told how far S3 was read; the reading begins anew');
      return undefined;
    }
  }

  async #remember(position: ScrubPosition): Promise<void> {
    await this.#positions.write(position);
    this.#rememberedAt = performance.now();
  }

  async #report({ what, damage }: S3Damage, bucket: string, key: string): Promise<void> {
    this.#logger.error({ what, damage }, 'damage was found in S3');
    const row = await this.#s3.store.findBucket(bucket);
    if (row === undefined) return;
    this.#events.put({
      source: 'coffer.s3',
      'detail-type': 'Object Damage',
      account: row.account,
      region: row.region,
      resources: [objectArn(bucket, key)],
      detail: { bucket, key, what, damage },
    });
  }
}

interface Place {
  readonly bucket: string;
  readonly key: string;
  readonly rank?: number;
  readonly size?: number;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => {});
}
