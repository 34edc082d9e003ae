import { formatArn, parseArn } from '#kernel/arn.ts';
import type { AccountId } from '#kernel/ids.ts';
import { type Randomness, UPPER_ALPHANUMERIC } from '#kernel/randomness.ts';
import type { PrincipalKind } from './principal-kind.ts';

const SECRET_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function uniqueId(prefix: string, randomness: Randomness): string {
  return prefix + randomness.text(17, UPPER_ALPHANUMERIC);
}

/** @param prefix `AKIA` for long-lived keys, `ASIA` for those of a session */
export function newAccessKeyId(prefix: 'AKIA' | 'ASIA', randomness: Randomness): string {
  return prefix + randomness.text(16, UPPER_ALPHANUMERIC);
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const KEY_ID_LENGTH = 16;
/** Of the 80 bits of an id: these stand behind the account's forty. */
const BITS_BEHIND = 39n;

/**
 * The access key id of a session. It tells the account, in the same bits as AWS's own ids do, so that GetAccessKeyInfo
 * knows whose a key is that is kept nowhere.
 */
export function newSessionKeyId(account: string, randomness: Randomness): string {
  const random = BigInt(`0x${randomness.bytes(5).toString('hex')}`) >> (40n - BITS_BEHIND);
  let bits = (((1n << 40n) | BigInt(account)) << BITS_BEHIND) | random;
  let text = '';
  for (let place = 0; place < KEY_ID_LENGTH; place++) {
    text = `${BASE32[Number(bits & 31n)]}${text}`;
    bits >>= 5n;
  }
  return `ASIA${text}`;
}

/** The account in an access key id of a session; `undefined` for what is none. */
export function accountOfSessionKeyId(id: string): string | undefined {
  if (!/^ASIA[A-Z2-7]{16}$/.test(id)) return undefined;
  let bits = 0n;
  for (const character of id.slice(4)) bits = (bits << 5n) | BigInt(BASE32.indexOf(character));
  const account = (bits >> BITS_BEHIND) & ((1n << 40n) - 1n);
  return account > 999_999_999_999n ? undefined : account.toString().padStart(12, '0');
}

export function newSecretAccessKey(randomness: Randomness): string {
  return randomness.text(40, SECRET_ALPHABET);
}

export function principalArn(
  kind: PrincipalKind,
  parts: { readonly account: string; readonly path: string; readonly name: string },
): string {
  return formatArn({ service: 'iam', account: parts.account, resource: `${kind}${parts.path}${parts.name}` });
}

/** What has a name and a path, but no policies of its own. */
export type EntityKind = 'instance-profile' | 'server-certificate';

export function entityArn(
  kind: EntityKind,
  parts: { readonly account: string; readonly path: string; readonly name: string },
): string {
  return formatArn({ service: 'iam', account: parts.account, resource: `${kind}${parts.path}${parts.name}` });
}

export function rootArn(account: AccountId): string {
  return formatArn({ service: 'iam', account, resource: 'root' });
}

export function policyArn(parts: { readonly account: string; readonly path: string; readonly name: string }): string {
  return formatArn({ service: 'iam', account: parts.account, resource: `policy${parts.path}${parts.name}` });
}

/** The name that an IAM ARN ends in, and its account and path; `undefined` when the text is no such ARN. */
export function parseIamArn(
  kind: PrincipalKind | 'policy',
  text: string,
): { readonly account: string; readonly path: string; readonly name: string } | undefined {
  const arn = parseArn(text);
  if (arn?.service !== 'iam' || !arn.resource.startsWith(`${kind}/`)) return undefined;
  const slash = arn.resource.lastIndexOf('/');
  const name = arn.resource.slice(slash + 1);
  return name === '' ? undefined : { account: arn.account, path: arn.resource.slice(kind.length, slash + 1), name };
}

/** Names are unique whatever their case. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}
