import type { Caller } from '#kernel/caller.ts';
import { invalidClientToken } from '../errors.ts';

/**
 * Refuses what AWS's IAM takes from nobody: the credentials of GetFederationToken, and those of GetSessionToken without
 * MFA (IAM user guide, "Compare AWS STS credentials").
 * @throws ServiceError InvalidClientTokenId
 */
export function checkCaller(_operation: string, caller: Caller): void {
  if (caller.type === 'federated-user') throw invalidClientToken();
  if (caller.type !== 'user' && caller.type !== 'root') return;
  if (caller.session !== undefined && !caller.session.isMfaAuthenticated) throw invalidClientToken();
}
