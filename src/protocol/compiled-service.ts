import type { StaticOperationSchema } from '@smithy/types';
import type { Service, Violation } from '#kernel/service.ts';
import type { ServiceError } from '#kernel/service-error.ts';
import type { RequestParts } from './http-input.ts';
import type { EncodedResponse } from './http-output.ts';

/** What this layer needs to know of a service: its manifest without handlers and context. */
export type WireService = Omit<Service, 'operations' | 'context'>;

/** An operation's way to and from the wire. */
export interface CompiledOperation {
  readonly name: string;
  readonly schema: StaticOperationSchema;
  /** True when the request's payload is streamed; then `decode` leaves it out and needs no body. */
  readonly streamsInput: boolean;
  /**
   * Reads the input from the request.
   *
   * @throws ServiceError in the service's own form when the request is not in the protocol's form
   */
  decode(request: RequestParts): unknown;
  /** The constraints that the input breaks, in the order of the members; empty when it is valid. */
  validate(input: unknown): readonly Violation[];
  /**
   * Writes the output. The headers do not have the request id: that is the gateway's.
   *
   * @throws TypeError when a handler's output does not fit its schema
   */
  encode(output: unknown, requestId: string): EncodedResponse;
  /** The input for the audit log: without sensitive members and payloads, as values for JSON. */
  redact(input: unknown): unknown;
}

export interface CompiledService {
  readonly service: WireService;
  readonly operations: ReadonlyMap<string, CompiledOperation>;
  /** Writes an error in the protocol's form; for HEAD without a body. */
  encodeError(error: ServiceError, request: ErrorRequest): EncodedResponse;
}

export interface ErrorRequest {
  readonly requestId: string;
  readonly isHead?: boolean;
  /** S3: the path, for the error's `Resource`. */
  readonly resource?: string;
  /** S3: the extended request id. */
  readonly hostId?: string;
}
