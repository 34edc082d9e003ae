import { HeadObject$, type HeadObjectOutput, type HeadObjectRequest } from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { existingObjectAccess, requireObject, versionAnswer } from '../access.ts';
import type { S3Context } from '../context.ts';
import { currentExpiration } from './bucket-lifecycle.ts';
import { contentRangeOf } from '../domain/byte-range.ts';
import { refuseEncryptionHeaders } from '../domain/encryption-choice.ts';
import { checkReadCondition } from '../domain/preconditions.ts';
import { placeOf } from './get-object.ts';
import { lockAnswer } from './lock-members.ts';
import { hasChecksum, objectAnswer } from './object-answer.ts';
import { readSpan } from './read-span.ts';
import { customerKeyFor, openDataKey } from './start-encryption.ts';

export const headObject = operation<S3Context, HeadObjectRequest, HeadObjectOutput>(HeadObject$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  authorize: async (input, call, s3) => [await existingObjectAccess(s3, call, input, 's3:GetObject')],
  async handle(input, call, s3) {
    refuseEncryptionHeaders((name) => call.source.header(name));
    const object = await requireObject(s3, call, input);
    const { encryption } = object.facts;
    customerKeyFor(s3, call, encryption, input);
    checkReadCondition(object.row, input);
    const span = readSpan(s3, object, input);
    // A checksum is asked for: it lies under the data key, so that the caller needs the right to decrypt.
    const isChecksumWanted = input.ChecksumMode === 'ENABLED' && hasChecksum(object, span);
    const dataKey = isChecksumWanted ? await openDataKey(s3, call, encryption, placeOf(object), input) : undefined;
    const answer = objectAnswer(object, span, dataKey);
    dataKey?.fill(0);
    if (span.isRange) call.reply.status = 206;
    return {
      ...answer,
      ...(await versionAnswer(s3, call, object)),
      ...(await currentExpiration(s3, call, input, object)),
      ...(await lockAnswer(s3, call, input, object)),
      ...(span.partsCount !== undefined && { PartsCount: span.partsCount }),
      ...(span.isRange && { ContentRange: contentRangeOf(span, object.row.size) }),
      ContentLength: span.end - span.start,
    };
  },
});
