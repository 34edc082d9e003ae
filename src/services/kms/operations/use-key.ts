import type { KeyUsageType } from '@aws-sdk/client-kms';
import type { Call } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { type LocatedKey, requireEnabled } from '../domain/key-locator.ts';
import { requireAlgorithm } from '../domain/key-usage.ts';
import { refuseUnsupported } from './crypto-parameters.ts';

interface KeyUse {
  /** The operation's name, such as `Sign`. */
  readonly operation: string;
  readonly usage: KeyUsageType;
  readonly algorithm: string | undefined;
}

/**
 * The key that a request names, found fit for an operation and its algorithm.
 *
 * @throws ServiceError for a parameter that is not carried out, a key that is not there, its state, its usage and its spec
 */
export async function locateForUse(
  input: { readonly KeyId?: string | undefined; readonly GrantTokens?: readonly string[] | undefined },
  call: Call,
  kms: KmsContext,
  { operation, usage, algorithm }: KeyUse,
): Promise<LocatedKey> {
  refuseUnsupported(input);
  const located = await kms.keys.locate(input.KeyId ?? '', call, `kms:${operation}`);
  requireEnabled(located);
  requireAlgorithm(located, usage, algorithm ?? '', operation);
  return located;
}
