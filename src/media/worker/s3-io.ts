import { Readable } from 'node:stream';
import type {
  GetObjectCommandOutput,
  PutObjectCommandInput,
  ServiceInputTypes,
  ServiceOutputTypes,
} from '@aws-sdk/client-s3';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { HttpRequest } from '@smithy/core/protocols';
import { releaseBuffer } from '#kernel/release-buffer.ts';
import type { BuildMiddleware } from '@smithy/types';
import {
  ERROR_CODES,
  isMissingOrHidden,
  MISSING_OR_HIDDEN,
  TranscodeError,
  unableToOpen,
  unableToWrite,
} from '../transcode-error.ts';
import type { ObjectStorage } from '../output-group.ts';
import type { S3Location } from '../transcode-input.ts';
import type { TranscodeJob } from '../transcode-job.ts';
import type { ObjectTarget, OpenUpload, WorkerAccess, WorkerCredentials } from './messages.ts';

/** How the worker reads and writes objects: the platform's own S3, with the role's credentials, like everybody. */
export function createS3(access: WorkerAccess, credentials: () => Promise<WorkerCredentials>): S3Client {
  const s3 = new S3Client({
    endpoint: access.endpoint,
    region: access.region,
    forcePathStyle: true,
    maxAttempts: 4,
    // A part would wait for an answer, on a connection of its own, before it is sent: there is nothing to save.
    expectContinueHeader: false,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    credentials: async () => {
      const { expiresAt, ...keys } = await credentials();
      return { ...keys, expiration: new Date(expiresAt) };
    },
  });
  s3.middlewareStack.add(withoutPayloadHash, { step: 'build', name: 'withoutPayloadHash' });
  return s3;
}

/** Of the objects that jobs write. S3's own default, CRC64NVME, takes the platform three times as long. */
const CHECKSUM = 'CRC32' as const;

/**
 * Bodies are not hashed for the signature, on which both sides would spend as much time as on the rest of the way, and
 * parts come without a checksum: they go to the platform on the same machine and never leave its memory. Their length
 * tells whether they came whole; the platform computes the checksum that stays with the object.
 */
const withoutPayloadHash: BuildMiddleware<ServiceInputTypes, ServiceOutputTypes> = (next) => (args) => {
  const { request } = args;
  if (HttpRequest.isInstance(request)) request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
  return next(args);
};

/** An input as it was found; a later change of the object ends the job instead of mixing two files. */
export interface OpenedObject extends S3Location {
  readonly size: number;
  readonly etag: string | undefined;
}

/** @throws TranscodeError 1404 or 1401 when the object is not there or may not be read */
export async function openObject(s3: S3Client, location: S3Location, signal: AbortSignal): Promise<OpenedObject> {
  const { bucket: Bucket, key: Key } = location;
  try {
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }), { abortSignal: signal });
    return { ...location, size: head.ContentLength ?? 0, etag: head.ETag };
  } catch (error) {
    throw await explainHead(s3, location, error, signal);
  }
}

/** The answer to a HEAD has no body: the first byte is asked for, so that the message can say why it was refused. */
async function explainHead(s3: S3Client, location: S3Location, error: unknown, signal: AbortSignal): Promise<Error> {
  if (!(error instanceof S3ServiceException)) return readError(location, error);
  const { bucket: Bucket, key: Key } = location;
  if (error.$metadata.httpStatusCode === 404) return readError(location, error);
  try {
    const answer = await s3.send(new GetObjectCommand({ Bucket, Key, Range: 'bytes=0-0' }), { abortSignal: signal });
    await answer.Body?.transformToByteArray();
    return readError(location, error);
  } catch (second) {
    return readError(location, second);
  }
}

/** Fills `target` with the object's bytes from `offset` on. @throws TranscodeError */
export async function readRange(
  s3: S3Client,
  object: OpenedObject,
  offset: number,
  target: Uint8Array,
  { signal, onBytes }: { readonly signal: AbortSignal; readonly onBytes: ((count: number) => void) | undefined },
): Promise<void> {
  try {
    const answer = await s3.send(
      new GetObjectCommand({
        Bucket: object.bucket,
        Key: object.key,
        Range: `bytes=${offset}-${offset + target.length - 1}`,
        ...(object.etag !== undefined && { IfMatch: object.etag }),
      }),
      { abortSignal: signal },
    );
    await fill(answer, target, onBytes);
  } catch (error) {
    throw readError(object, error);
  }
}

/** Bytes that come before their reader is told of them: to wake it costs more than to copy them. */
const TELL_EVERY = 256 * 1024;

function fill(
  { Body: body }: GetObjectCommandOutput,
  target: Uint8Array,
  onBytes: ((count: number) => void) | undefined,
): Promise<void> {
  if (!(body instanceof Readable)) return Promise.reject(new RangeError('The answer has no body.'));
  return new Promise((resolve, reject) => {
    let at = 0;
    let tellAt = 0;
    body.on('data', (chunk: Buffer) => {
      if (at + chunk.length > target.length) {
        body.destroy(new RangeError('The answer is longer than asked for.'));
        return;
      }
      chunk.copy(target, at);
      at += chunk.length;
      // Left to the garbage collector, a gibibyte in such chunks would have it walk the heap two hundred times.
      releaseBuffer(chunk);
      if (at >= tellAt || at === target.length) {
        onBytes?.(at);
        tellAt = at + TELL_EVERY;
      }
    });
    body.on('error', reject);
    body.on('close', () => {
      if (at === target.length) resolve();
      else reject(new RangeError('The answer is shorter than asked for.'));
    });
  });
}

function readError(location: S3Location, error: unknown): Error {
  if (isAbort(error)) return asError(error);
  const uri = `s3://${location.bucket}/${location.key}`;
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (status === 404) {
    const cause = "Can't read input stream: [Failed to read data: HeadObject failed]";
    return new TranscodeError(ERROR_CODES.notFound, unableToOpen(uri, cause));
  }
  const text = causeOf(error);
  const hint = isMissingOrHidden(text) ? MISSING_OR_HIDDEN : '';
  const cause = `Can't read input stream: [Failed to read data: ${text}${hint}]`;
  const code = status !== undefined && status < 500 ? ERROR_CODES.accessDenied : ERROR_CODES.readStoppedEarly;
  return new TranscodeError(code, unableToOpen(uri, cause));
}

/** Stores the objects of one job. */
export class ObjectStore {
  readonly #s3: S3Client;
  readonly #signal: AbortSignal;
  readonly #onUpload: (upload: OpenUpload, isOpen: boolean) => void;

  constructor(s3: S3Client, signal: AbortSignal, onUpload: (upload: OpenUpload, isOpen: boolean) => void) {
    this.#s3 = s3;
    this.#signal = signal;
    this.#onUpload = onUpload;
  }

  async put(target: ObjectTarget, storage: ObjectStorage, bytes: Uint8Array): Promise<void> {
    await this.#send(target, async (options) => {
      const object = { ...headersOf(target, storage), ChecksumAlgorithm: CHECKSUM, Body: bytes };
      await this.#s3.send(new PutObjectCommand(object), options);
    });
  }

  async begin(target: ObjectTarget, storage: ObjectStorage): Promise<OpenUpload> {
    return this.#send(target, async (options) => {
      const checksum = { ChecksumAlgorithm: CHECKSUM, ChecksumType: 'FULL_OBJECT' } as const;
      const command = new CreateMultipartUploadCommand({ ...headersOf(target, storage), ...checksum });
      const answer = await this.#s3.send(command, options);
      if (answer.UploadId === undefined) throw new Error('S3 named no upload.');
      const upload = { bucket: target.bucket, key: target.key, uploadId: answer.UploadId };
      this.#onUpload(upload, true);
      return upload;
    });
  }

  /** @returns the part's entity tag */
  async part(target: ObjectTarget, upload: OpenUpload, part: number, bytes: Uint8Array): Promise<string> {
    return this.#send(target, async (options) => {
      const answer = await this.#s3.send(
        new UploadPartCommand({
          Bucket: upload.bucket,
          Key: upload.key,
          UploadId: upload.uploadId,
          PartNumber: part,
          Body: bytes,
        }),
        options,
      );
      return answer.ETag ?? '';
    });
  }

  async complete(target: ObjectTarget, upload: OpenUpload, etags: ReadonlyMap<number, string>): Promise<void> {
    await this.#send(target, async (options) => {
      await this.#s3.send(
        new CompleteMultipartUploadCommand({
          Bucket: upload.bucket,
          Key: upload.key,
          UploadId: upload.uploadId,
          MultipartUpload: {
            Parts: [...etags].sort(([a], [b]) => a - b).map(([PartNumber, ETag]) => ({ PartNumber, ETag })),
          },
        }),
        options,
      );
      this.#onUpload(upload, false);
    });
  }

  async #send<Result>(
    target: ObjectTarget,
    work: (options: { abortSignal: AbortSignal }) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await work({ abortSignal: this.#signal });
    } catch (error) {
      if (isAbort(error)) throw error;
      const message = unableToWrite(`s3://${target.bucket}/${target.key}`, causeOf(error));
      const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
      const code = status === 404 ? ERROR_CODES.notFound : status !== undefined && status < 500 ? 1401 : 1999;
      throw new TranscodeError(code, message);
    }
  }
}

/** Aborts what a job left open; never throws, as an upload may be gone already. */
export async function abortUploads(s3: S3Client, uploads: Iterable<OpenUpload>): Promise<void> {
  await Promise.allSettled(
    [...uploads].map(({ bucket, key, uploadId }) =>
      s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId })),
    ),
  );
}

export function storageOf(job: TranscodeJob, target: ObjectTarget): ObjectStorage {
  return job.groups[target.group]?.storage ?? {};
}

/**
 * INVARIANT: a group's encryption settings stand on every object explicitly. A bucket policy that refuses uploads
 * without the header looks at the header, not at the bucket's default.
 */
function headersOf(target: ObjectTarget, storage: ObjectStorage): PutObjectCommandInput {
  const { encryption } = storage;
  return {
    Bucket: target.bucket,
    Key: target.key,
    ContentType: target.contentType,
    ...(target.contentEncoding !== undefined && { ContentEncoding: target.contentEncoding }),
    ...(storage.acl !== undefined && { ACL: storage.acl }),
    ...(encryption !== undefined && { ServerSideEncryption: encryption.algorithm }),
    ...(encryption?.kmsKeyArn !== undefined && { SSEKMSKeyId: encryption.kmsKeyArn }),
    ...(encryption?.kmsContext !== undefined && { SSEKMSEncryptionContext: encryption.kmsContext }),
  };
}

/** What S3 said, in its own words; never a header or an address. */
function causeOf(error: unknown): string {
  if (error instanceof TranscodeError) return error.message;
  if (!(error instanceof S3ServiceException)) return 'The storage did not answer properly';
  const isDenied = error.name === 'AccessDenied' || error.$metadata.httpStatusCode === 403;
  const text = error.message === '' || error.message === 'UnknownError' ? error.name : error.message;
  return isDenied && text !== 'Access Denied' ? `Access Denied: ${text}` : text;
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('The operation failed.');
}
