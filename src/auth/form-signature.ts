import { createHmac } from 'node:crypto';
import { isRegion } from '#kernel/ids.ts';
import { AuthFailure } from './auth-failure.ts';
import { ALGORITHM, type CredentialScope, isSameSignature, parseCredential, signText } from './signing-key.ts';

/** What a form says of its signature, which is over its policy; read but not verified. */
export interface FormClaim {
  /** `AWS` is signature version 2. */
  readonly version: 'AWS4-HMAC-SHA256' | 'AWS';
  readonly scope: CredentialScope;
  readonly signature: string;
  /** In base64, as it came: this is what is signed. */
  readonly policy: string;
  readonly sessionToken: string | undefined;
}

/**
 * Reads the claim of a form that bears a policy (S3 API reference, "Authenticating requests: browser-based uploads").
 *
 * @param field a field by its lower-case name
 * @returns `undefined` for an anonymous form
 * @throws AuthFailure when there is a claim that is not in the right form
 */
export function readFormClaim(field: (name: string) => string | undefined): FormClaim | undefined {
  const policy = field('policy');
  const sessionToken = field('x-amz-security-token');
  const algorithm = field('x-amz-algorithm');
  if (algorithm === undefined && field('x-amz-signature') === undefined) {
    const accessKeyId = field('awsaccesskeyid');
    const signature = field('signature');
    if (accessKeyId === undefined && signature === undefined && policy === undefined) return undefined;
    if (accessKeyId === undefined) throw missing('AWSAccessKeyId');
    if (signature === undefined) throw missing('Signature');
    if (policy === undefined) throw missing('policy');
    const scope = { accessKeyId, date: '', region: '', service: 's3' };
    return { version: 'AWS', scope, signature, policy, sessionToken };
  }
  if (algorithm !== ALGORITHM) {
    throw new AuthFailure('unsupported-scheme', `X-Amz-Algorithm only supports "${ALGORITHM}"`, {
      ArgumentName: 'X-Amz-Algorithm',
      ArgumentValue: algorithm ?? '',
    });
  }
  const [credential, date, signature] = ['X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Signature'].map((name) => {
    const value = field(name.toLowerCase());
    if (value === undefined) throw missing(name);
    return value;
  });
  if (policy === undefined) throw missing('policy');
  const scope = parseCredential(credential ?? '');
  if (
    scope === undefined ||
    scope.service !== 's3' ||
    !isRegion(scope.region) ||
    !(date ?? '').startsWith(scope.date)
  ) {
    throw new AuthFailure(
      'malformed-query',
      'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  }
  return { version: ALGORITHM, scope, signature: signature ?? '', policy, sessionToken };
}

/**
 * INVARIANT: returns only when the signature is the one that the secret makes over the policy.
 *
 * @param signingKey makes the key of version 4
 * @throws AuthFailure
 */
export function verifyForm(claim: FormClaim, secretAccessKey: string, signingKey: () => Buffer): void {
  const expected =
    claim.version === 'AWS'
      ? createHmac('sha1', secretAccessKey).update(claim.policy).digest('base64')
      : signText(signingKey(), claim.policy);
  if (isSameSignature(expected, claim.signature)) return;
  throw new AuthFailure(
    'signature-mismatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    { AWSAccessKeyId: claim.scope.accessKeyId },
  );
}

function missing(name: string): AuthFailure {
  return new AuthFailure(
    'unsupported-scheme',
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
    { ArgumentName: name, ArgumentValue: '' },
  );
}
