import type { Tag } from '@aws-sdk/client-s3';
import { invalidArgument, invalidTag } from '../errors.ts';

export type Tags = Readonly<Record<string, string>>;

const MAXIMUM_KEY = 128;
const MAXIMUM_VALUE = 256;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** The tags of an `x-amz-tagging` header: a query string. @throws ServiceError */
export function parseTagHeader(text: string): Tags {
  const tags: { Key: string; Value: string }[] = [];
  for (const pair of text.split('&').filter((item) => item !== '')) {
    const equals = pair.indexOf('=');
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    tags.push({ Key: decode(name), Value: decode(value) });
  }
  return checkTags(tags, 10);
}

/** @throws ServiceError InvalidTag for tags that AWS would not take */
export function checkTags(tags: readonly Partial<Tag>[], limit: number): Tags {
  if (tags.length > limit) {
    const what = limit === 10 ? 'Object tags' : 'Bucket tag count';
    throw invalidTag(`${what} cannot be greater than ${limit}`);
  }
  const result: Record<string, string> = {};
  for (const { Key: key = '', Value: value = '' } of tags) {
    if (key === '' || key.length > MAXIMUM_KEY || !ALLOWED.test(key)) {
      throw invalidTag('The TagKey you have provided is invalid');
    }
    if (value.length > MAXIMUM_VALUE || !ALLOWED.test(value)) {
      throw invalidTag('The TagValue you have provided is invalid');
    }
    if (/^aws:/i.test(key)) throw invalidTag('System tags cannot be added/updated by requester');
    if (Object.hasOwn(result, key)) throw invalidTag('Cannot provide multiple Tags with the same key');
    Object.defineProperty(result, key, { value, enumerable: true });
  }
  return result;
}

export function tagList(tags: Tags): Tag[] {
  return Object.entries(tags).map(([key, value]) => ({ Key: key, Value: value }));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalidArgument(
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
      'x-amz-tagging',
      text,
    );
  }
}
