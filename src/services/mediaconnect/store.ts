import { type Kysely, sql } from 'kysely';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { Migration, Records } from '#storage/records.ts';
import { entitlementOf, type FlowDocument, type FlowRecord, type FlowState } from './domain/flow-document.ts';
import type { PortUse } from './domain/port-uses.ts';

/** Times are milliseconds since the epoch. */
interface FlowRow {
  readonly key: string;
  readonly arn: string;
  readonly account: AccountId;
  readonly region: Region;
  readonly name: string;
  readonly created_at: number;
  readonly state: FlowState;
  /** `FlowDocument` in JSON. */
  readonly document: string;
  /** The entitlement that the source names. */
  readonly entitlement: string | null;
  /** 1 while the flow is the one that the entitlement serves. */
  readonly is_subscribed: number;
}

/** A port on which something of a flow listens: no two flows of an installation share one. */
interface PortRow {
  readonly port: number;
  readonly flow_key: string;
  readonly account: AccountId;
  readonly what: string;
}

/** To whom an entitlement was granted. */
interface GrantRow {
  readonly arn: string;
  readonly subscriber: string;
  readonly flow_key: string;
}

export interface FlowTables {
  readonly mediaconnect_flow: FlowRow;
  readonly mediaconnect_port: PortRow;
  readonly mediaconnect_grant: GrantRow;
}

export type FlowTransaction = Kysely<FlowTables>;

export const mediaConnectMigrations: readonly Migration[] = [
  {
    name: 'mediaconnect-0001-flows',
    sealedTables: ['mediaconnect_flow', 'mediaconnect_port', 'mediaconnect_grant'],
    async up(transaction) {
      await sql`CREATE TABLE mediaconnect_flow (
        key TEXT PRIMARY KEY, arn TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
        created_at INTEGER NOT NULL, state TEXT NOT NULL, document TEXT NOT NULL, entitlement TEXT,
        is_subscribed INTEGER NOT NULL, mac BLOB NOT NULL) STRICT`.execute(transaction);
      await sql`CREATE INDEX mediaconnect_flow_list ON mediaconnect_flow (account, region, created_at, key)`.execute(
        transaction,
      );
      await sql`CREATE INDEX mediaconnect_flow_entitlement ON mediaconnect_flow (entitlement)
        WHERE entitlement IS NOT NULL`.execute(transaction);
      await sql`CREATE UNIQUE INDEX mediaconnect_flow_subscribed ON mediaconnect_flow (entitlement)
        WHERE is_subscribed = 1`.execute(transaction);
      await sql`CREATE TABLE mediaconnect_port (
        port INTEGER PRIMARY KEY, flow_key TEXT NOT NULL, account TEXT NOT NULL, what TEXT NOT NULL,
        mac BLOB NOT NULL) STRICT`.execute(transaction);
      await sql`CREATE INDEX mediaconnect_port_flow ON mediaconnect_port (flow_key)`.execute(transaction);
      await sql`CREATE TABLE mediaconnect_grant (
        arn TEXT NOT NULL, subscriber TEXT NOT NULL, flow_key TEXT NOT NULL, mac BLOB NOT NULL,
        PRIMARY KEY (subscriber, arn)) STRICT`.execute(transaction);
      await sql`CREATE INDEX mediaconnect_grant_flow ON mediaconnect_grant (flow_key)`.execute(transaction);
    },
  },
];

export interface Page {
  readonly after: { readonly value: number; readonly id: string } | undefined;
  readonly limit: number;
}

/** The flows, as records. */
export class FlowStore {
  readonly #records: Records<FlowTables>;

  constructor(records: Records<FlowTables>) {
    this.#records = records;
  }

  write<Result>(work: (transaction: FlowTransaction) => Promise<Result>): Promise<Result> {
    return this.#records.write(work);
  }

  find(key: string): Promise<FlowRecord | undefined> {
    return findFlow(this.#records.read, key);
  }

  /** In the order in which they were made. */
  async list(account: AccountId, region: Region, { after, limit }: Page): Promise<FlowRecord[]> {
    let query = this.#records.read
      .selectFrom('mediaconnect_flow')
      .selectAll()
      .where('account', '=', account)
      .where('region', '=', region);
    if (after !== undefined) {
      query = query.where((where) =>
        where.or([
          where('created_at', '>', after.value),
          where.and([where('created_at', '=', after.value), where('key', '>', after.id)]),
        ]),
      );
    }
    const rows = await query.orderBy('created_at').orderBy('key').limit(limit).execute();
    return rows.map(recordOf);
  }

  async count(account: AccountId, region: Region): Promise<number> {
    const { count } = await this.#records.readUnchecked
      .selectFrom('mediaconnect_flow')
      .select((query) => query.fn.countAll<number>().as('count'))
      .where('account', '=', account)
      .where('region', '=', region)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  /** The flows whose source names an entitlement. */
  async withEntitlement(arn: string): Promise<FlowRecord[]> {
    const rows = await this.#records.read
      .selectFrom('mediaconnect_flow')
      .selectAll()
      .where('entitlement', '=', arn)
      .execute();
    return rows.map(recordOf);
  }

  /** The keys and ARNs of flows, of all accounts, also of those whose row does not bear its seal. */
  keysUnchecked(account?: AccountId): Promise<readonly Pick<FlowRecord, 'key' | 'arn'>[]> {
    const query = this.#records.readUnchecked.selectFrom('mediaconnect_flow').select(['key', 'arn']);
    return (account === undefined ? query : query.where('account', '=', account)).execute();
  }

  async portsInUse(): Promise<readonly number[]> {
    const rows = await this.#records.readUnchecked.selectFrom('mediaconnect_port').select('port').execute();
    return rows.map(({ port }) => port);
  }

  /** The flow that granted an entitlement, if it was granted to that account. */
  async grantor(arn: string, subscriber: string): Promise<string | undefined> {
    const row = await this.#records.read
      .selectFrom('mediaconnect_grant')
      .selectAll()
      .where('subscriber', '=', subscriber)
      .where('arn', '=', arn)
      .executeTakeFirst();
    return row?.flow_key;
  }

  /** Entitlements that were granted to an account, in the order of their ARNs, behind one. */
  grantsTo(subscriber: string, after: string, limit: number): Promise<GrantRow[]> {
    return this.#records.read
      .selectFrom('mediaconnect_grant')
      .selectAll()
      .where('subscriber', '=', subscriber)
      .where('arn', '>', after)
      .orderBy('arn')
      .limit(limit)
      .execute();
  }
}

export async function findFlow(queries: FlowTransaction, key: string): Promise<FlowRecord | undefined> {
  const row = await queries.selectFrom('mediaconnect_flow').selectAll().where('key', '=', key).executeTakeFirst();
  return row && recordOf(row);
}

export async function insertFlow(transaction: FlowTransaction, flow: FlowRecord): Promise<void> {
  const { key, arn, account, region, name, createdAt } = flow;
  await transaction
    .insertInto('mediaconnect_flow')
    .values({ key, arn, account, region, name, created_at: createdAt, ...changingColumns(flow) })
    .execute();
  await replaceGrants(transaction, flow);
}

/** Writes what can change of a flow. */
export async function updateFlow(transaction: FlowTransaction, flow: FlowRecord): Promise<void> {
  await transaction.updateTable('mediaconnect_flow').set(changingColumns(flow)).where('key', '=', flow.key).execute();
  await replaceGrants(transaction, flow);
}

/** Writes a flow's state alone. */
export async function updateState(transaction: FlowTransaction, flow: FlowRecord): Promise<void> {
  await transaction.updateTable('mediaconnect_flow').set(changingColumns(flow)).where('key', '=', flow.key).execute();
}

/** Removes a flow and all that is kept of it. */
export async function removeFlow(transaction: FlowTransaction, key: string): Promise<void> {
  await transaction.deleteFrom('mediaconnect_grant').where('flow_key', '=', key).execute();
  await transaction.deleteFrom('mediaconnect_port').where('flow_key', '=', key).execute();
  await transaction.deleteFrom('mediaconnect_flow').where('key', '=', key).execute();
}

/** The use of a wanted port by another flow, if there is one. */
export async function portConflict(
  transaction: FlowTransaction,
  key: string,
  uses: readonly PortUse[],
): Promise<(PortUse & { readonly account: AccountId; readonly flowKey: string }) | undefined> {
  if (uses.length === 0) return undefined;
  const row = await transaction
    .selectFrom('mediaconnect_port')
    .selectAll()
    .where(
      'port',
      'in',
      uses.map(({ port }) => port),
    )
    .where('flow_key', '!=', key)
    .orderBy('port')
    .executeTakeFirst();
  return row && { port: row.port, what: row.what, account: row.account, flowKey: row.flow_key };
}

/** The ports that a flow has. */
export async function portsOfFlow(transaction: FlowTransaction, key: string): Promise<readonly PortUse[]> {
  const rows = await transaction
    .selectFrom('mediaconnect_port')
    .selectAll()
    .where('flow_key', '=', key)
    .orderBy('port')
    .execute();
  return rows.map(({ port, what }) => ({ port, what }));
}

/** Makes `uses` all the ports that a flow has. */
export async function replacePorts(
  transaction: FlowTransaction,
  { key, account }: Pick<FlowRecord, 'key' | 'account'>,
  uses: readonly PortUse[],
): Promise<void> {
  await transaction.deleteFrom('mediaconnect_port').where('flow_key', '=', key).execute();
  if (uses.length === 0) return;
  const rows = uses.map(({ port, what }) => ({ port, what, flow_key: key, account }));
  await transaction.insertInto('mediaconnect_port').values(rows).execute();
}

/** Whether another flow holds the subscription. */
export async function isTaken(transaction: FlowTransaction, entitlement: string, key: string): Promise<boolean> {
  const row = await transaction
    .selectFrom('mediaconnect_flow')
    .selectAll()
    .where('entitlement', '=', entitlement)
    .where('is_subscribed', '=', 1)
    .where('key', '!=', key)
    .executeTakeFirst();
  return row !== undefined;
}

async function replaceGrants(transaction: FlowTransaction, { key, document }: FlowRecord): Promise<void> {
  await transaction.deleteFrom('mediaconnect_grant').where('flow_key', '=', key).execute();
  const rows = document.entitlements.flatMap(({ arn, subscribers }) =>
    subscribers.map((subscriber) => ({ arn, subscriber, flow_key: key })),
  );
  if (rows.length > 0) await transaction.insertInto('mediaconnect_grant').values(rows).execute();
}

function changingColumns({ state, document, isSubscribed }: FlowRecord) {
  return {
    state,
    document: JSON.stringify(document),
    entitlement: entitlementOf(document) ?? null,
    is_subscribed: isSubscribed ? 1 : 0,
  };
}

function recordOf(row: FlowRow): FlowRecord {
  return {
    key: row.key,
    arn: row.arn,
    account: row.account,
    region: row.region,
    name: row.name,
    createdAt: row.created_at,
    state: row.state,
    document: JSON.parse(row.document) as FlowDocument,
    isSubscribed: row.is_subscribed === 1,
  };
}
