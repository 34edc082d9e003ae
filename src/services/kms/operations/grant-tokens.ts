import type { Region } from '#kernel/ids.ts';
import type { Operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { readGrantToken } from '../domain/grant-token.ts';
import { invalidGrantToken } from '../errors.ts';
import type { GrantRecord } from '../grant-store.ts';

type KmsOperation = Operation<KmsContext, never, unknown>;

/**
 * Every operation that takes grant tokens takes those of grants that are there, on whatever key, and refuses all others.
 * A token opens nothing: here a grant allows what it does from the moment in which it is made.
 */
export function takingGrantTokens(built: KmsOperation): KmsOperation {
  const { authorize } = built;
  if (typeof authorize !== 'function') return built;
  return {
    ...built,
    async authorize(input, call, kms) {
      const requests = await authorize(input, call, kms);
      const { GrantTokens: tokens = [] } = input as { readonly GrantTokens?: readonly string[] };
      for (const token of tokens) await findByToken(token, call.region, kms);
      return requests;
    },
  };
}

/** @throws ServiceError InvalidGrantTokenException */
export async function findByToken(token: string, region: Region, kms: KmsContext): Promise<GrantRecord> {
  const read = readGrantToken(token);
  const grant = read && (await kms.store.grants.find(region, read.grantId));
  if (grant === undefined || !read?.isOf(grant.token_key)) throw invalidGrantToken();
  return grant;
}
