import { invalidArgument, tooManyTags } from '../errors.ts';

export type TagMap = Readonly<Record<string, string>>;

const MAX_TAGS = 50;

export function parseTags(json: string): TagMap {
  return JSON.parse(json) as TagMap;
}

/** @throws ServiceError InvalidArgumentException for names that are AWS's own */
export function checkTags(tags: TagMap | undefined): TagMap {
  for (const key of Object.keys(tags ?? {})) {
    if (/^aws:/i.test(key)) throw invalidArgument(`Tag keys must not begin with aws: (${key})`);
  }
  return tags ?? {};
}

/** @throws ServiceError TagsPerResourceExceededLimitException */
export function withTags(before: TagMap, added: TagMap): TagMap {
  const tags = { ...before, ...added };
  if (Object.keys(tags).length > MAX_TAGS) throw tooManyTags(MAX_TAGS);
  return tags;
}

/** Keys that are not there are no error. */
export function withoutTags(before: TagMap, keys: readonly string[]): TagMap {
  const removed = new Set(keys);
  return Object.fromEntries(Object.entries(before).filter(([key]) => !removed.has(key)));
}
