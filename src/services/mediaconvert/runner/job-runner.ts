import type { JobRecord, JobScope } from '../store.ts';
import { JobExecution } from './job-execution.ts';
import type { RunnerFacts } from './runner-facts.ts';
import { LEASE_MS } from './runner-facts.ts';

/** How often a runner looks for jobs whose runner died; new ones it hears of. */
const SWEEP_MS = 2000;

/**
 * Takes jobs from the queues and does them, some at a time: of each queue the highest priority first, the queues in
 * turn. A job is held by a lease that its runner renews; when the runner dies, another takes the job from the start.
 */
export class JobRunner {
  readonly #facts: RunnerFacts;
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
    const { store, clock, workers, logger } = this.#facts;
    this.#isWoken = false;
    try {
      while (this.#running.size < workers && this.#endpoint !== undefined) {
        const queue = this.#next(await store.listWaiting(clock.now()));
        if (queue === undefined) return;
        const now = clock.now();
        const job = await store.claim(queue, this.#owner, now, now + LEASE_MS);
        if (job !== undefined) this.#run(job, this.#endpoint);
      }
    } catch (error) {
      logger.error({ err: error }, 'Could not take a MediaConvert job');
    }
  }

  /** The queue whose last turn is longest ago. */
  #next(waiting: readonly JobScope[]): JobScope | undefined {
    const turn = (scope: JobScope): number => this.#turns.indexOf(nameOf(scope));
    const [next] = [...waiting].sort((a, b) => turn(a) - turn(b));
    if (next === undefined) return undefined;
    const at = turn(next);
    if (at >= 0) this.#turns.splice(at, 1);
    this.#turns.push(nameOf(next));
    return next;
  }

  #run(job: JobRecord, endpoint: string): void {
    const execution = new JobExecution(this.#facts, job, this.#owner, endpoint);
    const done = execution.run().finally(() => {
      this.#running.delete(job.id);
      this.wake();
    });
    this.#running.set(job.id, { execution, done });
  }
}

function nameOf(scope: JobScope): string {
  return `${scope.account}/${scope.region}`;
}
