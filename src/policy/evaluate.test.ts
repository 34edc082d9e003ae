import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePolicy } from './compile-policy.ts';
import { evaluate } from './evaluate.ts';
import type { PrincipalFacts } from './principal.ts';
import { refusalMessage } from './refusal-message.ts';

const ACCOUNT = '111122223333';
const USER = `arn:aws:iam::${ACCOUNT}:user/alice`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/Worker`;
const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/Worker/one`;

interface SimpleStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: string;
  readonly NotAction?: string;
  readonly Resource?: string;
  readonly NotResource?: string;
  readonly Principal?: { readonly AWS: readonly string[] } | { readonly Service: string };
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

type SimplePolicy = readonly SimpleStatement[];

const ACTIONS = ['s3:Get', 's3:Put', 's3:G*', 's3:*', '*', 'kms:?et', 'S3:gET'];
const RESOURCES = ['arn:aws:s3:::a', 'arn:aws:s3:::b', 'arn:aws:s3:::*', '*', 'arn:aws:s3:::?', `arn:aws:s3:::$\{m:v}`];
const VALUES = ['x', 'y', 'x*', '?', '*', `$\{m:v}`];
const OPERATORS = ['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringEqualsIfExists'].flatMap(
  (name) => [name, `ForAllValues:${name}`, `ForAnyValue:${name}`],
);

const conditionOf = fc.dictionary(
  fc.constantFrom(...OPERATORS),
  fc.dictionary(fc.constantFrom('m:k', 'm:l'), fc.array(fc.constantFrom(...VALUES), { minLength: 1, maxLength: 2 })),
  { maxKeys: 2 },
);
const statementOf = (hasPrincipal: boolean): fc.Arbitrary<SimpleStatement> =>
  fc
    .record({
      Effect: fc.constantFrom('Allow', 'Allow', 'Deny' as const),
      action: fc.tuple(fc.constantFrom('Action', 'Action', 'NotAction'), fc.constantFrom(...ACTIONS)),
      resource: fc.tuple(fc.constantFrom('Resource', 'Resource', 'NotResource'), fc.constantFrom(...RESOURCES)),
      Condition: fc.oneof(fc.constant({}), fc.constant({}), conditionOf),
      principal: fc.oneof(
        fc
          .array(fc.constantFrom(ACCOUNT, USER, ROLE, SESSION, '*'), { minLength: 1, maxLength: 2 })
          .map((AWS) => ({ AWS })),
        fc.constantFrom('mediaconvert.amazonaws.com', 'kms.amazonaws.com').map((Service) => ({ Service })),
      ),
    })
    .map(({ Effect, action, resource, Condition, principal }) => ({
      Effect,
      [action[0]]: action[1],
      [resource[0]]: resource[1],
      Condition,
      ...(hasPrincipal && { Principal: principal }),
    }));
const policyOf = (hasPrincipal: boolean) => fc.array(statementOf(hasPrincipal), { minLength: 1, maxLength: 3 });

const PRINCIPALS: readonly PrincipalFacts[] = [
  { isRoot: true, accountId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root` },
  { isRoot: false, accountId: ACCOUNT, arn: USER },
  { isRoot: false, accountId: ACCOUNT, arn: SESSION, roleArn: ROLE },
  { isRoot: false, service: 'mediaconvert.amazonaws.com' },
  { isRoot: false },
];

type Context = Readonly<Record<string, string | string[]>>;

/** The second opinion: written for plainness, with regular expressions and sets, from the documentation's rules. */
class SimpleEvaluator {
  readonly #context: Context;
  readonly #principal: PrincipalFacts;

  constructor(context: Context, principal: PrincipalFacts) {
    this.#context = context;
    this.#principal = principal;
  }

  #pattern(text: string, isLike: boolean, flags = ''): RegExp | undefined {
    const value = this.#context['m:v'];
    if (text.includes(`$\{m:v}`) && typeof value !== 'string') return undefined;
    const source = text
      .split(`$\{m:v}`)
      .map((part) =>
        part.replace(/[.+^$()|[\]\\{}*?]/g, (c) => (isLike && c === '*' ? '.*' : isLike && c === '?' ? '.' : `\\${c}`)),
      )
      .join(String(value).replace(/[.+^$()|[\]\\{}*?]/g, '\\$&'));
    return new RegExp(`^${source}$`, `s${flags}`);
  }

  #meets(operator: string, key: string, wanted: readonly string[]): boolean {
    const [set, name = operator] = operator.includes(':') ? operator.split(':') : [undefined, operator];
    const value = this.#context[key];
    if (value === undefined && name.endsWith('IfExists')) return true;
    const values = value === undefined ? [] : [value].flat();
    const isNegated = name.includes('Not');
    const hit = (actual: string) =>
      wanted.some((text) => this.#pattern(text, name.includes('Like'))?.test(actual)) !== isNegated;
    if (set === 'ForAllValues') return values.every(hit);
    if (set === 'ForAnyValue') return values.some(hit);
    return isNegated ? values.every(hit) : values.some(hit);
  }

  #applies(statement: SimpleStatement, action: string, resource: string): boolean {
    const actionHit = this.#pattern(statement.Action ?? statement.NotAction ?? '', true, 'i')?.test(action) ?? false;
    if (actionHit === (statement.NotAction !== undefined)) return false;
    const pattern = this.#pattern(statement.Resource ?? statement.NotResource ?? '', true);
    if (statement.NotResource !== undefined) {
      if (pattern === undefined ? statement.Effect === 'Allow' : pattern.test(resource)) return false;
    } else if (!pattern?.test(resource)) return false;
    return Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => this.#meets(operator, key, wanted)),
    );
  }

  #names(statement: SimpleStatement): Set<string> {
    const names = new Set<string>();
    const { accountId, arn, roleArn, service } = this.#principal;
    const principal = statement.Principal ?? { AWS: [] };
    if ('Service' in principal) return new Set(principal.Service === service ? ['reached'] : []);
    for (const name of principal.AWS) {
      if (name === '*') names.add(service === undefined ? 'reached' : 'star');
      if (name === accountId) names.add('account');
      if (name === arn) names.add('direct');
      if (name === roleArn) names.add('reached');
    }
    return names;
  }

  isAllowed(question: {
    action: string;
    resource: string;
    identity: readonly SimplePolicy[];
    boundary: SimplePolicy | undefined;
    session: readonly SimplePolicy[];
    resourcePolicy: SimplePolicy | undefined;
    isRequired: boolean;
    isCrossAccount: boolean;
  }): boolean {
    const { action, resource, identity, boundary, session, resourcePolicy = [], isRequired, isCrossAccount } = question;
    const applying = (policies: readonly SimplePolicy[], effect: string) =>
      policies.flat().filter((item) => item.Effect === effect && this.#applies(item, action, resource));
    const own = [...identity, ...session, ...(boundary ? [boundary] : [])];
    if (applying(own, 'Deny').length > 0) return false;
    if (applying([resourcePolicy], 'Deny').some((item) => this.#names(item).size > 0)) return false;
    const names = new Set(applying([resourcePolicy], 'Allow').flatMap((item) => [...this.#names(item)]));
    names.delete('star');
    if (this.#principal.accountId === undefined) return names.has('reached');
    const ownAllow = applying(identity, 'Allow').length > 0 || this.#principal.isRoot;
    const limits =
      (boundary === undefined || applying([boundary], 'Allow').length > 0) &&
      (session.length === 0 || applying(session, 'Allow').length > 0);
    if (isCrossAccount) return names.size > 0 && ownAllow && limits;
    if (names.has('direct')) return true;
    if (names.has('reached')) return limits;
    return (!isRequired || names.has('account')) && ownAllow && limits;
  }
}

test('decides as a second, plain evaluator does', () => {
  const compile = (policy: SimplePolicy, kind: 'identity' | 'resource') =>
    compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: policy }), kind);
  let allowed = 0;
  fc.assert(
    fc.property(
      fc.record({
        principal: fc.constantFrom(...PRINCIPALS),
        action: fc.constantFrom('s3:Get', 's3:Put', 'kms:Get'),
        resource: fc.constantFrom('arn:aws:s3:::a', 'arn:aws:s3:::b', 'arn:aws:s3:::xyz'),
        context: fc.dictionary(
          fc.constantFrom('m:k', 'm:l', 'm:v'),
          fc.oneof(
            fc.constantFrom('x', 'y', 'xx', '*', 'a'),
            fc.array(fc.constantFrom('x', 'y'), { maxLength: 2, minLength: 2 }),
          ),
        ),
        identity: fc.array(policyOf(false), { maxLength: 2 }),
        boundary: fc.option(policyOf(false), { nil: undefined, freq: 3 }),
        session: fc.array(policyOf(false), { maxLength: 2 }),
        resourcePolicy: fc.option(policyOf(true), { nil: undefined }),
        isRequired: fc.boolean(),
        isCrossAccount: fc.boolean(),
      }),
      (question) => {
        const { principal, context, identity, boundary, session, resourcePolicy, isRequired } = question;
        const source = (policy: SimplePolicy) => ({ name: 'p', policy: compile(policy, 'identity') });
        const decision = evaluate({
          ...question,
          context: new Map(Object.entries(context)),
          policies: {
            identity: identity.map(source),
            session: session.map(source),
            ...(boundary && { boundary: source(boundary) }),
            resource: {
              name: 'r',
              isRequired,
              kind: 'resource-based',
              ...(resourcePolicy && { policy: compile(resourcePolicy, 'resource') }),
            },
          },
        });
        if (decision.isAllowed) allowed++;
        assert.equal(decision.isAllowed, new SimpleEvaluator(context, principal).isAllowed(question));
      },
    ),
    { numRuns: 5000 },
  );
  assert.ok(allowed > 100, `the cases reach both sides (${allowed} allowed)`);
});

test('a document that is not known to be valid never allows: broken ones do not compile', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      assert.throws(() => compilePolicy(json, 'identity'));
    }),
  );
});

test('hostile wildcards take bounded time', () => {
  const stars = `arn:aws:s3:::${'*a'.repeat(3000)}b`;
  const policy = compilePolicy(
    JSON.stringify({
      Statement: {
        Effect: 'Allow',
        Action: `s3:${'*?'.repeat(500)}`,
        Resource: [stars, `arn:aws:s3:::${'?*'.repeat(3000)}`],
      },
    }),
    'identity',
  );
  const start = performance.now();
  const decision = evaluate({
    principal: PRINCIPALS[1] ?? { isRoot: false },
    action: `s3:${'x'.repeat(600)}`,
    resource: `arn:aws:s3:::${'a'.repeat(2000)}`,
    context: new Map(),
    policies: { identity: [{ name: 'p', policy }], session: [] },
    isCrossAccount: false,
  });
  assert.equal(decision.isAllowed, false);
  assert.ok(performance.now() - start < 1000);
});

test('hostile documents are read in bounded time and depth', () => {
  const start = performance.now();
  assert.throws(() => compilePolicy('['.repeat(200_000), 'identity'), /nested too deeply/);
  assert.throws(() =>
    compilePolicy(
      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"\${${' '.repeat(100_000)}"}}`,
      'identity',
    ),
  );
  assert.throws(() => compilePolicy(`{"a":"${'\\u0041'.repeat(50_000)}`, 'identity'), /does not end/);
  assert.ok(performance.now() - start < 1000);
});

test('refusals have the words of AWS', () => {
  const request = {
    principal: PRINCIPALS[1] ?? { isRoot: false },
    action: 'kms:Decrypt',
    resource: 'arn:aws:kms:eu-west-1:111122223333:key/k',
    context: new Map<string, string>(),
    isCrossAccount: false,
  };
  const silent = evaluate({ ...request, policies: { identity: [], session: [] } });
  assert.equal(
    refusalMessage(USER, request.action, request.resource, silent),
    `User: ${USER} is not authorized to perform: kms:Decrypt on resource: ${request.resource} because no identity-based policy allows the kms:Decrypt action`,
  );
  const policy = compilePolicy('{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}', 'identity');
  const denied = evaluate({ ...request, policies: { identity: [{ name: 'p', policy }], session: [] } });
  assert.equal(
    refusalMessage(USER, request.action, request.resource, denied),
    `User: ${USER} is not authorized to perform: kms:Decrypt on resource: ${request.resource} with an explicit deny in an identity-based policy`,
  );
});

test('a unique id means that very user, not a later one of its name', () => {
  const json = JSON.stringify({
    Statement: { Effect: 'Allow', Principal: { AWS: 'AIDAFIRSTFIRSTFIRST1' }, Action: 'sts:AssumeRole' },
  });
  const policy = compilePolicy(json, 'trust');
  const isAllowed = (uniqueId: string) =>
    evaluate({
      principal: { isRoot: false, accountId: ACCOUNT, arn: USER, uniqueId },
      action: 'sts:AssumeRole',
      resource: ROLE,
      context: new Map(),
      policies: { identity: [], session: [], resource: { name: ROLE, policy, isRequired: true, kind: 'role-trust' } },
      isCrossAccount: false,
    }).isAllowed;
  assert.equal(isAllowed('AIDAFIRSTFIRSTFIRST1'), true);
  assert.equal(isAllowed('AIDASECONDSECOND0002'), false);
});
