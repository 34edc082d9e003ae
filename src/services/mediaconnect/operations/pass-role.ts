import type { AccessRequest } from '#kernel/operation.ts';
import type { GivenEncryption } from '../api-types.ts';

/**
 * Who lets a flow use a role must be allowed to pass it to MediaConnect: otherwise the right to make flows would be the
 * right to use every key that any role trusted by MediaConnect may read.
 *
 * @param flowArn for which flow: `iam:AssociatedResourceArn`
 */
export function passRoles(roles: readonly (string | undefined)[], flowArn: string | undefined): AccessRequest[] {
  return [...new Set(roles.filter((role) => role !== undefined))].map((role) => ({
    action: 'iam:PassRole',
    resource: role,
    context: { 'iam:PassedToService': 'mediaconnect.amazonaws.com', 'iam:AssociatedResourceArn': flowArn },
  }));
}

/** Who points an encryption to another secret uses its role anew, whether or not they name it. */
export async function passChangedRole(
  encryption: GivenEncryption | undefined,
  flowArn: string | undefined,
  existingRole: () => Promise<string | undefined>,
): Promise<AccessRequest[]> {
  return encryption === undefined ? [] : passRoles([encryption.RoleArn ?? (await existingRole())], flowArn);
}

/** The roles of several encryptions, of which some are not given. */
export function rolesOf(encryptions: readonly (GivenEncryption | undefined)[]): (string | undefined)[] {
  return encryptions.map((encryption) => encryption?.RoleArn);
}
