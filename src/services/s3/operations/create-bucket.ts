import { CreateBucket$, type CreateBucketOutput, type CreateBucketRequest } from '@aws-sdk/client-s3';
import { accountOf } from '#kernel/caller.ts';
import { isRegion, type Region } from '#kernel/ids.ts';
import { type Call, operation } from '#kernel/operation.ts';
import { bucketArn } from '../access.ts';
import { newBucketAccess, newBucketAcl } from '../acl/new-bucket-acl.ts';
import { requireNotBlocked } from '../acl/new-object-acl.ts';
import { hasAcls } from '../acl/ownership.ts';
import { aclConditions } from '../acl/read-acl.ts';
import type { S3Context } from '../context.ts';
import { isBucketName } from '../domain/bucket-name.ts';
import { settingsOf, settingsText } from '../domain/bucket-settings.ts';
import { checkTags } from '../domain/tag-set.ts';
import {
  accessDenied,
  bucketAlreadyExists,
  bucketAlreadyOwnedByYou,
  illegalLocationConstraint,
  invalidBucketName,
  invalidLocationConstraint,
  notImplemented,
} from '../errors.ts';
import type { BucketRow } from '../store.ts';

/** The region whose endpoint is the global one. */
const GLOBAL_REGION = 'us-east-1';

export const createBucket = operation<S3Context, CreateBucketRequest, CreateBucketOutput>(CreateBucket$, {
  authorize(input) {
    const resource = bucketArn(input.Bucket ?? '');
    const create = {
      action: 's3:CreateBucket',
      resource,
      context: {
        's3:LocationConstraint': input.CreateBucketConfiguration?.LocationConstraint,
        ...aclConditions(input),
        's3:x-amz-object-ownership': input.ObjectOwnership,
      },
    };
    const tags = checkTags(input.CreateBucketConfiguration?.Tags ?? [], 50);
    return [
      create,
      ...(Object.keys(tags).length === 0 ? [] : [{ action: 's3:TagResource', resource, requestTags: tags }]),
      ...newBucketAccess(input, create),
      ...(input.ObjectLockEnabledForBucket === true
        ? [
            { action: 's3:PutBucketObjectLockConfiguration', resource },
            { action: 's3:PutBucketVersioning', resource },
          ]
        : []),
    ];
  },
  async handle(input, call, s3) {
    const name = input.Bucket ?? '';
    const account = accountOf(call.caller);
    if (account === undefined) throw accessDenied();
    if (!isBucketName(name)) throw invalidBucketName(name);
    refuse(input);
    const region = regionOf(input.CreateBucketConfiguration?.LocationConstraint, call);
    const tags = checkTags(input.CreateBucketConfiguration?.Tags ?? [], 50);
    await insert(s3, call, {
      name,
      account,
      region,
      tags: Object.keys(tags).length === 0 ? null : JSON.stringify(tags),
      settings: settingsText({
        ...(input.ObjectLockEnabledForBucket === true && { versioning: 'Enabled', objectLock: {} }),
        ...(await newBucketAcl(s3, account, input)),
      }),
    });
    return { Location: `/${name}`, BucketArn: bucketArn(name) };
  },
});

async function insert(
  s3: S3Context,
  call: Call,
  bucket: Pick<BucketRow, 'name' | 'account' | 'region' | 'tags' | 'settings'>,
): Promise<void> {
  const { name, account } = bucket;
  const row = s3.seal.bucket({ ...bucket, created_at: call.now, policy: null, encryption: null });
  await s3.store.write(async (transaction) => {
    const existing = await transaction.selectFrom('s3_bucket').selectAll().where('name', '=', name).executeTakeFirst();
    if (existing === undefined) {
      await requireNotBlocked(s3, call, row, 's3:CreateBucket', bucketArn(name), settingsOf(row).acl ?? []);
      await transaction.insertInto('s3_bucket').values(row).execute();
      return;
    }
    if (existing.account !== account) throw bucketAlreadyExists(name);
    // The global endpoint says yes to an owner who asks again (API reference, CreateBucket).
    if (existing.region !== GLOBAL_REGION || call.region !== GLOBAL_REGION) throw bucketAlreadyOwnedByYou(name);
    // Its access control list is then set anew, if it has a say.
    if (!hasAcls(existing)) return;
    const { acl: _, ...settings } = settingsOf(s3.seal.checkBucket(existing));
    const { acl } = settingsOf(row);
    await requireNotBlocked(s3, call, existing, 's3:PutBucketAcl', bucketArn(name), acl ?? []);
    const reset = s3.seal.bucket({
      ...existing,
      settings: settingsText({ ...settings, ...(acl !== undefined && { acl }) }),
    });
    const { settings: text, mac } = reset;
    await transaction.updateTable('s3_bucket').set({ settings: text, mac }).where('name', '=', name).execute();
  });
}

function refuse(input: CreateBucketRequest): void {
  if (input.BucketNamespace !== undefined && input.BucketNamespace !== 'global') {
    throw notImplemented(`x-amz-bucket-namespace: ${input.BucketNamespace}`);
  }
  if (input.CreateBucketConfiguration?.Location !== undefined) throw notImplemented('Location');
  if (input.CreateBucketConfiguration?.Bucket !== undefined) throw notImplemented('Bucket');
}

function regionOf(constraint: string | undefined, call: Call): Region {
  if (constraint === undefined || constraint === '') {
    if (call.region !== GLOBAL_REGION) throw illegalLocationConstraint(undefined);
    return call.region;
  }
  const region = constraint === 'EU' ? 'eu-west-1' : constraint;
  if (!isRegion(region) || region === GLOBAL_REGION) throw invalidLocationConstraint(constraint);
  if (call.region !== GLOBAL_REGION && call.region !== region) throw illegalLocationConstraint(constraint);
  return region;
}
