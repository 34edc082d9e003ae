import { formatArn, parseArn } from '#kernel/arn.ts';
import { type AccountId, isAccountId, isRegion, type Region } from '#kernel/ids.ts';
import { invalidArn, notFound } from '../errors.ts';

/** A `KeyId` parameter, read: an id or an alias, in the caller's account or in the one that its ARN names. */
export interface KeyIdentifier {
  readonly kind: 'key' | 'alias';
  /** The key's id, or the alias with its prefix. */
  readonly name: string;
  readonly account: AccountId;
  readonly region: Region;
  /** True when the parameter was an ARN. */
  readonly isArn: boolean;
}

const KEY_ID = /^(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** @throws ServiceError InvalidArnException or NotFoundException, as KMS words them */
export function readKeyIdentifier(text: string, account: AccountId, region: Region): KeyIdentifier {
  if (!text.startsWith('arn:')) {
    if (text.startsWith('alias/')) return { kind: 'alias', name: text, account, region, isArn: false };
    if (KEY_ID.test(text)) return { kind: 'key', name: text, account, region, isArn: false };
    throw notFound(`Invalid keyId '${text}'`);
  }
  const arn = parseArn(text);
  if (arn?.partition !== 'aws' || arn.service !== 'kms' || !isAccountId(arn.account) || !isRegion(arn.region)) {
    throw invalidArn(`Invalid arn ${text}`);
  }
  if (arn.region !== region) throw invalidArn(`Invalid arn ${arn.region}`);
  if (arn.resource.startsWith('alias/')) {
    return { kind: 'alias', name: arn.resource, account: arn.account, region, isArn: true };
  }
  if (!arn.resource.startsWith('key/')) throw invalidArn(`Invalid arn ${text}`);
  return { kind: 'key', name: arn.resource.slice('key/'.length), account: arn.account, region, isArn: true };
}

export function keyArn(key: { readonly account: string; readonly region: string; readonly id: string }): string {
  return formatArn({ service: 'kms', region: key.region, account: key.account, resource: `key/${key.id}` });
}

export function aliasArn(account: string, region: string, name: string): string {
  return formatArn({ service: 'kms', region, account, resource: name });
}
