import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AclGrantee } from '#kernel/acl.ts';
import { evaluate } from '#policy/evaluate.ts';
import { allowedByAcl } from './acl-access.ts';
import { ALL_USERS, AUTHENTICATED_USERS, cannedGrants, granteesOf } from './acl.ts';

/** What AWS's user guide maps each permission to, written down a second time ("Mapping of ACL permissions"). */
const OF_OBJECTS = {
  READ: ['s3:GetObject', 's3:GetObjectVersion'],
  WRITE: [],
  READ_ACP: ['s3:GetObjectAcl', 's3:GetObjectVersionAcl'],
  WRITE_ACP: ['s3:PutObjectAcl', 's3:PutObjectVersionAcl'],
} as const;
const OF_BUCKETS = {
  READ: ['s3:ListBucket', 's3:ListBucketVersions', 's3:ListBucketMultipartUploads'],
  WRITE: [],
  READ_ACP: ['s3:GetBucketAcl'],
  WRITE_ACP: ['s3:PutBucketAcl'],
} as const;
const PERMISSIONS = ['READ', 'WRITE', 'READ_ACP', 'WRITE_ACP', 'FULL_CONTROL'] as const;
const ACTIONS = [
  ...Object.values(OF_OBJECTS).flat(),
  ...Object.values(OF_BUCKETS).flat(),
  's3:PutObject',
  's3:DeleteObject',
  's3:DeleteObjectVersion',
  's3:GetObjectTagging',
  's3:PutObjectTagging',
  's3:PutBucketPolicy',
  's3:GetBucketPolicy',
  's3:DeleteBucket',
  's3:PutObjectRetention',
  's3:GetObjectAttributes',
  's3:BypassGovernanceRetention',
  's3:PutBucketOwnershipControls',
  's3:RestoreObject',
  'kms:Decrypt',
  's3:*',
];
const ID = 'a'.repeat(64);
const grant = fc.record({
  to: fc.constantFrom(ALL_USERS, AUTHENTICATED_USERS, ID, 'b'.repeat(64)),
  permission: fc.constantFrom(...PERMISSIONS),
});

test('a list allows no more than the actions to which its permissions are mapped', () => {
  const everybody = [
    { isRoot: false },
    { isRoot: true, accountId: '111122223333', arn: 'a', canonicalId: ID },
  ] as const;
  fc.assert(
    fc.property(
      fc.array(grant, { maxLength: 6 }),
      fc.constantFrom(...ACTIONS),
      fc.constantFrom('object' as const, 'bucket' as const),
      fc.constantFrom(...everybody),
      (grants, action, kind, principal) => {
        const permission = allowedByAcl(kind, action);
        const grantees: readonly AclGrantee[] = permission === undefined ? [] : granteesOf(grants, permission);
        const { isAllowed } = evaluate({
          principal,
          action,
          resource: 'arn:aws:s3:::films/x',
          context: new Map(),
          isCrossAccount: true,
          policies: { identity: [], session: [], acl: { name: 'films', grantees } },
        });
        const mapped: Record<string, readonly string[]> = kind === 'object' ? OF_OBJECTS : OF_BUCKETS;
        const isForCaller = (to: string) =>
          to === ALL_USERS || ('accountId' in principal && (to === AUTHENTICATED_USERS || to === ID));
        const all = Object.values(mapped).flat();
        const expected = grants.some(
          ({ to, permission: given }) =>
            isForCaller(to) && (given === 'FULL_CONTROL' ? all : (mapped[given] ?? [])).includes(action),
        );
        assert.equal(isAllowed, expected);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a canned list gives its owner full control, and the public no more than to read and to write', () => {
  for (const name of ['private', 'public-read', 'public-read-write', 'authenticated-read', 'aws-exec-read']) {
    for (const bucketOwner of [undefined, ID]) {
      const [own, ...others] = cannedGrants(name, ID, bucketOwner) ?? [];
      assert.deepEqual(own, { to: ID, permission: 'FULL_CONTROL' });
      assert.ok(others.every(({ permission }) => permission === 'READ' || permission === 'WRITE'));
    }
  }
  assert.equal(cannedGrants('log-delivery-write', ID, ID), undefined);
  assert.equal(cannedGrants('Private', ID, undefined), undefined);
});
