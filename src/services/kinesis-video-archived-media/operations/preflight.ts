import { exempt, operation } from '#kernel/operation.ts';
import type { ArchivedMediaContext } from '../context.ts';
import { CORS_HEADERS } from '../sessions/session-operation.ts';
import { PreflightDASH$, PreflightHLS$ } from '../sessions/session-schemas.ts';

/** How long a browser may remember the answer, in seconds. */
const MAX_AGE = '3600';

interface PreflightRequest {
  readonly Resource?: string;
}

function preflight(schema: typeof PreflightHLS$) {
  return operation<ArchivedMediaContext, PreflightRequest, Record<string, never>>(schema, {
    isAuthenticationRequired: false,
    isReadOnly: true,
    isDataEvent: true,
    authorize: exempt('a browser asks whether a page may fetch, and fetches nothing'),
    handle(_request, call) {
      Object.assign(call.reply.headers, CORS_HEADERS, {
        'access-control-allow-methods': 'GET, OPTIONS',
        'access-control-allow-headers': '*',
        'access-control-max-age': MAX_AGE,
      });
      return {};
    },
  });
}

/** What browsers ask before they fetch with headers of their own (the Fetch standard, "CORS-preflight fetch"). */
export const preflightHls = preflight(PreflightHLS$);
export const preflightDash = preflight(PreflightDASH$);
