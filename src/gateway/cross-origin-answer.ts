import type { CrossOriginRequest } from '#kernel/cross-origin.ts';
import type { EncodedResponse } from '#protocol/http-output.ts';
import type { RoutingFailure, RoutingMatch } from '#protocol/router.ts';
import type { ReceivedRequest } from './received-request.ts';

type Headers = Readonly<Record<string, string>>;

const NONE: Headers = {};

/** The headers by which a browser lets a page of another origin read the answer, also where that is an error. */
export async function crossOriginHeaders(
  { service, labels }: Pick<RoutingMatch | RoutingFailure, 'service' | 'labels'>,
  request: ReceivedRequest,
): Promise<Headers> {
  const asked = questionOf(request, labels);
  // Only browsers say where a page comes from: other requests cost nothing here.
  if (asked?.origin === undefined) return NONE;
  return (await service.service.crossOrigin?.headersFor(asked)) ?? NONE;
}

/** @throws ServiceError where the page may not */
export async function answerPreflight(failure: RoutingFailure, request: ReceivedRequest): Promise<EncodedResponse> {
  const asked = questionOf(request, failure.labels);
  const rules = failure.service.service.crossOrigin;
  if (asked === undefined || rules === undefined) throw failure.error;
  return { status: 200, headers: { ...(await rules.preflight(asked)) }, body: undefined, stream: undefined };
}

/** Whether a request is what browsers ask first. */
export function isPreflight(match: RoutingMatch | RoutingFailure): match is RoutingFailure {
  return 'error' in match && match.kind === 'preflight';
}

function questionOf(request: ReceivedRequest, labels: Headers | undefined): CrossOriginRequest | undefined {
  const bucket = labels?.['Bucket'];
  if (bucket === undefined) return undefined;
  return {
    bucket,
    isObject: labels?.['Key'] !== undefined,
    method: request.method,
    origin: request.header('origin'),
    requestedMethod: request.header('access-control-request-method'),
    requestedHeaders: request.header('access-control-request-headers'),
  };
}
