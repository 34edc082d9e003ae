import type { AccessRequest } from '#kernel/operation.ts';
import type { TagMap } from '../domain/tags.ts';

/** Who makes something with tags must be allowed to tag it. */
export function tagRequests(parts: readonly { readonly arn: string; readonly tags: TagMap }[]): AccessRequest[] {
  return parts
    .filter(({ tags }) => Object.keys(tags).length > 0)
    .map(({ arn, tags }) => ({ action: 'mediaconnect:TagResource', resource: arn, requestTags: tags }));
}
