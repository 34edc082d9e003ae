import type { RootKey } from '#crypto/root-key.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { JobRunner } from './runner/job-runner.ts';
import type { RunnerFacts } from './runner/runner-facts.ts';
import type { MediaconvertStore } from './store.ts';

/** What every operation of MediaConvert works with. */
export interface MediaconvertContext {
  readonly store: MediaconvertStore;
  readonly rootKey: RootKey;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Does the jobs; the composition root starts and stops it. */
  readonly runner: JobRunner;
}

export function createMediaconvertContext(facts: RunnerFacts): MediaconvertContext {
  const { store, rootKey, clock, randomness } = facts;
  return { store, rootKey, clock, randomness, runner: new JobRunner(facts) };
}
