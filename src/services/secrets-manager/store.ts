import { type Kysely, sql } from 'kysely';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { Migration, Records } from '#storage/records.ts';

/** Times are milliseconds since the epoch. */
export interface SecretRow {
  readonly id: string;
  readonly account: AccountId;
  readonly region: Region;
  readonly name: string;
  /** The six characters behind the name in the ARN. */
  readonly suffix: string;
  readonly description: string | null;
  /** As the request named it; null for `aws/secretsmanager`. */
  readonly kms_key_id: string | null;
  readonly created_at: number;
  readonly changed_at: number;
  /** The day of the last GetSecretValue, at midnight UTC. */
  readonly accessed_at: number | null;
  /** When DeleteSecret came. */
  readonly deleted_at: number | null;
  /** The end of the recovery window: from then on nobody finds the secret. */
  readonly purge_at: number | null;
  /** The resource policy, in JSON. */
  readonly policy: string | null;
  /** The tags, in JSON. */
  readonly tags: string;
  /** The region of the primary, for replicas and for secrets that have replicas. */
  readonly primary_region: Region | null;
  /** The id of the primary, for replicas. */
  readonly primary_id: string | null;
  /** 1 or 0; null when rotation was never configured. */
  readonly is_rotation_enabled: number | null;
  /** The address of the rotation endpoint. */
  readonly rotation_target: string | null;
  /** `RotationRules`, in JSON. */
  readonly rotation_rules: string | null;
  readonly rotated_at: number | null;
  /** The start of the next rotation window. */
  readonly next_rotation_at: number | null;
  /** The version that a rotation under way makes. */
  readonly rotation_version: string | null;
  /** `test`: only the configuration is tried. */
  readonly rotation_kind: 'rotate' | 'test' | null;
  readonly rotation_attempts: number;
  /** When a rotation under way is tried next. */
  readonly rotation_due_at: number | null;
}

export interface VersionRow {
  readonly secret_id: string;
  /** Also the ClientRequestToken that made it. */
  readonly version_id: string;
  readonly created_at: number;
  readonly accessed_at: number | null;
  /** The staging labels, in JSON. */
  readonly labels: string;
  /** `none`: a rotation has begun, and its value is still to come. */
  readonly kind: 'string' | 'binary' | 'none';
  /** The key as the secret named it; null for `aws/secretsmanager`. */
  readonly kms_key_id: string | null;
  readonly key_arn: string | null;
  /** KMS's ciphertext of the data key. */
  readonly data_key: Uint8Array | null;
  /** The value under the data key. */
  readonly sealed: Uint8Array | null;
  /** A keyed hash of the value: tells a repeated request from another. */
  readonly fingerprint: Uint8Array | null;
}

/** A version without its value: there may be many, and values are large. */
export type VersionHead = Pick<
  VersionRow,
  'secret_id' | 'version_id' | 'created_at' | 'accessed_at' | 'labels' | 'kind' | 'kms_key_id'
>;

const HEAD = ['secret_id', 'version_id', 'created_at', 'accessed_at', 'labels', 'kind', 'kms_key_id'] as const;

/** A region to which a secret is replicated. */
export interface ReplicaRow {
  readonly primary_id: string;
  readonly region: Region;
  readonly kms_key_id: string | null;
  readonly status: 'InSync' | 'Failed';
  readonly message: string | null;
  /** The replica, where it could be made. */
  readonly secret_id: string | null;
}

export interface SecretsTables {
  readonly secrets_manager_secret: SecretRow;
  readonly secrets_manager_version: VersionRow;
  readonly secrets_manager_replica: ReplicaRow;
}

export type SecretsQueries = Kysely<SecretsTables>;

export const secretsManagerMigrations: readonly Migration[] = [
  {
    name: 'secrets-manager-0001-secrets',
    sealedTables: ['secrets_manager_secret', 'secrets_manager_version', 'secrets_manager_replica'],
    async up(transaction) {
      await sql`CREATE TABLE secrets_manager_secret (
        id TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, suffix TEXT NOT NULL,
        description TEXT, kms_key_id TEXT, created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, accessed_at INTEGER,
        deleted_at INTEGER, purge_at INTEGER, policy TEXT, tags TEXT NOT NULL, primary_region TEXT, primary_id TEXT,
        is_rotation_enabled INTEGER, rotation_target TEXT, rotation_rules TEXT, rotated_at INTEGER,
        next_rotation_at INTEGER, rotation_version TEXT, rotation_kind TEXT, rotation_attempts INTEGER NOT NULL,
        rotation_due_at INTEGER, mac BLOB NOT NULL) STRICT`.execute(transaction);
      await sql`CREATE UNIQUE INDEX secrets_manager_secret_name
        ON secrets_manager_secret (account, region, name)`.execute(transaction);
      await sql`CREATE INDEX secrets_manager_secret_purge ON secrets_manager_secret (purge_at)
        WHERE purge_at IS NOT NULL`.execute(transaction);
      await sql`CREATE INDEX secrets_manager_secret_due ON secrets_manager_secret (rotation_due_at)
        WHERE rotation_due_at IS NOT NULL`.execute(transaction);
      await sql`CREATE INDEX secrets_manager_secret_next ON secrets_manager_secret (next_rotation_at)
        WHERE next_rotation_at IS NOT NULL`.execute(transaction);
      await sql`CREATE TABLE secrets_manager_version (
        secret_id TEXT NOT NULL, version_id TEXT NOT NULL, created_at INTEGER NOT NULL, accessed_at INTEGER,
        labels TEXT NOT NULL, kind TEXT NOT NULL, kms_key_id TEXT, key_arn TEXT, data_key BLOB, sealed BLOB,
        fingerprint BLOB, mac BLOB NOT NULL, PRIMARY KEY (secret_id, version_id)) STRICT`.execute(transaction);
      await sql`CREATE TABLE secrets_manager_replica (
        primary_id TEXT NOT NULL, region TEXT NOT NULL, kms_key_id TEXT, status TEXT NOT NULL, message TEXT,
        secret_id TEXT, mac BLOB NOT NULL, PRIMARY KEY (primary_id, region)) STRICT`.execute(transaction);
    },
  },
];

/** The secrets, as records. */
export class SecretStore {
  readonly #records: Records<SecretsTables>;

  constructor(records: Records<SecretsTables>) {
    this.#records = records;
  }

  get read(): SecretsQueries {
    return this.#records.read;
  }

  write<Result>(work: (transaction: SecretsQueries) => Promise<Result>): Promise<Result> {
    return this.#records.write(work);
  }

  findById(id: string): Promise<SecretRow | undefined> {
    return findSecretById(this.read, id);
  }

  find(account: AccountId, region: Region, name: string): Promise<SecretRow | undefined> {
    return findSecret(this.read, account, region, name);
  }

  versions(secretId: string): Promise<VersionHead[]> {
    return versionsOf(this.read, secretId);
  }

  labelled(secretId: string): Promise<VersionHead[]> {
    return labelledOf(this.read, secretId);
  }

  version(secretId: string, versionId: string): Promise<VersionRow | undefined> {
    return findVersion(this.read, secretId, versionId);
  }

  replicas(primaryId: string): Promise<ReplicaRow[]> {
    return replicasOf(this.read, primaryId);
  }

  /** Secrets whose recovery window is over. Rows that were changed outside of Coffer are among them. */
  async idsToPurge(now: number): Promise<readonly string[]> {
    const rows = await this.#records.readUnchecked
      .selectFrom('secrets_manager_secret')
      .select('id')
      .where('purge_at', '<=', now)
      .execute();
    return rows.map(({ id }) => id);
  }

  /** Secrets of which a rotation is due. As `idsToPurge`, one damaged row does not hold up the others. */
  async idsToRotate(now: number): Promise<readonly string[]> {
    const rows = await this.#records.readUnchecked
      .selectFrom('secrets_manager_secret')
      .select('id')
      .where('purge_at', 'is', null)
      .where((where) => where.or([where('rotation_due_at', '<=', now), where('next_rotation_at', '<=', now)]))
      .execute();
    return rows.map(({ id }) => id);
  }

  /** Every secret, whether or not its row bears its seal, for verification. */
  allUnchecked(): Promise<SecretRow[]> {
    return this.#records.readUnchecked.selectFrom('secrets_manager_secret').selectAll().execute();
  }

  /** The versions of a secret, one after the other, whether or not their rows bear their seals, for verification. */
  async *versionsUnchecked(secretId: string): AsyncGenerator<VersionRow> {
    const queries = this.#records.readUnchecked;
    for (const { version_id } of await versionsOf(queries, secretId)) {
      const version = await findVersion(queries, secretId, version_id);
      if (version !== undefined) yield version;
    }
  }

  async idsOf(account: AccountId): Promise<readonly string[]> {
    const rows = await this.#records.readUnchecked
      .selectFrom('secrets_manager_secret')
      .select('id')
      .where('account', '=', account)
      .execute();
    return rows.map(({ id }) => id);
  }
}

export function findSecret(
  queries: SecretsQueries,
  account: AccountId,
  region: Region,
  name: string,
): Promise<SecretRow | undefined> {
  return queries
    .selectFrom('secrets_manager_secret')
    .selectAll()
    .where('account', '=', account)
    .where('region', '=', region)
    .where('name', '=', name)
    .executeTakeFirst();
}

export function findSecretById(queries: SecretsQueries, id: string): Promise<SecretRow | undefined> {
  return queries.selectFrom('secrets_manager_secret').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Every version, the oldest first. */
export function versionsOf(queries: SecretsQueries, secretId: string): Promise<VersionHead[]> {
  return queries
    .selectFrom('secrets_manager_version')
    .select(HEAD)
    .where('secret_id', '=', secretId)
    .orderBy('created_at')
    .orderBy('version_id')
    .execute();
}

/** The versions that have labels: as few as labels. */
export function labelledOf(queries: SecretsQueries, secretId: string): Promise<VersionHead[]> {
  return queries
    .selectFrom('secrets_manager_version')
    .select(HEAD)
    .where('secret_id', '=', secretId)
    .where('labels', '<>', '[]')
    .orderBy('created_at')
    .orderBy('version_id')
    .execute();
}

export function findVersion(
  queries: SecretsQueries,
  secretId: string,
  versionId: string,
): Promise<VersionRow | undefined> {
  return queries
    .selectFrom('secrets_manager_version')
    .selectAll()
    .where('secret_id', '=', secretId)
    .where('version_id', '=', versionId)
    .executeTakeFirst();
}

export function replicasOf(queries: SecretsQueries, primaryId: string): Promise<ReplicaRow[]> {
  return queries
    .selectFrom('secrets_manager_replica')
    .selectAll()
    .where('primary_id', '=', primaryId)
    .orderBy('region')
    .execute();
}

export async function updateSecretRow(
  transaction: SecretsQueries,
  id: string,
  change: Partial<SecretRow>,
): Promise<void> {
  await transaction.updateTable('secrets_manager_secret').set(change).where('id', '=', id).execute();
}

/** Removes a secret with all of its versions and the list of its replicas. */
export async function removeSecret(transaction: SecretsQueries, id: string): Promise<void> {
  await transaction.deleteFrom('secrets_manager_version').where('secret_id', '=', id).execute();
  await transaction.deleteFrom('secrets_manager_replica').where('primary_id', '=', id).execute();
  await transaction.deleteFrom('secrets_manager_secret').where('id', '=', id).execute();
}
