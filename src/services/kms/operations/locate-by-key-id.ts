import type { Call } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import type { LocatedKey } from '../domain/key-locator.ts';
import { validation } from '../errors.ts';

/** Some operations take a key's id or ARN, never an alias. */
export async function locateByKeyId(
  keyId: string | undefined,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<LocatedKey> {
  const located = await kms.keys.locate(keyId ?? '', call, action);
  if (located.requestAlias !== undefined) throw validation(`Invalid keyId '${keyId}': an alias is not allowed here.`);
  return located;
}
