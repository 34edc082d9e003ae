import type {
  AccessEvaluation,
  EvaluatedCondition,
  EvaluatedPolicy,
  EvaluatedStatement,
  PolicyType,
  StatementOutcome,
} from '#kernel/access-evaluation.ts';
import type { CompiledPolicy, CompiledStatement, StatementRequest } from './compile-policy.ts';
import { namingByAcl } from './acl-naming.ts';
import { namingByGrant, outcomeOf } from './key-grants.ts';
import { type Decision, type EvaluationRequest, isAboutPrincipal, questionOf } from './evaluate.ts';

/** Characters of JSON that a record may have, about. */
const MAX_SIZE = 12_000;
const MAX_TEXT = 256;
const MAX_VALUES = 16;
const MAX_CONDITION_KEYS = 96;
const MAX_POLICIES = 32;

type Explained = Pick<AccessEvaluation, 'policies' | 'conditions' | 'isShortened'>;

/**
 * Goes through a decision once more, statement by statement, and writes down what each had to say. Takes longer than the
 * decision: for refusals, and for who asks.
 *
 * What is left out first, when it gets too long: statements that are about something else, then the condition keys that
 * no statement asks for, then statements that do not decide.
 */
export function explainEvaluation(request: EvaluationRequest, decision: Decision): Explained {
  const question = questionOf(request);
  const cut = new Cutter();
  const all = policiesOf(request);
  const policies = all.slice(0, MAX_POLICIES).map((item) => explainPolicy(item, question, request, cut));
  if (all.length > MAX_POLICIES) cut.isUsed = true;
  policies.push(...explainGrants(question, request, cut), ...explainAcl(request, cut));
  const conditions = explainContext(request, cut);
  return shorten({ policies, conditions, isShortened: cut.isUsed }, decision);
}

interface NamedPolicy {
  readonly type: PolicyType;
  readonly name: string;
  readonly policy: CompiledPolicy | undefined;
}

function policiesOf({ policies }: EvaluationRequest): NamedPolicy[] {
  const { identity, boundary, session, resource } = policies;
  return [
    ...(resource === undefined ? [] : [{ type: resource.kind, name: resource.name, policy: resource.policy }]),
    ...(boundary === undefined ? [] : [{ type: 'permissions-boundary' as const, ...boundary }]),
    ...session.map((source) => ({ type: 'session' as const, ...source })),
    ...identity.map((source) => ({ type: 'identity-based' as const, ...source })),
  ];
}

function explainPolicy(
  { type, name, policy }: NamedPolicy,
  question: StatementRequest,
  request: EvaluationRequest,
  cut: Cutter,
): EvaluatedPolicy {
  const hasPrincipals = type === 'resource-based' || type === 'role-trust';
  return {
    type,
    name: cut.text(name),
    exists: policy !== undefined,
    statementCount: policy?.statements.length ?? 0,
    statements: (policy?.statements ?? []).map((statement) => {
      const isHeard = !hasPrincipals || statement.effect === 'Deny' || request.policies.resource?.isDenyOnly !== true;
      const isMeant = isHeard && (!hasPrincipals || isAboutPrincipal(statement, request.principal));
      return explainStatement(statement, question, isMeant, cut);
    }),
  };
}

/** A grant reads as a policy of one statement. */
function explainGrants(question: StatementRequest, request: EvaluationRequest, cut: Cutter): EvaluatedPolicy[] {
  const sources = request.policies.grants;
  if (sources === undefined) return [];
  if (sources.grants.length > MAX_POLICIES) cut.isUsed = true;
  return sources.grants.slice(0, MAX_POLICIES).map((grant): EvaluatedPolicy => {
    const isMeant = namingByGrant(grant, request.principal) !== 'none';
    const outcome = isMeant ? outcomeOf(grant, question, sources) : 'other-principal';
    const actions = cut.list(grant.operations.map((name) => `kms:${name}`));
    const statement = { index: 0, effect: 'Allow', outcome, actions, resources: [cut.text(grant.key)] } as const;
    return { type: 'key-grant', name: grant.id, exists: true, statementCount: 1, statements: [statement] };
  });
}

/** So does each entry of an access control list; those that allow something else are not told. */
function explainAcl({ policies, principal, action, resource }: EvaluationRequest, cut: Cutter): EvaluatedPolicy[] {
  if (policies.acl === undefined) return [];
  const { name, grantees } = policies.acl;
  const statements = grantees.slice(0, MAX_VALUES).map((grantee, index) => {
    const outcome = namingByAcl(grantee, principal) === 'none' ? ('other-principal' as const) : ('applies' as const);
    return { index, effect: 'Allow' as const, outcome, actions: [cut.text(action)], resources: [cut.text(resource)] };
  });
  return [{ type: 'acl', name: cut.text(name), exists: true, statementCount: grantees.length, statements }];
}

function explainStatement(
  statement: CompiledStatement,
  question: StatementRequest,
  isMeant: boolean,
  cut: Cutter,
): EvaluatedStatement {
  const { index, sid, effect, source } = statement;
  const head = { index, ...(sid !== undefined && { sid: cut.text(sid) }), effect };
  if (!statement.appliesToAction(question)) return { ...head, outcome: 'other-action' };
  const conditions = source.conditions.map(({ operator, key, values }, at): EvaluatedCondition => {
    const seen = question.context.get(key.toLowerCase());
    return {
      operator,
      key: cut.text(key),
      values: cut.list(values),
      ...(seen !== undefined && { seen: cut.value(seen) }),
      isMet: statement.conditions[at]?.(question.context, question.lookup) === true,
    };
  });
  const outcome = ((): StatementOutcome => {
    if (!isMeant) return 'other-principal';
    if (!statement.appliesToResource(question)) return 'other-resource';
    return conditions.every(({ isMet }) => isMet) ? 'applies' : 'unmet-condition';
  })();
  return {
    ...head,
    outcome,
    actions: cut.list(source.actions),
    resources: cut.list(source.resources),
    ...(source.isNotAction && { isNotAction: true }),
    ...(source.isNotResource && { isNotResource: true }),
    ...(conditions.length > 0 && { conditions }),
  };
}

function explainContext({ context }: EvaluationRequest, cut: Cutter): AccessEvaluation['conditions'] {
  const entries = [...context];
  if (entries.length > MAX_CONDITION_KEYS) cut.isUsed = true;
  return Object.fromEntries(
    entries.slice(0, MAX_CONDITION_KEYS).map(([key, value]) => [cut.text(key), cut.value(value)]),
  );
}

/** Takes things out, the least telling first, until the record fits. */
function shorten(full: Explained, { decidedBy }: Decision): Explained {
  const isDeciding = (policy: EvaluatedPolicy, { index }: EvaluatedStatement): boolean =>
    policy.type === decidedBy?.policyType && policy.name === decidedBy.policyName && index === decidedBy.statementIndex;
  const keep = (
    explained: Explained,
    isKept: (statement: EvaluatedStatement, policy: EvaluatedPolicy) => boolean,
  ): Explained => ({
    ...explained,
    isShortened: true,
    policies: explained.policies.map((policy) => ({
      ...policy,
      statements: policy.statements.filter((item) => isDeciding(policy, item) || isKept(item, policy)),
    })),
  });
  const steps: readonly ((explained: Explained) => Explained)[] = [
    (explained) => keep(explained, ({ outcome }) => outcome !== 'other-action'),
    (explained) => keep(explained, ({ outcome }) => outcome !== 'other-action' && outcome !== 'other-principal'),
    (explained) => ({ ...explained, conditions: onlyAskedFor(explained) }),
    (explained) => keep(explained, ({ outcome }) => outcome === 'applies' || outcome === 'unmet-condition'),
    (explained) => keep(explained, ({ index }) => index < 4),
    (explained) => ({ ...keep(explained, () => false), conditions: {} }),
    (explained) => ({ ...explained, policies: explained.policies.slice(0, 8).map(outlineOf) }),
  ];
  let explained = full;
  for (const step of steps) {
    if (JSON.stringify(explained).length <= MAX_SIZE) break;
    explained = step(explained);
  }
  return explained;
}

function outlineOf(policy: EvaluatedPolicy): EvaluatedPolicy {
  const statements = policy.statements.map(({ index, sid, effect, outcome }) => ({
    index,
    ...(sid !== undefined && { sid }),
    effect,
    outcome,
  }));
  return { ...policy, statements };
}

function onlyAskedFor({ policies, conditions }: Explained): AccessEvaluation['conditions'] {
  const asked = new Set(
    policies.flatMap(({ statements }) =>
      statements.flatMap((statement) => statement.conditions?.map(({ key }) => key.toLowerCase()) ?? []),
    ),
  );
  return Object.fromEntries(Object.entries(conditions).filter(([key]) => asked.has(key)));
}

/** Cuts what is long, and remembers that it did. */
class Cutter {
  isUsed = false;

  text(text: string): string {
    if (text.length <= MAX_TEXT) return text;
    this.isUsed = true;
    return `${text.slice(0, MAX_TEXT - 1)}…`;
  }

  list(values: readonly string[]): string[] {
    if (values.length > MAX_VALUES) this.isUsed = true;
    return values.slice(0, MAX_VALUES).map((value) => this.text(value));
  }

  value(value: string | readonly string[]): string | string[] {
    return typeof value === 'string' ? this.text(value) : this.list(value);
  }
}
