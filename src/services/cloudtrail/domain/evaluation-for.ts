import type { AccessEvaluation, PolicyType } from '#kernel/access-evaluation.ts';

const OF_THE_RESOURCE: ReadonlySet<PolicyType> = new Set(['resource-based', 'role-trust', 'key-grant']);

/**
 * What one account's log may hold of an evaluation.
 *
 * INVARIANT: where two accounts have a part in a decision, each learns of its own policies only.
 */
export function evaluationFor(evaluation: AccessEvaluation, account: string): AccessEvaluation {
  const isOwn = (type: PolicyType): boolean =>
    account === (OF_THE_RESOURCE.has(type) ? evaluation.resourceAccount : evaluation.principal.account);
  const policies = evaluation.policies.filter(({ type }) => isOwn(type));
  const decider = evaluation.decidedBy?.policyType ?? evaluation.missing;
  if (decider === undefined || isOwn(decider)) return { ...evaluation, policies };
  const { action, resource, isAllowed, principal, resourceAccount, isCrossAccount, conditions, isShortened } =
    evaluation;
  return {
    action,
    resource,
    isAllowed,
    isExplicitDeny: false,
    reason: 'the policies of another account decide',
    principal,
    ...(resourceAccount !== undefined && { resourceAccount }),
    isCrossAccount,
    policies,
    conditions,
    isShortened,
  };
}
