import type { Call } from './operation.ts';

/** A request from a socket and its answer, when that was sent: for logs that a service keeps for its users. */
export interface Exchange {
  readonly requestId: string;
  /** Milliseconds since the epoch: the head of the request was there. */
  readonly receivedAt: number;
  /** The answer began. */
  readonly answeredAt: number;
  /** The answer's last byte was given to the system, or the client was gone. */
  readonly endedAt: number;
  readonly method: string;
  /** Path and query as they were received. It may hold what signs the request, and customers' keys. */
  readonly target: string;
  readonly httpVersion: string;
  readonly host: string;
  readonly sourceIp: string;
  /** A request header by its lower-case name. */
  readonly header: (name: string) => string | undefined;
  /** What it asked for; `preflight` for a browser's question, `undefined` where it led to nothing. */
  readonly operation: string | undefined;
  /** Decoded labels of the path. */
  readonly labels: Readonly<Record<string, string>>;
  /** The upload of a form. */
  readonly isForm: boolean;
  /** `undefined` where it was refused before it was known who asks. */
  readonly call: Call | undefined;
  readonly input: unknown;
  /** `undefined` where it failed. */
  readonly output: unknown;
  readonly status: number;
  readonly errorCode: string | undefined;
  readonly answerHeaders: Readonly<Record<string, string | number>>;
  /** Of the answer's body. */
  readonly bytesSent: number;
}
