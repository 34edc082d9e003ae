import { accountOf } from '#kernel/caller.ts';
import type { AccessRequest, Call } from '#kernel/operation.ts';

/** The authorisation of operations on custom key stores, which no ARN names. */
export function authorizeOnKeyStores(action: string): (input: unknown, call: Call) => readonly AccessRequest[] {
  return (_input, call) => [{ action, resource: '*', context: { 'kms:CallerAccount': accountOf(call.caller) } }];
}
