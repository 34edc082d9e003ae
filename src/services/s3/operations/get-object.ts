import { GetObject$, type GetObjectOutput, type GetObjectRequest } from '@aws-sdk/client-s3';
import type { Call } from '#kernel/operation.ts';
import { operation } from '#kernel/operation.ts';
import { existingObjectAccess, requireObject, versionAnswer } from '../access.ts';
import type { S3Context } from '../context.ts';
import { currentExpiration } from './bucket-lifecycle.ts';
import { contentRangeOf } from '../domain/byte-range.ts';
import { refuseEncryptionHeaders } from '../domain/encryption-choice.ts';
import { checkReadCondition } from '../domain/preconditions.ts';
import { internalError, invalidRequest } from '../errors.ts';
import type { StoredObject } from '../objects.ts';
import { lockAnswer } from './lock-members.ts';
import { objectAnswer } from './object-answer.ts';
import { readSpan } from './read-span.ts';
import { customerKeyFor, openDataKey } from './start-encryption.ts';

const OVERRIDES = [
  'ResponseCacheControl',
  'ResponseContentDisposition',
  'ResponseContentEncoding',
  'ResponseContentLanguage',
  'ResponseContentType',
  'ResponseExpires',
] as const;

export const getObject = operation<S3Context, GetObjectRequest, GetObjectOutput>(GetObject$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  authorize: async (input, call, s3) => [await existingObjectAccess(s3, call, input, 's3:GetObject')],
  async handle(input, call, s3) {
    refuseEncryptionHeaders((name) => call.source.header(name));
    if (call.caller.type === 'anonymous' && OVERRIDES.some((name) => input[name] !== undefined)) {
      throw invalidRequest('Request specific response headers cannot be used for anonymous GET requests.');
    }
    for (let attempt = 0; attempt < 3; attempt++) {
      const output = await readOnce(input, call, s3);
      if (output !== undefined) return output;
      // The object was overwritten since its record was read.
      s3.scope.forget(call, input.Bucket ?? '', input.Key ?? '', input.VersionId);
    }
    throw internalError();
  },
});

async function readOnce(input: GetObjectRequest, call: Call, s3: S3Context): Promise<GetObjectOutput | undefined> {
  const object = await requireObject(s3, call, input);
  customerKeyFor(s3, call, object.facts.encryption, input);
  checkReadCondition(object.row, input);
  const span = readSpan(s3, object, input);
  const dataKey = await openDataKey(s3, call, object.facts.encryption, placeOf(object), input);
  const answer = objectAnswer(object, span, input.ChecksumMode === 'ENABLED' ? dataKey : undefined);
  const body = await s3.objects.open(object, dataKey, span.start, span.end);
  if (body === undefined) return undefined;
  if (span.isRange) call.reply.status = 206;
  call.audit.details['bytesTransferredOut'] = span.end - span.start;
  return {
    ...answer,
    ...(await versionAnswer(s3, call, object)),
    ...(await currentExpiration(s3, call, input, object)),
    ...(await lockAnswer(s3, call, input, object)),
    ...overridesOf(input),
    ...(span.partsCount !== undefined && { PartsCount: span.partsCount }),
    ...(span.isRange && { ContentRange: contentRangeOf(span, object.row.size) }),
    ContentLength: span.end - span.start,
    Body: body as NonNullable<GetObjectOutput['Body']>,
  };
}

export function placeOf({ row }: StoredObject) {
  return { bucket: row.bucket, key: row.key, objectId: row.id };
}

function overridesOf(input: GetObjectRequest) {
  const { ResponseExpires: expires } = input;
  return {
    ...(input.ResponseCacheControl !== undefined && { CacheControl: input.ResponseCacheControl }),
    ...(input.ResponseContentDisposition !== undefined && { ContentDisposition: input.ResponseContentDisposition }),
    ...(input.ResponseContentEncoding !== undefined && { ContentEncoding: input.ResponseContentEncoding }),
    ...(input.ResponseContentLanguage !== undefined && { ContentLanguage: input.ResponseContentLanguage }),
    ...(input.ResponseContentType !== undefined && { ContentType: input.ResponseContentType }),
    ...(expires !== undefined && { Expires: expires, ExpiresString: expires.toUTCString() }),
  };
}
