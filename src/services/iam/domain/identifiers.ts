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
