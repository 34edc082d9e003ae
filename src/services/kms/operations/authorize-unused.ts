import type { AccessRequest, Call, ConditionContext } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { keyAccess } from '../domain/key-access.ts';

const DAY_MS = 86_400_000;

/**
 * As `authorizeOnKey`, for what takes a key out of use: policies can protect keys that were used lately, by the whole days
 * since the last use; of a key that was never used, since it was made or uses were first kept.
 */
export function authorizeUnused<Input extends { readonly KeyId?: string | undefined }>(
  action: string,
  contextOf: (input: Input) => ConditionContext = () => ({}),
): (input: Input, call: Call, kms: KmsContext) => Promise<AccessRequest[]> {
  return async (input, call, kms) => {
    const located = await kms.keys.locate(input.KeyId ?? '', call, action);
    const { key } = located;
    const { use, since } = await kms.usage.lastUseOf(key.region, key.id);
    const from = use?.used_at ?? Math.max(since, key.created_at);
    const days = Math.max(0, Math.floor((call.now - from) / DAY_MS));
    const context = { ...contextOf(input), 'kms:TrailingDaysWithoutKeyUsage': String(days) };
    return [keyAccess(call, located, action, { context })];
  };
}
