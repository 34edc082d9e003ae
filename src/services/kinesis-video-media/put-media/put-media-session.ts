import type { Readable } from 'node:stream';
import type { Authority } from '#kernel/door.ts';
import type { Logger } from '#kernel/logger.ts';
import type { ClusterStartEvent, FragmentEvent, MatroskaEvent } from '#media/matroska/matroska-events.ts';
import { MatroskaParser } from '#media/matroska/matroska-parser.ts';
import type { ArchivedStream, Ingest } from '#services/kinesis-video/api.ts';
import { type AcknowledgedFragment, Acknowledgements } from './acknowledgements.ts';
import { BodyReader } from './body-reader.ts';
import {
  INVALID_PRODUCER_TIMESTAMP,
  MAX_CONNECTION_DURATION_REACHED,
  PutMediaError,
  putMediaErrorOf,
  STREAM_NOT_ACTIVE,
  STREAM_READ_ERROR,
} from './put-media-failure.ts';
import type { PutMediaLimits } from './put-media-limits.ts';

/** The last millisecond of the year 9999. */
const LAST_TIMESTAMP = 253_402_300_799_999;

/** One connection of PutMedia. */
export interface PutMediaFacts {
  readonly body: Readable;
  readonly ingest: Ingest;
  /** The producer's, through `kinesisvideo`. */
  readonly authority: Authority;
  /** Finds the stream as it is now. @throws ServiceError ResourceNotFoundException */
  readonly findStream: () => Promise<ArchivedStream>;
  /** What is added to timecodes: milliseconds since the epoch, 0 where they are absolute. */
  readonly startMs: number;
  readonly limits: PutMediaLimits;
  readonly logger: Logger;
  /** Aborted when the producer is gone, or the server ends. */
  readonly signal: AbortSignal;
}

interface CurrentFragment extends AcknowledgedFragment {
  readonly serverTimestamp: number;
  readonly producerTimestamp: number;
}

/**
 * Takes a producer's media and acknowledges it: BUFFERING when a fragment begins, RECEIVED when it is whole, PERSISTED
 * when it is durable. Reading goes on while earlier fragments are being stored, up to a bound.
 */
export class PutMediaSession {
  readonly acknowledgements: Acknowledgements;
  readonly #facts: PutMediaFacts;
  readonly #reader: BodyReader;
  readonly #parser = new MatroskaParser();
  /** Ends the reading: the producer is gone, the stream deleted, a fragment could not be stored. */
  readonly #signal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #writes = new Set<Promise<void>>();
  readonly #done: Promise<void>;
  #header: Buffer | undefined;
  #isOpen = false;
  #current: CurrentFragment | undefined;
  #inFlightBytes = 0;
  /** Of a fragment that could not be stored; the first one counts. */
  #failure: PutMediaError | undefined;

  constructor(facts: PutMediaFacts) {
    this.#facts = facts;
    this.#reader = new BodyReader(facts.body);
    this.#signal = AbortSignal.any([facts.signal, facts.ingest.signal, this.#stop.signal]);
    this.acknowledgements = new Acknowledgements(() => {
      this.#stop.abort();
      return this.#done;
    });
    this.#done = this.#run();
  }

  async #run(): Promise<void> {
    const { ingest, logger } = this.#facts;
    const acknowledgements = this.acknowledgements;
    let failure: PutMediaError | undefined;
    try {
      await this.#takeAll();
    } catch (error) {
      failure = putMediaErrorOf(error, this.#current ?? {}, logger);
    }
    // What came before the failure is acknowledged before it.
    await Promise.all(this.#writes);
    failure = this.#failure ?? failure;
    if (failure !== undefined) acknowledgements.error(failure.failure, failure.fragment);
    await ingest.close();
    acknowledgements.end();
  }

  async #takeAll(): Promise<void> {
    const { limits, ingest, signal } = this.#facts;
    const parser = this.#parser;
    const end = performance.now() + limits.connectionMs;
    let heard = performance.now();
    let nextIdle = heard + limits.idleAckMs;
    for (;;) {
      const quiet = parser.hasWholeCluster ? heard + limits.quietMs : Number.POSITIVE_INFINITY;
      const idleEnd = heard + limits.idleMs;
      const wait = Math.min(end, idleEnd, nextIdle, quiet) - performance.now();
      const event = await this.#reader.next(Math.max(0, wait), this.#signal);
      if (event === 'end') return await this.#takeEvents(parser.end());
      if (event === 'broken' || event === 'aborted') {
        if (ingest.signal.aborted) throw new PutMediaError(STREAM_NOT_ACTIVE, this.#current);
        if (this.#failure !== undefined) return;
        await this.#takeEvents(parser.abort());
        if (event === 'broken' && !signal.aborted) throw new PutMediaError(STREAM_READ_ERROR, this.#current);
        return;
      }
      if (event !== 'timeout') {
        await this.#takeEvents(parser.push(event));
        await this.#waitForRoom();
        // What the producer had to wait for is not its own silence.
        heard = performance.now();
        nextIdle = heard + limits.idleAckMs;
      }
      const now = performance.now();
      if (now >= end) throw new PutMediaError(MAX_CONNECTION_DURATION_REACHED, this.#current);
      if (event !== 'timeout') continue;
      if (now >= idleEnd) return await this.#takeEvents(parser.abort());
      if (now >= quiet) await this.#takeEvents(parser.closeFragment());
      if (now >= nextIdle) {
        this.acknowledgements.idle();
        nextIdle = now + limits.idleAckMs;
      }
    }
  }

  async #takeEvents(events: readonly MatroskaEvent[]): Promise<void> {
    for (const event of events) {
      switch (event.type) {
        case 'header':
          this.#header = event.bytes;
          break;
        case 'cluster-start':
          await this.#begin(event);
          break;
        case 'fragment':
          await this.#finish(event);
          break;
        case 'error':
          throw event.error;
      }
    }
  }

  async #begin({ timecodeMs }: ClusterStartEvent): Promise<void> {
    const { ingest, authority, startMs } = this.#facts;
    const producerTimestamp = startMs + timecodeMs;
    if (!(producerTimestamp >= 0 && producerTimestamp <= LAST_TIMESTAMP)) {
      throw new PutMediaError(INVALID_PRODUCER_TIMESTAMP, { timecodeMs });
    }
    if (!this.#isOpen) {
      try {
        await ingest.open(authority, this.#header ?? Buffer.alloc(0));
      } catch (error) {
        throw putMediaErrorOf(error, { timecodeMs }, this.#facts.logger);
      }
      this.#isOpen = true;
    }
    const { number, serverTimestamp } = ingest.begin();
    this.#current = { timecodeMs, number, serverTimestamp, producerTimestamp };
    this.acknowledgements.fragment('BUFFERING', this.#current);
  }

  async #finish(event: FragmentEvent): Promise<void> {
    const { cluster, clusterBytes, tags, tagBytes, durationMs, startsWithKeyframe } = event;
    const { ingest, findStream, logger } = this.#facts;
    const fragment = this.#current;
    if (fragment === undefined) throw new Error('A fragment ended that had not begun.');
    this.#current = undefined;
    this.acknowledgements.fragment('RECEIVED', fragment);
    // The stream's retention may have changed since the last fragment.
    const isKept = (await findStream()).retentionHours > 0;
    const { number, serverTimestamp, producerTimestamp } = fragment;
    const bytes = clusterBytes + tagBytes;
    this.#inFlightBytes += bytes;
    const lengthMs = Math.round(durationMs);
    const write = ingest
      .write({ number, serverTimestamp, producerTimestamp, lengthMs, cluster, tags, startsWithKeyframe, isKept })
      .then(() => {
        if (isKept && this.#failure === undefined) this.acknowledgements.fragment('PERSISTED', fragment);
      })
      .catch((error: unknown) => {
        if (this.#failure !== undefined) return;
        this.#failure = ingest.signal.aborted
          ? new PutMediaError(STREAM_NOT_ACTIVE, fragment)
          : putMediaErrorOf(error, fragment, logger);
        this.#stop.abort();
      })
      .finally(() => {
        this.#inFlightBytes -= bytes;
        this.#writes.delete(write);
      });
    this.#writes.add(write);
    await this.#waitForRoom();
  }

  async #waitForRoom(): Promise<void> {
    while (this.#inFlightBytes > this.#facts.limits.inFlightBytes) await Promise.race(this.#writes);
    await this.acknowledgements.room;
  }
}
