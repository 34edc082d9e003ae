import { formatArn } from '#kernel/arn.ts';
import { accountOf } from '#kernel/caller.ts';
import type { AccessRequest, Call } from '#kernel/operation.ts';
import { badRequest } from '../errors.ts';
import { API_ID, STAGE } from './addresses.ts';

/** It stands in the name of a secret, in paths and in ARNs, in which `*` and `?` would mean something. */
const CONTENT_ID = /^\w[\w.@=+-]{0,199}$/;
const KEY_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isContentId(text: string): boolean {
  return CONTENT_ID.test(text);
}

/** @throws ServiceError BadRequestException */
export function readContentId(text: string | undefined): string {
  if (text === undefined || !isContentId(text)) throw badRequest('The content id is not one of this provider.');
  return text;
}

/** In lower case. @throws ServiceError BadRequestException */
export function readKeyId(text: string | undefined): string {
  const kid = (text ?? '').toLowerCase();
  if (!KEY_ID.test(kid)) throw badRequest('The key id is not a UUID.');
  return kid;
}

/**
 * The question that API Gateway asks IAM about a method of an API.
 *
 * Every account has the API for itself: what is kept for it lies in the caller's own account.
 *
 * @param route such as `POST/copyProtection`
 */
export function invoke(call: Call, route: string): readonly AccessRequest[] {
  const account = accountOf(call.caller) ?? '';
  const resource = formatArn({
    service: 'execute-api',
    region: call.region,
    account,
    resource: `${API_ID}/${STAGE}/${route}`,
  });
  return [{ action: 'execute-api:Invoke', resource }];
}
