import { sha256Hex } from './canonical-request.ts';
import type { Claim } from './claim.ts';
import { isSameSignature, scopeText, signText } from './signing-key.ts';

const EMPTY_HASH = sha256Hex('');

/** Verifies the chain of signatures of one chunked payload. Each chunk's signature covers the one before it. */
export interface ChunkSigner {
  /** @param hash the SHA-256 (hex) of the chunk's data */
  isNextChunk(hash: string, signature: string): boolean;
  /** @param hash the SHA-256 (hex) of the canonical trailer */
  isTrailer(hash: string, signature: string): boolean;
}

/** S3 API reference, "Signature calculations for the authorization header: transferring payload in chunks". */
export function makeChunkSigner(signingKey: Buffer, claim: Claim): ChunkSigner {
  let previous = claim.signature;
  const prefix = `${claim.timestamp}\n${scopeText(claim.scope)}`;
  return {
    isNextChunk(hash, signature) {
      const text = `AWS4-HMAC-SHA256-PAYLOAD\n${prefix}\n${previous}\n${EMPTY_HASH}\n${hash}`;
      const expected = signText(signingKey, text);
      previous = expected;
      return isSameSignature(expected, signature);
    },
    isTrailer(hash, signature) {
      const text = `AWS4-HMAC-SHA256-TRAILER\n${prefix}\n${previous}\n${hash}`;
      return isSameSignature(signText(signingKey, text), signature);
    },
  };
}
