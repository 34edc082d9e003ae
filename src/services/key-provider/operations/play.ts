import { nameOf } from '#kernel/caller.ts';
import type { Authority } from '#kernel/door.ts';
import { type Call, exempt, type Operation, operation } from '#kernel/operation.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { KeyProviderContext } from '../context.ts';
import { readContentId, readKeyId } from '../domain/content-id.ts';
import { readLicenceWish } from '../domain/licence.ts';
import type { LicenceTicket } from '../domain/licence-tokens.ts';
import { tokenRefused } from '../errors.ts';
import {
  type Answer,
  type ContentKeyRequest,
  type ContentRequest,
  type LicenceRequest,
  PlayContentKey$,
  PlayLicence$,
  PreflightPlay$,
  type WithToken,
} from '../schemas.ts';
import { keyProviderErrors } from '../errors.ts';

/** Players run in pages of any origin; the token is all that they bring. */
const CORS_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'x-amzn-RequestId,x-amzn-ErrorType,Content-Length',
};
/** How long a browser may remember the answer to its question, in seconds. */
const MAX_AGE = '3600';

/** An operation that players call with a token in the place of a signature. */
function playOperation<Input extends ContentRequest & WithToken>(
  schema: typeof PlayLicence$,
  play: (input: Input, ticket: LicenceTicket, authority: Authority, context: KeyProviderContext) => Promise<Answer>,
): Operation<KeyProviderContext, Input, Answer> {
  return operation<KeyProviderContext, Input, Answer>(schema, {
    isAuthenticationRequired: false,
    isReadOnly: true,
    isDataEvent: true,
    secretMembers: ['Token'],
    authorize: exempt('the token stands for whom it was given to, whose rights are asked for by what is done with it'),
    async handle(input, call, context) {
      try {
        const ticket = context.tokens.read(input.Token, readContentId(input.ContentId));
        call.audit.details['tokenCaller'] = nameOf(ticket.caller);
        const answer = await play(input, ticket, authorityOf(ticket, call), context);
        Object.assign(call.reply.headers, CORS_HEADERS, { 'cache-control': 'no-store' });
        return answer;
      } catch (error) {
        throw readableError(error);
      }
    },
  });
}

export const playLicence = playOperation<LicenceRequest & WithToken>(
  PlayLicence$,
  (input, ticket, authority, { self }) => {
    requireKids(ticket, readLicenceWish(input.Body).kids);
    return self.getLicence({ ContentId: input.ContentId, Body: input.Body }, authority);
  },
);

export const playContentKey = playOperation<ContentKeyRequest & WithToken>(
  PlayContentKey$,
  (input, ticket, authority, { self }) => {
    requireKids(ticket, [readKeyId(input.KeyId)]);
    return self.getContentKey({ ContentId: input.ContentId, KeyId: input.KeyId }, authority);
  },
);

/** What browsers ask before they send JSON to another origin (the Fetch standard, "CORS-preflight fetch"). */
export const preflightPlay = operation<KeyProviderContext, object, Pick<Answer, 'ContentType' | 'Body'>>(
  PreflightPlay$,
  {
    isAuthenticationRequired: false,
    isReadOnly: true,
    isDataEvent: true,
    authorize: exempt('a browser asks whether a page may fetch, and fetches nothing'),
    handle(_input, call) {
      Object.assign(call.reply.headers, CORS_HEADERS, {
        'access-control-allow-methods': 'GET, POST, OPTIONS',
        'access-control-allow-headers': '*',
        'access-control-max-age': MAX_AGE,
      });
      return { ContentType: 'text/plain', Body: Buffer.alloc(0) };
    },
  },
);

/** INVARIANT: what a token's holder gets is what its owner may have now. */
function authorityOf({ caller, region }: LicenceTicket, call: Call): Authority {
  return { ...call.forward('execute-api'), caller, region, via: [`execute-api.${region}.amazonaws.com`] };
}

function requireKids({ kids }: LicenceTicket, asked: readonly string[]): void {
  if (kids !== undefined && !asked.every((kid) => kids.includes(kid))) {
    throw tokenRefused('The licence token is for other keys of the content.');
  }
}

/** What went wrong, so that a page of another origin may read it. */
function readableError(error: unknown): unknown {
  const known = error instanceof ServiceError ? error : keyProviderErrors.internal();
  const { code, status, message, members, headers } = known;
  return new ServiceError(code, status, message, { members, headers: { ...headers, ...CORS_HEADERS }, cause: error });
}
