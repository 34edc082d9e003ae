import {
  CreateAccessKey$,
  type CreateAccessKeyRequest,
  type CreateAccessKeyResponse,
  DeleteAccessKey$,
  type DeleteAccessKeyRequest,
  ListAccessKeys$,
  type ListAccessKeysRequest,
  type ListAccessKeysResponse,
  UpdateAccessKey$,
  type UpdateAccessKeyRequest,
} from '@aws-sdk/client-iam';
import { type AccessRequest, type Call, operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { accessKeyRecord } from '../domain/access-keys.ts';
import { newAccessKeyId, newSecretAccessKey } from '../domain/identifiers.ts';
import { cutPage, pageOf } from '../domain/page.ts';
import { noSuchEntity, quotaExceeded, validation } from '../errors.ts';
import type { AccessKeyRecord, IamQueries } from '../store.ts';
import { accessToPrincipal, callerAccount, creationTime, getPrincipal, required } from './targets.ts';

const MAX_KEYS = 2;

/** Whose keys a call is about: a user's, or the root user's own. */
export interface KeyOwner {
  readonly userId: string | null;
  readonly userName: string | undefined;
}

/** The user that is named, or the caller. */
function targetName(userName: string | undefined, call: Call): string | undefined {
  if (userName !== undefined || call.caller.type === 'root') return userName;
  if (call.caller.type === 'user') return call.caller.userName;
  throw validation('Must specify userName when calling with non-User credentials');
}

export async function accessToKeys(
  action: string,
  userName: string | undefined,
  call: Call,
  iam: IamContext,
): Promise<AccessRequest[]> {
  const name = targetName(userName, call);
  if (name !== undefined) return accessToPrincipal(action, 'user', name, call, iam);
  return [{ action, resource: `arn:aws:iam::${callerAccount(call)}:root` }];
}

export async function ownerOf(queries: IamQueries, userName: string | undefined, call: Call): Promise<KeyOwner> {
  const name = targetName(userName, call);
  if (name === undefined) return { userId: null, userName: undefined };
  const user = await getPrincipal(queries, callerAccount(call), 'user', name);
  return { userId: user.id, userName: user.name };
}

async function getKey(queries: IamQueries, keyId: string, owner: KeyOwner, call: Call): Promise<AccessKeyRecord> {
  const key = await queries
    .selectFrom('iam_access_key')
    .selectAll()
    .where('id', '=', keyId)
    .where('account', '=', callerAccount(call))
    .where('user_id', 'is', owner.userId)
    .executeTakeFirst();
  if (key === undefined) throw noSuchEntity(`The Access Key with id ${keyId} cannot be found.`);
  return key;
}

export const createAccessKey = operation<IamContext, CreateAccessKeyRequest, CreateAccessKeyResponse>(
  CreateAccessKey$,
  {
    authorize: (input, call, iam) => accessToKeys('iam:CreateAccessKey', input.UserName, call, iam),
    async handle(input, call, iam) {
      const account = callerAccount(call);
      const id = newAccessKeyId('AKIA', iam.randomness);
      const secret = newSecretAccessKey(iam.randomness);
      const now = creationTime(call);
      const owner = await iam.store.write(async (transaction) => {
        const found = await ownerOf(transaction, input.UserName, call);
        const existing = await transaction
          .selectFrom('iam_access_key')
          .select('id')
          .where('account', '=', account)
          .where('user_id', 'is', found.userId)
          .execute();
        if (existing.length >= MAX_KEYS) throw quotaExceeded('AccessKeysPerUser', MAX_KEYS);
        const userId = found.userId === null ? {} : { userId: found.userId };
        const record = accessKeyRecord({ id, secret, account, now, ...userId }, iam.rootKey);
        await transaction.insertInto('iam_access_key').values(record).execute();
        return found;
      });
      return {
        AccessKey: {
          UserName: owner.userName,
          AccessKeyId: id,
          Status: 'Active',
          SecretAccessKey: secret,
          CreateDate: new Date(now),
        },
      };
    },
  },
);

export const updateAccessKey = operation<IamContext, UpdateAccessKeyRequest, object>(UpdateAccessKey$, {
  authorize: (input, call, iam) => accessToKeys('iam:UpdateAccessKey', input.UserName, call, iam),
  async handle(input, call, iam) {
    const status = required(input.Status, 'Status');
    if (status === 'Expired') throw validation('The status of an access key is Active or Inactive.');
    await iam.store.write(async (transaction) => {
      const owner = await ownerOf(transaction, input.UserName, call);
      const key = await getKey(transaction, required(input.AccessKeyId, 'AccessKeyId'), owner, call);
      await transaction.updateTable('iam_access_key').set({ status }).where('id', '=', key.id).execute();
    });
    return {};
  },
});

export const deleteAccessKey = operation<IamContext, DeleteAccessKeyRequest, object>(DeleteAccessKey$, {
  authorize: (input, call, iam) => accessToKeys('iam:DeleteAccessKey', input.UserName, call, iam),
  async handle(input, call, iam) {
    await iam.store.write(async (transaction) => {
      const owner = await ownerOf(transaction, input.UserName, call);
      const key = await getKey(transaction, required(input.AccessKeyId, 'AccessKeyId'), owner, call);
      await transaction.deleteFrom('iam_last_use').where('subject', '=', key.id).execute();
      await transaction.deleteFrom('iam_access_key').where('id', '=', key.id).execute();
    });
    return {};
  },
});

export const listAccessKeys = operation<IamContext, ListAccessKeysRequest, ListAccessKeysResponse>(ListAccessKeys$, {
  authorize: (input, call, iam) => accessToKeys('iam:ListAccessKeys', input.UserName, call, iam),
  async handle(input, call, iam) {
    const page = pageOf(input);
    const owner = await ownerOf(iam.store.read, input.UserName, call);
    const rows = await iam.store.read
      .selectFrom('iam_access_key')
      .select(['id', 'status', 'created_at'])
      .where('account', '=', callerAccount(call))
      .where('user_id', 'is', owner.userId)
      .where('id', '>', page.after)
      .orderBy('id')
      .limit(page.limit + 1)
      .execute();
    const { items, ...rest } = cutPage(rows, page, (row) => row.id);
    const AccessKeyMetadata = items.map((row) => ({
      ...(owner.userName !== undefined && { UserName: owner.userName }),
      AccessKeyId: row.id,
      Status: row.status,
      CreateDate: new Date(row.created_at),
    }));
    return { AccessKeyMetadata, ...rest };
  },
});
