import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePolicy } from './compile-policy.ts';
import { evaluate, type EvaluationRequest } from './evaluate.ts';
import { explainEvaluation } from './explain-evaluation.ts';
import type { PrincipalFacts } from './principal.ts';
import { refusalMessage } from './refusal-message.ts';

const ACCOUNT = '111122223333';
const USER = `arn:aws:iam::${ACCOUNT}:user/alice`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/Worker`;
const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/Worker/one`;

const PRINCIPALS: readonly PrincipalFacts[] = [
  { isRoot: true, accountId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root` },
  { isRoot: false, accountId: ACCOUNT, arn: USER },
  { isRoot: false, accountId: ACCOUNT, arn: SESSION, roleArn: ROLE },
  { isRoot: false, service: 'mediaconvert.amazonaws.com' },
  { isRoot: false },
];

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

test('a policy of ten thousand statements is read, evaluated and explained in bounded time and size', () => {
  const statement = (index: number) => ({
    Sid: `S${index}`,
    Effect: 'Deny',
    Action: 's3:*',
    Resource: `arn:aws:s3:::films/${'*a'.repeat(20)}${index}`,
    Condition: { StringLike: { 'aws:UserAgent': [`*${'x?'.repeat(40)}*`] } },
  });
  const json = JSON.stringify({ Statement: Array.from({ length: 10_000 }, (_, index) => statement(index)) });
  const start = performance.now();
  const policy = compilePolicy(json, 'identity');
  const request = {
    principal: PRINCIPALS[1] ?? { isRoot: false },
    action: 's3:GetObject',
    resource: `arn:aws:s3:::films/${'a'.repeat(1000)}`,
    context: new Map([['aws:useragent', 'x'.repeat(16_000)]]),
    policies: { identity: [{ name: 'p', policy }], session: [] },
    isCrossAccount: false,
  };
  const decision = evaluate(request);
  assert.equal(decision.isAllowed, false);
  const explained = explainEvaluation(request, decision);
  assert.equal(explained.isShortened, true);
  assert.ok(JSON.stringify(explained).length < 13_000);
  assert.ok(performance.now() - start < 5000);
});

test('hostile values of condition keys take bounded time', () => {
  // As much as a bucket's policy holds, against as much as a header does.
  const patterns = [`*${'a?'.repeat(4000)}b`, `*${'a'.repeat(8000)}b*`];
  const policy = compilePolicy(
    JSON.stringify({
      Statement: {
        Effect: 'Allow',
        Action: '*',
        Resource: '*',
        Condition: { StringLike: { 'aws:UserAgent': patterns } },
      },
    }),
    'identity',
  );
  const start = performance.now();
  const decision = evaluate({
    principal: PRINCIPALS[1] ?? { isRoot: false },
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::films/x',
    context: new Map([['aws:useragent', 'a'.repeat(16_000)]]),
    policies: { identity: [{ name: 'p', policy }], session: [] },
    isCrossAccount: false,
  });
  assert.equal(decision.isAllowed, false);
  assert.ok(performance.now() - start < 3000, String(performance.now() - start));
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

test('a managed policy that denies is named, within the account', () => {
  const policy = compilePolicy('{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}', 'identity');
  const request = {
    principal: PRINCIPALS[1] ?? { isRoot: false },
    action: 'kms:Decrypt',
    resource: 'arn:aws:kms:eu-west-1:111122223333:key/k',
    context: new Map<string, string>(),
  };
  const source = { name: 'arn:aws:iam::111122223333:policy/no', policy };
  const reason = (policies: Partial<EvaluationRequest['policies']>, isCrossAccount = false) =>
    evaluate({ ...request, isCrossAccount, policies: { identity: [], session: [], ...policies } }).reason;
  const arn = source.name;
  assert.equal(reason({ identity: [source] }), `with an explicit deny in an identity-based policy: ${arn}`);
  assert.equal(reason({ boundary: source }), `with an explicit deny in a permissions boundary: ${arn}`);
  assert.equal(reason({ session: [source] }), `with an explicit deny in a session policy: ${arn}`);
  assert.equal(reason({ identity: [source] }, true), 'with an explicit deny in an identity-based policy');
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
