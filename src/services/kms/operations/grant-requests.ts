import type { GrantListEntry } from '@aws-sdk/client-kms';
import { formatArn } from '#kernel/arn.ts';
import type { GrantConstraints } from '#kernel/key-grant.ts';
import type { Call, ConditionContext } from '#kernel/operation.ts';
import { keyArn } from '../domain/key-identifier.ts';
import { invalidGrantId } from '../errors.ts';
import { constraintsOf, type GrantRecord, operationsOf } from '../grant-store.ts';

const GRANT_ID = /^[0-9a-f]{64}$/;

/** @throws ServiceError InvalidGrantIdException */
export function checkGrantId(id: string): string {
  if (!GRANT_ID.test(id)) throw invalidGrantId(id);
  return id;
}

/** Whether a service asks in somebody's name, as AWS's do that make grants for their resources. */
export function isForService({ via, caller }: Call): ConditionContext {
  return { 'kms:GrantIsForAWSResource': String(via.length > 0 || caller.type === 'service') };
}

/** @param grant as lists name its principals: by ARN, unique id or a service's name */
export function grantListEntry(grant: GrantRecord): GrantListEntry {
  const { grantee, retiring, name, issuer } = grant;
  return {
    KeyId: keyArn({ region: grant.region, account: grant.account, id: grant.key_id }),
    GrantId: grant.id,
    Name: name ?? '',
    CreationDate: new Date(grant.created_at),
    ...(isService(grantee) ? { GranteeServicePrincipal: grantee } : { GranteePrincipal: grantee }),
    ...(retiring !== null &&
      (isService(retiring) ? { RetiringServicePrincipal: retiring } : { RetiringPrincipal: retiring })),
    IssuingAccount: rootArn(issuer),
    Operations: operationsOf(grant),
    ...constraintMembers(constraintsOf(grant)),
  };
}

export function rootArn(account: string): string {
  return formatArn({ service: 'iam', account, resource: 'root' });
}

function constraintMembers(constraints: GrantConstraints): Pick<GrantListEntry, 'Constraints'> {
  const { encryptionContextEquals, encryptionContextSubset, sourceArn } = constraints;
  if (Object.keys(constraints).length === 0) return {};
  return {
    Constraints: {
      ...(encryptionContextEquals && { EncryptionContextEquals: encryptionContextEquals }),
      ...(encryptionContextSubset && { EncryptionContextSubset: encryptionContextSubset }),
      ...(sourceArn !== undefined && { SourceArn: sourceArn }),
    },
  };
}

function isService(principal: string): boolean {
  return principal.endsWith('.amazonaws.com');
}
