import { createHash, type Hash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { AuthFailure } from './auth-failure.ts';
import { sha256Hex } from './canonical-request.ts';
import type { ChunkSigner } from './chunk-signer.ts';

/** A chunk's head line and a trailer line are short; a longer one is an attack or a mistake. */
const MAX_LINE = 4096;
const MAX_TRAILERS = 16;

type State = 'head' | 'data' | 'data-end' | 'trailer' | 'done';

/**
 * Decodes `aws-chunked` bodies. Data goes on as it comes, without copying; the signature of a chunk is checked at its
 * end, so whoever reads must not make anything visible before the stream has ended well.
 *
 * Fails with an AuthFailure on wrong signatures, on a length other than the declared one and on anything that is not in
 * the form.
 */
export class ChunkedDecoder extends Transform {
  /** `x-amz-checksum-crc32` and the like, in lower case; complete when the stream has ended. */
  readonly trailers: Record<string, string> = {};
  readonly #signer: ChunkSigner | undefined;
  readonly #hasTrailer: boolean;
  readonly #decodedLength: number;
  #state: State = 'head';
  #line: Buffer = Buffer.alloc(0);
  #remaining = 0;
  #received = 0;
  #signature = '';
  #hash: Hash | undefined;
  #canonicalTrailer = '';
  #trailerSignature: string | undefined;

  constructor(options: {
    readonly signer: ChunkSigner | undefined;
    readonly hasTrailer: boolean;
    readonly decodedLength: number;
  }) {
    super({ highWaterMark: 1024 * 1024 });
    this.#signer = options.signer;
    this.#hasTrailer = options.hasTrailer;
    this.#decodedLength = options.decodedLength;
  }

  override _transform(data: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      let offset = 0;
      while (offset < data.length) {
        offset = this.#state === 'data' ? this.#takeData(data, offset) : this.#takeLine(data, offset);
      }
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  override _flush(done: TransformCallback): void {
    // Clients differ in whether an empty line follows the last chunk or the trailers: the end of the body stands for it.
    if (this.#state === 'trailer' && this.#line.length === 0) this.#endTrailers();
    if (this.#state !== 'done') return done(incompleteBody());
    done();
  }

  #takeData(data: Buffer, offset: number): number {
    const end = Math.min(data.length, offset + this.#remaining);
    const part = data.subarray(offset, end);
    this.#received += part.length;
    if (this.#received > this.#decodedLength) throw incompleteBody();
    this.#hash?.update(part);
    this.push(part);
    this.#remaining -= part.length;
    if (this.#remaining === 0) {
      this.#checkChunk();
      this.#state = 'data-end';
    }
    return end;
  }

  /** Gathers up to and including a line feed, then acts on the line. */
  #takeLine(data: Buffer, offset: number): number {
    if (this.#state === 'done') throw malformed();
    const lineFeed = data.indexOf(0x0a, offset);
    const end = lineFeed < 0 ? data.length : lineFeed + 1;
    this.#line =
      this.#line.length === 0 ? data.subarray(offset, end) : Buffer.concat([this.#line, data.subarray(offset, end)]);
    if (this.#line.length > MAX_LINE) throw malformed();
    if (lineFeed < 0) {
      this.#line = Buffer.from(this.#line);
      return end;
    }
    const text = this.#line.toString('latin1').replace(/\r?\n$/, '');
    this.#line = Buffer.alloc(0);
    this.#actOnLine(text);
    return end;
  }

  #actOnLine(text: string): void {
    switch (this.#state) {
      case 'head':
        return this.#beginChunk(text);
      case 'data-end':
        if (text !== '') throw malformed();
        this.#state = 'head';
        return;
      case 'trailer':
        return text === '' ? this.#endTrailers() : this.#takeTrailer(text);
      default:
        throw malformed();
    }
  }

  #beginChunk(text: string): void {
    const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(text);
    if (match === null) throw malformed();
    this.#remaining = Number.parseInt(match[1] ?? '', 16);
    this.#signature = match[2] ?? '';
    this.#hash = this.#signer === undefined ? undefined : createHash('sha256');
    if (this.#remaining > 0) {
      this.#state = 'data';
      return;
    }
    this.#checkChunk();
    if (this.#received !== this.#decodedLength) throw incompleteBody();
    this.#state = 'trailer';
  }

  #checkChunk(): void {
    if (this.#signer === undefined || this.#hash === undefined) return;
    if (!this.#signer.isNextChunk(this.#hash.digest('hex'), this.#signature)) {
      throw new AuthFailure(
        'chunk-signature-mismatch',
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      );
    }
  }

  #takeTrailer(text: string): void {
    const colon = text.indexOf(':');
    const name = text.slice(0, colon).trim().toLowerCase();
    const value = text.slice(colon + 1).trim();
    if (colon <= 0 || !this.#hasTrailer || Object.keys(this.trailers).length >= MAX_TRAILERS) throw malformed();
    if (name === 'x-amz-trailer-signature') {
      this.#trailerSignature = value;
      return;
    }
    if (!name.startsWith('x-amz-')) throw malformed();
    this.#canonicalTrailer += `${name}:${value}\n`;
    this.trailers[name] = value;
  }

  #endTrailers(): void {
    if (this.#signer !== undefined && this.#hasTrailer) {
      const hash = sha256Hex(this.#canonicalTrailer);
      // INVARIANT: a signed upload's trailers count only when they are signed too.
      if (this.#trailerSignature === undefined || !this.#signer.isTrailer(hash, this.#trailerSignature)) {
        throw new AuthFailure(
          'chunk-signature-mismatch',
          'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
        );
      }
    }
    this.#state = 'done';
  }
}

function malformed(): AuthFailure {
  return new AuthFailure('malformed-chunk', 'The chunked payload of the request is not well-formed.');
}

function incompleteBody(): AuthFailure {
  return new AuthFailure(
    'incomplete-body',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
  );
}
