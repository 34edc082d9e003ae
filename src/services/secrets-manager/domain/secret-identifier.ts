import { formatArn, parseArn } from '#kernel/arn.ts';
import { type AccountId, isAccountId, isRegion, type Region } from '#kernel/ids.ts';

/** A secret, as a request names it. */
export interface SecretAddress {
  readonly account: AccountId;
  readonly region: Region;
  readonly name: string;
  /** The six characters of a complete ARN. */
  readonly suffix: string | undefined;
}

export const SUFFIX_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
export const SUFFIX_LENGTH = 6;
const COMPLETE = /^(.+)-([A-Za-z0-9]{6})$/s;
const PREFIX = 'secret:';

export function secretArn(parts: {
  readonly account: AccountId;
  readonly region: Region;
  readonly name: string;
  readonly suffix: string;
}): string {
  const { account, region, name, suffix } = parts;
  return formatArn({ service: 'secretsmanager', region, account, resource: `${PREFIX}${name}-${suffix}` });
}

/** What stands for the suffix of a secret that is not there: policies give it as `-??????` or `-*`. */
export const UNKNOWN_SUFFIX = '??????';

/**
 * Reads a SecretId: a name, an ARN, or an ARN without its six characters. A partial ARN of a name that itself ends in a
 * hyphen and six letters or digits is taken for a complete one (Secrets Manager user guide, "Finding a secret from a
 * partial ARN").
 *
 * @returns `undefined` for the ARN of something else
 */
export function readSecretId(text: string, account: AccountId, region: Region): SecretAddress | undefined {
  if (!text.startsWith('arn:')) return { account, region, name: text, suffix: undefined };
  const arn = parseArn(text);
  if (arn?.service !== 'secretsmanager' || arn.partition !== 'aws' || !arn.resource.startsWith(PREFIX))
    return undefined;
  if (!isAccountId(arn.account) || !isRegion(arn.region)) return undefined;
  const full = arn.resource.slice(PREFIX.length);
  const [, name = full, suffix] = COMPLETE.exec(full) ?? [];
  return { account: arn.account, region: arn.region, name, suffix };
}
