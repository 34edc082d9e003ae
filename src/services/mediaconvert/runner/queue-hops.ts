import { openRequest } from '../domain/job-request.ts';
import { CANNOT_HOP, warningsOf } from '../domain/job-warnings.ts';
import { DEFAULT_QUEUE } from '../domain/names.ts';
import { queueDocument } from '../domain/queue.ts';
import type { Hop, JobRecord } from '../store.ts';
import { JobEvents } from './job-events.ts';
import type { RunnerFacts } from './runner-facts.ts';

/** Moves jobs that have waited too long to the queues that they name. */
export class QueueHops {
  readonly #facts: RunnerFacts;
  readonly #events: JobEvents;

  constructor(facts: RunnerFacts) {
    this.#facts = facts;
    this.#events = new JobEvents(facts.events, facts.clock);
  }

  /**
   * Makes every hop that is due. Jobs do not leave a queue that is paused; into one they go.
   *
   * @returns whether any was made
   */
  async makeDue(): Promise<boolean> {
    const { store, clock, rootKey } = this.#facts;
    let isAnyMade = false;
    for (const job of await store.schedule.listDueHops(clock.now())) {
      const [hop] = JSON.parse(job.hops) as readonly Hop[];
      if (hop === undefined) continue;
      const from = await store.resources.find(job, 'queue', job.current_queue);
      if (queueDocument(rootKey, from).isPaused) continue;
      if (hop.queue !== job.current_queue && (await this.#make(job, hop))) isAnyMade = true;
      if (hop.queue === job.current_queue) await store.schedule.hop(job.id, false, clock.now());
    }
    return isAnyMade;
  }

  async #make(job: JobRecord, hop: Hop): Promise<boolean> {
    const { store, clock, rootKey } = this.#facts;
    const isThere = hop.queue === DEFAULT_QUEUE || (await store.resources.find(job, 'queue', hop.queue)) !== undefined;
    const warning = {
      code: CANNOT_HOP,
      message: `The job cannot hop to the queue ${hop.queue}: it does not exist any more.`,
    };
    const warnings = isThere ? undefined : JSON.stringify([...warningsOf(job), warning]);
    const moved = await store.schedule.hop(job.id, isThere, clock.now(), warnings);
    if (moved === undefined) return false;
    const { UserMetadata: userMetadata = {} } = openRequest(rootKey, moved);
    const told = { ...moved, userMetadata };
    if (!isThere) this.#events.newWarning(told, warning);
    else this.#events.queueHop(told, { queue: job.current_queue, priority: job.current_priority });
    return isThere;
  }
}
