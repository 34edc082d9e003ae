import {
  type AttachedPolicy,
  type EntityType,
  GetAccountAuthorizationDetails$,
  type GetAccountAuthorizationDetailsRequest,
  type GetAccountAuthorizationDetailsResponse,
  type GroupDetail,
  type ManagedPolicyDetail,
  type PolicyDetail,
  type RoleDetail,
  type UserDetail,
} from '@aws-sdk/client-iam';
import type { AccountId } from '#kernel/ids.ts';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { awsManagedPolicies } from '../domain/aws-managed-policies.ts';
import { parseIamArn } from '../domain/identifiers.ts';
import { cutPage, pageOf } from '../domain/page.ts';
import { encodeDocument } from '../domain/policy-text.ts';
import type { PrincipalKind } from '../domain/principal-kind.ts';
import type { IamQueries, PolicyRecord, PrincipalRecord } from '../store.ts';
import { profileOutput } from './instance-profiles.ts';
import { awsPolicy, countUsage, customerPolicy, unused } from './managed-policies.ts';
import { groupOutput, roleLastUsed, roleOutput, userOutput } from './principals.ts';
import { callerAccount } from './targets.ts';

/** In the order of the pages. */
const SECTIONS = ['User', 'Group', 'Role', 'LocalManagedPolicy', 'AWSManagedPolicy'] as const satisfies EntityType[];
type Section = (typeof SECTIONS)[number];

const KIND_OF: Partial<Record<Section, PrincipalKind>> = { User: 'user', Group: 'group', Role: 'role' };

interface Entry {
  readonly section: Section;
  /** Orders the entries of a section. */
  readonly key: string;
  readonly principal?: PrincipalRecord;
  readonly policy?: PolicyRecord;
}

/** Where an entry stands among all: sections are told apart by their places. */
const positionOf = ({ section, key }: Pick<Entry, 'section' | 'key'>) => `${SECTIONS.indexOf(section)}/${key}`;

export const getAccountAuthorizationDetails = operation<
  IamContext,
  GetAccountAuthorizationDetailsRequest,
  GetAccountAuthorizationDetailsResponse
>(GetAccountAuthorizationDetails$, {
  authorize: () => [{ action: 'iam:GetAccountAuthorizationDetails', resource: '*' }],
  async handle(input, call, iam) {
    const page = pageOf(input);
    const account = callerAccount(call);
    const queries = iam.store.read;
    const wanted = new Set<EntityType>(input.Filter?.length ? input.Filter : SECTIONS);
    const usage = await countUsage(queries, account);
    const entries: Entry[] = [];
    for (const section of SECTIONS) {
      const from = `${SECTIONS.indexOf(section)}/`;
      if (!wanted.has(section) || (page.after !== '' && page.after.slice(0, from.length) > from)) continue;
      const after = page.after.startsWith(from) ? page.after.slice(from.length) : '';
      const limit = page.limit + 1 - entries.length;
      if (limit <= 0) break;
      entries.push(...(await entriesOf(section, { queries, account, after, limit, used: new Set(usage.keys()) })));
    }
    const { items, ...rest } = cutPage(entries, page, positionOf);
    const details = await Details.load(items, iam);
    const ofSection = <Value>(section: Section, value: (entry: Entry) => Value) =>
      items.filter((entry) => entry.section === section).map(value);
    const policies = [
      ...ofSection('LocalManagedPolicy', ({ policy }) => policy && details.policy(policy, usage)),
      ...ofSection('AWSManagedPolicy', ({ key }) => awsDetail(key, usage)),
    ];
    return {
      UserDetailList: ofSection('User', ({ principal }) => principal && details.user(principal)).filter(isPresent),
      GroupDetailList: ofSection('Group', ({ principal }) => principal && details.group(principal)).filter(isPresent),
      RoleDetailList: ofSection('Role', ({ principal }) => principal && details.role(principal)).filter(isPresent),
      Policies: policies.filter(isPresent),
      ...rest,
    };
  },
});

function isPresent<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}

interface Selection {
  readonly queries: IamQueries;
  readonly account: AccountId;
  readonly after: string;
  readonly limit: number;
  /** ARNs of the policies that something in the account has. */
  readonly used: ReadonlySet<string>;
}

async function entriesOf(section: Section, { queries, account, after, limit, used }: Selection): Promise<Entry[]> {
  const kind = KIND_OF[section];
  if (kind !== undefined) {
    const rows = await queries
      .selectFrom('iam_principal')
      .selectAll()
      .where('account', '=', account)
      .where('kind', '=', kind)
      .where('name_key', '>', after)
      .orderBy('name_key')
      .limit(limit)
      .execute();
    return rows.map((principal) => ({ section, key: principal.name_key, principal }));
  }
  if (section === 'LocalManagedPolicy') {
    const rows = await queries
      .selectFrom('iam_policy')
      .selectAll()
      .where('account', '=', account)
      .where('name_key', '>', after)
      .orderBy('name_key')
      .limit(limit)
      .execute();
    return rows.map((policy) => ({ section, key: policy.name_key, policy }));
  }
  // Of AWS's policies, those that are in use.
  const arns = [...awsManagedPolicies.keys()].filter((arn) => used.has(arn) && arn > after);
  return arns.slice(0, limit).map((key) => ({ section, key }));
}

function awsDetail(arn: string, usage: Awaited<ReturnType<typeof countUsage>>): ManagedPolicyDetail | undefined {
  const policy = awsManagedPolicies.get(arn);
  if (policy === undefined) return undefined;
  const only = { VersionId: policy.versionId, IsDefaultVersion: true, CreateDate: new Date(policy.updatedAt) };
  return {
    ...awsPolicy(policy, usage.get(arn) ?? unused),
    PolicyVersionList: [{ Document: encodeDocument(policy.document), ...only }],
  };
}

/** What hangs on the entities of a page, read with a few queries for all of them. */
class Details {
  readonly #inline = new Map<string, PolicyDetail[]>();
  readonly #attached = new Map<string, AttachedPolicy[]>();
  readonly #tags = new Map<string, Record<string, string>>();
  readonly #groups = new Map<string, string[]>();
  readonly #profiles = new Map<string, ReturnType<typeof profileOutput>[]>();
  readonly #versions = new Map<string, NonNullable<ManagedPolicyDetail['PolicyVersionList']>>();
  #lastUses: Awaited<ReturnType<IamContext['lastUses']['findAll']>> = new Map();

  static async load(entries: readonly Entry[], iam: IamContext): Promise<Details> {
    const details = new Details();
    const principals = entries.flatMap(({ principal }) => principal ?? []);
    const policies = entries.flatMap(({ policy }) => policy ?? []);
    if (principals.length > 0) await details.#loadPrincipals(principals, iam);
    if (policies.length > 0) await details.#loadPolicies(policies, iam.store.read);
    const owners = [...principals, ...policies].map(({ id }) => id);
    if (owners.length === 0) return details;
    const tags = await iam.store.read
      .selectFrom('iam_tag')
      .select(['owner_id', 'key', 'value'])
      .where('owner_id', 'in', owners)
      .orderBy('key')
      .execute();
    for (const { owner_id: owner, key, value } of tags) {
      const known = details.#tags.get(owner) ?? {};
      known[key] = value;
      details.#tags.set(owner, known);
    }
    return details;
  }

  user(record: PrincipalRecord): UserDetail {
    return {
      ...userOutput(record, this.#tags.get(record.id) ?? {}),
      UserPolicyList: this.#inline.get(record.id) ?? [],
      GroupList: this.#groups.get(record.id) ?? [],
      AttachedManagedPolicies: this.#attached.get(record.id) ?? [],
    };
  }

  group(record: PrincipalRecord): GroupDetail {
    return {
      ...groupOutput(record),
      GroupPolicyList: this.#inline.get(record.id) ?? [],
      AttachedManagedPolicies: this.#attached.get(record.id) ?? [],
    };
  }

  role(record: PrincipalRecord): RoleDetail {
    const {
      Description: _description,
      MaxSessionDuration: _duration,
      ...facts
    } = roleOutput(record, this.#tags.get(record.id) ?? {});
    return {
      ...facts,
      InstanceProfileList: this.#profiles.get(record.id) ?? [],
      RolePolicyList: this.#inline.get(record.id) ?? [],
      AttachedManagedPolicies: this.#attached.get(record.id) ?? [],
      RoleLastUsed: roleLastUsed(this.#lastUses.get(record.id)),
    };
  }

  policy(record: PolicyRecord, usage: Awaited<ReturnType<typeof countUsage>>): ManagedPolicyDetail {
    return {
      ...customerPolicy(record, usage.get(record.arn) ?? unused),
      ...(record.description !== null && { Description: record.description }),
      PolicyVersionList: this.#versions.get(record.id) ?? [],
    };
  }

  async #loadPrincipals(principals: readonly PrincipalRecord[], iam: IamContext): Promise<void> {
    const queries = iam.store.read;
    const ids = principals.map(({ id }) => id);
    const inline = await queries
      .selectFrom('iam_inline_policy')
      .selectAll()
      .where('principal_id', 'in', ids)
      .orderBy('name')
      .execute();
    for (const { principal_id: owner, name, document } of inline) {
      addTo(this.#inline, owner, { PolicyName: name, PolicyDocument: encodeDocument(document) });
    }
    const attached = await queries
      .selectFrom('iam_attachment')
      .select(['principal_id', 'policy_arn'])
      .where('principal_id', 'in', ids)
      .orderBy('policy_arn')
      .execute();
    for (const { principal_id: owner, policy_arn: arn } of attached) {
      addTo(this.#attached, owner, { PolicyName: parseIamArn('policy', arn)?.name, PolicyArn: arn });
    }
    const memberships = await queries
      .selectFrom('iam_membership')
      .innerJoin('iam_principal', 'iam_principal.id', 'iam_membership.group_id')
      .select(['iam_membership.user_id', 'iam_principal.name'])
      .where('iam_membership.user_id', 'in', ids)
      .orderBy('iam_principal.name_key')
      .execute();
    for (const { user_id: user, name } of memberships) addTo(this.#groups, user, name);
    const profiles = await queries
      .selectFrom('iam_instance_profile')
      .selectAll()
      .where('role_id', 'in', ids)
      .orderBy('name_key')
      .execute();
    for (const profile of profiles) {
      const role = principals.find(({ id }) => id === profile.role_id);
      if (role !== undefined) addTo(this.#profiles, role.id, profileOutput(profile, role));
    }
    const roles = principals.filter(({ kind }) => kind === 'role').map(({ id }) => id);
    this.#lastUses = await iam.lastUses.findAll(roles);
  }

  async #loadPolicies(policies: readonly PolicyRecord[], queries: IamQueries): Promise<void> {
    const ids = policies.map(({ id }) => id);
    const versions = await queries
      .selectFrom('iam_policy_version')
      .selectAll()
      .where('policy_id', 'in', ids)
      .orderBy('version', 'desc')
      .execute();
    const defaults = new Map(policies.map(({ id, default_version: version }) => [id, version]));
    for (const { policy_id: policy, version, document, created_at: createdAt } of versions) {
      addTo(this.#versions, policy, {
        Document: encodeDocument(document),
        VersionId: `v${version}`,
        IsDefaultVersion: defaults.get(policy) === version,
        CreateDate: new Date(createdAt),
      });
    }
  }
}

function addTo<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
