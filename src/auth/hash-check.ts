import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { AuthFailure } from './auth-failure.ts';

/** Passes a payload on and fails at its end when its SHA-256 is not the declared one. */
export class HashCheck extends Transform {
  readonly #hash = createHash('sha256');
  readonly #declared: string;

  constructor(declared: string) {
    super({ highWaterMark: 1024 * 1024 });
    this.#declared = declared;
  }

  override _transform(data: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(data);
    done(null, data);
  }

  override _flush(done: TransformCallback): void {
    const actual = this.#hash.digest('hex');
    done(actual === this.#declared ? null : payloadMismatch(this.#declared, actual));
  }
}

export function payloadMismatch(declared: string, actual: string): AuthFailure {
  return new AuthFailure(
    'payload-mismatch',
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    {
      ClientComputedContentSHA256: declared,
      S3ComputedContentSHA256: actual,
    },
  );
}
