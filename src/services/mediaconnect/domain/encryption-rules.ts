import type { Encryption } from '@aws-sdk/client-mediaconnect';
import { parseArn } from '#kernel/arn.ts';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { GivenEncryption } from '../api-types.ts';
import { badRequest, notCarriedOut } from '../errors.ts';

/** Whose secrets and roles may be used. */
export interface KeyScope {
  readonly account: AccountId;
  readonly region: Region;
}

export type CarriedKeyType = 'static-key' | 'srt-password';

const OF_SPEKE = ['ConstantInitializationVector', 'DeviceId', 'Region', 'ResourceId', 'Url'] as const;

/**
 * Checks how something is to be encrypted, and fills in what AWS assumes.
 *
 * @param allowed the one kind of key that the protocol (or an entitlement) takes; `undefined` for protocols that cannot
 *   be encrypted
 * @param where such as `Source camera: Decryption`
 * @throws ServiceError BadRequestException
 */
export function checkEncryption(
  given: GivenEncryption,
  allowed: CarriedKeyType | undefined,
  scope: KeyScope,
  where: string,
): Encryption {
  const keyType = given.KeyType ?? 'static-key';
  if (keyType === 'speke') {
    throw notCarriedOut(`${where}: KeyType speke`, 'there is no key server to ask. Use static-key or srt-password.');
  }
  if (allowed === undefined) throw badRequest(`${where}: the protocol cannot be encrypted. Use SRT or Zixi.`);
  if (keyType !== allowed) {
    throw badRequest(
      `${where}: KeyType must be ${allowed} here, not ${keyType}${given.KeyType ? '' : ' (the default)'}.`,
    );
  }
  for (const member of OF_SPEKE) {
    if (given[member] !== undefined)
      throw badRequest(`${where}: ${member} is of SPEKE; it is not valid with ${keyType}.`);
  }
  if (keyType === 'static-key' && given.Algorithm === undefined) {
    throw badRequest(`${where}: Algorithm is required for static-key: aes128, aes192 or aes256.`);
  }
  return {
    RoleArn: checkRoleArn(given.RoleArn, scope, `${where}: RoleArn`),
    SecretArn: checkSecretArn(given.SecretArn, scope, `${where}: SecretArn`),
    KeyType: keyType,
    ...(given.Algorithm !== undefined && { Algorithm: given.Algorithm }),
  };
}

/** @throws ServiceError BadRequestException */
export function checkRoleArn(arn: string | undefined, { account }: KeyScope, where: string): string {
  if (arn === undefined) throw badRequest(`${where} is required.`);
  const parts = parseArn(arn);
  if (parts?.service !== 'iam' || !/^role\/([\x21-\x7e]+\/)?[\w+=,.@-]{1,64}$/.test(parts.resource)) {
    throw badRequest(`${where} must be the ARN of an IAM role, not ${arn}.`);
  }
  if (parts.account !== account)
    throw badRequest(`${where}: the role ${arn} must be of the flow's account, ${account}.`);
  return arn;
}

function checkSecretArn(arn: string | undefined, { account, region }: KeyScope, where: string): string {
  if (arn === undefined) throw badRequest(`${where} is required.`);
  const parts = parseArn(arn);
  if (parts?.service !== 'secretsmanager' || !/^secret:[A-Za-z0-9/_+=.@-]{1,512}$/.test(parts.resource)) {
    throw badRequest(`${where} must be the ARN of a secret in Secrets Manager.`);
  }
  if (parts.account !== account) {
    throw badRequest(`${where}: the secret must be of the flow's account, ${account}, not of ${parts.account}.`);
  }
  if (parts.region !== region) {
    throw badRequest(
      `${where}: the secret must be in the flow's Region, ${region}, not in ${parts.region}. Store a copy of it there.`,
    );
  }
  return arn;
}
