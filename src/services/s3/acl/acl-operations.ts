import {
  GetBucketAcl$,
  type GetBucketAclOutput,
  type GetBucketAclRequest,
  GetObjectAcl$,
  type GetObjectAclOutput,
  type GetObjectAclRequest,
  type Grant,
  PutBucketAcl$,
  type PutBucketAclRequest,
  PutObjectAcl$,
  type PutObjectAclOutput,
  type PutObjectAclRequest,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { bucketAccess, bucketArn, existingObjectAccess, objectArn, requireObject } from '../access.ts';
import type { S3Context } from '../context.ts';
import { aclNotSupported } from '../errors.ts';
import type { ObjectFacts } from '../domain/object-facts.ts';
import { announceChanged } from '../notifications/announce.ts';
import { changeSettings } from '../operations/set-bucket.ts';
import { type AclGrant, isGroup, isOwnersAlone } from './acl.ts';
import { requireNotBlocked } from './new-object-acl.ts';
import { bucketGrants, bucketOwnerOf, hasAcls, objectGrants, ownerOf } from './ownership.ts';
import { aclConditions, namesAcl, readAcl } from './read-acl.ts';

const getBucketAcl = operation<S3Context, GetBucketAclRequest, GetBucketAclOutput>(GetBucketAcl$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:GetBucketAcl')],
  async handle(input, call, s3) {
    const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
    const owner = await bucketOwnerOf(s3, bucket);
    return { Owner: { ID: owner.id }, Grants: (await bucketGrants(s3, bucket)).map(grantOf) };
  },
});

const getObjectAcl = operation<S3Context, GetObjectAclRequest, GetObjectAclOutput>(GetObjectAcl$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  authorize: async (input, call, s3) => [await existingObjectAccess(s3, call, input, 's3:GetObjectAcl')],
  async handle(input, call, s3) {
    const { facts } = await requireObject(s3, call, input);
    const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
    const owner = await ownerOf(s3, bucket, facts);
    return { Owner: { ID: owner.id }, Grants: (await objectGrants(s3, bucket, facts)).map(grantOf) };
  },
});

const putBucketAcl = operation<S3Context, PutBucketAclRequest, Record<string, never>>(PutBucketAcl$, {
  isAuthenticationRequired: false,
  authorize: async (input, call, s3) => [await bucketAccess(s3, call, input, 's3:PutBucketAcl', aclConditions(input))],
  async handle(input, call, s3) {
    const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
    if (!hasAcls(bucket)) throw aclNotSupported();
    const owner = await bucketOwnerOf(s3, bucket);
    const grants = await readAcl(s3, input, { owner: owner.id });
    await requireNotBlocked(s3, call, bucket, 's3:PutBucketAcl', bucketArn(bucket.name), grants);
    await changeSettings(s3, bucket.name, { acl: isOwnersAlone(grants, owner.id) ? undefined : grants });
    return {};
  },
});

const putObjectAcl = operation<S3Context, PutObjectAclRequest, PutObjectAclOutput>(PutObjectAcl$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  authorize: async (input, call, s3) => [
    await existingObjectAccess(s3, call, input, 's3:PutObjectAcl', aclConditions(input)),
  ],
  async handle(input, call, s3) {
    const object = await requireObject(s3, call, input);
    const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
    const bucketOwner = await bucketOwnerOf(s3, bucket);
    const owner = await ownerOf(s3, bucket, object.facts);
    const place = { owner: owner.id, bucketOwner: bucketOwner.id };
    if (!hasAcls(bucket)) {
      // What is so may be said: some tools put it behind every copy. `private` is refused, as in AWS.
      const isSo = input.ACL === 'bucket-owner-full-control' || !namesAcl(input);
      if (isSo && isOwnersAlone(await readAcl(s3, input, place), owner.id)) return {};
      throw aclNotSupported();
    }
    const grants = await readAcl(s3, input, place);
    await requireNotBlocked(s3, call, bucket, 's3:PutObjectAcl', objectArn(bucket.name, input.Key ?? ''), grants);
    const announce = await announceChanged(s3, call, object, 's3:ObjectAcl:Put');
    const change = ({ acl: before, ...facts }: ObjectFacts): ObjectFacts => {
      const acl = {
        ...(before?.owner !== undefined && { owner: before.owner }),
        ...(!isOwnersAlone(grants, owner.id) && { grants }),
      };
      return Object.keys(acl).length === 0 ? facts : { ...facts, acl };
    };
    await s3.objects.change(object, change, announce);
    return {};
  },
});

export const aclOperations = [getBucketAcl, getObjectAcl, putBucketAcl, putObjectAcl];

function grantOf({ to, permission }: AclGrant): Grant {
  const Grantee = isGroup(to) ? { URI: to, Type: 'Group' as const } : { ID: to, Type: 'CanonicalUser' as const };
  return { Grantee, Permission: permission };
}
