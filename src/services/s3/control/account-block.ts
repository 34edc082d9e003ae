import type { PublicAccessBlockConfiguration } from '@aws-sdk/client-s3';
import type { AccountId } from '#kernel/ids.ts';
import { type AccessRequest, operation } from '#kernel/operation.ts';
import type { S3Context } from '../context.ts';
import { type PublicAccessBlock, readPublicAccessBlock } from '../domain/public-access-block.ts';
import { notFoundConfiguration } from '../errors.ts';
import { DeletePublicAccessBlock$, GetPublicAccessBlock$, PutPublicAccessBlock$ } from './schemas.ts';

interface AccountInput {
  readonly AccountId: AccountId;
}

interface BlockMember {
  readonly PublicAccessBlockConfiguration: PublicAccessBlockConfiguration;
}

type Nothing = Record<string, never>;

/** No resource policy could let another account in. */
function accountAccess({ AccountId: resourceAccount }: AccountInput, action: string): AccessRequest[] {
  return [{ action, resource: '*', resourceAccount, context: { 's3:ResourceAccount': resourceAccount } }];
}

export const putPublicAccessBlock = operation<S3Context, AccountInput & BlockMember, Nothing>(PutPublicAccessBlock$, {
  authorize: (input) => accountAccess(input, 's3:PutAccountPublicAccessBlock'),
  async handle({ AccountId: account, PublicAccessBlockConfiguration: given }, _call, s3) {
    await s3.store.setAccountBlock(account, readPublicAccessBlock(given));
    return {};
  },
});

export const getPublicAccessBlock = operation<
  S3Context,
  AccountInput,
  { readonly PublicAccessBlockConfiguration: PublicAccessBlock }
>(GetPublicAccessBlock$, {
  authorize: (input) => accountAccess(input, 's3:GetAccountPublicAccessBlock'),
  async handle({ AccountId: account }, _call, s3) {
    const block = await s3.store.findAccountBlock(account);
    if (block !== undefined) return { PublicAccessBlockConfiguration: block };
    throw notFoundConfiguration(
      'NoSuchPublicAccessBlockConfiguration',
      'The public access block configuration was not found',
      account,
    );
  },
});

export const deletePublicAccessBlock = operation<S3Context, AccountInput, Nothing>(DeletePublicAccessBlock$, {
  authorize: (input) => accountAccess(input, 's3:PutAccountPublicAccessBlock'),
  async handle({ AccountId: account }, _call, s3) {
    await s3.store.setAccountBlock(account, undefined);
    return {};
  },
});
