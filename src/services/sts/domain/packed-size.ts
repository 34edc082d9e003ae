import { deflateRawSync } from 'node:zlib';
import { packedPolicyTooLarge, packedTagsTooLarge } from '../errors.ts';

/** Bytes that the policies and tags of a session may take, packed. AWS does not tell its own number. */
const ALLOTTED = 2048;

/**
 * How much of a token's room the policies and tags of a session take, in per cent; `undefined` where it has none.
 * @throws ServiceError PackedPolicyTooLarge
 */
export function packedSize(policies: readonly string[], tags: Readonly<Record<string, string>>): number | undefined {
  const pairs = Object.entries(tags).flat();
  if (policies.length === 0 && pairs.length === 0) return undefined;
  const ofPolicies = policies.length === 0 ? 0 : packedLength(policies);
  const ofTags = pairs.length === 0 ? 0 : packedLength(pairs);
  const percent = Math.max(1, Math.ceil(((ofPolicies + ofTags) / ALLOTTED) * 100));
  if (percent > 100) throw ofTags > ofPolicies ? packedTagsTooLarge(percent) : packedPolicyTooLarge(percent);
  return percent;
}

function packedLength(texts: readonly string[]): number {
  return deflateRawSync(texts.join('\0')).length;
}
