import type { JobPhase, JobStatus } from '@aws-sdk/client-mediaconvert';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { Records } from '#storage/records.ts';
import { JobSchedule } from './job-schedule.ts';
import { type ResourceRecord, ResourceStore } from './resource-store.ts';

/** Times are milliseconds since the epoch. */
export interface JobRecord {
  readonly id: string;
  readonly account: AccountId;
  readonly region: Region;
  readonly status: JobStatus;
  readonly phase: JobPhase | null;
  readonly percent: number | null;
  /** As the job was submitted with it. */
  readonly priority: number;
  /** The name of the queue of submission. */
  readonly queue: string;
  /** The name of the queue in which the job is now, and its priority there. */
  readonly current_queue: string;
  readonly current_priority: number;
  /** When the next of `hops` is due; null where there is none. */
  readonly hop_at: number | null;
  /** `Hop[]` in JSON: what is still before the job. */
  readonly hops: string;
  /** `JobTransition[]` in JSON. */
  readonly transitions: string;
  readonly role: string;
  /** The request, sealed under the root key: settings may hold keys. */
  readonly request: Uint8Array;
  readonly client_token: string | null;
  /** The tags in JSON; authorisation reads them. */
  readonly tags: string;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly error_code: number | null;
  readonly error_message: string | null;
  /** `WrittenGroup[]` in JSON, once complete. */
  readonly output_details: string | null;
  /** `{code, message}[]` in JSON. */
  readonly warnings: string;
  readonly attempts: number;
  /** `JobCourse` in JSON, for whoever looks into it; null before a worker has it. */
  readonly course: string | null;
  /** With whom the job was shared, sealed under the root key; null: with nobody. */
  readonly shares: Uint8Array | null;
  /** Which runner works on the job, and until when it may be trusted to. */
  readonly lease_owner: string | null;
  readonly lease_until: number | null;
}

/** How the last attempt at a job went. */
export interface JobCourse {
  /** In the order in which they began; milliseconds since the epoch. */
  readonly phases: readonly { readonly phase: string; readonly at: number }[];
  /** The most bytes of memory that the job's worker was seen with. */
  readonly peakMemoryBytes?: number;
}

/** A move to another queue after a while of waiting. */
export interface Hop {
  /** Minutes since the submission. */
  readonly afterMinutes: number;
  /** A name. */
  readonly queue: string;
  /** Absent: unchanged. */
  readonly priority?: number;
}

/** A hop that was made; queues by their names. */
export interface JobTransition {
  readonly from: string;
  readonly to: string;
  readonly at: number;
}

export interface MediaconvertTables {
  readonly mediaconvert_job: JobRecord;
  readonly mediaconvert_resource: ResourceRecord;
}

export type JobChange = Partial<Omit<JobRecord, 'id' | 'account' | 'region'>>;

export interface JobScope {
  readonly account: AccountId;
  readonly region: Region;
}

export interface JobFilter {
  readonly status?: JobStatus;
  readonly queue?: string;
  readonly isAscending: boolean;
  /** Milliseconds since the epoch: the earliest submission. */
  readonly since?: number;
  /** The last job of the page before. */
  readonly after?: { readonly createdAt: number; readonly id: string };
  readonly limit: number;
}

const FINISHED: readonly JobStatus[] = ['COMPLETE', 'ERROR', 'CANCELED'];

export function isFinished(status: JobStatus): boolean {
  return FINISHED.includes(status);
}

/** SDKs send one token for every attempt of a call: for a minute the same token means the same job. */
const TOKEN_LIFETIME_MS = 60_000;

/** The jobs, as records. */
export class MediaconvertStore {
  /** Queues, templates, presets and what else has a name. */
  readonly resources: ResourceStore;
  /** Which job is next. */
  readonly schedule: JobSchedule;
  readonly #records: Records<MediaconvertTables>;

  constructor(records: Records<MediaconvertTables>) {
    this.#records = records;
    this.resources = new ResourceStore(records);
    this.schedule = new JobSchedule(records);
  }

  /**
   * Keeps a new job, unless one with the same token was just made: then that one is the answer.
   *
   * @param mustHaveQueue refuses the job when its queue has no record any more
   * @returns `undefined` when it was refused
   */
  async create(job: JobRecord, mustHaveQueue: boolean): Promise<JobRecord | undefined> {
    return this.#records.write(async (transaction) => {
      if (mustHaveQueue) {
        const queue = await transaction
          .selectFrom('mediaconvert_resource')
          .selectAll()
          .where('account', '=', job.account)
          .where('region', '=', job.region)
          .where('kind', '=', 'queue')
          .where('name', '=', job.queue)
          .executeTakeFirst();
        if (queue === undefined) return undefined;
      }
      if (job.client_token !== null) {
        const same = await transaction
          .selectFrom('mediaconvert_job')
          .selectAll()
          .where('account', '=', job.account)
          .where('region', '=', job.region)
          .where('client_token', '=', job.client_token)
          .where('created_at', '>', job.created_at - TOKEN_LIFETIME_MS)
          .executeTakeFirst();
        if (same !== undefined) return same;
      }
      await transaction.insertInto('mediaconvert_job').values(job).execute();
      return job;
    });
  }

  async find(scope: JobScope, id: string): Promise<JobRecord | undefined> {
    return this.#records.read
      .selectFrom('mediaconvert_job')
      .selectAll()
      .where('id', '=', id)
      .where('account', '=', scope.account)
      .where('region', '=', scope.region)
      .executeTakeFirst();
  }

  async list(scope: JobScope, filter: JobFilter): Promise<JobRecord[]> {
    const direction = filter.isAscending ? 'asc' : 'desc';
    const sign = filter.isAscending ? '>' : '<';
    const { after, status, queue, since } = filter;
    let query = this.#records.read
      .selectFrom('mediaconvert_job')
      .selectAll()
      .where('account', '=', scope.account)
      .where('region', '=', scope.region);
    if (status !== undefined) query = query.where('status', '=', status);
    if (queue !== undefined) query = query.where('queue', '=', queue);
    if (since !== undefined) query = query.where('created_at', '>=', since);
    if (after !== undefined) {
      query = query.where((where) =>
        where.or([
          where('created_at', sign, after.createdAt),
          where.and([where('created_at', '=', after.createdAt), where('id', sign, after.id)]),
        ]),
      );
    }
    return query.orderBy('created_at', direction).orderBy('id', direction).limit(filter.limit).execute();
  }

  /** Cancels a job that is not finished; returns it as it was before, or `undefined` where there is none. */
  async cancel(scope: JobScope, id: string, now: number): Promise<JobRecord | undefined> {
    return this.#records.write(async (transaction) => {
      const job = await transaction
        .selectFrom('mediaconvert_job')
        .selectAll()
        .where('id', '=', id)
        .where('account', '=', scope.account)
        .where('region', '=', scope.region)
        .executeTakeFirst();
      if (job === undefined || isFinished(job.status)) return job;
      await transaction
        .updateTable('mediaconvert_job')
        .set({ status: 'CANCELED', phase: null, hop_at: null, finished_at: now, lease_owner: null, lease_until: null })
        .where('id', '=', id)
        .execute();
      return job;
    });
  }

  /** Changes what is not of the job's course: its tags. */
  async changeTags(
    scope: JobScope,
    id: string,
    change: (tags: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.#changeBeside(scope, id, (job) => ({
      tags: JSON.stringify(change(JSON.parse(job.tags) as Record<string, string>)),
    }));
  }

  /** Changes with whom a job is shared; false where there is no such job. */
  async changeShares(scope: JobScope, id: string, change: (job: JobRecord) => Uint8Array): Promise<boolean> {
    return this.#changeBeside(scope, id, (job) => ({ shares: change(job) }));
  }

  async #changeBeside(
    scope: JobScope,
    id: string,
    change: (job: JobRecord) => Pick<JobChange, 'tags' | 'shares'>,
  ): Promise<boolean> {
    return this.#records.write(async (transaction) => {
      const job = await transaction
        .selectFrom('mediaconvert_job')
        .selectAll()
        .where('id', '=', id)
        .where('account', '=', scope.account)
        .where('region', '=', scope.region)
        .executeTakeFirst();
      if (job === undefined) return false;
      await transaction.updateTable('mediaconvert_job').set(change(job)).where('id', '=', id).execute();
      return true;
    });
  }

  /** A job of any account, for the operator. */
  async findAnywhere(id: string): Promise<JobRecord | undefined> {
    return this.#records.read.selectFrom('mediaconvert_job').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** Removes jobs that were submitted before `time` and are over, and jobs queries that were started before theirs. */
  async prune(time: number, queriesBefore: number): Promise<void> {
    await this.#records.write(async (transaction) => {
      await transaction
        .deleteFrom('mediaconvert_job')
        .where('created_at', '<', time)
        .where('status', 'in', [...FINISHED])
        .execute();
    });
    await this.resources.pruneQueries(queriesBefore);
  }

  /**
   * Changes a job that a runner holds.
   *
   * @returns false when the runner does not hold it any more: it was cancelled, or another runner has it
   */
  async changeHeld(id: string, owner: string, change: JobChange): Promise<boolean> {
    return this.#records.write(async (transaction) => {
      const result = await transaction
        .updateTable('mediaconvert_job')
        .set(change)
        .where('id', '=', id)
        .where('status', '=', 'PROGRESSING')
        .where('lease_owner', '=', owner)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    });
  }

  /** Removes everything of an account. */
  async removeAccount(account: AccountId): Promise<void> {
    await this.#records.write(async (transaction) => {
      await transaction.deleteFrom('mediaconvert_job').where('account', '=', account).execute();
      await transaction.deleteFrom('mediaconvert_resource').where('account', '=', account).execute();
    });
  }

  /** Every job, for verification. */
  allJobs(): Promise<JobRecord[]> {
    return this.#records.readUnchecked.selectFrom('mediaconvert_job').selectAll().execute();
  }
}
