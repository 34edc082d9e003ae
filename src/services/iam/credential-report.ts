import type { AccountId } from '#kernel/ids.ts';
import type { LastUses } from './last-uses.ts';
import { principalArn, rootArn } from './domain/identifiers.ts';
import type { LastUseRecord } from './records/last-uses.ts';
import type { LoginProfileRecord } from './records/passwords.ts';
import type { AccessKeyRecord, IamQueries, IamStore, PrincipalRecord } from './store.ts';

/** AWS's columns, in its order (IAM user guide, "Generate credential reports for your AWS account"). */
const COLUMNS = [
  'user',
  'arn',
  'user_creation_time',
  'password_enabled',
  'password_last_used',
  'password_last_changed',
  'password_next_rotation',
  'mfa_active',
  'access_key_1_active',
  'access_key_1_last_rotated',
  'access_key_1_last_used_date',
  'access_key_1_last_used_region',
  'access_key_1_last_used_service',
  'access_key_2_active',
  'access_key_2_last_rotated',
  'access_key_2_last_used_date',
  'access_key_2_last_used_region',
  'access_key_2_last_used_service',
  'cert_1_active',
  'cert_1_last_rotated',
  'cert_2_active',
  'cert_2_last_rotated',
] as const;

const NONE = 'N/A';
const DAY_MS = 86_400_000;
const USERS_OF_ONE_TURN = 500;

interface ReportedKey {
  readonly isActive: boolean;
  readonly createdAt: number;
  readonly use: LastUseRecord | undefined;
}

interface ReportedCertificate {
  readonly isActive: boolean;
  readonly uploadedAt: number;
}

/** The state of every user's credentials in CSV, and of the root user's before them. */
export async function writeCredentialReport(account: AccountId, store: IamStore, lastUses: LastUses): Promise<string> {
  const queries = store.read;
  const policy = await queries
    .selectFrom('iam_password_policy')
    .select('max_age')
    .where('account', '=', account)
    .executeTakeFirst();
  const maxAge = policy?.max_age ?? undefined;
  const lines = [COLUMNS.join(',')];
  const record = await store.findAccount(account);
  const rootKeys = await keysOf(queries, account, null, lastUses);
  lines.push(
    lineOf([
      '<root_account>',
      rootArn(account),
      timeOf(record?.created_at ?? 0),
      // The root user has no password here.
      'not_supported',
      'no_information',
      'not_supported',
      'not_supported',
      String(await hasRootDevice(queries, account)),
      ...keyColumns(rootKeys.get('') ?? []),
      ...certificateColumns((await certificatesOf(queries, account, null)).get('') ?? []),
    ]),
  );
  for await (const users of pagesOfUsers(queries, account)) {
    const ids = users.map(({ id }) => id);
    const keys = await keysOf(queries, account, ids, lastUses);
    const certificates = await certificatesOf(queries, account, ids);
    const logins = await loginsOf(queries, ids);
    const devices = await usersWithDevices(queries, ids);
    for (const user of users) {
      lines.push(
        lineOf([
          user.name,
          principalArn('user', user),
          timeOf(user.created_at),
          ...passwordColumns(logins.get(user.id), maxAge),
          String(devices.has(user.id)),
          ...keyColumns(keys.get(user.id) ?? []),
          ...certificateColumns(certificates.get(user.id) ?? []),
        ]),
      );
    }
    await new Promise(setImmediate);
  }
  return lines.join('\n');
}

async function hasRootDevice(queries: IamQueries, account: AccountId): Promise<boolean> {
  const query = queries.selectFrom('iam_mfa_device').select('serial').where('account', '=', account);
  const device = query.where('user_id', 'is', null).where('enabled_at', 'is not', null).executeTakeFirst();
  return (await device) !== undefined;
}

async function* pagesOfUsers(queries: IamQueries, account: AccountId): AsyncGenerator<readonly PrincipalRecord[]> {
  for (let after = ''; ; ) {
    const page = await queries
      .selectFrom('iam_principal')
      .selectAll()
      .where('account', '=', account)
      .where('kind', '=', 'user')
      .where('name_key', '>', after)
      .orderBy('name_key')
      .limit(USERS_OF_ONE_TURN)
      .execute();
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.name_key;
  }
}

/** By user; the root user's (`users` is `null`) under the empty text. */
async function keysOf(
  queries: IamQueries,
  account: AccountId,
  users: readonly string[] | null,
  lastUses: LastUses,
): Promise<Map<string, ReportedKey[]>> {
  let query = queries
    .selectFrom('iam_access_key')
    .select(['id', 'user_id', 'status', 'created_at'])
    .where('account', '=', account)
    .orderBy('created_at')
    .orderBy('id');
  query = users === null ? query.where('user_id', 'is', null) : query.where('user_id', 'in', [...users]);
  const rows: readonly Pick<AccessKeyRecord, 'id' | 'user_id' | 'status' | 'created_at'>[] = await query.execute();
  const uses = await lastUses.findAll(rows.map(({ id }) => id));
  const keys = new Map<string, ReportedKey[]>();
  for (const { id, user_id: user, status, created_at: createdAt } of rows) {
    addTo(keys, user ?? '', { isActive: status === 'Active', createdAt, use: uses.get(id) });
  }
  return keys;
}

async function certificatesOf(
  queries: IamQueries,
  account: AccountId,
  users: readonly string[] | null,
): Promise<Map<string, ReportedCertificate[]>> {
  let query = queries
    .selectFrom('iam_user_key')
    .select(['user_id', 'status', 'uploaded_at'])
    .where('account', '=', account)
    .where('kind', '=', 'signing-certificate')
    .orderBy('uploaded_at');
  query = users === null ? query.where('user_id', 'is', null) : query.where('user_id', 'in', [...users]);
  const certificates = new Map<string, ReportedCertificate[]>();
  for (const { user_id: user, status, uploaded_at: uploadedAt } of await query.execute()) {
    addTo(certificates, user ?? '', { isActive: status === 'Active', uploadedAt });
  }
  return certificates;
}

async function loginsOf(queries: IamQueries, users: readonly string[]): Promise<Map<string, LoginProfileRecord>> {
  const rows = await queries.selectFrom('iam_login_profile').selectAll().where('user_id', 'in', users).execute();
  return new Map(rows.map((row) => [row.user_id, row]));
}

async function usersWithDevices(queries: IamQueries, users: readonly string[]): Promise<Set<string | null>> {
  const rows = await queries.selectFrom('iam_mfa_device').select('user_id').where('user_id', 'in', users).execute();
  return new Set(rows.map(({ user_id: user }) => user));
}

function passwordColumns(login: LoginProfileRecord | undefined, maxAge: number | undefined): string[] {
  if (login === undefined) return ['false', NONE, NONE, NONE];
  const next = maxAge === undefined ? NONE : timeOf(login.changed_at + maxAge * DAY_MS);
  return ['true', 'no_information', timeOf(login.changed_at), next];
}

function keyColumns(keys: readonly ReportedKey[]): string[] {
  return [0, 1].flatMap((index) => {
    const key = keys[index];
    if (key === undefined) return ['false', NONE, NONE, NONE, NONE];
    const { use } = key;
    const used = use === undefined ? [NONE, NONE, NONE] : [timeOf(use.last_used_at), use.region, use.service];
    return [String(key.isActive), timeOf(key.createdAt), ...used];
  });
}

function certificateColumns(certificates: readonly ReportedCertificate[]): string[] {
  return [0, 1].flatMap((index) => {
    const certificate = certificates[index];
    return certificate === undefined ? ['false', NONE] : [String(certificate.isActive), timeOf(certificate.uploadedAt)];
  });
}

/** `2026-11-21T18:46:33+00:00`. */
function timeOf(time: number): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, '+00:00');
}

/** Names of users may have commas in them. */
function lineOf(values: readonly string[]): string {
  return values.map((value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',');
}

function addTo<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
