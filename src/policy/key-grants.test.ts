import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { GrantConstraints, GrantTerms, KeyGrant } from '#kernel/key-grant.ts';
import { compilePolicy } from './compile-policy.ts';
import { evaluate, type EvaluationRequest } from './evaluate.ts';
import { explainEvaluation } from './explain-evaluation.ts';
import { granteeNamesOf } from './key-grants.ts';
import type { PrincipalFacts } from './principal.ts';

const ACCOUNT = '111122223333';
const KEYS = ['arn:aws:kms:eu-west-1:111122223333:key/a', 'arn:aws:kms:eu-west-1:111122223333:key/b'];
const OPERATIONS = ['Encrypt', 'Decrypt', 'CreateGrant', 'DescribeKey', 'GenerateDataKey'];
const user = (name: string): PrincipalFacts => ({
  isRoot: false,
  accountId: ACCOUNT,
  arn: `arn:aws:iam::${ACCOUNT}:user/${name}`,
  uniqueId: `AIDA${name.toUpperCase()}`,
});
const session: PrincipalFacts = {
  isRoot: false,
  accountId: ACCOUNT,
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/worker/one`,
  roleArn: `arn:aws:iam::${ACCOUNT}:role/worker`,
  uniqueId: 'AROAWORKER',
};
const PRINCIPALS: readonly PrincipalFacts[] = [
  user('ann'),
  user('bob'),
  session,
  { isRoot: true, accountId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root` },
  { isRoot: false, service: 'mediaconvert.amazonaws.com' },
  { isRoot: false },
  { isRoot: false, identityProvider: `arn:aws:iam::${ACCOUNT}:root` },
];
const GRANTEES = [
  `arn:aws:iam::${ACCOUNT}:user/ann`,
  `arn:aws:iam::${ACCOUNT}:role/worker`,
  `arn:aws:sts::${ACCOUNT}:assumed-role/worker/one`,
  `arn:aws:iam::${ACCOUNT}:root`,
  'mediaconvert.amazonaws.com',
];
const SOURCES = ['arn:aws:mediaconvert:eu-west-1:111122223333:queues/one', 'arn:aws:s3:::films'];

const contexts = fc.dictionary(fc.constantFrom('a', 'A', 'b'), fc.constantFrom('x', 'X', 'y'), { maxKeys: 3 });
const constraints: fc.Arbitrary<GrantConstraints> = fc
  .record({
    kind: fc.constantFrom('none', 'equals', 'subset'),
    pairs: contexts,
    source: fc.option(fc.constantFrom(...SOURCES), { nil: undefined, freq: 3 }),
  })
  .map(({ kind, pairs, source }) => ({
    ...(kind === 'equals' ? { encryptionContextEquals: pairs } : {}),
    ...(kind === 'subset' ? { encryptionContextSubset: pairs } : {}),
    ...(source === undefined ? {} : { sourceArn: source }),
  }));
const terms: fc.Arbitrary<GrantTerms> = fc.record({
  operations: fc.uniqueArray(fc.constantFrom(...OPERATIONS), { minLength: 1 }),
  constraints,
});
const grants: fc.Arbitrary<KeyGrant> = fc
  .tuple(
    terms,
    fc.constantFrom(...KEYS),
    fc.constantFrom(...GRANTEES),
    fc.constantFrom(undefined, 'AIDAOLD', 'AIDAANN'),
  )
  .map(([given, key, grantee, granteeId]) => ({
    ...given,
    id: JSON.stringify([given, key, grantee, granteeId]),
    key,
    grantee,
    ...(granteeId !== undefined && grantee.includes(':user/') && { granteeId }),
  }));

/** What is asked, with nothing but grants that could allow it. */
const questions = fc
  .record({
    principal: fc.constantFrom(...PRINCIPALS),
    operation: fc.constantFrom(...OPERATIONS, 'ScheduleKeyDeletion'),
    resource: fc.constantFrom(...KEYS),
    encryptionContext: contexts,
    source: fc.option(fc.constantFrom(...SOURCES), { nil: undefined }),
    child: terms,
    found: fc.array(grants, { maxLength: 4 }),
    isAllowedByIdentity: fc.boolean(),
  })
  .map((question) => ({ question, request: requestOf(question) }));

interface Question {
  readonly principal: PrincipalFacts;
  readonly operation: string;
  readonly resource: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly source: string | undefined;
  readonly child: GrantTerms;
  readonly found: readonly KeyGrant[];
  readonly isAllowedByIdentity: boolean;
}

const document = (Effect: string, Action = 'kms:*') =>
  JSON.stringify({ Version: '2012-10-17', Statement: { Effect, Action, Resource: '*' } });
const allowAll = { name: 'all', policy: compilePolicy(document('Allow'), 'identity') };
const denyAll = { name: 'none', policy: compilePolicy(document('Deny'), 'identity') };
const silent = { name: 'silent', policy: compilePolicy(document('Allow', 's3:*'), 'identity') };

function requestOf(question: Question): EvaluationRequest {
  const { principal, operation, resource, encryptionContext, source, child, found, isAllowedByIdentity } = question;
  return {
    principal,
    action: `kms:${operation}`,
    resource,
    context: new Map(source === undefined ? [] : [['aws:sourcearn', source]]),
    policies: {
      identity: isAllowedByIdentity ? [allowAll] : [],
      session: [],
      resource: { name: resource, isRequired: true, kind: 'resource-based' },
      grants: { grants: found, encryptionContext, child },
    },
    isCrossAccount: false,
  };
}

/** Written down once more, the slow way round. */
function mayAllow(grant: KeyGrant, question: Question): boolean {
  const { principal, operation, resource, encryptionContext, source, child } = question;
  const isFor =
    principal.service === grant.grantee ||
    (principal.accountId !== undefined &&
      [principal.arn, principal.roleArn, `arn:aws:iam::${principal.accountId}:root`].includes(grant.grantee) &&
      (grant.granteeId === undefined || grant.granteeId === principal.uniqueId));
  if (!isFor || grant.key !== resource || !grant.operations.includes(operation)) return false;
  const { sourceArn, encryptionContextEquals: equals, encryptionContextSubset: subset } = grant.constraints;
  if (sourceArn !== undefined && sourceArn !== source) return false;
  if (operation === 'DescribeKey') return true;
  if (operation !== 'CreateGrant') {
    if (equals !== undefined && !isSameText(equals, encryptionContext)) return false;
    return subset === undefined || isSameText({ ...encryptionContext, ...subset }, encryptionContext);
  }
  if (child.operations.some((name) => !grant.operations.includes(name))) return false;
  if (sourceArn !== undefined && child.constraints.sourceArn !== sourceArn) return false;
  const { encryptionContextEquals: childEquals, encryptionContextSubset: childSubset } = child.constraints;
  if (equals !== undefined) return childEquals !== undefined && isSameText(equals, childEquals);
  if (subset === undefined) return true;
  const asked = childEquals ?? childSubset;
  return asked !== undefined && isSameText({ ...asked, ...subset }, asked);
}

function isSameText(left: object, right: object): boolean {
  const text = (pairs: object) => JSON.stringify(Object.entries(pairs).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return text(left) === text(right);
}

describe('grants', () => {
  it('never allow more than their operations, key, grantee and constraints', () => {
    let allowedCount = 0;
    fc.assert(
      fc.property(questions, ({ question, request }) => {
        const decision = evaluate(request);
        const able = question.found.filter((grant) => mayAllow(grant, question));
        const { principal, isAllowedByIdentity } = question;
        const isEnough = ({ grantee }: KeyGrant) =>
          !grantee.endsWith(':root') || principal.isRoot || isAllowedByIdentity;
        assert.equal(decision.isAllowed, able.some(isEnough));
        if (!decision.isAllowed) return;
        allowedCount++;
        assert.equal(decision.decidedBy?.policyType, 'key-grant');
        assert.ok(able.some(({ id }) => id === decision.decidedBy?.policyName));
      }),
      { numRuns: 5000 },
    );
    assert.ok(allowedCount > 50, `${allowedCount} were allowed`);
  });

  it('are found by the names that they can have for a principal', () => {
    fc.assert(
      fc.property(questions, ({ question, request }) => {
        if (!evaluate(request).isAllowed) return;
        const names = granteeNamesOf(question.principal);
        const found = question.found.filter(({ grantee }) => names.includes(grantee));
        assert.ok(evaluate(requestOf({ ...question, found })).isAllowed);
      }),
      { numRuns: 2000 },
    );
  });

  it('allow nothing that any policy denies', () => {
    fc.assert(
      fc.property(questions, fc.constantFrom('identity', 'boundary', 'session'), ({ request }, where) => {
        if (request.principal.accountId === undefined) return;
        const { policies } = request;
        const denying = where === 'boundary' ? { boundary: denyAll } : { [where]: [allowAll, denyAll] };
        assert.equal(evaluate({ ...request, policies: { ...policies, ...denying } }).isAllowed, false);
      }),
    );
  });

  it('to a role stay within boundary and session, and to an account within its identity policies', () => {
    const grant = { id: '1', key: KEYS[0] ?? '', operations: ['Encrypt'], constraints: {} };
    const ask = (principal: PrincipalFacts, grantee: string, more: Partial<EvaluationRequest['policies']>) => {
      const question = { operation: 'Encrypt', resource: grant.key, encryptionContext: {}, source: undefined };
      const rest = { child: { operations: [], constraints: {} }, isAllowedByIdentity: false };
      const request = requestOf({ ...question, ...rest, principal, found: [{ ...grant, grantee }] });
      return evaluate({ ...request, policies: { ...request.policies, ...more } });
    };
    const role = session.roleArn ?? '';
    assert.equal(ask(session, role, {}).isAllowed, true);
    assert.equal(ask(session, role, { session: [silent] }).missing, 'session');
    assert.equal(ask(session, role, { boundary: silent }).missing, 'permissions-boundary');
    assert.equal(ask(session, session.arn ?? '', { session: [silent], boundary: silent }).isAllowed, true);
    const root = `arn:aws:iam::${ACCOUNT}:root`;
    assert.equal(ask(user('ann'), root, {}).missing, 'identity-based');
    assert.equal(ask(user('ann'), root, { identity: [allowAll] }).isAllowed, true);
    assert.equal(ask(user('ann'), root, { identity: [allowAll], boundary: silent }).missing, 'permissions-boundary');
  });

  it('are explained, those that did not allow too', () => {
    fc.assert(
      fc.property(questions, ({ question, request }) => {
        const decision = evaluate(request);
        const { policies } = explainEvaluation(request, decision);
        const told = policies.filter(({ type }) => type === 'key-grant');
        assert.deepEqual(
          told.map(({ statements }) => statements[0]?.outcome === 'applies'),
          question.found.map((grant) => mayAllow(grant, question)),
        );
      }),
    );
  });
});
