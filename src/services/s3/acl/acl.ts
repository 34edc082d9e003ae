import type { Permission } from '@aws-sdk/client-s3';
import type { Constraints } from '#kernel/service.ts';
import type { AclGrantee } from '#kernel/acl.ts';
import type { AccountId } from '#kernel/ids.ts';
import { constraints } from '../generated/constraints.ts';

/** One entry of an access control list: to a canonical user id, or to a group by its URI. */
export interface AclGrant {
  readonly to: string;
  readonly permission: Permission;
}

/** Whose an object is. */
export interface Owner {
  readonly account: AccountId;
  /** The canonical user id. */
  readonly id: string;
}

/** What a record keeps of its object's owner and access control list; without it the object is the bucket owner's alone. */
export interface StoredAcl {
  /** Where that is not the bucket's owner. */
  readonly owner?: Owner;
  /** Absent for the owner's full control and nothing else. */
  readonly grants?: readonly AclGrant[];
}

/**
 * Whose the objects of a bucket are. `BucketOwnerEnforced` is what every bucket has that was not set to anything else: then
 * nothing in this folder has a say. `None` is what is left when the setting is taken away: as in AWS, objects are then their
 * writers', as buckets were before there was the setting.
 */
export type Ownership = 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter' | 'None';

export const ALL_USERS = 'http://acs.amazonaws.com/groups/global/AllUsers';
export const AUTHENTICATED_USERS = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers';
const LOG_DELIVERY = 'http://acs.amazonaws.com/groups/s3/LogDelivery';

/** The canonical user ids that AWS documents for who has no account, and for EC2 (S3 user guide, "Canned ACL"). */
export const ANONYMOUS_ID = '65a011a29cdf8ec533ec3d1ccaae921c';
const EC2_ID = '6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c';

/** Who has no account owns what it writes all the same, where objects are their writers'. No account has this id. */
export const ANONYMOUS_OWNER: Owner = { account: 'anonymous' as AccountId, id: ANONYMOUS_ID };

/** How many entries an access control list may have (S3 user guide, "ACL overview"). */
export const MAXIMUM_GRANTS = 100;

export function isGroup(to: string): boolean {
  return to === ALL_USERS || to === AUTHENTICATED_USERS || to === LOG_DELIVERY;
}

export function ownerGrant(owner: string): AclGrant {
  return { to: owner, permission: 'FULL_CONTROL' };
}

/** Whether a list says what one without entries of its own does: the owner has full control, and nobody else anything. */
export function isOwnersAlone(grants: readonly AclGrant[], owner: string): boolean {
  return grants.length === 1 && grants[0]?.to === owner && grants[0].permission === 'FULL_CONTROL';
}

/** A list is public when it grants anything to one of the two groups (S3 user guide, "The meaning of public"). */
export function isPublicAcl(grants: readonly AclGrant[]): boolean {
  return grants.some(({ to }) => to === ALL_USERS || to === AUTHENTICATED_USERS);
}

/**
 * What a canned ACL stands for.
 *
 * @param owner the canonical user id of the object's or bucket's owner
 * @param bucketOwner that of the bucket's owner, for objects
 * @returns `undefined` where there is no such ACL
 */
export function cannedGrants(
  name: string,
  owner: string,
  bucketOwner: string | undefined,
): readonly AclGrant[] | undefined {
  const own = ownerGrant(owner);
  const withGrants = (to: string, ...permissions: readonly Permission[]): readonly AclGrant[] => [
    own,
    ...permissions.map((permission) => ({ to, permission })),
  ];
  const isForBucket = bucketOwner === undefined;
  switch (name) {
    case 'private':
      return [own];
    case 'public-read':
      return withGrants(ALL_USERS, 'READ');
    case 'public-read-write':
      return withGrants(ALL_USERS, 'READ', 'WRITE');
    case 'authenticated-read':
      return withGrants(AUTHENTICATED_USERS, 'READ');
    case 'aws-exec-read':
      return withGrants(EC2_ID, 'READ');
    // Of buckets these two say nothing, and are taken.
    case 'bucket-owner-read':
      return isForBucket || bucketOwner === owner ? [own] : withGrants(bucketOwner, 'READ');
    case 'bucket-owner-full-control':
      return isForBucket || bucketOwner === owner ? [own] : withGrants(bucketOwner, 'FULL_CONTROL');
    case 'log-delivery-write':
      return isForBucket ? withGrants(LOG_DELIVERY, 'WRITE', 'READ_ACP') : undefined;
    default:
      return undefined;
  }
}

/** To whom a list gives a permission, in the order of its entries. */
export function granteesOf(grants: readonly AclGrant[], permission: Permission): readonly AclGrantee[] {
  return grants
    .filter((grant) => grant.permission === permission || grant.permission === 'FULL_CONTROL')
    .map(({ to }) => granteeOf(to));
}

function granteeOf(to: string): AclGrantee {
  switch (to) {
    case ALL_USERS:
      return 'everyone';
    case AUTHENTICATED_USERS:
      return 'authenticated';
    case ANONYMOUS_ID:
      return 'anonymous';
    case LOG_DELIVERY:
      return { service: 'logging.s3.amazonaws.com' };
    default:
      return { canonicalId: to };
  }
}

const { ACL: _create, ...createBucket } = constraints['CreateBucketRequest'] ?? {};
const { ACL: _put, ...putBucketAcl } = constraints['PutBucketAclRequest'] ?? {};

/** The model does not know every canned ACL that S3 takes for buckets (user guide, "Canned ACL"): `cannedGrants` does. */
export const bucketAclConstraints: Constraints = {
  CreateBucketRequest: createBucket,
  PutBucketAclRequest: putBucketAcl,
};
