import { metadataTooLarge } from '../errors.ts';
import type { Metadata, ObjectHeaders } from './object-facts.ts';

const METADATA_LIMIT = 2048;

interface HeaderMembers {
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly ContentType?: string | undefined;
  readonly Expires?: Date | undefined;
}

/** The type that S3 gives to an object without one. */
const DEFAULT_TYPE = 'binary/octet-stream';

/** The headers to keep with an object. `aws-chunked` belongs to the transfer, not to the object. */
export function headersOf(input: HeaderMembers): ObjectHeaders {
  const encoding = input.ContentEncoding === undefined ? undefined : encodingToKeep(input.ContentEncoding);
  return {
    ...(input.CacheControl !== undefined && { CacheControl: input.CacheControl }),
    ...(input.ContentDisposition !== undefined && { ContentDisposition: input.ContentDisposition }),
    ...(encoding !== undefined && encoding !== '' && { ContentEncoding: encoding }),
    ...(input.ContentLanguage !== undefined && { ContentLanguage: input.ContentLanguage }),
    ContentType: input.ContentType === undefined || input.ContentType === '' ? DEFAULT_TYPE : input.ContentType,
    ...(input.Expires !== undefined && { Expires: input.Expires.getTime() }),
  };
}

/** As it was given, but for `aws-chunked`. */
function encodingToKeep(text: string): string {
  const items = text.split(',');
  const kept = items.filter((item) => item.trim().toLowerCase() !== 'aws-chunked');
  return kept.length === items.length ? text : kept.join(',').trim();
}

/** The members of an answer that carry an object's headers. */
export function headerMembers(headers: ObjectHeaders) {
  const { Expires: expires, ...rest } = headers;
  return { ...rest, ...(expires !== undefined && { Expires: new Date(expires) }) };
}

/** @throws ServiceError MetadataTooLarge: names and values have 2 KB together */
export function metadataOf(metadata: Metadata | undefined): Metadata {
  const result: Record<string, string> = {};
  let size = 0;
  for (const [name, value] of Object.entries(metadata ?? {})) {
    size += Buffer.byteLength(name) + Buffer.byteLength(value);
    result[name.toLowerCase()] = value;
  }
  if (size > METADATA_LIMIT) throw metadataTooLarge(size);
  return result;
}
