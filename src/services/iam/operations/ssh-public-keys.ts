import {
  DeleteSSHPublicKey$,
  type DeleteSSHPublicKeyRequest,
  GetSSHPublicKey$,
  type GetSSHPublicKeyRequest,
  type GetSSHPublicKeyResponse,
  ListSSHPublicKeys$,
  type ListSSHPublicKeysRequest,
  type ListSSHPublicKeysResponse,
  UpdateSSHPublicKey$,
  type UpdateSSHPublicKeyRequest,
  UploadSSHPublicKey$,
  type UploadSSHPublicKeyRequest,
  type UploadSSHPublicKeyResponse,
} from '@aws-sdk/client-iam';
import { type Call, operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { uniqueId } from '../domain/identifiers.ts';
import { pageOf } from '../domain/page.ts';
import { parseSshKey } from '../domain/ssh-keys.ts';
import { duplicateSshPublicKey, noSuchEntity, validation } from '../errors.ts';
import type { UserKeyRecord } from '../records/certificates.ts';
import type { IamQueries } from '../store.ts';
import { accessToKeys, ownerOf } from './access-keys.ts';
import { callerAccount, creationTime, required } from './targets.ts';
import { addUserKey, findUserKey, listUserKeys } from './user-keys.ts';

const KIND = 'ssh-public-key';

async function get(
  queries: IamQueries,
  input: { readonly SSHPublicKeyId: string | undefined; readonly UserName: string | undefined },
  call: Call,
) {
  const id = required(input.SSHPublicKeyId, 'SSHPublicKeyId');
  const owner = await ownerOf(queries, required(input.UserName, 'UserName'), call);
  const record = await findUserKey(queries, KIND, id, owner, call);
  if (record === undefined) throw noSuchEntity(`The SSH public key with id ${id} cannot be found.`);
  return { record, owner };
}

function factsOf(record: UserKeyRecord, userName: string | undefined) {
  return {
    UserName: userName,
    SSHPublicKeyId: record.id,
    Status: record.status,
    UploadDate: new Date(record.uploaded_at),
  };
}

/** In AWS they open CodeCommit's repositories; here nothing. They are kept for tools that manage them. */
const uploadSshPublicKey = operation<IamContext, UploadSSHPublicKeyRequest, UploadSSHPublicKeyResponse>(
  UploadSSHPublicKey$,
  {
    authorize: (input, call, iam) => accessToKeys('iam:UploadSSHPublicKey', input.UserName, call, iam),
    async handle(input, call, iam) {
      const body = required(input.SSHPublicKeyBody, 'SSHPublicKeyBody');
      const { fingerprint } = parseSshKey(body);
      return iam.store.write(async (transaction) => {
        const owner = await ownerOf(transaction, required(input.UserName, 'UserName'), call);
        const record: UserKeyRecord = {
          id: uniqueId('APKA', iam.randomness),
          account: callerAccount(call),
          user_id: owner.userId,
          kind: KIND,
          body,
          fingerprint,
          status: 'Active',
          uploaded_at: creationTime(call),
        };
        await addUserKey(transaction, record, () =>
          duplicateSshPublicKey('The SSH public key is already associated with the user.'),
        );
        return {
          SSHPublicKey: {
            ...factsOf(record, owner.userName),
            Fingerprint: fingerprint,
            SSHPublicKeyBody: body,
          },
        };
      });
    },
  },
);

const getSshPublicKey = operation<IamContext, GetSSHPublicKeyRequest, GetSSHPublicKeyResponse>(GetSSHPublicKey$, {
  authorize: (input, call, iam) => accessToKeys('iam:GetSSHPublicKey', input.UserName, call, iam),
  async handle(input, call, iam) {
    const { record, owner } = await get(iam.store.read, input, call);
    const { ssh, pem } = parseSshKey(record.body);
    return {
      SSHPublicKey: {
        ...factsOf(record, owner.userName),
        Fingerprint: record.fingerprint,
        SSHPublicKeyBody: input.Encoding === 'PEM' ? pem : ssh,
      },
    };
  },
});

const listSshPublicKeys = operation<IamContext, ListSSHPublicKeysRequest, ListSSHPublicKeysResponse>(
  ListSSHPublicKeys$,
  {
    authorize: (input, call, iam) => accessToKeys('iam:ListSSHPublicKeys', input.UserName, call, iam),
    async handle(input, call, iam) {
      const page = pageOf(input);
      const owner = await ownerOf(iam.store.read, input.UserName, call);
      const { items, ...rest } = await listUserKeys(iam.store.read, KIND, owner, call, page);
      return { SSHPublicKeys: items.map((item) => factsOf(item, owner.userName)), ...rest };
    },
  },
);

const updateSshPublicKey = operation<IamContext, UpdateSSHPublicKeyRequest, object>(UpdateSSHPublicKey$, {
  authorize: (input, call, iam) => accessToKeys('iam:UpdateSSHPublicKey', input.UserName, call, iam),
  async handle(input, call, iam) {
    const status = required(input.Status, 'Status');
    if (status === 'Expired') throw validation('The status of an SSH public key is Active or Inactive.');
    await iam.store.write(async (transaction) => {
      const { record } = await get(transaction, input, call);
      await transaction.updateTable('iam_user_key').set({ status }).where('id', '=', record.id).execute();
    });
    return {};
  },
});

const deleteSshPublicKey = operation<IamContext, DeleteSSHPublicKeyRequest, object>(DeleteSSHPublicKey$, {
  authorize: (input, call, iam) => accessToKeys('iam:DeleteSSHPublicKey', input.UserName, call, iam),
  async handle(input, call, iam) {
    await iam.store.write(async (transaction) => {
      const { record } = await get(transaction, input, call);
      await transaction.deleteFrom('iam_user_key').where('id', '=', record.id).execute();
    });
    return {};
  },
});

export const sshPublicKeyOperations = [
  uploadSshPublicKey,
  getSshPublicKey,
  listSshPublicKeys,
  updateSshPublicKey,
  deleteSshPublicKey,
];
