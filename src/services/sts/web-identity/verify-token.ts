import { compactVerify, errors, type JWSHeaderParameters } from 'jose';
import type { AccountId } from '#kernel/ids.ts';
import type { IdentityProviders, OidcProvider } from '#services/iam/api.ts';
import { expiredToken, idpCommunicationError, invalidIdentityToken } from '../errors.ts';
import { ProviderUnreachableError } from './fetch-json.ts';
import type { ProviderKeys } from './provider-keys.ts';

/** INVARIANT: signatures of key pairs alone; neither `none` nor HMAC is here. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'];

const NO_JWT = 'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)';
const NO_KEY =
  "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity " +
  'documentation for requirements';

export type Claims = Readonly<Record<string, unknown>>;

/** A token whose signature, times, issuer and audience are right. */
export interface VerifiedToken {
  readonly provider: OidcProvider;
  readonly subject: string;
  /** Those that the token is for and the provider may speak to; with `azp`, that alone. */
  readonly audiences: readonly string[];
  readonly claims: Claims;
}

/**
 * Verifies an ID token against the providers of the account whose role is asked for.
 *
 * @param now milliseconds since the epoch
 * @throws ServiceError InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError
 */
export async function verifyToken(
  token: string,
  account: AccountId,
  now: number,
  providers: IdentityProviders,
  keys: ProviderKeys,
): Promise<VerifiedToken> {
  // Believed in nothing yet: it only says who must have signed it.
  const issuer = unverifiedIssuer(token);
  const provider = await providers.findOidc(account, issuer);
  if (provider === undefined) {
    throw invalidIdentityToken(`No OpenIDConnect provider found in your account for ${issuer}`);
  }
  const claims = claimsOf(await verifySignature(token, issuer, keys));
  if (claims['iss'] !== issuer) throw invalidIdentityToken(NO_JWT);
  checkTimes(claims, now);
  const subject = claims['sub'];
  if (typeof subject !== 'string' || subject === '') throw invalidIdentityToken('Missing a required claim: sub');
  return { provider, subject, audiences: audiencesOf(claims, provider), claims };
}

function unverifiedIssuer(token: string): string {
  const parts = token.split('.');
  const [, payload = ''] = parts;
  if (parts.length !== 3) throw invalidIdentityToken(NO_JWT);
  const issuer = claimsOf(Buffer.from(payload, 'base64url'))['iss'];
  if (typeof issuer !== 'string' || issuer.length > 255) throw invalidIdentityToken('Missing a required claim: iss');
  return issuer;
}

async function verifySignature(token: string, issuer: string, keys: ProviderKeys): Promise<Uint8Array> {
  for (const isAgain of [false, true]) {
    try {
      const set = await keys.keysOf(issuer, isAgain);
      const keyOf = async (header: JWSHeaderParameters | undefined, jws: Parameters<typeof set>[1]) =>
        await set(header, jws);
      return (await compactVerify(token, keyOf, { algorithms: ALGORITHMS })).payload;
    } catch (error) {
      if (error instanceof ProviderUnreachableError) throw idpCommunicationError(error);
      if (error instanceof errors.JWKSNoMatchingKey && !isAgain) continue;
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
        throw invalidIdentityToken(NO_KEY);
      }
      if (error instanceof errors.JOSEAlgNotAllowed) {
        throw invalidIdentityToken('The ID Token provided is signed with an algorithm that is not supported.');
      }
      if (error instanceof errors.JWSSignatureVerificationFailed) {
        throw invalidIdentityToken('The ID Token signature could not be verified.');
      }
      throw invalidIdentityToken(NO_JWT);
    }
  }
  throw invalidIdentityToken(NO_KEY);
}

function claimsOf(bytes: Uint8Array): Claims {
  try {
    const claims: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return claims as Claims;
  } catch {
    // Answered below, like everything else that is no object.
  }
  throw invalidIdentityToken(NO_JWT);
}

function checkTimes(claims: Claims, now: number): void {
  const seconds = Math.floor(now / 1000);
  const issuedAt = timeOf(claims, 'iat');
  const expiresAt = timeOf(claims, 'exp');
  if (issuedAt === undefined) throw invalidIdentityToken('Missing a required claim: iat');
  if (expiresAt === undefined) throw invalidIdentityToken('Missing a required claim: exp');
  if (seconds >= expiresAt) {
    throw expiredToken(
      `Token expired: current date/time ${seconds} must be before the expiration date/time ${expiresAt}`,
    );
  }
  // A provider's clock may be a little ahead.
  const latest = Math.max(issuedAt, timeOf(claims, 'nbf') ?? 0);
  if (latest > seconds + 300) throw invalidIdentityToken('The ID Token provided is not valid yet.');
}

function timeOf(claims: Claims, name: string): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalidIdentityToken(NO_JWT);
  return value;
}

function audiencesOf(claims: Claims, { clientIds }: OidcProvider): readonly string[] {
  const azp = claims['azp'];
  const given = typeof azp === 'string' ? [azp] : [claims['aud']].flat();
  const audiences = given.filter((audience): audience is string => typeof audience === 'string');
  const known = audiences.filter((audience) => clientIds.includes(audience));
  if (known.length === 0) throw invalidIdentityToken('Incorrect token audience');
  return known;
}
