import type { Caller } from '#kernel/caller.ts';
import type { Clock } from '#kernel/clock.ts';
import { AuthFailure, type AuthFailureKind } from './auth-failure.ts';
import { canonicalRequest, type SignedRequest } from './canonical-request.ts';
import { type Claim, formatTimestamp, headerOf } from './claim.ts';
import type { ChunkSigner } from './chunk-signer.ts';
import { makeChunkSigner } from './chunk-signer.ts';
import type { CredentialProblem, CredentialSource, FoundCredentials } from './credential-source.ts';
import { EMPTY_SHA256, endlessReadings, type Reading } from './endless-readings.ts';
import { type FormClaim, verifyForm } from './form-signature.ts';
import { type PayloadPlan, planPayload, UNSIGNED_PAYLOAD } from './payload-plan.ts';
import { verifyV2 } from './signature-v2.ts';
import { isSameSignature, sign } from './signing-key.ts';
import { SigningKeyCache } from './signing-key-cache.ts';

/** A request whose signature was found right. The payload is still to be checked, as `payload` says. */
export interface Authentication {
  readonly caller: Caller;
  readonly payload: PayloadPlan;
  /** Verifies the chunks' signatures; present for signed chunked payloads. */
  readonly chunkSigner: ChunkSigner | undefined;
}

const S3_SKEW = 15 * 60_000;
const OTHER_SKEW = 5 * 60_000;

const PROBLEMS: Readonly<Record<CredentialProblem, readonly [AuthFailureKind, string]>> = {
  unknown: ['unknown-key', 'The security token included in the request is invalid.'],
  inactive: ['inactive-key', 'The security token included in the request is invalid.'],
  expired: ['expired-token', 'The security token included in the request is expired'],
  'invalid-token': ['invalid-token', 'The security token included in the request is invalid.'],
};

/** How an operation's body goes into the signature; `Authenticator.authenticate` says what it means. */
export type PayloadSource = (() => Promise<string>) | 'streamed' | 'endless';

/** Verifies SigV4 signatures, header and query form (IAM user guide, "AWS Signature Version 4"). */
export class Authenticator {
  readonly #credentials: CredentialSource;
  readonly #clock: Clock;
  readonly #signingKeys = new SigningKeyCache();

  constructor(credentials: CredentialSource, clock: Clock) {
    this.#credentials = credentials;
    this.#clock = clock;
  }

  /**
   * @param payload reads the body and gives its SHA-256 in hex. `streamed`: the hash that the request declares is
   *   believed (and checked as the body comes), as it is in S3. `endless`: the body has no hash, because it has no end
   *   when it is signed.
   * @throws AuthFailure
   */
  async authenticate(claim: Claim, request: SignedRequest, payload: PayloadSource): Promise<Authentication> {
    const isS3 = claim.scope.service === 's3';
    this.#checkTime(claim, isS3);
    const found = await this.#find(claim.scope.accessKeyId, claim.sessionToken);
    if (claim.version === 'AWS') {
      verifyV2(claim, request, found.secretAccessKey);
      return { caller: found.caller, payload: { kind: 'unsigned' }, chunkSigner: undefined };
    }
    if (isS3) refuseUnsignedHeaders(claim, request);
    const signingKey = this.#signingKeys.get(found.secretAccessKey, claim.scope);
    const readings =
      payload === 'endless'
        ? endlessReadings(claim, request)
        : [{ request, declared: isS3 || payload === 'streamed' ? declaredPayload(claim, request) : await payload() }];
    const canonicalOf = (reading: Reading): string | undefined =>
      canonicalRequest(
        reading.request,
        claim.signedHeaders,
        reading.declared,
        isS3,
        claim.form === 'query' ? 'X-Amz-Signature' : undefined,
      );
    const right = readings.find((reading) => {
      const canonical = canonicalOf(reading);
      if (canonical === undefined) return false;
      return isSameSignature(sign(signingKey, claim.timestamp, claim.scope, canonical), claim.signature);
    });
    // INVARIANT: nothing below this line runs for a request whose signature is not the one that the secret makes.
    if (right === undefined) {
      const canonical = readings[0] && canonicalOf(readings[0]);
      throw new AuthFailure(
        'signature-mismatch',
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
        {
          AWSAccessKeyId: claim.scope.accessKeyId,
          CanonicalRequest: Buffer.from(canonical ?? '', 'latin1').toString('utf8'),
        },
      );
    }
    const { declared } = right;
    // The hash of nothing says nothing of a body that was still to come.
    const isCovered = payload !== 'endless' || declared !== EMPTY_SHA256;
    const decodedLength = headerOf(request, 'x-amz-decoded-content-length');
    const plan = isCovered ? planPayload(declared, decodedLength) : ({ kind: 'unsigned' } as const);
    const isChunkSigned = plan.kind === 'chunked' && plan.isSigned;
    return {
      caller: found.caller,
      payload: plan,
      chunkSigner: isChunkSigned ? makeChunkSigner(signingKey, claim) : undefined,
    };
  }

  /**
   * Who has signed a form's policy. When that ends is the policy's to say.
   *
   * @throws AuthFailure
   */
  async authenticateForm(claim: FormClaim): Promise<Authentication> {
    const { scope, sessionToken } = claim;
    const found = await this.#find(scope.accessKeyId, sessionToken);
    verifyForm(claim, found.secretAccessKey, () => this.#signingKeys.get(found.secretAccessKey, scope));
    return { caller: found.caller, payload: { kind: 'unsigned' }, chunkSigner: undefined };
  }

  async #find(accessKeyId: string, sessionToken: string | undefined): Promise<FoundCredentials> {
    const found = await this.#credentials.findCredentials(accessKeyId, sessionToken, this.#clock.now());
    if (typeof found !== 'string') return found;
    const [kind, message] = PROBLEMS[found];
    throw new AuthFailure(kind, message, { AWSAccessKeyId: accessKeyId });
  }

  #checkTime(claim: Claim, isS3: boolean): void {
    const now = this.#clock.now();
    const skew = isS3 ? S3_SKEW : OTHER_SKEW;
    if (claim.form === 'query') {
      if (claim.version !== 'AWS' && claim.signedAt - now > S3_SKEW)
        throw new AuthFailure('presigned-expired', 'Request is not yet valid');
      const expiry = claim.signedAt + (claim.expires ?? skew / 1000) * 1000;
      if (now > expiry) {
        throw new AuthFailure('presigned-expired', 'Request has expired', {
          'X-Amz-Expires': String(claim.expires ?? skew / 1000),
          Expires: new Date(expiry).toISOString(),
          ServerTime: new Date(now).toISOString(),
        });
      }
      return;
    }
    if (Math.abs(now - claim.signedAt) <= skew) return;
    if (isS3) {
      throw new AuthFailure(
        'clock-skew',
        'The difference between the request time and the current time is too large.',
        {
          RequestTime: claim.timestamp,
          ServerTime: new Date(now).toISOString(),
          MaxAllowedSkewMilliseconds: String(skew),
        },
      );
    }
    const isOld = claim.signedAt < now;
    const bound = formatTimestamp(isOld ? now - skew : now + skew);
    throw new AuthFailure(
      'signature-expired',
      isOld
        ? `Signature expired: ${claim.timestamp} is now earlier than ${bound} (${formatTimestamp(now)} - 5 min.)`
        : `Signature not yet current: ${claim.timestamp} is still later than ${bound} (${formatTimestamp(now)} + 5 min.)`,
    );
  }
}

/** S3 wants every `x-amz-` header signed: an unsigned one could have been added on the way. */
function refuseUnsignedHeaders(claim: Claim, request: SignedRequest): void {
  const unsigned = request.headers
    .map(([name]) => name)
    .filter(
      (name) =>
        name.startsWith('x-amz-') &&
        !claim.signedHeaders.includes(name) &&
        !(claim.form === 'query' && name === 'x-amz-content-sha256'),
    );
  if (unsigned.length > 0) {
    throw new AuthFailure('signature-mismatch', 'There were headers present in the request which were not signed', {
      HeadersNotSigned: unsigned.join(', '),
    });
  }
}

function declaredPayload(claim: Claim, request: SignedRequest): string {
  const header = headerOf(request, 'x-amz-content-sha256');
  if (header !== undefined) return header;
  if (claim.form === 'query') return claim.contentSha256 ?? UNSIGNED_PAYLOAD;
  throw new AuthFailure('missing-payload-hash', 'Missing required header for this request: x-amz-content-sha256');
}
