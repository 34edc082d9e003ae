import {
  AbortMultipartUpload$,
  type AbortMultipartUploadOutput,
  type AbortMultipartUploadRequest,
} from '@aws-sdk/client-s3';
import { operation } from '#kernel/operation.ts';
import { objectAccess } from '../access.ts';
import type { S3Context } from '../context.ts';
import { preconditionFailed } from '../errors.ts';

export const abortMultipartUpload = operation<S3Context, AbortMultipartUploadRequest, AbortMultipartUploadOutput>(
  AbortMultipartUpload$,
  {
    isAuthenticationRequired: false,
    isDataEvent: true,
    authorize: async (input, call, s3) => [await objectAccess(s3, call, input, 's3:AbortMultipartUpload')],
    async handle(input, _call, s3) {
      const upload = await s3.uploads.find(input.Bucket ?? '', input.Key ?? '', input.UploadId);
      const { IfMatchInitiatedTime: time } = input;
      if (time !== undefined && Math.floor(time.getTime() / 1000) !== Math.floor(upload.row.initiated_at / 1000)) {
        throw preconditionFailed('x-amz-if-match-initiated-time');
      }
      await s3.uploads.abort(upload.row.id);
      return {};
    },
  },
);
