import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccessEvaluation, EvaluatedPolicy } from '#kernel/access-evaluation.ts';
import { leastPolicy } from './least-policy.ts';
import { denyingStatements, suggestGrants } from './suggest-grants.ts';

const USER = 'arn:aws:iam::111122223333:user/staff/ann';
const KEY = 'arn:aws:kms:eu-west-1:444455556666:key/1';

function refusal(more: Partial<AccessEvaluation>): AccessEvaluation {
  return {
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::films/a',
    isAllowed: false,
    isExplicitDeny: false,
    reason: '',
    missing: 'identity-based',
    principal: { type: 'user', id: 'AIDA', arn: USER, account: '111122223333' },
    isCrossAccount: false,
    policies: [],
    conditions: { 'aws:principalarn': USER },
    isShortened: false,
    ...more,
  };
}

const policyOf = (
  type: EvaluatedPolicy['type'],
  outcome: 'applies' | 'other-action',
  effect: 'Allow' | 'Deny' = 'Allow',
) => ({
  type,
  name: `the ${type} policy`,
  exists: true,
  statementCount: 1,
  statements: [{ index: 0, effect, outcome }],
});
const placesOf = (evaluation: AccessEvaluation) => suggestGrants(evaluation).map(({ place, owner }) => [place, owner]);

describe('what would have allowed a refused access', () => {
  it('is a statement of the principal’s own, and of each limit that is silent, too', () => {
    assert.deepEqual(placesOf(refusal({})), [['identity', USER]]);
    const limits = [policyOf('permissions-boundary', 'other-action'), policyOf('session', 'other-action')];
    assert.deepEqual(placesOf(refusal({ policies: limits })), [
      ['identity', USER],
      ['boundary', 'the permissions-boundary policy'],
      ['session', undefined],
    ]);
    const open = [policyOf('permissions-boundary', 'applies'), policyOf('session', 'applies')];
    assert.deepEqual(placesOf(refusal({ policies: open })), [['identity', USER]]);
  });

  it('is one on either side, across accounts', () => {
    const across = { action: 'kms:Decrypt', resource: KEY, isCrossAccount: true, resourceAccount: '444455556666' };
    assert.deepEqual(placesOf(refusal(across)), [
      ['identity', USER],
      ['resource', KEY],
    ]);
    const letIn = [policyOf('resource-based', 'applies')];
    assert.deepEqual(placesOf(refusal({ ...across, policies: letIn })), [['identity', USER]]);
    const own = [policyOf('identity-based', 'applies')];
    assert.deepEqual(placesOf(refusal({ ...across, missing: 'resource-based', policies: own })), [['resource', KEY]]);
    const noPolicy = {
      ...across,
      action: 'mediaconvert:GetJob',
      resource: 'arn:aws:mediaconvert:eu-west-1:444455556666:jobs/1',
    };
    assert.deepEqual(placesOf(refusal(noPolicy)), [['identity', USER]]);
  });

  it('is as narrow as the request was', () => {
    const through = { 'aws:principalarn': USER, 'kms:viaservice': 's3.eu-west-1.amazonaws.com' };
    const [key] = suggestGrants(refusal({ action: 'kms:Decrypt', resource: KEY, conditions: through }));
    assert.deepEqual(key?.statement, {
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: KEY,
      Condition: { StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } },
    });
    const role = 'arn:aws:iam::111122223333:role/media';
    const [trust] = suggestGrants(
      refusal({
        action: 'sts:AssumeRole',
        resource: role,
        missing: 'role-trust',
        principal: { type: 'service', id: 'mediaconvert.amazonaws.com', arn: 'mediaconvert.amazonaws.com' },
        conditions: { 'aws:sourceaccount': '111122223333' },
      }),
    );
    assert.deepEqual(
      [trust?.place, trust?.statement],
      [
        'trust',
        {
          Effect: 'Allow',
          Principal: { Service: 'mediaconvert.amazonaws.com' },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
        },
      ],
    );
  });

  it('is nothing where a statement denies', () => {
    const denied = refusal({ isExplicitDeny: true, policies: [policyOf('identity-based', 'applies', 'Deny')] });
    assert.deepEqual(suggestGrants(denied), []);
    assert.deepEqual(
      denyingStatements(denied).map(({ policy }) => policy.name),
      ['the identity-based policy'],
    );
  });
});

describe('the least policy', () => {
  it('groups actions on the same resources, and takes names as they are', () => {
    const { document, generalised } = leastPolicy([
      { action: 's3:PutObject', resource: 'arn:aws:s3:::films/a*b' },
      { action: 's3:GetObject', resource: 'arn:aws:s3:::films/a*b' },
      { action: 's3:ListBucket', resource: 'arn:aws:s3:::films' },
      { action: 's3:ListBucket', resource: 'arn:aws:s3:::films' },
      { action: 'kms:Decrypt', resource: KEY, via: 's3.eu-west-1.amazonaws.com' },
      { action: 'kms:Decrypt', resource: KEY },
      { action: 's3:GetObject', resource: 'arn:aws:s3:::films/${x}' },
      { action: 'mediaconvert:ListJobs', resource: 'arn:aws:mediaconvert:eu-west-1:111122223333:*' },
    ]);
    assert.equal(generalised, 0);
    assert.deepEqual(
      document.Statement.map(({ Action, Resource, Condition }) => [Action, Resource, Condition !== undefined]),
      [
        ['kms:Decrypt', KEY, true],
        ['kms:Decrypt', KEY, false],
        ['mediaconvert:ListJobs', 'arn:aws:mediaconvert:eu-west-1:111122223333:*', false],
        ['s3:GetObject', ['arn:aws:s3:::films/${$}{x}', 'arn:aws:s3:::films/a${*}b'], false],
        ['s3:ListBucket', 'arn:aws:s3:::films', false],
        ['s3:PutObject', 'arn:aws:s3:::films/a${*}b', false],
      ],
    );
  });

  it('puts resources together only where they do not fit, as little as will do', () => {
    const objects = (count: number, folders: number) =>
      Array.from({ length: count }, (_, index) => ({
        action: 's3:GetObject',
        resource: `arn:aws:s3:::films/folder-${index % folders}/film-${index}`,
      }));
    assert.equal(leastPolicy(objects(100, 3)).generalised, 0);
    const byFolder = leastPolicy(objects(1000, 3));
    assert.equal(byFolder.generalised, 1);
    assert.deepEqual(
      byFolder.document.Statement[0]?.Resource,
      [0, 1, 2].map((n) => `arn:aws:s3:::films/folder-${n}/*`),
    );
    const byBucket = leastPolicy(objects(2000, 1000));
    assert.deepEqual([byBucket.generalised, byBucket.document.Statement[0]?.Resource], [2, 'arn:aws:s3:::films/*']);
  });
});
