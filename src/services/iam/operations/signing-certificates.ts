import {
  DeleteSigningCertificate$,
  type DeleteSigningCertificateRequest,
  ListSigningCertificates$,
  type ListSigningCertificatesRequest,
  type ListSigningCertificatesResponse,
  type SigningCertificate,
  UpdateSigningCertificate$,
  type UpdateSigningCertificateRequest,
  UploadSigningCertificate$,
  type UploadSigningCertificateRequest,
  type UploadSigningCertificateResponse,
} from '@aws-sdk/client-iam';
import { type Call, operation } from '#kernel/operation.ts';
import { UPPER_ALPHANUMERIC } from '#kernel/randomness.ts';
import type { IamContext } from '../context.ts';
import { parseCertificate } from '../domain/certificates.ts';
import { pageOf } from '../domain/page.ts';
import { duplicateCertificate, noSuchEntity, validation } from '../errors.ts';
import type { UserKeyRecord } from '../records/certificates.ts';
import type { IamQueries } from '../store.ts';
import { accessToKeys, type KeyOwner, ownerOf } from './access-keys.ts';
import { callerAccount, creationTime, required } from './targets.ts';
import { addUserKey, findUserKey, listUserKeys } from './user-keys.ts';

const KIND = 'signing-certificate';
const ID_LENGTH = 32;

async function get(
  queries: IamQueries,
  input: { readonly CertificateId: string | undefined; readonly UserName?: string | undefined },
  call: Call,
): Promise<UserKeyRecord> {
  const id = required(input.CertificateId, 'CertificateId');
  const owner = await ownerOf(queries, input.UserName, call);
  const found = await findUserKey(queries, KIND, id, owner, call);
  if (found === undefined) throw noSuchEntity(`The Certificate with id ${id} cannot be found.`);
  return found;
}

function outputOf(record: UserKeyRecord, { userName }: KeyOwner): SigningCertificate {
  return {
    UserName: userName,
    CertificateId: record.id,
    CertificateBody: record.body,
    Status: record.status,
    UploadDate: new Date(record.uploaded_at),
  };
}

/** Nothing here checks signatures that are made with them; they are kept for tools that manage them. */
const uploadSigningCertificate = operation<
  IamContext,
  UploadSigningCertificateRequest,
  UploadSigningCertificateResponse
>(UploadSigningCertificate$, {
  authorize: (input, call, iam) => accessToKeys('iam:UploadSigningCertificate', input.UserName, call, iam),
  async handle(input, call, iam) {
    const body = required(input.CertificateBody, 'CertificateBody');
    const certificate = parseCertificate(body);
    return iam.store.write(async (transaction) => {
      const owner = await ownerOf(transaction, input.UserName, call);
      const record: UserKeyRecord = {
        id: iam.randomness.text(ID_LENGTH, UPPER_ALPHANUMERIC),
        account: callerAccount(call),
        user_id: owner.userId,
        kind: KIND,
        body,
        fingerprint: certificate.fingerprint256,
        status: 'Active',
        uploaded_at: creationTime(call),
      };
      await addUserKey(transaction, record, () => duplicateCertificate('The certificate is associated with the user.'));
      return { Certificate: outputOf(record, owner) };
    });
  },
});

const listSigningCertificates = operation<IamContext, ListSigningCertificatesRequest, ListSigningCertificatesResponse>(
  ListSigningCertificates$,
  {
    authorize: (input, call, iam) => accessToKeys('iam:ListSigningCertificates', input.UserName, call, iam),
    async handle(input, call, iam) {
      const page = pageOf(input);
      const owner = await ownerOf(iam.store.read, input.UserName, call);
      const { items, ...rest } = await listUserKeys(iam.store.read, KIND, owner, call, page);
      return { Certificates: items.map((item) => outputOf(item, owner)), ...rest };
    },
  },
);

const updateSigningCertificate = operation<IamContext, UpdateSigningCertificateRequest, object>(
  UpdateSigningCertificate$,
  {
    authorize: (input, call, iam) => accessToKeys('iam:UpdateSigningCertificate', input.UserName, call, iam),
    async handle(input, call, iam) {
      const status = required(input.Status, 'Status');
      if (status === 'Expired') throw validation('The status of a certificate is Active or Inactive.');
      await iam.store.write(async (transaction) => {
        const { id } = await get(transaction, input, call);
        await transaction.updateTable('iam_user_key').set({ status }).where('id', '=', id).execute();
      });
      return {};
    },
  },
);

const deleteSigningCertificate = operation<IamContext, DeleteSigningCertificateRequest, object>(
  DeleteSigningCertificate$,
  {
    authorize: (input, call, iam) => accessToKeys('iam:DeleteSigningCertificate', input.UserName, call, iam),
    async handle(input, call, iam) {
      await iam.store.write(async (transaction) => {
        const { id } = await get(transaction, input, call);
        await transaction.deleteFrom('iam_user_key').where('id', '=', id).execute();
      });
      return {};
    },
  },
);

export const signingCertificateOperations = [
  uploadSigningCertificate,
  listSigningCertificates,
  updateSigningCertificate,
  deleteSigningCertificate,
];
