import { SpareWorker } from '#media/spare-worker.ts';
import { DEFAULT_QUEUE } from '../domain/names.ts';
import { queueDocument, slotsOf } from '../domain/queue.ts';
import type { QueuePlace } from '../job-schedule.ts';
import type { JobRecord } from '../store.ts';
import { JobExecution } from './job-execution.ts';
import { QueueHops } from './queue-hops.ts';
import type { RunnerFacts } from './runner-facts.ts';
import { LEASE_MS } from './runner-facts.ts';

/** How often a runner looks for jobs whose runner died, or that are to hop; new ones it hears of. */
const SWEEP_MS = 2000;
/** Queues of which it is remembered when they had their turn. */
const MAX_TURNS = 4096;

/**
 * Takes jobs from the queues and does them, some at a time: of each queue the highest priority first, the queues in
 * turn, and of each no more than it has slots. A job that waits too long moves to another queue. A job is held by a lease that its runner renews; when the runner dies, another takes the job from the start.
 */
export class JobRunner {
  readonly #facts: RunnerFacts;
  readonly #hops: QueueHops;
  readonly #spare = new SpareWorker();
  readonly #owner: string;
  readonly #running = new Map<string, { readonly execution: JobExecution; readonly done: Promise<void> }>();
  /** The queues in the order in which they had their last turn. */
  readonly #turns: string[] = [];
  #endpoint: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #filling: Promise<void> | undefined;
  #isWoken = false;

  constructor(facts: RunnerFacts) {
    this.#facts = facts;
    this.#hops = new QueueHops(facts);
    this.#owner = facts.randomness.uuid();
  }

  /** @param endpoint the platform's own address, through which workers read and write objects */
  start(endpoint: string): void {
    this.#endpoint = endpoint;
    this.#timer = setInterval(() => this.wake(), SWEEP_MS);
    this.#timer.unref();
    this.wake();
  }

  /** Ends all workers. Their jobs stay PROGRESSING and begin again at the next start. */
  async stop(): Promise<void> {
    this.#endpoint = undefined;
    clearInterval(this.#timer);
    await this.#filling;
    this.#spare.stop();
    await Promise.all([...this.#running.values()].map(({ execution, done }) => execution.abandon().then(() => done)));
  }

  /** Says that there may be work. */
  wake(): void {
    if (this.#endpoint === undefined) return;
    this.#isWoken = true;
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
      if (this.#isWoken) this.wake();
    });
  }

  /** Ends a job's worker if it is one of this runner's; others notice at their next report. */
  cancel(id: string): void {
    this.#running.get(id)?.execution.cancel();
  }

  async #fill(): Promise<void> {
    const { logger } = this.#facts;
    this.#isWoken = false;
    try {
      await this.#claimAll();
      // What could not begin now may go elsewhere, and begin there.
      if (await this.#hops.makeDue()) await this.#claimAll();
    } catch (error) {
      logger.error({ err: error }, 'Could not take a MediaConvert job');
    }
  }

  async #claimAll(): Promise<void> {
    const { store, clock, workers } = this.#facts;
    const claim = (place?: QueuePlace): Promise<JobRecord | undefined> => {
      const now = clock.now();
      return store.schedule.claim(place, this.#owner, now, now + LEASE_MS);
    };
    while (this.#running.size < workers && this.#endpoint !== undefined) {
      const interrupted = await claim();
      const place = interrupted === undefined ? await this.#next() : undefined;
      const job = interrupted ?? (place === undefined ? undefined : await claim(place));
      if (job !== undefined) this.#run(job, this.#endpoint);
      else if (place === undefined) return;
    }
    // All workers have a job: when one is done, the next waits for nothing.
    if (this.#endpoint !== undefined && (await this.#facts.store.schedule.listWaiting()).length > 0) {
      this.#spare.prepare();
    }
  }

  /** The queue with work and a free slot whose last turn is longest ago. */
  async #next(): Promise<QueuePlace | undefined> {
    const waiting = await this.#facts.store.schedule.listWaiting();
    const turn = (place: QueuePlace): number => this.#turns.indexOf(keyOf(place));
    for (const place of waiting.toSorted((a, b) => turn(a) - turn(b))) {
      if (!(await this.#hasSlot(place))) continue;
      const at = turn(place);
      if (at >= 0) this.#turns.splice(at, 1);
      this.#turns.push(keyOf(place));
      if (this.#turns.length > MAX_TURNS) this.#turns.shift();
      return place;
    }
    return undefined;
  }

  async #hasSlot(place: QueuePlace): Promise<boolean> {
    const { store, rootKey, clock } = this.#facts;
    const { queue } = place;
    const record = await store.resources.find(place, 'queue', queue);
    if (record === undefined && queue !== DEFAULT_QUEUE) return false;
    const slots = slotsOf(queueDocument(rootKey, record), clock.now());
    if (slots === Number.POSITIVE_INFINITY || slots === 0) return slots > 0;
    const running = await store.schedule.countByQueue(place, 'PROGRESSING');
    return (running.get(queue) ?? 0) < slots;
  }

  #run(job: JobRecord, endpoint: string): void {
    // Its lease ran out although it runs here: the machine has slept, or its clock was put forward.
    this.#running.get(job.id)?.execution.cancel();
    const execution = new JobExecution(this.#facts, job, this.#owner, endpoint, this.#spare);
    const done = execution.run().finally(() => {
      if (this.#running.get(job.id)?.execution === execution) this.#running.delete(job.id);
      // Where there was a job another may follow, which then need not wait for its process to load.
      if (this.#endpoint !== undefined) this.#spare.prepare();
      this.wake();
    });
    this.#running.set(job.id, { execution, done });
  }
}

function keyOf(place: QueuePlace): string {
  return `${place.account}/${place.region}/${place.queue}`;
}
