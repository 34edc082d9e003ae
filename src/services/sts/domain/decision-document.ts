import type { AccessEvaluation, EvaluatedStatement, PolicyType } from '#kernel/access-evaluation.ts';

/** Bytes, about: encoded, it has to fit in a header beside others, and in what DecodeAuthorizationMessage takes. */
const MAX_LENGTH = 4096;
const OF_THE_RESOURCE: ReadonlySet<PolicyType> = new Set(['resource-based', 'role-trust', 'key-grant', 'acl']);

const items = <Item>(list: readonly Item[]) => ({ items: list });
const values = (list: readonly string[]) => items(list.map((value) => ({ value })));
const listOf = (value: string | readonly string[]): readonly string[] => (typeof value === 'string' ? [value] : value);

/**
 * A decision as DecodeAuthorizationMessage tells it (STS API reference): whether it was an explicit deny, the statements
 * that matched, and principal, action, resource and condition keys of the request. What `failures` hold is not documented;
 * here they are the kinds of policies that would have had to allow.
 *
 * INVARIANT: the principal's account learns nothing of what belongs to another.
 *
 * @returns JSON
 */
export function decisionDocument(evaluation: AccessEvaluation): string {
  const isOwn = !evaluation.isCrossAccount && evaluation.placeAccount === undefined;
  const isTold = (type: PolicyType): boolean => isOwn || !OF_THE_RESOURCE.has(type);
  const matched = evaluation.policies.flatMap(({ type, statements }) =>
    isTold(type) ? statements.filter(({ effect, outcome }) => effect === 'Deny' && outcome === 'applies') : [],
  );
  const conditions = Object.entries(evaluation.conditions).filter(
    ([key]) => isOwn || (key.startsWith('aws:') && !key.startsWith('aws:resource')),
  );
  const failures =
    evaluation.missing === undefined ? [] : [{ policyType: evaluation.missing, value: evaluation.reason }];
  const write = (statements: readonly EvaluatedStatement[], count: number): string =>
    JSON.stringify({
      allowed: evaluation.isAllowed,
      explicitDeny: evaluation.isExplicitDeny,
      matchedStatements: items(statements.map((statement) => statementOf(statement, evaluation))),
      failures: items(failures),
      context: {
        principal: { id: evaluation.principal.id, arn: evaluation.principal.arn },
        action: evaluation.action,
        resource: evaluation.resource.slice(0, 2048),
        conditions: conditionItems(conditions.slice(0, count)),
      },
    });
  for (const [statements, count] of [
    [matched, conditions.length],
    [matched.slice(0, 1), conditions.length],
    [matched.slice(0, 1), 16],
    [[], 16],
  ] as const) {
    const text = write(statements, count);
    if (Buffer.byteLength(text) <= MAX_LENGTH) return text;
  }
  return write([], 0);
}

function statementOf(statement: EvaluatedStatement, { principal }: AccessEvaluation) {
  const { sid = '', effect, actions = [], resources = [], conditions = [] } = statement;
  return {
    statementId: sid,
    effect: effect.toUpperCase(),
    principals: values([principal.id]),
    principalGroups: items([]),
    actions: values(actions),
    resources: values(resources),
    conditions: conditionItems(conditions.map(({ key, values: wanted }) => [key, wanted])),
  };
}

function conditionItems(entries: readonly (readonly [string, string | readonly string[]])[]) {
  return items(entries.map(([key, value]) => ({ key, values: values(listOf(value)) })));
}
