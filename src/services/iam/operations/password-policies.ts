import {
  DeleteAccountPasswordPolicy$,
  GetAccountPasswordPolicy$,
  type GetAccountPasswordPolicyResponse,
  UpdateAccountPasswordPolicy$,
  type UpdateAccountPasswordPolicyRequest,
} from '@aws-sdk/client-iam';
import type { AccountId } from '#kernel/ids.ts';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { noSuchEntity } from '../errors.ts';
import type { PasswordPolicyRecord } from '../records/passwords.ts';
import type { IamQueries } from '../store.ts';
import { callerAccount } from './targets.ts';

/** What an update that says nothing of the length asks for. */
const DEFAULT_LENGTH = 6;

export function findPasswordPolicy(queries: IamQueries, account: AccountId): Promise<PasswordPolicyRecord | undefined> {
  return queries.selectFrom('iam_password_policy').selectAll().where('account', '=', account).executeTakeFirst();
}

const number = (value: boolean | undefined): number => (value === true ? 1 : 0);

/** What it does not name goes back to its default, as in AWS. */
const updateAccountPasswordPolicy = operation<IamContext, UpdateAccountPasswordPolicyRequest, object>(
  UpdateAccountPasswordPolicy$,
  {
    authorize: () => [{ action: 'iam:UpdateAccountPasswordPolicy', resource: '*' }],
    async handle(input, call, iam) {
      const account = callerAccount(call);
      const rules = {
        min_length: input.MinimumPasswordLength ?? DEFAULT_LENGTH,
        symbols: number(input.RequireSymbols),
        numbers: number(input.RequireNumbers),
        uppercase: number(input.RequireUppercaseCharacters),
        lowercase: number(input.RequireLowercaseCharacters),
        users_may_change: number(input.AllowUsersToChangePassword),
        max_age: input.MaxPasswordAge ?? null,
        reuse_prevention: input.PasswordReusePrevention ?? null,
        hard_expiry: input.HardExpiry === undefined ? null : number(input.HardExpiry),
      };
      await iam.store.write((transaction) =>
        transaction
          .insertInto('iam_password_policy')
          .values({ account, ...rules })
          .onConflict((conflict) => conflict.column('account').doUpdateSet(rules))
          .execute(),
      );
      return {};
    },
  },
);

const getAccountPasswordPolicy = operation<IamContext, object, GetAccountPasswordPolicyResponse>(
  GetAccountPasswordPolicy$,
  {
    authorize: () => [{ action: 'iam:GetAccountPasswordPolicy', resource: '*' }],
    async handle(_input, call, iam) {
      const account = callerAccount(call);
      const policy = await findPasswordPolicy(iam.store.read, account);
      if (policy === undefined) {
        throw noSuchEntity(`The Password Policy with domain name ${account} cannot be found.`);
      }
      return {
        PasswordPolicy: {
          MinimumPasswordLength: policy.min_length,
          RequireSymbols: policy.symbols === 1,
          RequireNumbers: policy.numbers === 1,
          RequireUppercaseCharacters: policy.uppercase === 1,
          RequireLowercaseCharacters: policy.lowercase === 1,
          AllowUsersToChangePassword: policy.users_may_change === 1,
          ExpirePasswords: policy.max_age !== null,
          ...(policy.max_age !== null && { MaxPasswordAge: policy.max_age }),
          ...(policy.reuse_prevention !== null && { PasswordReusePrevention: policy.reuse_prevention }),
          ...(policy.hard_expiry !== null && { HardExpiry: policy.hard_expiry === 1 }),
        },
      };
    },
  },
);

const deleteAccountPasswordPolicy = operation<IamContext, object, object>(DeleteAccountPasswordPolicy$, {
  authorize: () => [{ action: 'iam:DeleteAccountPasswordPolicy', resource: '*' }],
  async handle(_input, call, iam) {
    const account = callerAccount(call);
    const result = await iam.store.write((transaction) =>
      transaction.deleteFrom('iam_password_policy').where('account', '=', account).executeTakeFirst(),
    );
    if (result.numDeletedRows === 0n) {
      throw noSuchEntity('The account policy with name PasswordPolicy cannot be found.');
    }
    return {};
  },
});

export const passwordPolicyOperations = [
  updateAccountPasswordPolicy,
  getAccountPasswordPolicy,
  deleteAccountPasswordPolicy,
];
