import {
  UpdateObjectEncryption$,
  type UpdateObjectEncryptionRequest,
  type UpdateObjectEncryptionResponse,
} from '@aws-sdk/client-s3';
import { parseArn } from '#kernel/arn.ts';
import { operation } from '#kernel/operation.ts';
import { existingObjectAccess, kmsAuthority, requireObject } from '../access.ts';
import type { S3Context } from '../context.ts';
import { choiceOf, kmsKeyOf } from '../domain/encryption-members.ts';
import { requireRemovable } from '../domain/object-lock.ts';
import { accessDenied, internalError, invalidRequest } from '../errors.ts';
import { changeEncryption } from '../rewrapped-object.ts';
import { placeOf } from './get-object.ts';
import { openDataKey } from './start-encryption.ts';

const KEY_ARN = /^arn:aws[-a-z0-9]*:kms:[-a-z0-9]*:[0-9]{12}:key\/.+$/;

/** Puts the data key of an object under another KMS key; content, metadata, times and ETag stay what they are. */
export const updateObjectEncryption = operation<
  S3Context,
  UpdateObjectEncryptionRequest,
  UpdateObjectEncryptionResponse
>(UpdateObjectEncryption$, {
  isAuthenticationRequired: false,
  isDataEvent: true,
  async authorize(input, call, s3) {
    const context = {
      's3:x-amz-server-side-encryption': 'aws:kms',
      's3:x-amz-server-side-encryption-aws-kms-key-id': input.ObjectEncryption?.SSEKMS?.KMSKeyArn,
    };
    return [
      await existingObjectAccess(s3, call, input, 's3:PutObject', context),
      await existingObjectAccess(s3, call, input, 's3:UpdateObjectEncryption', context),
    ];
  },
  async handle(input, call, s3) {
    const { source } = call;
    if (call.caller.type === 'anonymous' || source.signatureVersion === 'AWS') {
      throw invalidRequest(
        'Requests that modify an object encryption configuration require Amazon Web Services Signature Version 4. Modify the request to use Amazon Web Services Signature Version 4, and then try again.',
      );
    }
    const target = readTarget(input);
    const bucket = await s3.scope.bucket(call, input.Bucket ?? '');
    if (parseArn(target.keyId)?.account !== bucket.account) {
      throw accessDenied(
        'The Amazon Web Services KMS key in the request must be owned by the same account as the bucket. Modify the request to specify a KMS key from the same account, and then try again.',
      );
    }
    for (let attempt = 0; attempt < 3; attempt++) {
      const object = await requireObject(s3, call, input);
      const { encryption, retention, legalHold } = object.facts;
      requireRemovable(
        { ...(retention !== undefined && { retention }), ...(legalHold !== undefined && { legalHold }) },
        { now: call.now, mayBypass: false },
      );
      if (encryption.kind !== 'AES256' && encryption.kind !== 'aws:kms') {
        throw invalidRequest(
          "The UpdateObjectEncryption operation doesn't support source objects with the encryption type DSSE-KMS or SSE-C. Only source objects encrypted with SSE-S3 or SSE-KMS are supported.",
        );
      }
      const before = choiceOf(encryption);
      const context = before?.kind === 'aws:kms' ? before.context : undefined;
      const choice = { ...target, ...(context !== undefined && { context }) };
      const dataKey = await openDataKey(s3, call, encryption, placeOf(object), {});
      try {
        const stored = await s3.dataKeys.rewrap(choice, dataKey, placeOf(object), kmsAuthority(call, bucket));
        const kmsKey = kmsKeyOf(stored);
        if (kmsKey !== undefined) call.audit.resources.add(kmsKey.keyArn);
        const table = 'rank' in object.row ? 's3_version' : 's3_object';
        if (await changeEncryption(s3, table, object, stored, dataKey)) return {};
      } finally {
        dataKey.fill(0);
      }
      // Changed since it was read.
      s3.scope.forget(call, input.Bucket ?? '', input.Key ?? '', input.VersionId);
    }
    throw internalError();
  },
});

function readTarget(input: UpdateObjectEncryptionRequest) {
  const { SSEKMS: target } = input.ObjectEncryption ?? {};
  if (target === undefined) {
    throw invalidRequest(
      'Requests that modify an object encryption configuration require a valid new encryption type. Valid values are SSEKMS. Modify the request to specify SSE-KMS for the updated encryption type, and then try again.',
    );
  }
  const { KMSKeyArn: keyId = '', BucketKeyEnabled: isBucketKeyEnabled = false } = target;
  if (!KEY_ARN.test(keyId)) {
    throw invalidRequest(
      "Requests that modify an object's encryption type to SSE-KMS require a valid Amazon Web Services KMS key Amazon Resource Name (ARN). Confirm that you have a correctly formatted KMS key ARN in your request, and then try again.",
    );
  }
  return { kind: 'aws:kms', keyId, isBucketKeyEnabled } as const;
}
