import { Readable } from 'node:stream';
import type { StaticOperationSchema } from '@smithy/types';
import { parseArn } from '#kernel/arn.ts';
import { nameOf } from '#kernel/caller.ts';
import type { Authority } from '#kernel/door.ts';
import { asRegion } from '#kernel/ids.ts';
import { type Call, exempt, type Operation, operation } from '#kernel/operation.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { PackagingError } from '#media/packaging/packaging-error.ts';
import { FragmentMissingError } from '#services/kinesis-video/api.ts';
import type { ArchivedMediaContext } from '../context.ts';
import { invalidArgument, resourceNotFound } from '../errors.ts';
import { mediaError } from './playable-tracks.ts';
import type { OpenSession } from './session-pool.ts';
import type { SessionRequest } from './session-schemas.ts';
import type { StreamingSession } from './streaming-session.ts';

/** Players run in pages of any origin; the token is all that they bring. */
export const CORS_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'x-amzn-RequestId,x-amzn-ErrorType,Content-Length',
};

/** What a session answers: text, the pieces of a segment, or its chunks as they are made. */
export interface SessionAnswer {
  readonly contentType: string;
  readonly body: string | readonly Buffer[] | Iterable<Buffer>;
  /** Called when the body is held no longer. */
  readonly release?: () => void;
}

export interface SessionCall extends OpenSession {
  readonly request: SessionRequest;
  readonly token: string;
  readonly call: Call;
  readonly context: ArchivedMediaContext;
}

interface SessionOutput {
  readonly ContentType: string;
  readonly Payload: Readable | Buffer;
}

/** An operation that players call with a session's token in the place of a signature. */
export function sessionOperation(
  schema: StaticOperationSchema,
  protocol: StreamingSession['protocol'],
  answer: (session: SessionCall) => Promise<SessionAnswer>,
): Operation<ArchivedMediaContext, SessionRequest, SessionOutput> {
  return operation<ArchivedMediaContext, SessionRequest, SessionOutput>(schema, {
    isAuthenticationRequired: false,
    isDataEvent: true,
    secretMembers: ['SessionToken'],
    authorize: exempt('the session token stands for the caller of Get…StreamingSessionURL, whom KMS asks about again'),
    async handle(request, call, context) {
      try {
        const session = context.tokens.read(request.SessionToken);
        if (session.protocol !== protocol) throw invalidArgument(`The session is one of ${session.protocol}.`);
        return outputOf(await answerIn(session, request, call, context, answer), call);
      } catch (error) {
        throw readableError(error);
      }
    },
  });
}

async function answerIn(
  session: StreamingSession,
  request: SessionRequest,
  call: Call,
  context: ArchivedMediaContext,
  answer: (session: SessionCall) => Promise<SessionAnswer>,
): Promise<SessionAnswer> {
  const { SessionToken: token = '' } = request;
  call.audit.resources.add(session.streamArn);
  call.audit.details['sessionCaller'] = nameOf(session.caller);
  const region = asRegion(parseArn(session.streamArn)?.region ?? '');
  const target = { StreamARN: session.streamArn };
  const stream = await context.video.streams.find(target, { caller: session.caller, region });
  // INVARIANT: media are read in the name of whom the session was given to, never in the platform's own.
  const via = [`kinesisvideo.${region}.amazonaws.com`];
  const authority: Authority = { ...call.forward('kinesisvideo'), caller: session.caller, region, via };
  return context.sessions.use(token, session, stream, authority, (open) =>
    answer({ ...open, request, token, call, context }),
  );
}

function outputOf({ contentType, body, release }: SessionAnswer, call: Call): SessionOutput {
  Object.assign(call.reply.headers, CORS_HEADERS, { 'cache-control': 'no-store' });
  if (typeof body === 'string') return { ContentType: contentType, Payload: Buffer.from(body) };
  if (isWhole(body)) call.reply.headers['content-length'] = String(body.reduce((sum, piece) => sum + piece.length, 0));
  const payload = Readable.from(inChunks(body), { objectMode: false });
  payload.once('close', () => release?.());
  return { ContentType: contentType, Payload: payload };
}

function isWhole(body: Exclude<SessionAnswer['body'], string>): body is readonly Buffer[] {
  return Array.isArray(body);
}

const CHUNK = 256 * 1024;

/** Puts small pieces together: a frame of video may be a few bytes. */
function* inChunks(pieces: Iterable<Buffer>): Generator<Buffer> {
  let gathered: Buffer[] = [];
  let size = 0;
  for (const piece of pieces) {
    gathered.push(piece);
    size += piece.length;
    if (size < CHUNK) continue;
    yield Buffer.concat(gathered);
    gathered = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(gathered);
}

/** What went wrong, in the service's words, so that a page of another origin may read it. */
function readableError(error: unknown): unknown {
  const known = errorOf(error);
  if (known === undefined) return error;
  const { code, status, message, members, headers } = known;
  return new ServiceError(code, status, message, { members, headers: { ...headers, ...CORS_HEADERS }, cause: error });
}

function errorOf(error: unknown): ServiceError | undefined {
  if (error instanceof PackagingError) return mediaError(error);
  if (error instanceof FragmentMissingError) return resourceNotFound('The fragment is no longer kept.');
  return error instanceof ServiceError ? error : undefined;
}

/** A whole number in the query. @throws ServiceError InvalidArgumentException */
export function numberOf(name: string, text: string | undefined, fallback?: number): number {
  if (text === undefined && fallback !== undefined) return fallback;
  if (text === undefined || !/^\d{1,9}$/.test(text)) throw invalidArgument(`${name} is not a number.`);
  return Number(text);
}
