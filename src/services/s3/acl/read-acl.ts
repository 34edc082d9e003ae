import type { AccessControlPolicy, Grant, Grantee, Permission } from '@aws-sdk/client-s3';
import type { ConditionContext } from '#kernel/operation.ts';
import type { S3Context } from '../context.ts';
import { accessDenied, invalidArgument, invalidRequest, malformedAcl } from '../errors.ts';
import { type AclGrant, cannedGrants, isGroup, MAXIMUM_GRANTS } from './acl.ts';
import { emailGrantee, missingAcl, unexpectedContent } from './acl-errors.ts';

/** The members of a request that say what an access control list is to be, in its headers. */
export interface AclMembers {
  readonly ACL?: string | undefined;
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWrite?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
}

const HEADERS = [
  ['GrantFullControl', 'x-amz-grant-full-control', 'FULL_CONTROL'],
  ['GrantRead', 'x-amz-grant-read', 'READ'],
  ['GrantReadACP', 'x-amz-grant-read-acp', 'READ_ACP'],
  ['GrantWrite', 'x-amz-grant-write', 'WRITE'],
  ['GrantWriteACP', 'x-amz-grant-write-acp', 'WRITE_ACP'],
] as const satisfies readonly (readonly [keyof AclMembers, string, Permission])[];

/** The condition keys of requests that set an access control list. */
export function aclConditions(input: AclMembers): ConditionContext {
  return {
    's3:x-amz-acl': input.ACL,
    's3:x-amz-grant-full-control': input.GrantFullControl,
    's3:x-amz-grant-read': input.GrantRead,
    's3:x-amz-grant-read-acp': input.GrantReadACP,
    's3:x-amz-grant-write': input.GrantWrite,
    's3:x-amz-grant-write-acp': input.GrantWriteACP,
  };
}

/** Whether a request says in its headers what the list is to be. */
export function namesAcl(input: AclMembers): boolean {
  return input.ACL !== undefined || namesGrants(input);
}

function namesGrants(input: AclMembers): boolean {
  return HEADERS.some(([member]) => input[member] !== undefined);
}

/** Of which resource a list is: its owner's canonical user id, and for objects that of the bucket's owner. */
export interface AclPlace {
  readonly owner: string;
  readonly bucketOwner?: string;
}

/**
 * What the headers of a request say; `undefined` where they say nothing.
 *
 * @throws ServiceError InvalidRequest, InvalidArgument
 */
export async function readAclHeaders(
  s3: S3Context,
  input: AclMembers,
  { owner, bucketOwner }: AclPlace,
): Promise<readonly AclGrant[] | undefined> {
  if (input.ACL === undefined) return namesGrants(input) ? await readGrantHeaders(s3, input) : undefined;
  if (namesGrants(input)) {
    throw invalidRequest('Specifying both Canned ACLs and Header Grants is not allowed');
  }
  const grants = cannedGrants(input.ACL, owner, bucketOwner);
  if (grants === undefined) throw invalidArgument('Invalid value for x-amz-acl', 'x-amz-acl', input.ACL);
  return grants;
}

/**
 * What a request says whose purpose is a list, in its headers or its body.
 *
 * @throws ServiceError as `readAclHeaders`, and MalformedACLError, AccessDenied where it names another owner, …
 */
export async function readAcl(
  s3: S3Context,
  input: AclMembers & { readonly AccessControlPolicy?: AccessControlPolicy | undefined },
  place: AclPlace,
): Promise<readonly AclGrant[]> {
  const said = await readAclHeaders(s3, input, place);
  const { AccessControlPolicy: body } = input;
  if (said !== undefined) {
    if (body !== undefined) throw unexpectedContent();
    return said;
  }
  if (body === undefined) throw missingAcl();
  if (body.Owner?.ID === undefined) throw malformedAcl();
  if (body.Owner.ID !== place.owner) throw accessDenied();
  const grants = body.Grants ?? [];
  if (grants.length > MAXIMUM_GRANTS) throw malformedAcl();
  return await Promise.all(grants.map(async (grant) => await readGrant(s3, grant, place)));
}

async function readGrant(s3: S3Context, { Grantee: grantee, Permission: permission }: Grant, place: AclPlace) {
  if (grantee === undefined || permission === undefined) throw malformedAcl();
  return { to: await readGrantee(s3, grantee, place), permission };
}

async function readGrantee(s3: S3Context, grantee: Grantee, { owner }: AclPlace): Promise<string> {
  const { Type: type, ID: id, URI: uri, EmailAddress: email } = grantee;
  if (type === 'AmazonCustomerByEmail' || email !== undefined) throw emailGrantee();
  if (type === 'Group') {
    if (uri === undefined) throw malformedAcl();
    return checkGroup(uri);
  }
  if (id === undefined) throw malformedAcl();
  return id === owner ? id : await checkId(s3, id, 'CanonicalUser/ID');
}

/** Headers such as `id="…", uri="…"`. */
async function readGrantHeaders(s3: S3Context, input: AclMembers): Promise<readonly AclGrant[]> {
  const grants: AclGrant[] = [];
  for (const [member, header, permission] of HEADERS) {
    const text = input[member];
    if (text === undefined) continue;
    for (const part of text.split(',')) {
      const [, kind, value] = /^\s*(id|uri|emailAddress)\s*=\s*"?([^"]*)"?\s*$/i.exec(part) ?? [];
      if (kind === undefined || value === undefined || value === '') {
        throw invalidArgument('Argument format not recognized', header, text);
      }
      if (grants.length === MAXIMUM_GRANTS) throw malformedAcl();
      grants.push({ to: await readNamed(s3, kind.toLowerCase(), value.trim(), header), permission });
    }
  }
  return grants;
}

async function readNamed(s3: S3Context, kind: string, value: string, header: string): Promise<string> {
  if (kind === 'emailaddress') throw emailGrantee();
  return kind === 'uri' ? checkGroup(value) : await checkId(s3, value, header);
}

function checkGroup(uri: string): string {
  if (!isGroup(uri)) throw invalidArgument('Invalid group uri', 'Group/URI', uri);
  return uri;
}

/** Nothing is granted to who does not exist: another account could be given that id later. */
async function checkId(s3: S3Context, id: string, where: string): Promise<string> {
  if (!(await s3.isCanonicalId(id))) throw invalidArgument('Invalid id', where, id);
  return id;
}
