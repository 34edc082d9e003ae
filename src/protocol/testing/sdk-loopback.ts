import { Readable } from 'node:stream';
import { buildQueryString, HttpResponse } from '@smithy/core/protocols';
import type { HttpRequest } from '@smithy/types';
import { operationSchemasOf, type ProtocolName, type ServiceErrors } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { validationErrorMessage } from '#kernel/validation-message.ts';
import { compileService } from '../compile-service.ts';
import type { CompiledService, WireService } from '../compiled-service.ts';
import type { RequestHeaders } from '../http-input.ts';
import { createRouter, type Router } from '../router.ts';

/** The manifest of a service as the tests of this layer need it. */
export function wireServiceOf(
  name: string,
  protocol: ProtocolName,
  sdk: object,
  extras: Partial<WireService> = {},
): WireService {
  return {
    name,
    eventSource: `${name}.amazonaws.com`,
    signingNames: [name],
    protocol,
    schemas: operationSchemasOf(sdk),
    constraints: {},
    errors: plainErrors,
    ...extras,
  };
}

const plainErrors: ServiceErrors = {
  accessDenied: (message) => new ServiceError('AccessDenied', 403, message),
  validation: (violations) => new ServiceError('ValidationException', 400, validationErrorMessage(violations)),
  malformed: (message) => new ServiceError('Malformed', 400, message),
  internal: () => new ServiceError('InternalError', 500, 'Internal error.'),
};

interface Exchange {
  readonly operation: string;
  readonly input: unknown;
  /** The payload where it is streamed. */
  readonly payload: Buffer;
}

/** Answers one decoded call: with an output, or by throwing a ServiceError. */
export type Handler = (exchange: Exchange) => unknown;

/**
 * A request handler for the AWS SDK's clients which takes the place of the network: the SDK writes the request and
 * reads the answer, this layer does all between.
 */
export class SdkLoopback {
  readonly #compiled: CompiledService;
  readonly #router: Router;
  handler: Handler = () => ({});
  /** What went over the wire last. */
  lastRequest: HttpRequest | undefined;
  lastResponse:
    | { readonly status: number; readonly headers: Record<string, string>; readonly body: string }
    | undefined;

  constructor(service: WireService) {
    this.#compiled = compileService(service);
    this.#router = createRouter([this.#compiled]);
  }

  get metadata(): { readonly handlerProtocol: string } {
    return { handlerProtocol: 'http/1.1' };
  }

  async handle(request: HttpRequest): Promise<{ response: HttpResponse }> {
    this.lastRequest = request;
    const body = await collect(request.body);
    const headers: RequestHeaders = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), latin1Of(value)]),
    );
    const answer = this.answer(request.method, request.path, buildQueryString(request.query ?? {}), headers, body);
    this.lastResponse = { status: answer.status, headers: answer.headers, body: answer.body?.toString('utf8') ?? '' };
    const payload = answer.stream ?? Readable.from(answer.body === undefined ? [] : [answer.body]);
    return { response: new HttpResponse({ statusCode: answer.status, headers: { ...answer.headers }, body: payload }) };
  }

  /** The gateway's way in small: match, decode, handle, encode. */
  answer(method: string, path: string, query: string, headers: RequestHeaders, body: Buffer) {
    const header = (name: string): string | undefined => {
      const value = headers[name];
      return typeof value === 'string' || value === undefined ? value : value.join(', ');
    };
    const requestId = 'request-1';
    try {
      const signingName = this.#compiled.service.signingNames[0];
      let match = this.#router.match({ method, path, query, header, signingName });
      let rest = body;
      if ('error' in match && match.kind === 'form-needed') {
        const form = new Map([...new URLSearchParams(body.toString('utf8'))].map(([name, value]) => [name, [value]]));
        match = this.#router.match({ method, path, query, header, signingName, form });
        rest = Buffer.alloc(0);
      }
      if ('error' in match) throw match.error;
      const { operation, labels } = match;
      const streamed = operation.streamsInput ? rest : Buffer.alloc(0);
      const input = operation.decode({
        labels,
        query: match.query,
        headers,
        body: operation.streamsInput ? Buffer.alloc(0) : rest,
      });
      const violations = operation.validate(input);
      if (violations.length > 0) throw this.#compiled.service.errors.validation(violations);
      return operation.encode(this.handler({ operation: operation.name, input, payload: streamed }), requestId);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return this.#compiled.encodeError(error, { requestId, isHead: method === 'HEAD', resource: path });
    }
  }
}

/** Node's server gives header bytes as Latin-1. */
function latin1Of(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}

async function collect(body: unknown): Promise<Buffer> {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (body instanceof Uint8Array) return Buffer.from(body);
  if (!(body instanceof Readable)) throw new TypeError('The SDK sent a body of an unknown kind.');
  const chunks: Buffer[] = [];
  for await (const chunk of body) {
    if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    else if (typeof chunk === 'string') chunks.push(Buffer.from(chunk, 'utf8'));
  }
  return Buffer.concat(chunks);
}
