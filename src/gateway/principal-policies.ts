import type { Caller } from '#kernel/caller.ts';
import type { PolicySource } from '#policy/evaluate.ts';

/** The policies that a principal brings with it, and what conditions may know of it. */
export interface PrincipalPolicies {
  readonly identity: readonly PolicySource[];
  readonly boundary?: PolicySource;
  readonly session: readonly PolicySource[];
  /** The principal's own tags with the session's over them: `aws:PrincipalTag/…`. */
  readonly principalTags: Readonly<Record<string, string>>;
  /** The canonical user id of the principal's account. */
  readonly canonicalId?: string;
}

/** Where authorisation finds them, as they stand now. Implemented by the IAM service. */
export interface PrincipalPolicySource {
  policiesOf(caller: Caller): Promise<PrincipalPolicies>;
}
