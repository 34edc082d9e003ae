import type { RootKey } from '#crypto/root-key.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { Library } from './domain/library.ts';
import { JobEvents } from './runner/job-events.ts';
import { JobRunner } from './runner/job-runner.ts';
import type { RunnerFacts } from './runner/runner-facts.ts';
import type { MediaconvertStore } from './store.ts';

/** What every operation of MediaConvert works with. */
export interface MediaconvertContext {
  readonly store: MediaconvertStore;
  readonly rootKey: RootKey;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Jobs at the same time. */
  readonly workers: number;
  readonly library: Library;
  readonly events: JobEvents;
  /** Does the jobs; the composition root starts and stops it. */
  readonly runner: JobRunner;
}

export function createMediaconvertContext(facts: RunnerFacts): MediaconvertContext {
  const { store, rootKey, clock, randomness, workers } = facts;
  return {
    store,
    rootKey,
    clock,
    randomness,
    workers,
    library: new Library(store.resources, rootKey),
    events: new JobEvents(facts.events, clock),
    runner: new JobRunner(facts),
  };
}
