import { badRequest } from '../errors.ts';

export type TagMap = Readonly<Record<string, string>>;

const MAX_TAGS = 50;
const MAX_KEY = 128;
const MAX_VALUE = 256;

/** @throws ServiceError BadRequestException */
export function withTags(before: TagMap, added: TagMap = {}): TagMap {
  for (const [key, value] of Object.entries(added)) {
    if (/^aws:/i.test(key)) throw badRequest(`/tags: Keys must not begin with aws: (${key})`);
    if (key === '' || key.length > MAX_KEY) throw badRequest(`/tags: Keys have 1 to ${MAX_KEY} characters`);
    if (value.length > MAX_VALUE) throw badRequest(`/tags/${key}: Should have at most ${MAX_VALUE} characters`);
  }
  const tags = { ...before, ...added };
  if (Object.keys(tags).length > MAX_TAGS) throw badRequest(`/tags: Should have at most ${MAX_TAGS} items`);
  return tags;
}

/** Keys that are not there are no error. */
export function withoutTags(before: TagMap, keys: readonly string[]): TagMap {
  const removed = new Set(keys);
  return Object.fromEntries(Object.entries(before).filter(([key]) => !removed.has(key)));
}
