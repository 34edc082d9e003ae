import type { AuthFailure, AuthFailureKind } from '#auth/auth-failure.ts';
import type { ProtocolName } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';

type CodeAndStatus = readonly [code: string, status: number];

/** S3 API reference, "Error responses"; S3 has codes of its own. */
const S3_CODES: Readonly<Record<AuthFailureKind, CodeAndStatus>> = {
  'missing-token': ['AccessDenied', 403],
  malformed: ['AuthorizationHeaderMalformed', 400],
  'malformed-query': ['AuthorizationQueryParametersError', 400],
  'unsupported-scheme': ['InvalidArgument', 400],
  'unsupported-signature': ['InvalidRequest', 400],
  'two-mechanisms': ['InvalidArgument', 400],
  'repeated-header': ['InvalidRequest', 400],
  'wrong-scope-query': ['AuthorizationQueryParametersError', 400],
  'missing-payload-hash': ['InvalidRequest', 400],
  'wrong-scope': ['AuthorizationHeaderMalformed', 400],
  'unknown-key': ['InvalidAccessKeyId', 403],
  'inactive-key': ['InvalidAccessKeyId', 403],
  'invalid-token': ['InvalidToken', 400],
  'expired-token': ['ExpiredToken', 400],
  'signature-mismatch': ['SignatureDoesNotMatch', 403],
  'clock-skew': ['RequestTimeTooSkewed', 403],
  'signature-expired': ['RequestTimeTooSkewed', 403],
  'presigned-expired': ['AccessDenied', 403],
  'payload-mismatch': ['XAmzContentSHA256Mismatch', 400],
  'chunk-signature-mismatch': ['SignatureDoesNotMatch', 403],
  'malformed-chunk': ['InvalidRequest', 400],
  'incomplete-body': ['IncompleteBody', 400],
  'missing-content-length': ['MissingContentLength', 411],
  'unsupported-payload': ['InvalidArgument', 400],
};

/** The codes of awsQuery services (IAM, STS): STS API reference, "Common errors". */
const QUERY_CODES: Readonly<Record<AuthFailureKind, CodeAndStatus>> = {
  'missing-token': ['MissingAuthenticationToken', 403],
  malformed: ['IncompleteSignature', 400],
  'malformed-query': ['IncompleteSignature', 400],
  'unsupported-scheme': ['IncompleteSignature', 400],
  'unsupported-signature': ['IncompleteSignature', 400],
  'two-mechanisms': ['IncompleteSignature', 400],
  'repeated-header': ['IncompleteSignature', 400],
  'wrong-scope-query': ['SignatureDoesNotMatch', 403],
  'missing-payload-hash': ['IncompleteSignature', 400],
  'wrong-scope': ['SignatureDoesNotMatch', 403],
  'unknown-key': ['InvalidClientTokenId', 403],
  'inactive-key': ['InvalidClientTokenId', 403],
  'invalid-token': ['InvalidClientTokenId', 403],
  'expired-token': ['ExpiredToken', 403],
  'signature-mismatch': ['SignatureDoesNotMatch', 403],
  'clock-skew': ['SignatureDoesNotMatch', 403],
  'signature-expired': ['SignatureDoesNotMatch', 403],
  'presigned-expired': ['SignatureDoesNotMatch', 403],
  'payload-mismatch': ['SignatureDoesNotMatch', 403],
  'chunk-signature-mismatch': ['SignatureDoesNotMatch', 403],
  'malformed-chunk': ['IncompleteSignature', 400],
  'incomplete-body': ['IncompleteSignature', 400],
  'missing-content-length': ['IncompleteSignature', 400],
  'unsupported-payload': ['IncompleteSignature', 400],
};

/** JSON protocols: the same codes, as exceptions. awsJson answers 400 where REST answers 403. */
const JSON_CODES: Readonly<Record<AuthFailureKind, CodeAndStatus>> = {
  'missing-token': ['MissingAuthenticationTokenException', 403],
  malformed: ['IncompleteSignatureException', 403],
  'malformed-query': ['IncompleteSignatureException', 403],
  'unsupported-scheme': ['IncompleteSignatureException', 403],
  'unsupported-signature': ['IncompleteSignatureException', 403],
  'two-mechanisms': ['IncompleteSignatureException', 403],
  'repeated-header': ['IncompleteSignatureException', 403],
  'wrong-scope-query': ['InvalidSignatureException', 403],
  'missing-payload-hash': ['IncompleteSignatureException', 403],
  'wrong-scope': ['InvalidSignatureException', 403],
  'unknown-key': ['UnrecognizedClientException', 403],
  'inactive-key': ['UnrecognizedClientException', 403],
  'invalid-token': ['UnrecognizedClientException', 403],
  'expired-token': ['ExpiredTokenException', 403],
  'signature-mismatch': ['InvalidSignatureException', 403],
  'clock-skew': ['InvalidSignatureException', 403],
  'signature-expired': ['InvalidSignatureException', 403],
  'presigned-expired': ['InvalidSignatureException', 403],
  'payload-mismatch': ['InvalidSignatureException', 403],
  'chunk-signature-mismatch': ['InvalidSignatureException', 403],
  'malformed-chunk': ['IncompleteSignatureException', 403],
  'incomplete-body': ['IncompleteSignatureException', 403],
  'missing-content-length': ['IncompleteSignatureException', 403],
  'unsupported-payload': ['IncompleteSignatureException', 403],
};

const S3_MESSAGES: Partial<Record<AuthFailureKind, string>> = {
  'unknown-key': 'The AWS Access Key Id you provided does not exist in our records.',
  'inactive-key': 'The AWS Access Key Id you provided does not exist in our records.',
  'invalid-token': 'The provided token is malformed or otherwise invalid.',
  'expired-token': 'The provided token has expired.',
};

/** Words an authentication failure as the service would. */
export function authError(failure: AuthFailure, protocol: ProtocolName): ServiceError {
  if (protocol === 'restXml') {
    const [code, status] = S3_CODES[failure.kind];
    // Missing headers that were not signed are an AccessDenied in S3, though the signature itself is right.
    const isUnsignedHeader = failure.facts['HeadersNotSigned'] !== undefined;
    return new ServiceError(
      isUnsignedHeader ? 'AccessDenied' : code,
      status,
      S3_MESSAGES[failure.kind] ?? failure.message,
      {
        members: failure.facts,
      },
    );
  }
  const isQuery = protocol === 'awsQuery';
  const [code, status] = (isQuery ? QUERY_CODES : JSON_CODES)[failure.kind];
  const isAwsJson = protocol === 'awsJson1_0' || protocol === 'awsJson1_1';
  return new ServiceError(code, isAwsJson ? 400 : status, failure.message);
}
