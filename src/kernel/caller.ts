import type { AccountId } from './ids.ts';

/**
 * Who makes a call, as authentication established it. Plain data: the policies that apply are looked up at
 * authorisation, so that a change acts on the next request.
 */
export type Caller =
  | RootCaller
  | UserCaller
  | RoleSessionCaller
  | FederatedUserCaller
  | ServiceCaller
  | AnonymousCaller;

interface Identified {
  readonly accountId: AccountId;
  /** The ARN that GetCallerIdentity answers and that refusals name. */
  readonly arn: string;
  /** `aws:userid`: the account id for root, AIDA… for a user, AROA…:session for a role session. */
  readonly principalId: string;
  /** The access key that signed; absent for calls that the platform makes for the principal. */
  readonly accessKeyId?: string;
}

/** The account's root user: allowed everything that no resource policy denies. */
interface RootCaller extends Identified {
  readonly type: 'root';
  /** Set when the credentials are temporary (GetSessionToken). */
  readonly session?: SessionFacts;
}

interface UserCaller extends Identified {
  readonly type: 'user';
  readonly userName: string;
  /** Set when the credentials are temporary (GetSessionToken). */
  readonly session?: SessionFacts;
}

export interface RoleSessionCaller extends Identified {
  readonly type: 'assumed-role';
  /** The IAM ARN of the role, with its path: `aws:PrincipalArn`. */
  readonly roleArn: string;
  readonly roleName: string;
  readonly sessionName: string;
  readonly session: SessionFacts;
}

/** A session of GetFederationToken: what its maker may do, as far as the session policies allow it too. */
export interface FederatedUserCaller extends Identified {
  readonly type: 'federated-user';
  /** The name that the maker gave it; `principalId` is the account and this. */
  readonly federatedUserName: string;
  /** Whose rights it has: the unique id of an IAM user, or the account id for the account's root user. */
  readonly issuerId: string;
  /** The ARN of that user. */
  readonly issuerArn: string;
  readonly session: SessionFacts;
}

/** A service of this platform acting in its own name, as in `sts:AssumeRole` of a job's role. */
export interface ServiceCaller {
  readonly type: 'service';
  /** Such as `mediaconvert.amazonaws.com`. */
  readonly service: string;
  /** The account for which the service acts: `aws:SourceAccount`. */
  readonly sourceAccount: AccountId;
  /** The resource for which the service acts, such as the queue: `aws:SourceArn`. */
  readonly sourceArn: string;
}

export interface AnonymousCaller {
  readonly type: 'anonymous';
}

/** What a temporary credential carries with it. */
export interface SessionFacts {
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Session policies: documents in JSON, and ARNs of managed policies. An empty list means that none was given. */
  readonly policies: readonly string[];
  /** Session tags, which stand over the principal's own tags. */
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTagKeys: readonly string[];
  readonly isMfaAuthenticated: boolean;
  /** Milliseconds since the epoch: when the code was given, where that is not when the session began. */
  readonly mfaAuthenticatedAt?: number;
  readonly sourceIdentity?: string;
  readonly externalId?: string;
  /** For sessions that an identity provider vouched for (web identity, SAML). */
  readonly federation?: {
    /** `aws:FederatedProvider`: the provider's ARN. */
    readonly provider: string;
    /** Condition keys that stay with the session, such as `accounts.example.com:sub` or `saml:sub_type`. */
    readonly keys: Readonly<Record<string, string | readonly string[]>>;
  };
}

export const anonymousCaller: AnonymousCaller = { type: 'anonymous' };

/** The caller's account; for a service the account it acts for; `undefined` for anonymous. */
export function accountOf(caller: Caller): AccountId | undefined {
  switch (caller.type) {
    case 'anonymous':
      return undefined;
    case 'service':
      return caller.sourceAccount;
    default:
      return caller.accountId;
  }
}

/** The ARN or name by which refusals and the audit log call the caller. */
export function nameOf(caller: Caller): string {
  switch (caller.type) {
    case 'anonymous':
      return 'anonymous';
    case 'service':
      return caller.service;
    default:
      return caller.arn;
  }
}
