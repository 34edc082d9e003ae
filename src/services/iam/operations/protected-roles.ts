import { unmodifiableEntity } from '../errors.ts';
import type { PrincipalRecord } from '../store.ts';

/** The path that only service-linked roles have. */
export const SERVICE_ROLE_PATH = '/aws-service-role/';

export function isServiceLinked({ kind, path }: Pick<PrincipalRecord, 'kind' | 'path'>): boolean {
  return kind === 'role' && path.startsWith(SERVICE_ROLE_PATH);
}

/**
 * What a service-linked role may do, and who may assume it, is its service's affair alone.
 * @throws ServiceError UnmodifiableEntity
 */
export function checkModifiable(principal: PrincipalRecord): void {
  if (!isServiceLinked(principal)) return;
  throw unmodifiableEntity(
    `Cannot perform the operation on the protected role '${principal.name}' - this role is only modifiable by AWS`,
  );
}
