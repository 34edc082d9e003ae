import { formatArn, parseArn } from '#kernel/arn.ts';
import { badRequest } from '../errors.ts';
import type { JobScope } from '../store.ts';

/** The queue that every account has in every region, and that nobody can delete. */
export const DEFAULT_QUEUE = 'Default';

/** What names of AWS's own templates and presets begin with. */
export const SYSTEM_PREFIX = 'System-';

/** The first part of a resource's ARN. */
export type ArnType = 'jobs' | 'queues' | 'jobTemplates' | 'presets' | 'certificates';

export function arnOf(scope: JobScope, type: ArnType, name: string): string {
  const { account, region } = scope;
  return formatArn({ service: 'mediaconvert', region, account, resource: `${type}/${name}` });
}

/** What stands for the account in a Region, where an action is not about one thing. */
export function accountArn({ account, region }: JobScope): string {
  return formatArn({ service: 'mediaconvert', region, account, resource: '*' });
}

export function jobArn(scope: JobScope, id: string): string {
  return arnOf(scope, 'jobs', id);
}

export function queueArn(scope: JobScope, name: string): string {
  return arnOf(scope, 'queues', name);
}

/** The name of a thing that is given by its name or its ARN; `undefined` for one of another account, region or type. */
export function nameOf(given: string, type: ArnType, scope: JobScope): string | undefined {
  const arn = parseArn(given);
  if (arn === undefined) return given;
  const isOwn = arn.service === 'mediaconvert' && arn.account === scope.account && arn.region === scope.region;
  return isOwn && arn.resource.startsWith(`${type}/`) ? arn.resource.slice(type.length + 1) : undefined;
}

const MAX_NAME = 256;

/** @throws ServiceError BadRequestException for a name that no new thing may have */
export function checkNewName(name: string): string {
  const isFit = /^[^\p{Cc}/:?#]+$/u.test(name) && name.trim() === name && name.length <= MAX_NAME;
  if (!isFit) throw badRequest(`/name: Should have 1 to ${MAX_NAME} characters, without / : ? #`);
  if (name.startsWith(SYSTEM_PREFIX)) throw badRequest(`/name: Names that begin with ${SYSTEM_PREFIX} are reserved`);
  return name;
}
