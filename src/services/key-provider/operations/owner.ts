import { accountOf } from '#kernel/caller.ts';
import type { Call } from '#kernel/operation.ts';
import { accessDenied } from '../errors.ts';
import type { ContentOwner } from '../provider-role.ts';

/** Contents are the caller's account's, in the region in which it asks. */
export function ownerOf(call: Call): ContentOwner {
  const account = accountOf(call.caller);
  if (account === undefined) throw accessDenied('Anonymous callers have no account.');
  return { account, region: call.region };
}
