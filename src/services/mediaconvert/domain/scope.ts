import { accountOf } from '#kernel/caller.ts';
import type { AccessRequest, Call } from '#kernel/operation.ts';
import { accessDenied } from '../errors.ts';
import type { JobScope } from '../store.ts';
import { type ArnType, arnOf } from './names.ts';
import type { TagMap } from './tags.ts';

/** The account and region in which a call acts. */
export function scopeOf(call: Call): JobScope {
  const account = accountOf(call.caller);
  if (account === undefined) throw accessDenied('Missing Authentication Token');
  return { account, region: call.region };
}

export function tagsOf(record: { readonly tags: string } | undefined): TagMap {
  return record === undefined ? {} : (JSON.parse(record.tags) as TagMap);
}

/** What making something asks for: the right to make it, and with tags the right to tag it. */
export function creationAccess(
  action: string,
  scope: JobScope,
  type: ArnType,
  name: string,
  tags: TagMap = {},
): AccessRequest[] {
  const resource = arnOf(scope, type, name);
  if (Object.keys(tags).length === 0) return [{ action, resource }];
  return [
    { action, resource, requestTags: tags },
    { action: 'mediaconvert:TagResource', resource, requestTags: tags },
  ];
}
