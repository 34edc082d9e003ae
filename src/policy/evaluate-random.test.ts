import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  SimpleEvaluator,
  type SimplePolicy,
  type SimplePrincipal,
  type SimpleStatement,
} from '../../test/harness/simple-evaluator.ts';
import { compilePolicy } from './compile-policy.ts';
import { evaluate } from './evaluate.ts';
import { explainEvaluation } from './explain-evaluation.ts';
import type { PrincipalFacts } from './principal.ts';

const ACCOUNT = '111122223333';
const ROOT = `arn:aws:iam::${ACCOUNT}:root`;
const USER = `arn:aws:iam::${ACCOUNT}:user/alice`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/Worker`;
const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/Worker/one`;
const GUEST = `arn:aws:sts::${ACCOUNT}:federated-user/guest`;
const PROVIDER = `arn:aws:iam::${ACCOUNT}:oidc-provider/login.example.com`;

const PRINCIPALS: readonly PrincipalFacts[] = [
  { isRoot: true, accountId: ACCOUNT, arn: ROOT },
  { isRoot: false, accountId: ACCOUNT, arn: USER },
  { isRoot: false, accountId: ACCOUNT, arn: SESSION, roleArn: ROLE },
  { isRoot: false, accountId: ACCOUNT, arn: GUEST, issuer: { arn: USER, uniqueId: 'AIDAALICEALICEALICE1' } },
  { isRoot: false, service: 'mediaconvert.amazonaws.com' },
  { isRoot: false, identityProvider: PROVIDER },
  { isRoot: false },
];

const VARIABLES = [`$\{m:v}`, `$\{m:v, 'x'}`];
const ACTIONS = ['s3:Get', 's3:Put', 's3:G*', 's3:*', '*', 'kms:?et', 'S3:gET', 's3:*t*'];
const RESOURCES = ['a', 'b', '*', '?', 'a*z', ...VARIABLES, `${VARIABLES[0]}*`].map((name) => `arn:aws:s3:::${name}`);

interface Family {
  readonly key: string;
  readonly operators: readonly string[];
  readonly wanted: readonly string[];
  readonly actual: readonly string[];
}

const ordered = (kind: string) =>
  ['Equals', 'NotEquals', 'LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'].map((name) => kind + name);
const FAMILIES: readonly Family[] = [
  {
    key: 'm:s',
    operators: ['Equals', 'NotEquals', 'EqualsIgnoreCase', 'NotEqualsIgnoreCase', 'Like', 'NotLike'].map(
      (name) => `String${name}`,
    ),
    wanted: ['x', 'X', 'y', 'x*', '?', '*', 'a?c*', ...VARIABLES, `${VARIABLES[0]}/*`],
    actual: ['x', 'y', 'xx', '*', 'abc', '', 'x/y'],
  },
  {
    key: 'm:n',
    operators: ordered('Numeric'),
    wanted: ['5', '7', '-1', '5.0'],
    actual: ['5', '6', '7', '-2', 'x', ''],
  },
  {
    key: 'm:d',
    operators: ordered('Date'),
    wanted: ['2026-01-01T00:00:00Z', '2026-01-02', '2026-01-01T01:00:00+01:00'],
    actual: ['2026-01-01T00:00:00Z', '2026-01-01T12:30:00Z', '2026-01-02T00:00:00Z', 'never'],
  },
  { key: 'm:b', operators: ['Bool'], wanted: ['true', 'false'], actual: ['true', 'TRUE', 'false', '1'] },
  {
    key: 'm:i',
    operators: ['IpAddress', 'NotIpAddress'],
    wanted: ['10.0.0.0/8', '10.1.2.3', '10.1.2.0/30', '0.0.0.0/0', '2001:db8:0:0:0:0:0:0/32'],
    actual: ['10.1.2.3', '10.200.0.1', '192.0.2.1', '2001:db8:0:0:0:0:0:1', '2001:db9:0:0:0:0:0:1', 'x'],
  },
  {
    key: 'm:a',
    operators: ['ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike'],
    wanted: ['arn:aws:s3:::x', 'arn:aws:*:*:1:x/*', 'arn:aws:s3:::?', `arn:aws:s3:::${VARIABLES[0]}`],
    actual: ['arn:aws:s3:::x', 'arn:aws:s3:::y', 'arn:aws:kms:eu:1:x/y', 'arn:aws:kms:eu:2:x/y', 'x'],
  },
];
const FORMS = [
  (name: string) => name,
  (name: string) => `${name}IfExists`,
  (name: string) => `ForAllValues:${name}`,
  (name: string) => `ForAnyValue:${name}`,
  (name: string) => `ForAllValues:${name}IfExists`,
  () => 'Null',
];

const lineOf = fc.constantFrom(...FAMILIES).chain(({ key, operators, wanted }) =>
  fc
    .tuple(fc.constantFrom(...FORMS), fc.constantFrom(...operators))
    .map(([form, name]) => form(name))
    .chain((operator) => {
      const values = operator === 'Null' ? ['true', 'false'] : wanted;
      return fc.tuple(
        fc.constant(operator),
        fc.constant(key),
        fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: 2 }),
      );
    }),
);
const conditionOf = fc.array(lineOf, { maxLength: 2 }).map((lines) => {
  const condition: Record<string, Record<string, string[]>> = {};
  for (const [operator, key, values] of lines) (condition[operator] ??= {})[key] = values;
  return condition;
});
const contextOf = fc
  .tuple(
    fc.option(fc.constantFrom('x', 'y', '*', 'a'), { nil: undefined }),
    ...FAMILIES.map(({ actual }) =>
      fc.option(fc.oneof(fc.constantFrom(...actual), fc.array(fc.constantFrom(...actual), { maxLength: 2 })), {
        nil: undefined,
      }),
    ),
  )
  .map(([variable, ...values]) => {
    const context: Record<string, string | string[]> = {};
    if (variable !== undefined) context['m:v'] = variable;
    for (const [at, { key }] of FAMILIES.entries()) {
      const value = values[at];
      if (value !== undefined) context[key] = value;
    }
    return context;
  });

const some = (pool: readonly string[]) => fc.array(fc.constantFrom(...pool), { minLength: 1, maxLength: 2 });
const principalOf: fc.Arbitrary<SimplePrincipal> = fc.oneof(
  fc
    .array(fc.constantFrom(ACCOUNT, ROOT, USER, ROLE, SESSION, GUEST, '*'), { minLength: 1, maxLength: 3 })
    .map((AWS) => ({ AWS })),
  fc.constantFrom('mediaconvert.amazonaws.com', 'kms.amazonaws.com').map((name) => ({ Service: [name] })),
  fc.constant({ Federated: [PROVIDER] }),
);
const statementOf = (hasPrincipal: boolean): fc.Arbitrary<SimpleStatement> =>
  fc
    .record({
      Effect: fc.constantFrom('Allow', 'Allow', 'Deny' as const),
      action: fc.tuple(fc.constantFrom('Action', 'Action', 'NotAction'), some(ACTIONS)),
      resource: fc.tuple(fc.constantFrom('Resource', 'Resource', 'NotResource'), some(RESOURCES)),
      Condition: fc.oneof(fc.constant({}), fc.constant({}), conditionOf),
      principal: principalOf,
      isNot: fc.boolean(),
    })
    .map(({ Effect, action, resource, Condition, principal, isNot }) => ({
      Effect,
      [action[0]]: action[1],
      [resource[0]]: resource[1],
      Condition,
      ...(hasPrincipal && { [isNot && Effect === 'Deny' ? 'NotPrincipal' : 'Principal']: principal }),
    }));
const policyOf = (hasPrincipal: boolean): fc.Arbitrary<SimplePolicy> =>
  fc.record({
    Version: fc.constantFrom('2012-10-17', '2012-10-17', '2008-10-17' as const),
    Statement: fc.array(statementOf(hasPrincipal), { minLength: 1, maxLength: 3 }),
  });

const questionOf = fc.record({
  principal: fc.constantFrom(...PRINCIPALS),
  action: fc.constantFrom('s3:Get', 's3:Put', 'kms:Get'),
  resource: fc.constantFrom('a', 'b', 'xyz', 'abcz', '*').map((name) => `arn:aws:s3:::${name}`),
  context: contextOf,
  identity: fc.array(policyOf(false), { maxLength: 2 }),
  boundary: fc.option(policyOf(false), { nil: undefined, freq: 3 }),
  session: fc.array(policyOf(false), { maxLength: 2 }),
  resourcePolicy: fc.option(policyOf(true), { nil: undefined }),
  isRequired: fc.boolean(),
  isCrossAccount: fc.boolean(),
});

test('the engine decides as a second, plain evaluator does, and its explanation agrees', () => {
  const compile = (policy: SimplePolicy, kind: 'identity' | 'resource') => compilePolicy(JSON.stringify(policy), kind);
  const seen = { allowed: 0, denied: 0, silent: 0 };
  fc.assert(
    fc.property(questionOf, (question) => {
      const { principal, context, identity, boundary, session, resourcePolicy, isRequired } = question;
      const source = (policy: SimplePolicy, at: number) => ({ name: `p${at}`, policy: compile(policy, 'identity') });
      const request = {
        ...question,
        context: new Map(Object.entries(context)),
        policies: {
          identity: identity.map(source),
          session: session.map(source),
          ...(boundary && { boundary: source(boundary, 0) }),
          resource: {
            name: 'r',
            isRequired,
            kind: 'resource-based' as const,
            ...(resourcePolicy && { policy: compile(resourcePolicy, 'resource') }),
          },
        },
      };
      const decision = evaluate(request);
      seen[decision.isAllowed ? 'allowed' : decision.isExplicitDeny ? 'denied' : 'silent'] += 1;
      assert.equal(decision.isAllowed, new SimpleEvaluator(context, principal).isAllowed(question));

      const { policies } = explainEvaluation(request, decision);
      const applying = policies.flatMap((policy) =>
        policy.statements.filter(({ outcome }) => outcome === 'applies').map((statement) => ({ policy, statement })),
      );
      assert.equal(
        applying.some(({ statement }) => statement.effect === 'Deny'),
        decision.isExplicitDeny,
      );
      const by = decision.decidedBy;
      if (by === undefined) return;
      const isThere = ({ policy, statement }: (typeof applying)[number]) =>
        policy.type === by.policyType && policy.name === by.policyName && statement.index === by.statementIndex;
      assert.ok(applying.some(isThere), 'the statement that decided applies');
    }),
    { numRuns: 6000 },
  );
  for (const [side, count] of Object.entries(seen)) assert.ok(count > 150, `${side}: ${count}`);
});
