import type { Call } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { readKeyIdentifier } from '../domain/key-identifier.ts';
import { callerAccount, type LocatedKey } from '../domain/key-locator.ts';
import { validation } from '../errors.ts';

/** Some operations take a key's id or ARN, never an alias. */
export async function locateByKeyId(
  keyId: string | undefined,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<LocatedKey> {
  const name = keyId ?? '';
  // Before it is looked for: whether another account has such an alias is not told.
  const isAlias = readKeyIdentifier(name, callerAccount(call.caller, action), call.region).kind === 'alias';
  if (isAlias) throw validation(`Invalid keyId '${name}': an alias is not allowed here.`);
  return await kms.keys.locate(name, call, action);
}
