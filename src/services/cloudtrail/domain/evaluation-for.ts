import type { AccessEvaluation, PolicyType } from '#kernel/access-evaluation.ts';

const OF_THE_RESOURCE: ReadonlySet<PolicyType> = new Set(['resource-based', 'role-trust', 'key-grant', 'acl']);

/**
 * What one account's log may hold of an evaluation.
 *
 * INVARIANT: where two accounts have a part in a decision, each learns of its own policies only.
 */
export function evaluationFor(evaluation: AccessEvaluation, account: string): AccessEvaluation {
  const isOwn = (type: PolicyType): boolean => {
    if (!OF_THE_RESOURCE.has(type)) return account === evaluation.principal.account;
    const holder = type === 'acl' ? undefined : evaluation.placeAccount;
    return account === (holder ?? evaluation.resourceAccount);
  };
  const policies = evaluation.policies.filter(({ type }) => isOwn(type));
  const decider = evaluation.decidedBy?.policyType ?? evaluation.missing;
  if (decider === undefined || isOwn(decider)) return { ...evaluation, policies };
  const {
    action,
    resource,
    isAllowed,
    principal,
    resourceAccount,
    placeAccount,
    isCrossAccount,
    conditions,
    isShortened,
  } = evaluation;
  return {
    action,
    resource,
    isAllowed,
    isExplicitDeny: false,
    reason: 'the policies of another account decide',
    principal,
    ...(resourceAccount !== undefined && { resourceAccount }),
    ...(placeAccount !== undefined && { placeAccount }),
    isCrossAccount,
    policies,
    conditions,
    isShortened,
  };
}
