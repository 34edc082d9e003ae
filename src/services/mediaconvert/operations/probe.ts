import { Probe$, type ProbeRequest, type ProbeResponse, type ProbeResult } from '@aws-sdk/client-mediaconvert';
import type { GetObjectOutput } from '@aws-sdk/client-s3';
import type { Authority } from '#kernel/door.ts';
import { type Call, operation } from '#kernel/operation.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { ProberBusyError } from '#media/probe/media-prober.ts';
import { type HttpAccess, HttpReader } from '#media/http/http-reader.ts';
import { parseLocation, uriOf } from '#media/media-location.ts';
import { ERROR_CODES, TranscodeError } from '#media/transcode-error.ts';
import type { HttpLocation, S3Location } from '#media/transcode-input.ts';
import type { MediaconvertContext } from '../context.ts';
import { checkFileInput } from '../domain/cross-setting-rules.ts';
import { POLICY_NAME, policyOf, webAccess } from '../domain/input-policy.ts';
import { accountArn } from '../domain/names.ts';
import { scopeOf } from '../domain/scope.ts';
import { containerView, trackMappings } from '../domain/probe-view.ts';
import {
  badRequest,
  forbidden,
  invalidSettings,
  notFound,
  type Problem,
  tooManyRequests,
  unavailable,
} from '../errors.ts';

const MAX_FILES = 1;

/**
 * Looks into a file: of S3 in the caller's own name, so that their right to read it decides, and the key's; of the web as
 * the account's policy allows.
 */
export const probe = operation<MediaconvertContext, ProbeRequest, ProbeResponse>(Probe$, {
  isReadOnly: true,
  authorize: (_input, call) => [{ action: 'mediaconvert:Probe', resource: accountArn(scopeOf(call)) }],
  async handle({ InputFiles: files = [] }, call, context) {
    if (files.length !== MAX_FILES) throw badRequest(`/inputFiles: Should have exactly ${MAX_FILES} item`);
    const results: ProbeResult[] = [];
    for (const [index, { FileUrl: url = '' }] of files.entries()) {
      const problems: Problem[] = [];
      checkFileInput(url, `/inputFiles/${index}/fileUrl`, problems);
      if (problems.length > 0) throw invalidSettings(problems);
      const location = parseLocation(url);
      results.push(
        'url' in location
          ? await probeWebFile(location, await accessOf(call, context), context)
          : await probeObject(location, call.forward('mediaconvert'), context),
      );
    }
    return { ProbeResults: results };
  },
});

async function accessOf(call: Call, { store, rootKey, privateInputHosts }: MediaconvertContext): Promise<HttpAccess> {
  const record = await store.resources.find(scopeOf(call), 'policy', POLICY_NAME);
  return webAccess(policyOf(rootKey, record), privateInputHosts);
}

const WEB_PATIENCE_MS = 30_000;

async function probeWebFile(
  location: HttpLocation,
  access: HttpAccess,
  { prober }: MediaconvertContext,
): Promise<ProbeResult> {
  const reader = new HttpReader(access, AbortSignal.timeout(WEB_PATIENCE_MS));
  try {
    const file = await reader.open(location);
    const media = await prober.probe({
      name: uriOf(location),
      size: file.size,
      async read(offset, length) {
        const bytes = new Uint8Array(length);
        await reader.read(file, offset, bytes);
        return bytes;
      },
    });
    return {
      Container: containerView(media),
      Metadata: { FileSize: file.size },
      TrackMappings: trackMappings(media),
    };
  } catch (error) {
    throw explain(error, uriOf(location));
  } finally {
    reader.close();
  }
}

async function probeObject(
  location: S3Location,
  authority: Authority,
  { s3, prober }: MediaconvertContext,
): Promise<ProbeResult> {
  const { bucket: Bucket, key: Key } = location;
  const url = uriOf(location);
  try {
    const head = await s3.headObject({ Bucket, Key }, authority);
    const media = await prober.probe({
      name: url,
      size: head.ContentLength ?? 0,
      async read(offset, length) {
        const Range = `bytes=${offset}-${offset + length - 1}`;
        const match = head.ETag === undefined ? {} : { IfMatch: head.ETag };
        return collect(await s3.getObject({ Bucket, Key, Range, ...match }, authority), length);
      },
    });
    return {
      Container: containerView(media),
      Metadata: {
        ...(head.ETag !== undefined && { ETag: head.ETag }),
        FileSize: head.ContentLength ?? 0,
        ...(head.LastModified !== undefined && { LastModified: wholeSeconds(head.LastModified) }),
        ...(head.ContentType !== undefined && { MimeType: head.ContentType }),
      },
      TrackMappings: trackMappings(media),
    };
  } catch (error) {
    throw explain(error, url);
  }
}

async function collect(answer: GetObjectOutput, length: number): Promise<Uint8Array> {
  const body: unknown = answer.Body;
  // Small objects come as a whole.
  const chunks = body instanceof Uint8Array ? [body] : (body as AsyncIterable<Uint8Array>);
  const bytes = new Uint8Array(length);
  let at = 0;
  for await (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at !== length) throw new RangeError('The answer is shorter than asked for.');
  return bytes;
}

function explain(error: unknown, url: string): unknown {
  if (error instanceof TranscodeError) {
    if (error.code === ERROR_CODES.httpMissing) return notFound(error.message);
    return error.code === ERROR_CODES.unknown ? unavailable(error.message) : badRequest(error.message);
  }
  if (error instanceof ProberBusyError) return tooManyRequests(error.message);
  if (!(error instanceof ServiceError)) return error;
  if (error.status === 404) return notFound(`Unable to open input file [${url}]: ${error.message}`);
  if (error.status === 403) return forbidden(`Unable to open input file [${url}]: ${error.message}`);
  return error.status < 500 ? badRequest(`Unable to open input file [${url}]: ${error.message}`) : error;
}

/** As S3 tells it in its headers. */
function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}
