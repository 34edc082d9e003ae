import { accountOf } from '#kernel/caller.ts';
import type { Call } from '#kernel/operation.ts';
import type { S3Context } from '../context.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import type { ObjectFacts, UploadFacts } from '../domain/object-facts.ts';
import type { BucketRow } from '../store.ts';
import { type AclGrant, ANONYMOUS_OWNER, type Owner, ownerGrant, type Ownership } from './acl.ts';

export function ownershipOf(bucket: Pick<BucketRow, 'settings'>): Ownership {
  return settingsOf(bucket).ownership ?? 'BucketOwnerEnforced';
}

/** Whether access control lists have a say in a bucket. */
export function hasAcls(bucket: Pick<BucketRow, 'settings'>): boolean {
  return bucket.settings !== null && ownershipOf(bucket) !== 'BucketOwnerEnforced';
}

export async function bucketOwnerOf(s3: S3Context, bucket: BucketRow): Promise<Owner> {
  return { account: bucket.account, id: await s3.canonicalIdOf(bucket.account) };
}

/** Who writes: services write for the bucket's owner. */
export async function writerOf(s3: S3Context, call: Call, bucket: BucketRow): Promise<Owner> {
  const { caller } = call;
  if (caller.type === 'service') return await bucketOwnerOf(s3, bucket);
  const account = accountOf(caller);
  return account === undefined ? ANONYMOUS_OWNER : { account, id: await s3.canonicalIdOf(account) };
}

/**
 * Whose an object or upload is: what its record says counts where lists have a say; else it is the bucket owner's, and is its
 * writer's again when they have.
 */
export async function ownerOf(
  s3: S3Context,
  bucket: BucketRow,
  { acl }: Pick<ObjectFacts | UploadFacts, 'acl'>,
): Promise<Owner> {
  return acl?.owner !== undefined && hasAcls(bucket) ? acl.owner : await bucketOwnerOf(s3, bucket);
}

/** How answers name the owners of what is in a bucket. */
export async function ownerNames(
  s3: S3Context,
  bucket: BucketRow,
): Promise<(facts: Pick<ObjectFacts | UploadFacts, 'acl'>) => { readonly ID: string }> {
  const bucketOwner = { ID: await s3.canonicalIdOf(bucket.account) };
  if (!hasAcls(bucket)) return () => bucketOwner;
  return ({ acl }) => (acl?.owner === undefined ? bucketOwner : { ID: acl.owner.id });
}

/** The entries of an object's list. */
export async function objectGrants(
  s3: S3Context,
  bucket: BucketRow,
  facts: Pick<ObjectFacts, 'acl'>,
): Promise<readonly AclGrant[]> {
  const stored = hasAcls(bucket) ? facts.acl?.grants : undefined;
  return stored ?? [ownerGrant((await ownerOf(s3, bucket, facts)).id)];
}

/** The entries of a bucket's list. */
export async function bucketGrants(s3: S3Context, bucket: BucketRow): Promise<readonly AclGrant[]> {
  const stored = hasAcls(bucket) ? settingsOf(bucket).acl : undefined;
  return stored ?? [ownerGrant((await bucketOwnerOf(s3, bucket)).id)];
}
