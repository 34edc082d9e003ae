import { AuthFailure } from './auth-failure.ts';

/** How the payload of a request is to be read and checked. */
export type PayloadPlan =
  /** The bytes as they are; their SHA-256 (hex) must come out as declared. */
  | { readonly kind: 'hashed'; readonly sha256: string }
  /** The bytes as they are. */
  | { readonly kind: 'unsigned' }
  /** `aws-chunked`: chunks with or without signatures, with or without trailers. */
  | {
      readonly kind: 'chunked';
      readonly isSigned: boolean;
      readonly hasTrailer: boolean;
      /** Bytes after decoding, as `x-amz-decoded-content-length` says. */
      readonly decodedLength: number;
    };

/** What stands in `x-amz-content-sha256` beside a hash. Frozen: part of the wire. */
const CHUNKED_FORMS: Readonly<Record<string, { readonly isSigned: boolean; readonly hasTrailer: boolean }>> = {
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { isSigned: true, hasTrailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { isSigned: true, hasTrailer: true },
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { isSigned: false, hasTrailer: true },
};

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

/**
 * @param declared the value of `x-amz-content-sha256`
 * @param decodedLength the value of `x-amz-decoded-content-length`
 */
export function planPayload(declared: string, decodedLength: string | undefined): PayloadPlan {
  if (declared === UNSIGNED_PAYLOAD) return { kind: 'unsigned' };
  const form = CHUNKED_FORMS[declared];
  if (form !== undefined) {
    if (decodedLength === undefined || !/^\d{1,15}$/.test(decodedLength)) {
      throw new AuthFailure('missing-content-length', 'You must provide the Content-Length HTTP header.');
    }
    return { kind: 'chunked', ...form, decodedLength: Number(decodedLength) };
  }
  if (/^[0-9a-fA-F]{64}$/.test(declared)) return { kind: 'hashed', sha256: declared.toLowerCase() };
  throw new AuthFailure(
    'unsupported-payload',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
    { ArgumentName: 'x-amz-content-sha256', ArgumentValue: declared },
  );
}
