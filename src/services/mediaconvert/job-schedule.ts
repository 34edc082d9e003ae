import type { JobStatus } from '@aws-sdk/client-mediaconvert';
import type { Records } from '#storage/records.ts';
import { isFromBefore, warningsOf } from './domain/job-warnings.ts';
import type { Hop, JobChange, JobRecord, JobScope, JobTransition, MediaconvertTables } from './store.ts';

/** A queue of an account in a region. */
export interface QueuePlace extends JobScope {
  readonly queue: string;
}

/** Jobs that wait, jobs that run, jobs that hop. */
export class JobSchedule {
  readonly #records: Records<MediaconvertTables>;

  constructor(records: Records<MediaconvertTables>) {
    this.#records = records;
  }

  /** How many jobs of a status are in each queue of an account; queues without one are absent. */
  async countByQueue(scope: JobScope, status: JobStatus): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#records.read
      .selectFrom('mediaconvert_job')
      .select((select) => ['current_queue', select.fn.countAll<number>().as('count')])
      .where('status', '=', status)
      .where('account', '=', scope.account)
      .where('region', '=', scope.region)
      .groupBy('current_queue')
      .execute();
    return new Map(rows.map((row) => [row.current_queue, Number(row.count)]));
  }

  /** The queues in which jobs wait. */
  async listWaiting(): Promise<QueuePlace[]> {
    const rows = await this.#records.read
      .selectFrom('mediaconvert_job')
      .select(['account', 'region', 'current_queue'])
      .distinct()
      .where('status', '=', 'SUBMITTED')
      .execute();
    return rows.map(({ account, region, current_queue }) => ({ account, region, queue: current_queue }));
  }

  /**
   * Takes the next job of a queue for a runner.
   *
   * @param place absent: the next one whose runner has died, of any queue
   * @returns `undefined` when there is none, or another was quicker
   */
  async claim(
    place: QueuePlace | undefined,
    owner: string,
    now: number,
    leaseUntil: number,
  ): Promise<JobRecord | undefined> {
    return this.#records.write(async (transaction) => {
      const jobs = transaction.selectFrom('mediaconvert_job').selectAll();
      const candidates =
        place === undefined
          ? jobs.where('status', '=', 'PROGRESSING').where('lease_until', '<', now)
          : jobs
              .where('status', '=', 'SUBMITTED')
              .where('account', '=', place.account)
              .where('region', '=', place.region)
              .where('current_queue', '=', place.queue);
      const job = await candidates
        .orderBy('current_priority', 'desc')
        .orderBy('created_at', 'asc')
        .orderBy('id', 'asc')
        .limit(1)
        .executeTakeFirst();
      if (job === undefined) return undefined;
      const claimed: JobChange = {
        status: 'PROGRESSING',
        phase: 'PROBING',
        percent: null,
        started_at: job.started_at ?? now,
        attempts: job.attempts + 1,
        // What an attempt before has warned of, this one may warn of again.
        warnings: JSON.stringify(warningsOf(job).filter(isFromBefore)),
        course: null,
        hop_at: null,
        lease_owner: owner,
        lease_until: leaseUntil,
      };
      await transaction.updateTable('mediaconvert_job').set(claimed).where('id', '=', job.id).execute();
      return { ...job, ...claimed };
    });
  }

  /** The jobs whose next hop is due, the oldest first. */
  async listDueHops(now: number): Promise<JobRecord[]> {
    return this.#records.read
      .selectFrom('mediaconvert_job')
      .selectAll()
      .where('status', '=', 'SUBMITTED')
      .where('hop_at', '<=', now)
      .orderBy('created_at', 'asc')
      .execute();
  }

  /**
   * Makes a job's next hop, or passes it over.
   *
   * @param warnings the job's from now on, in JSON; absent: as they are
   * @returns the job as it is now; `undefined` when it waits no longer
   */
  async hop(id: string, isMade: boolean, now: number, warnings?: string): Promise<JobRecord | undefined> {
    return this.#records.write(async (transaction) => {
      const job = await transaction
        .selectFrom('mediaconvert_job')
        .selectAll()
        .where('id', '=', id)
        .where('status', '=', 'SUBMITTED')
        .executeTakeFirst();
      if (job === undefined) return undefined;
      const [hop, ...rest] = JSON.parse(job.hops) as readonly Hop[];
      if (hop === undefined) return undefined;
      const transitions = JSON.parse(job.transitions) as readonly JobTransition[];
      const change: JobChange = {
        hops: JSON.stringify(rest),
        hop_at: hopTime(job.created_at, rest),
        ...(isMade && {
          current_queue: hop.queue,
          current_priority: hop.priority ?? job.current_priority,
          transitions: JSON.stringify([...transitions, { from: job.current_queue, to: hop.queue, at: now }]),
        }),
        ...(warnings !== undefined && { warnings }),
      };
      await transaction.updateTable('mediaconvert_job').set(change).where('id', '=', id).execute();
      return { ...job, ...change };
    });
  }
}

/** When the first of these hops is due; null without any. */
export function hopTime(submittedAt: number, hops: readonly Hop[]): number | null {
  const [first] = hops;
  return first === undefined ? null : submittedAt + first.afterMinutes * 60_000;
}
