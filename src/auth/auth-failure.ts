/**
 * Why a request was not authenticated. The gateway words it in the protocol's and the service's own form
 * (`gateway/auth-errors.ts`).
 */
export type AuthFailureKind =
  | 'missing-token'
  | 'malformed'
  | 'malformed-query'
  | 'unsupported-scheme'
  | 'unsupported-signature'
  | 'two-mechanisms'
  | 'repeated-header'
  | 'wrong-scope'
  | 'wrong-scope-query'
  | 'unknown-key'
  | 'inactive-key'
  | 'invalid-token'
  | 'expired-token'
  | 'signature-mismatch'
  | 'clock-skew'
  | 'signature-expired'
  | 'presigned-expired'
  | 'payload-mismatch'
  | 'chunk-signature-mismatch'
  | 'malformed-chunk'
  | 'incomplete-body'
  | 'missing-content-length'
  | 'missing-payload-hash'
  | 'unsupported-payload';

export class AuthFailure extends Error {
  readonly kind: AuthFailureKind;
  /** What the client may see beside the message: never a secret, never the expected signature. */
  readonly facts: Readonly<Record<string, string>>;

  constructor(kind: AuthFailureKind, message: string, facts: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'AuthFailure';
    this.kind = kind;
    this.facts = facts;
  }
}
