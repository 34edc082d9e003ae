import type { Tag } from '@aws-sdk/client-secrets-manager';
import { invalidParameter } from '../errors.ts';

export type TagMap = Readonly<Record<string, string>>;

const MAX_TAGS = 50;

export function parseTags(json: string): TagMap {
  return JSON.parse(json) as TagMap;
}

/** @throws ServiceError InvalidParameterException */
export function readTags(tags: readonly Tag[] | undefined): TagMap {
  const result = new Map<string, string>();
  for (const { Key = '', Value = '' } of tags ?? []) {
    if (Key === '') throw invalidParameter('A tag needs a Key.');
    if (/^aws:/i.test(Key)) throw invalidParameter(`Tag keys must not begin with aws: (${Key})`);
    if (result.has(Key)) throw invalidParameter(`Tags: the key ${Key} stands there twice.`);
    result.set(Key, Value);
  }
  return checkTagCount(Object.fromEntries(result));
}

/** @throws ServiceError InvalidParameterException */
export function checkTagCount(tags: TagMap): TagMap {
  if (Object.keys(tags).length > MAX_TAGS) throw invalidParameter(`A secret has at most ${MAX_TAGS} tags.`);
  return tags;
}

export function withoutTags(before: TagMap, keys: readonly string[]): TagMap {
  const removed = new Set(keys);
  return Object.fromEntries(Object.entries(before).filter(([key]) => !removed.has(key)));
}

export function tagList(tags: TagMap): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
