import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import type { Authentication } from '#auth/authenticator.ts';
import { sha256Hex } from '#auth/canonical-request.ts';
import { ChunkedDecoder } from '#auth/chunked-decoder.ts';
import { HashCheck, payloadMismatch } from '#auth/hash-check.ts';
import { AuthFailure } from '#auth/auth-failure.ts';
import { PlainBody } from './plain-body.ts';

const NO_BODY = Promise.resolve(Buffer.alloc(0));

/** Without these headers a request has no body (RFC 9112, section 6). */
function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** The body is larger than the operation takes. */
export class BodyTooLargeError extends Error {}

/** The client went away, or was too slow, before its body had come. */
export class BodyAbortedError extends Error {}

/**
 * The body of one request, read in one of two ways: whole, up to a bound, or as a checked stream. Nothing is read, and
 * no `100 Continue` sent, before somebody wants the first byte: an upload that is refused is never sent.
 */
export class RequestBody {
  readonly #message: IncomingMessage;
  readonly #sendContinue: () => void;
  #whole: Promise<Buffer> | undefined;

  constructor(message: IncomingMessage, sendContinue: () => void) {
    this.#message = message;
    this.#sendContinue = sendContinue;
  }

  /**
   * @param limit in bytes
   * @throws BodyTooLargeError, BodyAbortedError
   */
  whole(limit: number): Promise<Buffer> {
    this.#whole ??= hasBody(this.#message) ? this.#readWhole(limit) : NO_BODY;
    return this.#whole;
  }

  /** Lets the client send: for who answers before reading. */
  accept(): void {
    this.#sendContinue();
  }

  /** The whole body, decoded and checked as the signature says. */
  async wholeChecked(limit: number, authentication: Authentication | undefined): Promise<Buffer> {
    const plan = authentication?.payload;
    if (plan?.kind === 'chunked') {
      const { stream } = this.stream(authentication);
      return collect(stream, limit);
    }
    const body = await this.whole(limit);
    if (plan?.kind === 'hashed') {
      const actual = sha256Hex(body);
      if (actual !== plan.sha256) throw payloadMismatch(plan.sha256, actual);
    }
    return body;
  }

  /** The payload as a stream that fails at its end when it is not what was signed or declared. */
  stream(authentication: Authentication | undefined): {
    readonly stream: Readable;
    readonly trailers: Readonly<Record<string, string>>;
  } {
    const plan = authentication?.payload;
    if (plan?.kind === 'chunked') {
      const { hasTrailer, decodedLength } = plan;
      const decoder = new ChunkedDecoder({ signer: authentication?.chunkSigner, hasTrailer, decodedLength });
      return { stream: this.#through(decoder), trailers: decoder.trailers };
    }
    if (plan?.kind === 'hashed') return { stream: this.#through(new HashCheck(plan.sha256)), trailers: {} };
    const aborted = (cause?: unknown): Error => new BodyAbortedError('', { cause });
    return { stream: new PlainBody(this.#message, this.#sendContinue, aborted), trailers: {} };
  }

  /**
   * Leads the message through `stage` from the first read on. What ends the message early ends the stage with it; what
   * ends the stage leaves the message alone, whose connection must still carry the answer.
   */
  #through<Stage extends Transform>(stage: Stage): Stage {
    const message = this.#message;
    const read = stage._read.bind(stage);
    stage._read = (size) => {
      stage._read = read;
      this.#sendContinue();
      message.on('error', (cause) => stage.destroy(new BodyAbortedError('', { cause })));
      message.on('close', () => {
        if (!message.readableEnded) stage.destroy(new BodyAbortedError());
      });
      if (message.destroyed) stage.destroy(new BodyAbortedError());
      else message.pipe(stage);
      read(size);
    };
    stage.once('close', () => message.unpipe(stage));
    return stage;
  }

  async #readWhole(limit: number): Promise<Buffer> {
    const declared = Number(this.#message.headers['content-length'] ?? '0');
    if (declared > limit) throw new BodyTooLargeError();
    this.#sendContinue();
    return collect(this.#message, limit);
  }
}

function collect(stream: Readable, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) {
        stream.removeAllListeners('data');
        stream.pause();
        reject(new BodyTooLargeError());
        return;
      }
      chunks.push(chunk);
    });
    let isWhole = false;
    stream.on('end', () => {
      isWhole = true;
      resolve(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks));
    });
    stream.on('error', (error) =>
      reject(error instanceof AuthFailure ? error : new BodyAbortedError('', { cause: error })),
    );
    stream.on('close', () => {
      if (!isWhole) reject(new BodyAbortedError());
    });
  });
}
