import type { CrossOrigin, CrossOriginRequest } from '#kernel/cross-origin.ts';
import type { S3Context } from './context.ts';
import { settingsOf } from './domain/bucket-settings.ts';
import { corsHeaders, type CorsRule } from './domain/cors-rules.ts';
import { corsBadRequest, corsForbidden } from './errors.ts';

const NOT_ALLOWED =
  "This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";

/** What buckets let pages of other origins do: whom they answer is the browser's to keep apart, by these headers. */
export function crossOriginOf(s3: Pick<S3Context, 'store' | 'seal'>): CrossOrigin {
  const rulesOf = async (bucket: string): Promise<readonly CorsRule[] | undefined | 'no bucket'> => {
    const row = await s3.store.findBucket(bucket);
    return row === undefined ? 'no bucket' : settingsOf(s3.seal.checkBucket(row)).cors;
  };
  return {
    async preflight(request) {
      const { origin, requestedMethod } = request;
      if (origin === undefined) throw corsBadRequest('Insufficient information. Origin request header needed.');
      if (requestedMethod === undefined || !/^(GET|PUT|POST|DELETE|HEAD)$/.test(requestedMethod)) {
        throw corsBadRequest(`Invalid Access-Control-Request-Method: ${requestedMethod?.slice(0, 32) ?? 'null'}`);
      }
      const rules = await rulesOf(request.bucket);
      const about = { method: requestedMethod, resourceType: request.isObject ? 'OBJECT' : 'BUCKET' };
      if (rules === 'no bucket') throw corsForbidden('Bucket not found', about);
      if (rules === undefined) throw corsForbidden('CORS is not enabled for this bucket.', about);
      const headers = corsHeaders(rules, { origin, method: requestedMethod, headers: headersAsked(request) });
      if (headers === undefined) throw corsForbidden(NOT_ALLOWED, about);
      return headers;
    },
    async headersFor(request) {
      const { origin } = request;
      if (origin === undefined) return {};
      const rules = await rulesOf(request.bucket);
      if (rules === undefined || rules === 'no bucket') return {};
      const method = request.requestedMethod ?? request.method;
      return corsHeaders(rules, { origin, method, headers: headersAsked(request) }) ?? {};
    },
  };
}

function headersAsked({ requestedHeaders = '' }: CrossOriginRequest): string[] {
  const names = requestedHeaders.split(',').map((name) => name.trim().toLowerCase());
  return names.filter((name) => name !== '');
}
