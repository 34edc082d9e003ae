import type { Caller, FederatedUserCaller } from '#kernel/caller.ts';
import { emptyPolicy } from '#policy/compile-policy.ts';
import type { PolicySource } from '#policy/evaluate.ts';
import { PolicyCache } from '#policy/policy-cache.ts';
import { findManagedDocument } from './managed-document.ts';
import { ChangeCache } from '#storage/change-cache.ts';
import { type IamStore, tagsOf } from './store.ts';

/** The policies that a principal brings with it, and what conditions may know of it. */
export interface CallerPolicies {
  readonly identity: readonly PolicySource[];
  readonly boundary?: PolicySource;
  /** Empty when the session has none. */
  readonly session: readonly PolicySource[];
  /** The principal's own tags with the session's over them. */
  readonly principalTags: Readonly<Record<string, string>>;
  /** The canonical user id of the principal's account. */
  readonly canonicalId?: string;
}

interface OwnPolicies {
  readonly identity: readonly PolicySource[];
  readonly boundary?: PolicySource;
  readonly tags: Readonly<Record<string, string>>;
}

const CACHED_PRINCIPALS = 10_000;
const CACHED_MANAGED = 4096;
const CACHED_ACCOUNTS = 10_000;

const nothing: CallerPolicies = { identity: [], session: [], principalTags: {} };

const nothingAllowed = emptyPolicy();

/** What an account's root user may do, as a policy: for those that have its rights within bounds. */
const EVERYTHING = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}';

/** Collects the policies of callers, as they stand now. */
export class CallerPolicyDirectory {
  readonly #store: IamStore;
  readonly #principals = new ChangeCache<OwnPolicies>(CACHED_PRINCIPALS);
  readonly #managed = new ChangeCache<PolicySource>(CACHED_MANAGED);
  readonly #canonicalIds = new ChangeCache<string>(CACHED_ACCOUNTS);
  readonly #documents = new PolicyCache('identity');

  constructor(store: IamStore) {
    this.#store = store;
    store.onChange(() => {
      this.#principals.clear();
      this.#managed.clear();
      this.#canonicalIds.clear();
    });
  }

  /** How many documents were compiled so far. */
  get compilations(): number {
    return this.#documents.compilations;
  }

  async policiesOf(caller: Caller): Promise<CallerPolicies> {
    if (caller.type === 'anonymous' || caller.type === 'service') return nothing;
    const canonicalId = await this.#canonicalIdOf(caller.accountId);
    const account = canonicalId === undefined ? {} : { canonicalId };
    const session = await this.#sessionPolicies(caller.session?.policies ?? []);
    const sessionTags = caller.session?.tags ?? {};
    if (caller.type === 'root') return { ...nothing, ...account, session, principalTags: sessionTags };
    if (caller.type === 'federated-user') return { ...(await this.#policiesOfFederated(caller, session)), ...account };
    const [principalId = ''] = caller.principalId.split(':');
    const own = await this.#principals.get(principalId, () => this.#loadPrincipal(principalId));
    // A principal that was deleted while its session lives may do nothing any more.
    if (own === undefined) return { ...nothing, ...account, session };
    const { identity, boundary, tags } = own;
    return {
      identity,
      session,
      principalTags: { ...tags, ...sessionTags },
      ...account,
      ...(boundary && { boundary }),
    };
  }

  /** Of a session of GetFederationToken: its maker's, within the session policies; without these it may do nothing. */
  async #policiesOfFederated(caller: FederatedUserCaller, given: readonly PolicySource[]): Promise<CallerPolicies> {
    const session = given.length > 0 ? given : [{ name: 'no session policy', policy: nothingAllowed }];
    const principalTags = caller.session.tags;
    if (caller.issuerId === caller.accountId) {
      return { identity: [{ name: 'root user', policy: this.#documents.get(EVERYTHING) }], session, principalTags };
    }
    const own = await this.#principals.get(caller.issuerId, () => this.#loadPrincipal(caller.issuerId));
    if (own === undefined) return { ...nothing, session };
    const { identity, boundary, tags } = own;
    return { identity, session, principalTags: { ...tags, ...principalTags }, ...(boundary && { boundary }) };
  }

  /** The default version of a managed policy, of the customer or of AWS; `undefined` when there is none. */
  async findManaged(arn: string): Promise<PolicySource | undefined> {
    return await this.#managed.get(arn, async () => {
      const document = await findManagedDocument(this.#store, arn);
      return document === undefined ? undefined : { name: arn, policy: this.#documents.get(document) };
    });
  }

  #canonicalIdOf(accountId: string): Promise<string | undefined> {
    return this.#canonicalIds.get(accountId, async () => (await this.#store.findAccount(accountId))?.canonical_id);
  }

  /** @param policies documents, or ARNs of managed policies */
  async #sessionPolicies(policies: readonly string[]): Promise<PolicySource[]> {
    const sources: PolicySource[] = [];
    for (const [index, policy] of policies.entries()) {
      if (policy.startsWith('arn:')) sources.push(await this.#managedOrNothing(policy));
      else sources.push({ name: `session policy ${index + 1}`, policy: this.#documents.get(policy) });
    }
    return sources;
  }

  async #loadPrincipal(id: string): Promise<OwnPolicies | undefined> {
    const principal = await this.#store.findPrincipalById(id);
    if (principal === undefined) return undefined;
    const owners = [id];
    if (principal.kind === 'user') owners.push(...(await this.#groupsOf(id)));
    const identity: PolicySource[] = [];
    const inline = await this.#store.read
      .selectFrom('iam_inline_policy')
      .selectAll()
      .where('principal_id', 'in', owners)
      .execute();
    for (const { name, document } of inline) identity.push({ name, policy: this.#documents.get(document) });
    const attached = await this.#store.read
      .selectFrom('iam_attachment')
      .select('policy_arn')
      .distinct()
      .where('principal_id', 'in', owners)
      .execute();
    for (const { policy_arn: arn } of attached) identity.push(await this.#managedOrNothing(arn));
    const boundaryArn = principal.boundary_arn;
    const tags = await tagsOf(this.#store.read, id);
    // INVARIANT: a boundary that cannot be found allows nothing; it is not left out.
    if (boundaryArn !== null) return { identity, tags, boundary: await this.#managedOrNothing(boundaryArn) };
    return { identity, tags };
  }

  async #groupsOf(userId: string): Promise<string[]> {
    const rows = await this.#store.read
      .selectFrom('iam_membership')
      .select('group_id')
      .where('user_id', '=', userId)
      .execute();
    return rows.map((row) => row.group_id);
  }

  async #managedOrNothing(arn: string): Promise<PolicySource> {
    return (await this.findManaged(arn)) ?? { name: arn, policy: nothingAllowed };
  }
}
