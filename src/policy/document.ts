import type { PrincipalElement } from './principal-element.ts';

/** What a document may say and must say depends on where it is attached. */
export type PolicyKind =
  /** An inline identity policy, a permissions boundary's or session policy's document: no principals. */
  | 'identity'
  /** A managed policy: as `identity`, and IAM asks for version 2012-10-17. */
  | 'managed'
  /** A policy of a bucket, key or secret: principals and resources. */
  | 'resource'
  /** A role's trust policy: principals, STS actions, no resources. */
  | 'trust';

export type PolicyVersion = '2008-10-17' | '2012-10-17';

/** A policy as it was written, checked but not yet prepared for evaluation. */
export interface PolicyDocument {
  readonly version: PolicyVersion;
  readonly id?: string;
  readonly statements: readonly Statement[];
}

export interface Statement {
  readonly sid?: string;
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  /** True for NotAction. */
  readonly isNotAction: boolean;
  /** Empty only in trust policies. */
  readonly resources: readonly string[];
  /** True for NotResource. */
  readonly isNotResource: boolean;
  /** Present in resource and trust policies, absent in the others. */
  readonly principal?: PrincipalElement;
  /** True for NotPrincipal. */
  readonly isNotPrincipal: boolean;
  readonly conditions: readonly Condition[];
}

export interface Condition {
  /** With prefix and suffix, such as `ForAllValues:StringLikeIfExists`. */
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}
