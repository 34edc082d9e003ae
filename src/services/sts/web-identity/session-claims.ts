import { invalidIdentityToken } from '../errors.ts';
import type { Claims } from './verify-token.ts';

const TAGS = 'https://aws.amazon.com/tags';
const SOURCE_IDENTITY = 'https://aws.amazon.com/source_identity';

/** What a provider may say of the session in its tokens (IAM user guide, "Passing session tags"). */
export interface SessionClaims {
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity: string | undefined;
}

/** @throws ServiceError InvalidIdentityToken for claims that are not in the form that AWS documents */
export function sessionClaimsOf(claims: Claims): SessionClaims {
  const tagsClaim = recordOf(claims[TAGS], TAGS);
  const tags = Object.entries(recordOf(tagsClaim['principal_tags'], TAGS)).map(([Key, value]) => {
    const [Value, ...others] = [value].flat() as unknown[];
    const isWellFormed = typeof Value === 'string' && others.length === 0 && isTag(Key, Value);
    if (!isWellFormed) throw invalidIdentityToken(`The claim ${TAGS} is not valid.`);
    return { Key, Value };
  });
  const keys = tagsClaim['transitive_tag_keys'] ?? [];
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
    throw invalidIdentityToken(`The claim ${TAGS} is not valid.`);
  }
  const sourceIdentity = claims[SOURCE_IDENTITY];
  if (sourceIdentity === undefined) return { tags, transitiveTagKeys: keys, sourceIdentity: undefined };
  if (typeof sourceIdentity !== 'string' || !/^[\w+=,.@-]{2,64}$/.test(sourceIdentity)) {
    throw invalidIdentityToken(`The claim ${SOURCE_IDENTITY} is not valid.`);
  }
  return { tags, transitiveTagKeys: keys, sourceIdentity };
}

/** The same bounds as of tags in requests. */
export function isTag(key: string, value: string): boolean {
  return /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(key) && /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u.test(value);
}

function recordOf(value: unknown, claim: string): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw invalidIdentityToken(`The claim ${claim} is not valid.`);
}
