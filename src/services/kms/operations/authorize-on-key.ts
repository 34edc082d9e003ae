import type { AccessRequest, Call, ConditionContext } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { keyAccess } from '../domain/key-access.ts';

/** The authorisation of operations whose resource is the key that `KeyId` names. */
export function authorizeOnKey<Input extends { readonly KeyId?: string | undefined }>(
  action: string,
  contextOf: (input: Input) => ConditionContext = () => ({}),
): (input: Input, call: Call, kms: KmsContext) => Promise<AccessRequest[]> {
  return async (input, call, kms) => {
    const located = await kms.keys.locate(input.KeyId ?? '', call, action);
    return [keyAccess(call, located, action, { context: contextOf(input) })];
  };
}
