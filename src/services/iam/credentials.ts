import type { RootKey } from '#crypto/root-key.ts';
import { formatArn } from '#kernel/arn.ts';
import type { Caller, SessionFacts } from '#kernel/caller.ts';
import type { AccountId } from '#kernel/ids.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { openSecret } from './domain/access-keys.ts';
import { ChangeCache } from '#storage/change-cache.ts';
import {
  accountOfSessionKeyId,
  newSecretAccessKey,
  newSessionKeyId,
  principalArn,
  rootArn,
} from './domain/identifiers.ts';
import { type SessionClaims, type SessionOwner, SessionTokens } from './domain/session-tokens.ts';
import type { AccessKeyRecord, IamStore, PrincipalRecord } from './store.ts';

/** Why an access key is of no use. */
export type CredentialProblem = 'unknown' | 'inactive' | 'expired' | 'invalid-token';

export interface FoundCredentials {
  readonly secretAccessKey: string;
  readonly caller: Caller;
}

/** Temporary credentials, as STS hands them out. */
export interface IssuedCredentials extends FoundCredentials {
  readonly accessKeyId: string;
  readonly sessionToken: string;
}

interface CachedCredentials {
  readonly found: FoundCredentials | 'inactive';
  readonly sessionToken?: string;
  readonly expiresAt?: number;
}

const CACHED_KEYS = 10_000;

/** Finds who is behind an access key, and makes temporary credentials. */
export class Credentials {
  readonly #store: IamStore;
  readonly #rootKey: RootKey;
  readonly #randomness: Randomness;
  readonly #tokens: SessionTokens;
  readonly #cache = new ChangeCache<CachedCredentials>(CACHED_KEYS);

  constructor(store: IamStore, rootKey: RootKey, randomness: Randomness) {
    this.#store = store;
    this.#rootKey = rootKey;
    this.#randomness = randomness;
    this.#tokens = new SessionTokens(rootKey);
    store.onChange(() => this.#cache.clear());
  }

  /**
   * @param sessionToken as the request carried it
   * @param now milliseconds since the epoch
   */
  async find(
    accessKeyId: string,
    sessionToken: string | undefined,
    now: number,
  ): Promise<FoundCredentials | CredentialProblem> {
    if (sessionToken !== undefined) return this.#findTemporary(accessKeyId, sessionToken, now);
    const cached = await this.#cache.get(accessKeyId, () => this.#loadKey(accessKeyId));
    // A session's key without its token is nobody's.
    if (cached === undefined || cached.sessionToken !== undefined) return 'unknown';
    return cached.found;
  }

  /** Makes temporary credentials for a session. */
  async issue(session: {
    readonly account: AccountId;
    readonly owner: SessionOwner;
    readonly facts: SessionFacts;
  }): Promise<IssuedCredentials | undefined> {
    const account = isOfRoot(session.owner) ? await this.#store.findAccount(session.account) : undefined;
    const claims: SessionClaims = {
      ...session,
      ...(account && { canonicalId: account.canonical_id }),
      accessKeyId: newSessionKeyId(session.account, this.#randomness),
      secretAccessKey: newSecretAccessKey(this.#randomness),
    };
    const caller = await this.#sessionCaller(claims);
    if (caller === undefined) return undefined;
    const { accessKeyId, secretAccessKey } = claims;
    return { accessKeyId, secretAccessKey, sessionToken: this.#tokens.seal(claims), caller };
  }

  /** The account that an access key belongs to; a session's says itself, and is kept nowhere. */
  async accountOfKey(accessKeyId: string): Promise<AccountId | undefined> {
    const ofSession = accountOfSessionKeyId(accessKeyId);
    if (ofSession !== undefined) return (await this.#store.findAccount(ofSession))?.id;
    const row = await this.#store.read
      .selectFrom('iam_access_key')
      .select('account')
      .where('id', '=', accessKeyId)
      .executeTakeFirst();
    return row?.account;
  }

  /** Reads every stored secret and says which do not open. */
  async *check(): AsyncGenerator<{ readonly accessKeyId: string; readonly isSound: boolean }> {
    const query = this.#store.readUnchecked.selectFrom('iam_access_key').select(['id', 'sealed']).orderBy('id');
    const keys = await query.execute();
    for (const key of keys) yield { accessKeyId: key.id, isSound: this.#opens(key) };
  }

  #opens(key: Pick<AccessKeyRecord, 'id' | 'sealed'>): boolean {
    try {
      openSecret(key, this.#rootKey);
      return true;
    } catch {
      return false;
    }
  }

  async #findTemporary(
    accessKeyId: string,
    sessionToken: string,
    now: number,
  ): Promise<FoundCredentials | CredentialProblem> {
    const cacheKey = `${accessKeyId} ${sessionToken}`;
    let problem: CredentialProblem = 'invalid-token';
    const cached = await this.#cache.get(cacheKey, async () => {
      const claims = this.#tokens.open(sessionToken);
      if (claims === undefined || claims.accessKeyId !== accessKeyId) return undefined;
      const caller = await this.#sessionCaller(claims);
      // Whose session it was is gone, or another has its name now.
      if (caller === undefined) problem = 'unknown';
      if (caller === undefined) return undefined;
      const { secretAccessKey } = claims;
      return { found: { secretAccessKey, caller }, sessionToken, expiresAt: claims.facts.expiresAt };
    });
    if (cached === undefined) return problem;
    if (now >= (cached.expiresAt ?? 0)) return 'expired';
    return cached.found;
  }

  async #loadKey(accessKeyId: string): Promise<CachedCredentials | undefined> {
    const key = await this.#store.read
      .selectFrom('iam_access_key')
      .selectAll()
      .where('id', '=', accessKeyId)
      .executeTakeFirst();
    if (key === undefined) return undefined;
    if (key.status !== 'Active') return { found: 'inactive' };
    const secretAccessKey = openSecret(key, this.#rootKey);
    if (key.user_id === null) {
      return { found: { secretAccessKey, caller: { ...rootCaller(key.account), accessKeyId } } };
    }
    const user = await this.#store.findPrincipalById(key.user_id);
    return user && { found: { secretAccessKey, caller: { ...userCaller(user), accessKeyId } } };
  }

  async #sessionCaller({
    account,
    canonicalId,
    owner,
    facts,
    accessKeyId,
  }: SessionClaims): Promise<Caller | undefined> {
    const session = facts;
    if (isOfRoot(owner)) {
      const found = await this.#store.findAccount(account);
      if (found === undefined || found.canonical_id !== canonicalId) return undefined;
      const root = rootCaller(found.id);
      if (owner.type === 'federated-user') return { ...federatedCaller(root, owner.name), accessKeyId, session };
      return { ...root, accessKeyId, session };
    }
    if (owner.type === 'federated-user') {
      const user = await this.#store.findPrincipalById(owner.userId ?? '');
      return user && { ...federatedCaller(userCaller(user), owner.name), accessKeyId, session };
    }
    if (owner.type === 'user') {
      const user = await this.#store.findPrincipalById(owner.userId);
      return user && { ...userCaller(user), accessKeyId, session };
    }
    if (owner.type === 'root') return undefined;
    const role = await this.#store.findPrincipalById(owner.roleId);
    return role && { ...roleSessionCaller(role, owner.sessionName), accessKeyId, session };
  }
}

function isOfRoot(owner: SessionOwner): boolean {
  return owner.type === 'root' || (owner.type === 'federated-user' && owner.userId === undefined);
}

/** @param issuer the user who made the session, or the root user */
function federatedCaller(
  issuer: { readonly accountId: AccountId; readonly arn: string; readonly principalId: string },
  name: string,
) {
  const { accountId } = issuer;
  return {
    type: 'federated-user',
    accountId,
    arn: formatArn({ service: 'sts', account: accountId, resource: `federated-user/${name}` }),
    principalId: `${accountId}:${name}`,
    federatedUserName: name,
    issuerId: issuer.principalId,
    issuerArn: issuer.arn,
  } as const;
}

function rootCaller(accountId: AccountId) {
  return { type: 'root', accountId, arn: rootArn(accountId), principalId: accountId } as const;
}

function userCaller(user: PrincipalRecord) {
  return {
    type: 'user',
    accountId: user.account,
    arn: principalArn('user', user),
    principalId: user.id,
    userName: user.name,
  } as const;
}

function roleSessionCaller(role: PrincipalRecord, sessionName: string) {
  const resource = `assumed-role/${role.name}/${sessionName}`;
  return {
    type: 'assumed-role',
    accountId: role.account,
    arn: formatArn({ service: 'sts', account: role.account, resource }),
    principalId: `${role.id}:${sessionName}`,
    roleArn: principalArn('role', role),
    roleName: role.name,
    sessionName,
  } as const;
}
