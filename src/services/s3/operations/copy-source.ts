import type { AccessRequest, Call, ConditionContext } from '#kernel/operation.ts';
import { existingObjectAccess, requireObject } from '../access.ts';
import type { S3Context } from '../context.ts';
import { checkCopyCondition } from '../domain/preconditions.ts';
import { checkVersionId } from '../domain/version.ts';
import { internalError, invalidArgument, invalidRequest } from '../errors.ts';
import type { StoredObject } from '../objects.ts';
import { placeOf } from './get-object.ts';
import { openDataKey } from './start-encryption.ts';

/** The members of a request that name and restrict what is copied. */
export interface CopySourceInput {
  readonly CopySource: string | undefined;
  readonly CopySourceIfMatch?: string | undefined;
  readonly CopySourceIfModifiedSince?: Date | undefined;
  readonly CopySourceIfNoneMatch?: string | undefined;
  readonly CopySourceIfUnmodifiedSince?: Date | undefined;
  readonly CopySourceSSECustomerAlgorithm?: string | undefined;
  readonly CopySourceSSECustomerKey?: string | undefined;
  readonly CopySourceSSECustomerKeyMD5?: string | undefined;
  readonly ExpectedSourceBucketOwner?: string | undefined;
}

interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

const MAXIMUM_COPY = 5 * 1024 ** 3;

/** Reads `x-amz-copy-source`: `bucket/key`, percent-encoded, perhaps with a slash before it. */
export function parseCopySource(text: string | undefined): CopySource {
  const refusal = invalidArgument(
    'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    'x-amz-copy-source',
    text,
  );
  const [path, query] = splitVersion(text ?? '');
  let decoded: string;
  try {
    decoded = decodeURIComponent(path.replaceAll('+', ' ')).replace(/^\//, '');
  } catch {
    throw refusal;
  }
  const slash = decoded.indexOf('/');
  if (slash <= 0 || slash === decoded.length - 1 || decoded.startsWith('arn:')) throw refusal;
  return { bucket: decoded.slice(0, slash), key: decoded.slice(slash + 1), versionId: checkVersionId(query) };
}

function splitVersion(text: string): [string, string | undefined] {
  const mark = text.indexOf('?versionId=');
  return mark < 0 ? [text, undefined] : [text.slice(0, mark), text.slice(mark + '?versionId='.length)];
}

/** The condition key of a write that copies, as AWS's guide writes it: without a slash before the bucket. */
export function copySourceCondition(input: CopySourceInput): ConditionContext {
  const { bucket, key } = parseCopySource(input.CopySource);
  return { 's3:x-amz-copy-source': `${bucket}/${key}` };
}

/** The right to read what is copied. */
export async function sourceAccess(
  s3: S3Context,
  call: Call,
  input: CopySourceInput,
  action = 's3:GetObject',
): Promise<AccessRequest> {
  const { bucket, key, versionId } = parseCopySource(input.CopySource);
  const owner = input.ExpectedSourceBucketOwner;
  const source = { Bucket: bucket, Key: key, VersionId: versionId, ExpectedBucketOwner: owner };
  return await existingObjectAccess(s3, call, source, action);
}

/** @throws ServiceError NoSuchKey, PreconditionFailed */
export async function findSource(s3: S3Context, call: Call, input: CopySourceInput): Promise<StoredObject> {
  const { bucket, key, versionId } = parseCopySource(input.CopySource);
  const object = await requireObject(s3, call, { Bucket: bucket, Key: key, VersionId: versionId });
  checkCopyCondition(object.row, {
    IfMatch: input.CopySourceIfMatch,
    IfModifiedSince: input.CopySourceIfModifiedSince,
    IfNoneMatch: input.CopySourceIfNoneMatch,
    IfUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
  });
  return object;
}

/** Opens a range of the source for reading, in the caller's own name. */
export async function openSource(
  s3: S3Context,
  call: Call,
  input: CopySourceInput,
  object: StoredObject,
  range: { readonly start: number; readonly end: number },
): Promise<AsyncIterable<Uint8Array>> {
  if (range.end - range.start > MAXIMUM_COPY) {
    throw invalidRequest(
      `The specified copy source is larger than the maximum allowable size for a copy source: ${MAXIMUM_COPY}`,
    );
  }
  const dataKey = await openDataKey(s3, call, object.facts.encryption, placeOf(object), {
    SSECustomerAlgorithm: input.CopySourceSSECustomerAlgorithm,
    SSECustomerKey: input.CopySourceSSECustomerKey,
    SSECustomerKeyMD5: input.CopySourceSSECustomerKeyMD5,
  });
  const content = await s3.objects.open(object, dataKey, range.start, range.end);
  // Overwritten between two looks at it: the client's retry gets the new one.
  if (content === undefined) throw internalError();
  return content instanceof Uint8Array ? single(content) : content;
}

async function* single(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}
