import { type Kysely, sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import type { Migration, Records } from '#storage/records.ts';
import { nameKey } from './domain/identifiers.ts';
import type { PrincipalKind } from './domain/principal-kind.ts';
import { lastUseMigration, type LastUseTables } from './records/last-uses.ts';
import { accountAliasMigration, type AccountAliasTables } from './records/account-aliases.ts';
import { passwordMigration, type PasswordTables } from './records/passwords.ts';
import { taskMigration, type TaskTables } from './records/tasks.ts';
import { certificateMigration, type CertificateTables } from './records/certificates.ts';
import { instanceProfileMigration, type InstanceProfileTables } from './records/instance-profiles.ts';
import { oidcProviderMigration, type OidcProviderTables } from './records/oidc-providers.ts';
import { samlProviderMigration, type SamlProviderTables } from './records/saml-providers.ts';
import { mfaDeviceMigration, type MfaDeviceTables } from './records/mfa-devices.ts';

/** Times are milliseconds since the epoch. */
export interface AccountRecord {
  readonly id: AccountId;
  /** 64 hexadecimal digits: by this S3 names the owner. */
  readonly canonical_id: string;
  readonly email: string;
  readonly created_at: number;
}

/** A user, group or role. */
export interface PrincipalRecord {
  /** AIDA…, AGPA… or AROA…. */
  readonly id: string;
  readonly account: AccountId;
  readonly kind: PrincipalKind;
  readonly name: string;
  /** In lower case: names are unique whatever their case. */
  readonly name_key: string;
  readonly path: string;
  readonly created_at: number;
  readonly boundary_arn: string | null;
  /** Roles only: as it was given. */
  readonly trust_policy: string | null;
  /** Roles only: as it was given, with the unique ids that its ARNs stood for then. */
  readonly bound_trust_policy: string | null;
  /** Roles only. */
  readonly description: string | null;
  /** Roles only: seconds. */
  readonly max_session: number | null;
}

export interface AccessKeyRecord {
  readonly id: string;
  readonly account: AccountId;
  /** Absent for a key of the account's root user. */
  readonly user_id: string | null;
  /** The secret, sealed under the root key. */
  readonly sealed: Uint8Array;
  readonly status: 'Active' | 'Inactive';
  readonly created_at: number;
}

/** A customer managed policy. */
export interface PolicyRecord {
  /** ANPA…. */
  readonly id: string;
  readonly account: AccountId;
  readonly arn: string;
  readonly name: string;
  readonly name_key: string;
  readonly path: string;
  readonly description: string | null;
  /** The number of the default version: 1 for `v1`. */
  readonly default_version: number;
  readonly last_version: number;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface PolicyVersionRecord {
  readonly policy_id: string;
  readonly version: number;
  readonly document: string;
  readonly created_at: number;
}

export interface IamTables
  extends InstanceProfileTables,
    LastUseTables,
    PasswordTables,
    AccountAliasTables,
    MfaDeviceTables,
    TaskTables,
    CertificateTables,
    OidcProviderTables,
    SamlProviderTables {
  readonly iam_account: AccountRecord;
  readonly iam_principal: PrincipalRecord;
  readonly iam_access_key: AccessKeyRecord;
  readonly iam_policy: PolicyRecord;
  readonly iam_policy_version: PolicyVersionRecord;
  readonly iam_inline_policy: {
    readonly principal_id: string;
    readonly name: string;
    readonly document: string;
  };
  readonly iam_attachment: {
    readonly principal_id: string;
    readonly policy_arn: string;
    readonly account: AccountId;
  };
  readonly iam_membership: { readonly group_id: string; readonly user_id: string };
  /** Tags of users, roles and policies, by unique id. */
  readonly iam_tag: {
    readonly owner_id: string;
    readonly account: AccountId;
    /** In lower case: tag keys are unique whatever their case. */
    readonly key_key: string;
    readonly key: string;
    readonly value: string;
  };
}

export const iamMigrations: readonly Migration[] = [
  {
    name: 'iam-0001-accounts-principals-policies',
    sealedTables: [
      'iam_account',
      'iam_principal',
      'iam_access_key',
      'iam_policy',
      'iam_policy_version',
      'iam_inline_policy',
      'iam_attachment',
      'iam_membership',
      'iam_tag',
    ],
    async up(transaction) {
      const statements = [
        `CREATE TABLE iam_account (
          id TEXT PRIMARY KEY, canonical_id TEXT NOT NULL UNIQUE, email TEXT NOT NULL, created_at INTEGER NOT NULL,
          mac BLOB NOT NULL) STRICT`,
        `CREATE TABLE iam_principal (
          id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES iam_account (id) ON DELETE CASCADE, kind TEXT NOT NULL,
          name TEXT NOT NULL, name_key TEXT NOT NULL, path TEXT NOT NULL, created_at INTEGER NOT NULL,
          boundary_arn TEXT, trust_policy TEXT, bound_trust_policy TEXT, description TEXT, max_session INTEGER,
          mac BLOB NOT NULL, UNIQUE (account, kind, name_key)) STRICT`,
        `CREATE INDEX iam_principal_boundary ON iam_principal (boundary_arn, account) WHERE boundary_arn IS NOT NULL`,
        `CREATE TABLE iam_access_key (
          id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES iam_account (id) ON DELETE CASCADE,
          user_id TEXT REFERENCES iam_principal (id) ON DELETE CASCADE, sealed BLOB NOT NULL, status TEXT NOT NULL,
          created_at INTEGER NOT NULL, mac BLOB NOT NULL) STRICT`,
        `CREATE INDEX iam_access_key_owner ON iam_access_key (account, user_id)`,
        `CREATE INDEX iam_access_key_user ON iam_access_key (user_id)`,
        `CREATE TABLE iam_policy (
          id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES iam_account (id) ON DELETE CASCADE,
          arn TEXT NOT NULL UNIQUE, name TEXT NOT NULL, name_key TEXT NOT NULL, path TEXT NOT NULL, description TEXT,
          default_version INTEGER NOT NULL, last_version INTEGER NOT NULL, created_at INTEGER NOT NULL,
          updated_at INTEGER NOT NULL, mac BLOB NOT NULL, UNIQUE (account, name_key)) STRICT`,
        `CREATE TABLE iam_policy_version (
          policy_id TEXT NOT NULL REFERENCES iam_policy (id) ON DELETE CASCADE, version INTEGER NOT NULL,
          document TEXT NOT NULL, created_at INTEGER NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (policy_id, version)) STRICT`,
        `CREATE TABLE iam_inline_policy (
          principal_id TEXT NOT NULL REFERENCES iam_principal (id) ON DELETE CASCADE, name TEXT NOT NULL,
          document TEXT NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (principal_id, name)) STRICT`,
        `CREATE TABLE iam_attachment (
          principal_id TEXT NOT NULL REFERENCES iam_principal (id) ON DELETE CASCADE, policy_arn TEXT NOT NULL,
          account TEXT NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (principal_id, policy_arn)) STRICT`,
        `CREATE INDEX iam_attachment_policy ON iam_attachment (policy_arn, account)`,
        `CREATE TABLE iam_membership (
          group_id TEXT NOT NULL REFERENCES iam_principal (id) ON DELETE CASCADE,
          user_id TEXT NOT NULL REFERENCES iam_principal (id) ON DELETE CASCADE, mac BLOB NOT NULL,
          PRIMARY KEY (group_id, user_id)) STRICT`,
        `CREATE INDEX iam_membership_user ON iam_membership (user_id)`,
        `CREATE TABLE iam_tag (
          owner_id TEXT NOT NULL, account TEXT NOT NULL REFERENCES iam_account (id) ON DELETE CASCADE,
          key_key TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, mac BLOB NOT NULL,
          PRIMARY KEY (owner_id, key_key)) STRICT`,
        `CREATE INDEX iam_tag_account ON iam_tag (account)`,
      ];
      for (const statement of statements) await sql.raw(statement).execute(transaction);
    },
  },
  instanceProfileMigration,
  lastUseMigration,
  passwordMigration,
  accountAliasMigration,
  mfaDeviceMigration,
  taskMigration,
  certificateMigration,
  oidcProviderMigration,
  samlProviderMigration,
];

/** A connection that reads what was committed, or a transaction. */
export type IamQueries = Kysely<IamTables>;

/** IAM's records. Whoever caches what comes from here is told when anything changed. */
export class IamStore {
  readonly #records: Records<IamTables>;
  readonly #listeners: (() => void)[] = [];

  constructor(records: Records<IamTables>) {
    this.#records = records;
  }

  get read(): IamQueries {
    return this.#records.read;
  }

  /** For verification alone: see `Records`. */
  get readUnchecked(): IamQueries {
    return this.#records.readUnchecked;
  }

  /** As `Records.write`; the change is seen by every cache before this resolves. */
  async write<Result>(work: (transaction: IamQueries) => Promise<Result>): Promise<Result> {
    const result = await this.#records.write(work);
    for (const listener of this.#listeners) listener();
    return result;
  }

  /** As `write`, of what decides nothing and is in no cache. */
  writeAside<Result>(work: (transaction: IamQueries) => Promise<Result>): Promise<Result> {
    return this.#records.write(work);
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  findPrincipal(account: string, kind: PrincipalKind, name: string): Promise<PrincipalRecord | undefined> {
    return findPrincipal(this.read, account, kind, name);
  }

  findPrincipalById(id: string): Promise<PrincipalRecord | undefined> {
    return this.read.selectFrom('iam_principal').selectAll().where('id', '=', id).executeTakeFirst();
  }

  findAccount(id: string): Promise<AccountRecord | undefined> {
    return this.read
      .selectFrom('iam_account')
      .selectAll()
      .where('id', '=', id as AccountId)
      .executeTakeFirst();
  }

  tagsOf(ownerId: string): Promise<Record<string, string>> {
    return tagsOf(this.read, ownerId);
  }
}

export function findPrincipal(
  queries: IamQueries,
  account: string,
  kind: PrincipalKind,
  name: string,
): Promise<PrincipalRecord | undefined> {
  return queries
    .selectFrom('iam_principal')
    .selectAll()
    .where('account', '=', account as AccountId)
    .where('kind', '=', kind)
    .where('name_key', '=', nameKey(name))
    .executeTakeFirst();
}

/** In the order of their keys. */
export async function tagsOf(queries: IamQueries, ownerId: string): Promise<Record<string, string>> {
  const rows = await queries
    .selectFrom('iam_tag')
    .select(['key', 'value'])
    .where('owner_id', '=', ownerId)
    .orderBy('key')
    .execute();
  return Object.fromEntries(rows.map((row) => [row.key, row.value]));
}
