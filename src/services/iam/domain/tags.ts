import type { Tag } from '@aws-sdk/client-iam';
import { invalidInput, quotaExceeded } from '../errors.ts';

const MAX_TAGS = 50;

/** Tags by key, in the order that they were given in. @throws ServiceError InvalidInput for a key that comes twice */
export function tagMap(tags: readonly Tag[] | undefined): Record<string, string> {
  const result: Record<string, string> = {};
  const seen = new Set<string>();
  for (const { Key = '', Value = '' } of tags ?? []) {
    if (seen.has(Key.toLowerCase())) {
      throw invalidInput('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
    }
    if (/^aws:/i.test(Key)) throw invalidInput('aws: prefixed tag key names are not allowed for external use.');
    seen.add(Key.toLowerCase());
    result[Key] = Value;
  }
  if (seen.size > MAX_TAGS) throw quotaExceeded('TagsPerResource', MAX_TAGS);
  return result;
}

/** @throws ServiceError LimitExceeded when there are too many */
export function checkTagCount(count: number): void {
  if (count > MAX_TAGS) throw quotaExceeded('TagsPerResource', MAX_TAGS);
}

export function tagList(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
