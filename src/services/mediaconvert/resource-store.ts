import type { AccountId, Region } from '#kernel/ids.ts';
import type { Records } from '#storage/records.ts';
import type { JobScope, MediaconvertTables } from './store.ts';

/** What an account has of things with names. */
export type ResourceKind = 'queue' | 'template' | 'preset' | 'policy' | 'certificate' | 'query';

/** Times are milliseconds since the epoch. */
export interface ResourceRecord {
  readonly account: AccountId;
  readonly region: Region;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly category: string | null;
  /** The tags in JSON; authorisation reads them. */
  readonly tags: string;
  /** What it says, sealed under the root key: templates and presets may hold keys. */
  readonly document: Uint8Array;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface ResourceSelection {
  readonly by: 'name' | 'created_at';
  readonly isAscending: boolean;
  readonly category?: string;
  /** The last one of the page before. */
  readonly after?: { readonly createdAt: number; readonly name: string };
  readonly limit: number;
}

/** What may be changed of a record. */
export type ResourceChange = Partial<Pick<ResourceRecord, 'category' | 'tags' | 'document' | 'updated_at'>>;

/** Queues, templates, presets and what else an account has by name, as records. */
export class ResourceStore {
  readonly #records: Records<MediaconvertTables>;

  constructor(records: Records<MediaconvertTables>) {
    this.#records = records;
  }

  async find(scope: JobScope, kind: ResourceKind, name: string): Promise<ResourceRecord | undefined> {
    return this.#records.read
      .selectFrom('mediaconvert_resource')
      .selectAll()
      .where('account', '=', scope.account)
      .where('region', '=', scope.region)
      .where('kind', '=', kind)
      .where('name', '=', name)
      .executeTakeFirst();
  }

  /** All of a kind. */
  async all(scope: JobScope, kind: ResourceKind): Promise<ResourceRecord[]> {
    return this.#records.read
      .selectFrom('mediaconvert_resource')
      .selectAll()
      .where('account', '=', scope.account)
      .where('region', '=', scope.region)
      .where('kind', '=', kind)
      .execute();
  }

  async list(scope: JobScope, kind: ResourceKind, selection: ResourceSelection): Promise<ResourceRecord[]> {
    const { by, isAscending, category, after, limit } = selection;
    const sign = isAscending ? '>' : '<';
    const direction = isAscending ? 'asc' : 'desc';
    let query = this.#records.read
      .selectFrom('mediaconvert_resource')
      .selectAll()
      .where('account', '=', scope.account)
      .where('region', '=', scope.region)
      .where('kind', '=', kind);
    if (category !== undefined) query = query.where('category', '=', category);
    if (after !== undefined && by === 'name') query = query.where('name', sign, after.name);
    if (after !== undefined && by === 'created_at') {
      query = query.where((where) =>
        where.or([
          where('created_at', sign, after.createdAt),
          where.and([where('created_at', '=', after.createdAt), where('name', sign, after.name)]),
        ]),
      );
    }
    if (by === 'created_at') query = query.orderBy('created_at', direction);
    return query.orderBy('name', direction).limit(limit).execute();
  }

  /**
   * Keeps a new one.
   *
   * @param most how many of the kind an account may have in a region
   * @returns what stood in the way, or `undefined` when it was kept
   */
  async add(record: ResourceRecord, most: number): Promise<'exists' | 'full' | undefined> {
    return this.#records.write(async (transaction) => {
      const others = await transaction
        .selectFrom('mediaconvert_resource')
        .select('name')
        .where('account', '=', record.account)
        .where('region', '=', record.region)
        .where('kind', '=', record.kind)
        .execute();
      if (others.some(({ name }) => name === record.name)) return 'exists';
      if (others.length >= most) return 'full';
      await transaction.insertInto('mediaconvert_resource').values(record).execute();
      return undefined;
    });
  }

  /**
   * Changes one, or makes it with `missing`.
   *
   * @param change throws to leave it as it is
   * @returns as it is now; `undefined` where there is none
   */
  async change(
    place: Pick<ResourceRecord, 'account' | 'region' | 'kind' | 'name'>,
    change: (record: ResourceRecord) => ResourceChange,
    missing?: ResourceRecord,
  ): Promise<ResourceRecord | undefined> {
    return this.#records.write(async (transaction) => {
      const found = await transaction
        .selectFrom('mediaconvert_resource')
        .selectAll()
        .where('account', '=', place.account)
        .where('region', '=', place.region)
        .where('kind', '=', place.kind)
        .where('name', '=', place.name)
        .executeTakeFirst();
      const before = found ?? missing;
      if (before === undefined) return undefined;
      const changes = change(before);
      const record = { ...before, ...changes };
      if (found === undefined) {
        await transaction.insertInto('mediaconvert_resource').values(record).execute();
        return record;
      }
      await transaction
        .updateTable('mediaconvert_resource')
        .set(changes)
        .where('account', '=', place.account)
        .where('region', '=', place.region)
        .where('kind', '=', place.kind)
        .where('name', '=', place.name)
        .execute();
      return record;
    });
  }

  /** @returns false where there was none */
  async remove(scope: JobScope, kind: ResourceKind, name: string): Promise<boolean> {
    return this.#records.write(async (transaction) => {
      const result = await transaction
        .deleteFrom('mediaconvert_resource')
        .where('account', '=', scope.account)
        .where('region', '=', scope.region)
        .where('kind', '=', kind)
        .where('name', '=', name)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    });
  }

  /** Removes a queue in which no job waits or runs. */
  async removeQueue(scope: JobScope, name: string): Promise<'absent' | 'busy' | 'removed'> {
    return this.#records.write(async (transaction) => {
      const job = await transaction
        .selectFrom('mediaconvert_job')
        .selectAll()
        .where('status', 'in', ['SUBMITTED', 'PROGRESSING'])
        .where('account', '=', scope.account)
        .where('region', '=', scope.region)
        .where('current_queue', '=', name)
        .limit(1)
        .executeTakeFirst();
      if (job !== undefined) return 'busy';
      const result = await transaction
        .deleteFrom('mediaconvert_resource')
        .where('account', '=', scope.account)
        .where('region', '=', scope.region)
        .where('kind', '=', 'queue')
        .where('name', '=', name)
        .executeTakeFirst();
      return result.numDeletedRows > 0n ? 'removed' : 'absent';
    });
  }

  /** Removes jobs queries that were started before `time`. */
  async pruneQueries(time: number): Promise<void> {
    await this.#records.write(async (transaction) => {
      await transaction
        .deleteFrom('mediaconvert_resource')
        .where('kind', '=', 'query')
        .where('created_at', '<', time)
        .execute();
    });
  }

  /** Everything, for verification. */
  everything(): Promise<ResourceRecord[]> {
    return this.#records.readUnchecked.selectFrom('mediaconvert_resource').selectAll().execute();
  }
}
