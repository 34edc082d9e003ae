import {
  CreateAlias$,
  type CreateAliasRequest,
  DeleteAlias$,
  type DeleteAliasRequest,
  ListAliases$,
  type ListAliasesRequest,
  type ListAliasesResponse,
  UpdateAlias$,
  type UpdateAliasRequest,
} from '@aws-sdk/client-kms';
import type { AccountId } from '#kernel/ids.ts';
import { type AccessRequest, type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { keyAccess } from '../domain/key-access.ts';
import { aliasArn } from '../domain/key-identifier.ts';
import { callerAccount, deletionProblem, foreignKeyDenied, type LocatedKey } from '../domain/key-locator.ts';
import { isReservedAlias } from '../domain/key-policies.ts';
import { readPage } from '../domain/pagination.ts';
import { aliasNotFound, alreadyExists, invalidAliasName, invalidState, limitExceeded, validation } from '../errors.ts';

const USUAL = { limit: 50 };
const MAX_ALIASES_OF_KEY = 50;
const ALIAS_NAME = /^alias\/[a-zA-Z0-9/_-]+$/;

export const createAlias = operation<KmsContext, CreateAliasRequest, Record<string, never>>(CreateAlias$, {
  authorize: (input, call, kms) =>
    authorizeAlias('kms:CreateAlias', input.AliasName ?? '', [input.TargetKeyId ?? ''], call, kms),
  async handle(input, call, kms) {
    const name = checkAliasName(input.AliasName ?? '');
    const target = await locateTarget(input.TargetKeyId ?? '', call, kms, 'kms:CreateAlias');
    const account = target.key.account;
    await kms.store.write(async (transaction) => {
      const names = await transaction
        .selectFrom('kms_alias')
        .select('name')
        .where('region', '=', call.region)
        .where('key_id', '=', target.key.id)
        .execute();
      if (names.length >= MAX_ALIASES_OF_KEY) throw limitExceeded('Aliases per key limit exceeded');
      const inserted = await transaction
        .insertInto('kms_alias')
        .values({
          account,
          region: call.region,
          name,
          key_id: target.key.id,
          created_at: call.now,
          updated_at: call.now,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (inserted.numInsertedOrUpdatedRows === 0n) {
        throw alreadyExists(`An alias with the name ${aliasArn(account, call.region, name)} already exists`);
      }
    });
    return {};
  },
});

export const updateAlias = operation<KmsContext, UpdateAliasRequest, Record<string, never>>(UpdateAlias$, {
  async authorize(input, call, kms) {
    const alias = await requireAlias(input.AliasName ?? '', call, kms, 'kms:UpdateAlias');
    return authorizeAlias('kms:UpdateAlias', alias.name, [alias.key_id, input.TargetKeyId ?? ''], call, kms);
  },
  async handle(input, call, kms) {
    const name = checkAliasName(input.AliasName ?? '');
    const alias = await requireAlias(name, call, kms, 'kms:UpdateAlias');
    const target = await locateTarget(input.TargetKeyId ?? '', call, kms, 'kms:UpdateAlias');
    await kms.store.write(async (transaction) => {
      const updated = await transaction
        .updateTable('kms_alias')
        .set({ key_id: target.key.id, updated_at: call.now })
        .where('account', '=', target.key.account)
        .where('region', '=', call.region)
        .where('name', '=', name)
        .where('key_id', '=', alias.key_id)
        .executeTakeFirst();
      if (updated.numUpdatedRows === 0n) throw aliasNotFound(aliasArn(target.key.account, call.region, name));
    });
    return {};
  },
});

export const deleteAlias = operation<KmsContext, DeleteAliasRequest, Record<string, never>>(DeleteAlias$, {
  async authorize(input, call, kms) {
    const alias = await requireAlias(input.AliasName ?? '', call, kms, 'kms:DeleteAlias');
    return authorizeAlias('kms:DeleteAlias', alias.name, [alias.key_id], call, kms);
  },
  async handle(input, call, kms) {
    const name = checkAliasName(input.AliasName ?? '');
    const { account, key_id } = await requireAlias(name, call, kms, 'kms:DeleteAlias');
    await kms.store.write(async (transaction) => {
      const deleted = await transaction
        .deleteFrom('kms_alias')
        .where('account', '=', account)
        .where('region', '=', call.region)
        .where('name', '=', name)
        .where('key_id', '=', key_id)
        .executeTakeFirst();
      if (deleted.numDeletedRows === 0n) throw aliasNotFound(aliasArn(account, call.region, name));
    });
    return {};
  },
});

export const listAliases = operation<KmsContext, ListAliasesRequest, ListAliasesResponse>(ListAliases$, {
  authorize: () => [{ action: 'kms:ListAliases', resource: '*' }],
  async handle(input, call, kms) {
    const account = callerAccount(call.caller, 'kms:ListAliases');
    const keyId = input.KeyId === undefined ? undefined : await locateOwn(input.KeyId, account, call, kms);
    const { items, ...page } = await readPage(
      input,
      USUAL,
      (after, count) => kms.store.listAliases(account, call.region, keyId, after, count),
      (alias) => alias.name,
    );
    return {
      Aliases: items.map((alias) => ({
        AliasName: alias.name,
        AliasArn: aliasArn(alias.account, alias.region, alias.name),
        TargetKeyId: alias.key_id,
        CreationDate: new Date(alias.created_at),
        LastUpdatedDate: new Date(alias.updated_at),
      })),
      ...page,
    };
  },
});

/** The id of a key of the caller's account; of other accounts' keys it is not told whether they are there. */
async function locateOwn(keyId: string, account: AccountId, call: Call, kms: KmsContext): Promise<string> {
  const { key } = await kms.keys.locate(keyId, call, 'kms:ListAliases');
  if (key.account !== account) throw foreignKeyDenied(call.caller, 'kms:ListAliases', keyId);
  return key.id;
}

/** An alias operation needs its permission on the alias (identity policies) and on each key (key policy too). */
async function authorizeAlias(
  action: string,
  name: string,
  keyIds: readonly string[],
  call: Call,
  kms: KmsContext,
): Promise<AccessRequest[]> {
  const account = callerAccount(call.caller, action);
  const requests: AccessRequest[] = [{ action, resource: aliasArn(account, call.region, name) }];
  for (const keyId of keyIds) {
    const located = await kms.keys.locate(keyId, call, action);
    requests.push(keyAccess(call, located, action));
  }
  return requests;
}

/** The alias as it was authorised: one that leads elsewhere by now is another one, and not changed. */
async function requireAlias(name: string, call: Call, kms: KmsContext, action: string) {
  const account = callerAccount(call.caller, action);
  const alias = await kms.keys.findAlias(account, name, call);
  if (alias === undefined) throw aliasNotFound(aliasArn(account, call.region, name));
  return alias;
}

function checkAliasName(name: string): string {
  if (!name.startsWith('alias/')) throw invalidAliasName('Alias must start with the prefix "alias/".');
  if (!ALIAS_NAME.test(name)) {
    throw invalidAliasName(`${name} contains invalid characters for an alias`);
  }
  if (isReservedAlias(name))
    throw invalidAliasName(`${name} is reserved: aliases that begin with alias/aws/ are AWS's own`);
  return name;
}

async function locateTarget(keyId: string, call: Call, kms: KmsContext, action: string): Promise<LocatedKey> {
  if (keyId.includes('alias/')) throw validation('Aliases must refer to keys. Not aliases');
  const target = await kms.keys.locate(keyId, call, action);
  const problem = deletionProblem(target.key.state);
  if (problem !== undefined) throw invalidState(target.arn, problem);
  return target;
}
