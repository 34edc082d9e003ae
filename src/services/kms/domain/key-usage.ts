import type { KeyUsageType } from '@aws-sdk/client-kms';
import { incompatibleAlgorithm, invalidKeyUsage } from '../errors.ts';
import type { LocatedKey } from './key-locator.ts';
import { keyAlgorithms } from './key-specs.ts';

/**
 * Refuses a key that is not for an operation.
 *
 * @param operation such as `Sign`
 * @throws ServiceError InvalidKeyUsageException
 */
function requireUsage({ key, arn }: LocatedKey, usage: KeyUsageType, operation: string): void {
  if (key.usage !== usage) {
    throw invalidKeyUsage(`${arn} key usage is ${key.usage} which is not valid for ${operation}.`);
  }
}

/**
 * Refuses a key that is not for an operation, or not for the algorithm.
 *
 * @throws ServiceError InvalidKeyUsageException
 */
export function requireAlgorithm(located: LocatedKey, usage: KeyUsageType, algorithm: string, operation: string): void {
  requireUsage(located, usage, operation);
  if (!keyAlgorithms(located.key).includes(algorithm)) throw incompatibleAlgorithm(algorithm, located.key.spec);
}

/** @throws ServiceError InvalidKeyUsageException, where data keys are asked for, for every key but a symmetric encryption key */
export function requireDataKeyKey(located: LocatedKey, operation: string): void {
  requireUsage(located, 'ENCRYPT_DECRYPT', operation);
  if (located.key.spec !== 'SYMMETRIC_DEFAULT') {
    throw invalidKeyUsage('You cannot generate a data key with an asymmetric CMK');
  }
}
