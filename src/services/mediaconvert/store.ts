import type { JobPhase, JobStatus } from '@aws-sdk/client-mediaconvert';
import { type ExpressionBuilder, sql } from 'kysely';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { Migration, Records } from '#storage/records.ts';

/** Times are milliseconds since the epoch. */
export interface JobRecord {
  readonly id: string;
  readonly account: AccountId;
  readonly region: Region;
  readonly status: JobStatus;
  readonly phase: JobPhase | null;
  readonly percent: number | null;
  readonly priority: number;
  /** The name of the queue of submission. */
  readonly queue: string;
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
  /** `OutputGroupDetail[]` in JSON, once complete. */
  readonly output_details: string | null;
  /** `{code, message}[]` in JSON. */
  readonly warnings: string;
  readonly attempts: number;
  /** Which runner works on the job, and until when it may be trusted to. */
  readonly lease_owner: string | null;
  readonly lease_until: number | null;
}

export interface MediaconvertTables {
  readonly mediaconvert_job: JobRecord;
}

export const mediaconvertMigrations: readonly Migration[] = [
  {
    name: 'mediaconvert-0001-jobs',
    sealedTables: ['mediaconvert_job'],
    async up(transaction) {
      await sql`CREATE TABLE mediaconvert_job (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        status TEXT NOT NULL,
        phase TEXT,
        percent INTEGER,
        priority INTEGER NOT NULL,
        queue TEXT NOT NULL,
        role TEXT NOT NULL,
        request BLOB NOT NULL,
        client_token TEXT,
        tags TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        started_at BIGINT,
        finished_at BIGINT,
        error_code INTEGER,
        error_message TEXT,
        output_details TEXT,
        warnings TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        lease_owner TEXT,
        lease_until BIGINT,
        mac BLOB NOT NULL
      )`.execute(transaction);
      await sql`CREATE INDEX mediaconvert_job_list ON mediaconvert_job (account, region, created_at, id)`.execute(
        transaction,
      );
      await sql`CREATE INDEX mediaconvert_job_work ON mediaconvert_job (status, priority, created_at)`.execute(
        transaction,
      );
    },
  },
];

export type JobChange = Partial<Omit<JobRecord, 'id' | 'account' | 'region'>>;

export interface JobScope {
  readonly account: AccountId;
  readonly region: Region;
}

export interface JobFilter {
  readonly status?: JobStatus;
  readonly queue?: string;
  readonly isAscending: boolean;
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
  readonly #records: Records<MediaconvertTables>;

  constructor(records: Records<MediaconvertTables>) {
    this.#records = records;
  }

  /** Keeps a new job, unless one with the same token was just made: then that one is the answer. */
  async create(job: JobRecord): Promise<JobRecord> {
    return this.#records.write(async (transaction) => {
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
    const { after, status, queue } = filter;
    let query = this.#records.read
      .selectFrom('mediaconvert_job')
      .selectAll()
      .where('account', '=', scope.account)
      .where('region', '=', scope.region);
    if (status !== undefined) query = query.where('status', '=', status);
    if (queue !== undefined) query = query.where('queue', '=', queue);
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

  async countByStatus(scope: JobScope, status: JobStatus): Promise<number> {
    const row = await this.#records.read
      .selectFrom('mediaconvert_job')
      .select((select) => select.fn.countAll<number>().as('count'))
      .where('account', '=', scope.account)
      .where('region', '=', scope.region)
      .where('status', '=', status)
      .executeTakeFirst();
    return Number(row?.count ?? 0);
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
        .set({ status: 'CANCELED', phase: null, finished_at: now, lease_owner: null, lease_until: null })
        .where('id', '=', id)
        .execute();
      return job;
    });
  }

  /** The queues (an account's in a region) in which work waits. */
  async listWaiting(now: number): Promise<JobScope[]> {
    return this.#records.read
      .selectFrom('mediaconvert_job')
      .select(['account', 'region'])
      .distinct()
      .where((where) => isClaimable(where, now))
      .execute();
  }

  /** Takes the next job of a queue for a runner; `undefined` when another was quicker. */
  async claim(scope: JobScope, owner: string, now: number, leaseUntil: number): Promise<JobRecord | undefined> {
    return this.#records.write(async (transaction) => {
      const job = await transaction
        .selectFrom('mediaconvert_job')
        .selectAll()
        .where('account', '=', scope.account)
        .where('region', '=', scope.region)
        .where((where) => isClaimable(where, now))
        .orderBy('priority', 'desc')
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
        warnings: '[]',
        lease_owner: owner,
        lease_until: leaseUntil,
      };
      await transaction.updateTable('mediaconvert_job').set(claimed).where('id', '=', job.id).execute();
      return { ...job, ...claimed };
    });
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
    });
  }

  /** Every job, for verification. */
  allJobs(): Promise<JobRecord[]> {
    return this.#records.readUnchecked.selectFrom('mediaconvert_job').selectAll().execute();
  }
}

/** Jobs that were submitted, and those whose runner has died. */
function isClaimable(where: ExpressionBuilder<MediaconvertTables, 'mediaconvert_job'>, now: number) {
  return where.or([
    where('status', '=', 'SUBMITTED'),
    where.and([where('status', '=', 'PROGRESSING'), where('lease_until', '<', now)]),
  ]);
}
