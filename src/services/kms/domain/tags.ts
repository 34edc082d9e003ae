import type { Tag } from '@aws-sdk/client-kms';
import { invalidTag, limitExceeded } from '../errors.ts';

export type TagMap = Readonly<Record<string, string>>;

const MAX_TAGS = 50;

/** @throws ServiceError TagException */
export function checkTags(tags: readonly Tag[] | undefined): TagMap {
  const result = new Map<string, string>();
  for (const tag of tags ?? []) {
    const key = tag.TagKey ?? '';
    if (key.toLowerCase().startsWith('aws:')) throw invalidTag(`Tag key must not begin with aws: (${key})`);
    if (result.has(key)) throw invalidTag('Duplicate tag keys');
    result.set(key, tag.TagValue ?? '');
  }
  if (result.size > MAX_TAGS) throw invalidTag('Too many tags');
  return Object.fromEntries(result);
}

export function checkTagCount(count: number): void {
  if (count > MAX_TAGS) throw limitExceeded('Too many tags');
}
