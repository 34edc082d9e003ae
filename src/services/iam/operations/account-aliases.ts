import {
  CreateAccountAlias$,
  type CreateAccountAliasRequest,
  DeleteAccountAlias$,
  type DeleteAccountAliasRequest,
  ListAccountAliases$,
  type ListAccountAliasesRequest,
  type ListAccountAliasesResponse,
} from '@aws-sdk/client-iam';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { pageOfList } from '../domain/page.ts';
import { alreadyExists, noSuchEntity } from '../errors.ts';
import { callerAccount, required } from './targets.ts';

/** An account has one alias: a new one takes the place of the old, as in AWS. */
const createAccountAlias = operation<IamContext, CreateAccountAliasRequest, object>(CreateAccountAlias$, {
  authorize: () => [{ action: 'iam:CreateAccountAlias', resource: '*' }],
  async handle(input, call, iam) {
    const account = callerAccount(call);
    const alias = required(input.AccountAlias, 'AccountAlias');
    await iam.store.write(async (transaction) => {
      const taken = await transaction
        .selectFrom('iam_account_alias')
        .select('account')
        .where('alias', '=', alias)
        .executeTakeFirst();
      if (taken !== undefined) throw alreadyExists(`The account alias ${alias} already exists.`);
      await transaction
        .insertInto('iam_account_alias')
        .values({ account, alias })
        .onConflict((conflict) => conflict.column('account').doUpdateSet({ alias }))
        .execute();
    });
    return {};
  },
});

const deleteAccountAlias = operation<IamContext, DeleteAccountAliasRequest, object>(DeleteAccountAlias$, {
  authorize: () => [{ action: 'iam:DeleteAccountAlias', resource: '*' }],
  async handle(input, call, iam) {
    const alias = required(input.AccountAlias, 'AccountAlias');
    const result = await iam.store.write((transaction) =>
      transaction
        .deleteFrom('iam_account_alias')
        .where('account', '=', callerAccount(call))
        .where('alias', '=', alias)
        .executeTakeFirst(),
    );
    if (result.numDeletedRows === 0n) throw noSuchEntity(`The account alias with name ${alias} does not exist.`);
    return {};
  },
});

const listAccountAliases = operation<IamContext, ListAccountAliasesRequest, ListAccountAliasesResponse>(
  ListAccountAliases$,
  {
    authorize: () => [{ action: 'iam:ListAccountAliases', resource: '*' }],
    async handle(input, call, iam) {
      const rows = await iam.store.read
        .selectFrom('iam_account_alias')
        .select('alias')
        .where('account', '=', callerAccount(call))
        .execute();
      const { items, ...rest } = pageOfList(rows, input, (row) => row.alias);
      return { AccountAliases: items.map((row) => row.alias), ...rest };
    },
  },
);

export const accountAliasOperations = [createAccountAlias, deleteAccountAlias, listAccountAliases];
