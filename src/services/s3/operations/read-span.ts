import type { S3Context } from '../context.ts';
import { readRange } from '../domain/byte-range.ts';
import type { StoredPart } from '../domain/object-facts.ts';
import { invalidArgument, invalidPartNumber, invalidRequest } from '../errors.ts';
import type { StoredObject } from '../objects.ts';

/** Which bytes of an object a request wants. */
export interface ReadSpan {
  readonly start: number;
  readonly end: number;
  /** True when the answer is 206. */
  readonly isRange: boolean;
  /** True when it is the whole object. */
  readonly isWhole: boolean;
  /** For a request by part number, of a multipart object. */
  readonly partsCount?: number;
  /** For a request by part number, of a multipart object. */
  readonly part?: StoredPart;
}

/** Reads `Range` and `partNumber`. @throws ServiceError InvalidRange, InvalidPartNumber */
export function readSpan(
  s3: S3Context,
  object: StoredObject,
  input: { readonly Range?: string | undefined; readonly PartNumber?: number | undefined },
): ReadSpan {
  const { size } = object.row;
  const { PartNumber: partNumber } = input;
  if (partNumber === undefined) {
    const range = readRange(input.Range, size);
    if (range === undefined) return { start: 0, end: size, isRange: false, isWhole: true };
    return { ...range, isRange: true, isWhole: range.start === 0 && range.end === size };
  }
  if (input.Range !== undefined) {
    throw invalidRequest('Cannot specify both Range header and partNumber query parameter');
  }
  if (partNumber < 1 || partNumber > 10_000) {
    throw invalidArgument(
      'Part number must be an integer between 1 and 10000, inclusive',
      'partNumber',
      String(partNumber),
    );
  }
  const parts = s3.objects.partsOf(object);
  if (parts.length === 0) {
    if (partNumber > 1) throw invalidPartNumber(partNumber, 1);
    return { start: 0, end: size, isRange: size > 0, isWhole: true };
  }
  // Parts are counted as they lie in the object, whatever the numbers were with which they were uploaded.
  const part = parts[partNumber - 1];
  if (part === undefined) throw invalidPartNumber(partNumber, parts.length);
  let start = 0;
  for (const earlier of parts.slice(0, partNumber - 1)) start += earlier.size;
  const end = start + part.size;
  return { start, end, isRange: size > 0, isWhole: parts.length === 1, partsCount: parts.length, part };
}
