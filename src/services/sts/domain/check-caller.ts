import type { Caller } from '#kernel/caller.ts';
import { accessDenied } from '../errors.ts';

/** The sessions' own policies do not reach further than these (IAM user guide, "Compare AWS STS credentials"). */
const OPEN_TO_USER_SESSIONS: ReadonlySet<string> = new Set(['AssumeRole', 'GetCallerIdentity']);
const OPEN_TO_FEDERATED_USERS: ReadonlySet<string> = new Set(['GetCallerIdentity']);
/** A token stands for itself here, whoever signs. */
const UNSIGNED: ReadonlySet<string> = new Set(['AssumeRoleWithWebIdentity', 'AssumeRoleWithSAML']);

/**
 * Refuses what AWS's STS takes from nobody with the credentials of GetSessionToken or GetFederationToken.
 * @throws ServiceError AccessDenied
 */
export function checkCaller(operation: string, caller: Caller): void {
  if (UNSIGNED.has(operation)) return;
  const open =
    caller.type === 'federated-user'
      ? OPEN_TO_FEDERATED_USERS
      : (caller.type === 'user' || caller.type === 'root') && caller.session !== undefined
        ? OPEN_TO_USER_SESSIONS
        : undefined;
  if (open?.has(operation) === false) throw accessDenied(`Cannot call ${operation} with session credentials`);
}
