import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from '#kernel/exchange.ts';
import type { Call } from '#kernel/operation.ts';
import type { CompiledService } from '#protocol/compiled-service.ts';
import type { EncodedResponse } from '#protocol/http-output.ts';
import type { RoutingFailure, RoutingMatch } from '#protocol/router.ts';
import type { ReceivedRequest } from './received-request.ts';
import { type Reply, writeResponse } from './write-response.ts';

const NONE: Readonly<Record<string, string>> = {};

/** What becomes known of an exchange on its way, for the service that keeps a log of them. */
export class ExchangeNotes {
  readonly #requestId: string;
  readonly #request: ReceivedRequest;
  readonly #receivedAt: number;
  readonly #now: () => number;
  #match: RoutingMatch | RoutingFailure | undefined;
  #call: Call | undefined;
  #input: unknown;
  isForm = false;
  output: unknown;
  errorCode: string | undefined;

  constructor(requestId: string, request: ReceivedRequest, now: () => number) {
    this.#requestId = requestId;
    this.#request = request;
    this.#now = now;
    this.#receivedAt = now();
  }

  matched(match: RoutingMatch | RoutingFailure): void {
    this.#match = match;
  }

  asked(input: unknown, call: Call): void {
    this.#input = input;
    this.#call = call;
  }

  /** Writes the answer, and tells the service of it. */
  async send(
    service: CompiledService,
    response: ServerResponse,
    message: IncomingMessage,
    wire: EncodedResponse,
    reply: Reply,
  ): Promise<void> {
    const answeredAt = this.#now();
    const bytesSent = await writeResponse(response, message, this.#requestId, wire, reply);
    const { observe } = service.service;
    if (observe === undefined) return;
    const { method, path, query, host, sourceIp, header } = this.#request;
    const exchange: Exchange = {
      requestId: this.#requestId,
      receivedAt: this.#receivedAt,
      answeredAt,
      endedAt: this.#now(),
      method,
      target: query === '' ? path : `${path}?${query}`,
      httpVersion: message.httpVersion,
      host,
      sourceIp,
      header,
      operation: operationOf(this.#match),
      labels: this.#match?.labels ?? NONE,
      isForm: this.isForm,
      call: this.#call,
      input: this.#input,
      output: this.output,
      status: reply.status ?? wire.status,
      errorCode: this.errorCode,
      answerHeaders: { ...wire.headers, ...reply.headers },
      bytesSent,
    };
    observe(exchange);
  }
}

function operationOf(match: RoutingMatch | RoutingFailure | undefined): string | undefined {
  if (match === undefined) return undefined;
  if ('error' in match) return match.kind === 'preflight' ? 'preflight' : undefined;
  return match.operation.name;
}
