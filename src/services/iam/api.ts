import type { RootKey } from '#crypto/root-key.ts';
import { parseArn } from '#kernel/arn.ts';
import type { Caller, SessionFacts } from '#kernel/caller.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Authority, Door } from '#kernel/door.ts';
import type { AccountId } from '#kernel/ids.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { Accounts } from './accounts.ts';
import { type CallerPolicies, CallerPolicyDirectory } from './caller-policies.ts';
import { type CredentialProblem, Credentials, type FoundCredentials, type IssuedCredentials } from './credentials.ts';
import { parseIamArn, principalArn } from './domain/identifiers.ts';
import { IdentityProviders } from './identity-providers.ts';
import { MfaCodes } from './mfa-codes.ts';
import { PolicyPrincipals } from './policy-principals.ts';
import type { SessionOwner } from './domain/session-tokens.ts';
import { type IamStore, tagsOf } from './store.ts';

export { AccountExistsError } from './accounts.ts';
export type { IdentityProviders, OidcProvider, SamlProvider } from './identity-providers.ts';
export { isTrustedIssuer, issuerName } from './domain/oidc-issuer.ts';
export type { IssuedCredentials } from './credentials.ts';
export type { PolicyPrincipals } from './policy-principals.ts';

/** A role, for those who pass or assume it. */
export interface Role {
  /** AROA…. */
  readonly roleId: string;
  readonly arn: string;
  readonly roleName: string;
  readonly account: AccountId;
  /** JSON: the trust policy, with unique ids in the place of the ARNs that it was saved with. */
  readonly trustPolicy: string;
  /** Seconds. */
  readonly maxSessionDuration: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** An assumed role's or a federated user's resource part: which of the two, and the role's or the user's name. */
const SESSION = /^(assumed-role|federated-user)\/([\w+=,.@-]+)(?:\/[\w+=,.@-]+)?$/;

/**
 * IAM for the rest of the platform: what authentication, authorisation and STS ask it. It reads facts about principals
 * only; it hands out no rights.
 */
export class IamApi {
  readonly accounts: Accounts;
  readonly mfaCodes: MfaCodes;
  readonly identityProviders: IdentityProviders;
  readonly policyPrincipals: PolicyPrincipals;
  readonly #store: IamStore;
  readonly #credentials: Credentials;
  readonly #policies: CallerPolicyDirectory;

  constructor(store: IamStore, rootKey: RootKey, randomness: Randomness, clock: Clock) {
    this.#store = store;
    this.accounts = new Accounts(store, rootKey, randomness, clock);
    this.mfaCodes = new MfaCodes(store, rootKey);
    this.identityProviders = new IdentityProviders(store);
    this.policyPrincipals = new PolicyPrincipals(store);
    this.#credentials = new Credentials(store, rootKey, randomness);
    this.#policies = new CallerPolicyDirectory(store);
  }

  /**
   * The secret and the principal behind an access key.
   * @param now milliseconds since the epoch
   */
  findCredentials(
    accessKeyId: string,
    sessionToken: string | undefined,
    now: number,
  ): Promise<FoundCredentials | CredentialProblem> {
    return this.#credentials.find(accessKeyId, sessionToken, now);
  }

  /** The caller's policies as they stand now, prepared for evaluation. */
  policiesOf(caller: Caller): Promise<CallerPolicies> {
    return this.#policies.policiesOf(caller);
  }

  /** How many policies of principals were compiled so far. */
  get compilations(): number {
    return this.#policies.compilations;
  }

  /** `undefined` when there is no role with exactly this ARN. */
  async findRole(arn: string): Promise<Role | undefined> {
    const parts = parseIamArn('role', arn);
    if (parts === undefined) return undefined;
    const role = await this.#store.findPrincipal(parts.account, 'role', parts.name);
    if (role === undefined || principalArn('role', role) !== arn) return undefined;
    if (role.bound_trust_policy === null || role.max_session === null) return undefined;
    return {
      roleId: role.id,
      arn,
      roleName: role.name,
      account: role.account,
      trustPolicy: role.bound_trust_policy,
      maxSessionDuration: role.max_session,
      tags: await tagsOf(this.#store.read, role.id),
    };
  }

  /**
   * Whom an ARN of IAM or STS names, of those that a grant can be for. The unique id is absent for an account's root and
   * for federated users; a session of a role has the role's.
   */
  async findPrincipal(arn: string): Promise<{ readonly uniqueId?: string } | undefined> {
    for (const kind of ['user', 'role'] as const) {
      const parts = parseIamArn(kind, arn);
      if (parts === undefined) continue;
      const found = await this.#store.findPrincipal(parts.account, kind, parts.name);
      return found !== undefined && principalArn(kind, found) === arn ? { uniqueId: found.id } : undefined;
    }
    const { service, account, resource } = parseArn(arn) ?? {};
    if (account === undefined || (await this.accounts.find(account as AccountId)) === undefined) return undefined;
    if (service === 'iam') return resource === 'root' ? {} : undefined;
    if (service !== 'sts') return undefined;
    const [, kind, name = ''] = SESSION.exec(resource ?? '') ?? [];
    if (kind === 'federated-user') return {};
    const role = kind === undefined ? undefined : await this.#store.findPrincipal(account, 'role', name);
    return role?.name === name ? { uniqueId: role.id } : undefined;
  }

  /** Whether there is a managed policy, of AWS or of `account`, with this ARN. */
  async hasManagedPolicy(account: AccountId, arn: string): Promise<boolean> {
    const owner = parseIamArn('policy', arn)?.account;
    return (owner === 'aws' || owner === account) && (await this.#policies.findManaged(arn)) !== undefined;
  }

  /** Temporary credentials; `undefined` when their owner is gone. For STS. */
  issueCredentials(session: {
    readonly account: AccountId;
    readonly owner: SessionOwner;
    readonly facts: SessionFacts;
  }): Promise<IssuedCredentials | undefined> {
    return this.#credentials.issue(session);
  }

  /** Reads every stored secret and says which do not open, for verification. */
  checkAccessKeys(): AsyncIterable<{ readonly accessKeyId: string; readonly isSound: boolean }> {
    return this.#credentials.check();
  }

  /** The account that an access key belongs to, of a user or of a session. */
  accountOfKey(accessKeyId: string): Promise<AccountId | undefined> {
    return this.#credentials.accountOfKey(accessKeyId);
  }
}

/** The roles that services act with: each call is validated, authorised and audited as one that came from a socket. */
export class ServiceLinkedRoles {
  readonly #door: Door;

  constructor(door: Door) {
    this.#door = door;
  }

  /** @throws ServiceError as CreateServiceLinkedRole answers */
  async create(service: string, authority: Authority): Promise<void> {
    await this.#door.invoke('iam', 'CreateServiceLinkedRole', { AWSServiceName: service }, authority);
  }
}
