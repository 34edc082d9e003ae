import type { AccountId } from '#kernel/ids.ts';
import type { EntitlementDirectory } from '../entitlement-directory.ts';
import { badRequest } from '../errors.ts';

/** @throws ServiceError BadRequestException */
export async function checkGranted(
  directory: EntitlementDirectory,
  entitlement: string | undefined,
  account: AccountId,
): Promise<void> {
  if (entitlement === undefined) return;
  if ((await directory.find(entitlement, account)) === undefined) {
    throw badRequest(`The entitlement ${entitlement} does not exist, or is not granted to this account.`);
  }
}
