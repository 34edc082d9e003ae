/**
 * The kinds of policies that have a say in a decision; a grant on a KMS key is one of a single statement, and so is each entry
 * of an access control list.
 */
export type PolicyType =
  | 'identity-based'
  | 'resource-based'
  | 'permissions-boundary'
  | 'session'
  | 'role-trust'
  | 'key-grant'
  | 'acl';

/** The statement that made a decision. */
export interface DecidingStatement {
  readonly policyType: PolicyType;
  readonly policyName: string;
  /** The place of the statement in its document, from 0. */
  readonly statementIndex: number;
  readonly sid?: string;
}

/**
 * How the policy engine came to its answer on one access: which policies it looked at, what each of their statements had
 * to say, and what the conditions saw. Plain data for the audit log, `coffer explain` and authorization messages: bounded
 * in size, and without secrets.
 */
export interface AccessEvaluation {
  /** Such as `kms:Decrypt`. */
  readonly action: string;
  /** An ARN, or `*`. */
  readonly resource: string;
  readonly isAllowed: boolean;
  readonly isExplicitDeny: boolean;
  /** In AWS's words; empty for what is allowed. */
  readonly reason: string;
  /** Absent when silence decided. */
  readonly decidedBy?: DecidingStatement;
  /** For refusals by silence: the kind of policy that would have had to allow. */
  readonly missing?: PolicyType;
  readonly principal: EvaluatedPrincipal;
  /** The account that the resource belongs to, where that is known. */
  readonly resourceAccount?: string;
  /** The account whose policy the resource's is, where that is another one: of a bucket in which somebody has an object. */
  readonly placeAccount?: string;
  readonly isCrossAccount: boolean;
  readonly policies: readonly EvaluatedPolicy[];
  /** The request's condition keys, in lower case, with their values. Long values are cut, and end in `…`. */
  readonly conditions: Readonly<Record<string, string | readonly string[]>>;
  /** True when something was left out, so that the whole stays within its bound. */
  readonly isShortened: boolean;
}

interface EvaluatedPrincipal {
  readonly type: string;
  /** `aws:userid`, a service's name, or `anonymous`. */
  readonly id: string;
  readonly arn: string;
  /** Absent for services and anonymous callers. */
  readonly account?: string;
}

export interface EvaluatedPolicy {
  readonly type: PolicyType;
  /** The ARN of a managed policy, the name of an inline one, the resource's ARN for its own policy, a grant's id. */
  readonly name: string;
  /** False for a resource that has no policy, though one would be needed. */
  readonly exists: boolean;
  /** How many statements the document has; those that are about other actions may be left out below. */
  readonly statementCount: number;
  readonly statements: readonly EvaluatedStatement[];
}

/** What became of a statement: `applies`, or the first of its elements that the request does not meet. */
export type StatementOutcome = 'applies' | 'other-principal' | 'other-action' | 'other-resource' | 'unmet-condition';

export interface EvaluatedStatement {
  /** The place of the statement in its document, from 0. */
  readonly index: number;
  readonly sid?: string;
  readonly effect: 'Allow' | 'Deny';
  readonly outcome: StatementOutcome;
  /** Absent for statements about other actions, as the following are. */
  readonly actions?: readonly string[];
  readonly resources?: readonly string[];
  /** True for NotAction and NotResource. */
  readonly isNotAction?: boolean;
  readonly isNotResource?: boolean;
  readonly conditions?: readonly EvaluatedCondition[];
}

export interface EvaluatedCondition {
  /** With prefix and suffix, such as `ForAllValues:StringLikeIfExists`. */
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
  /** What the request has for the key; absent when it has none. */
  readonly seen?: string | readonly string[];
  readonly isMet: boolean;
}
