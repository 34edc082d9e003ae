import {
  DeleteServerCertificate$,
  type DeleteServerCertificateRequest,
  GetServerCertificate$,
  type GetServerCertificateRequest,
  type GetServerCertificateResponse,
  ListServerCertificates$,
  type ListServerCertificatesRequest,
  type ListServerCertificatesResponse,
  ListServerCertificateTags$,
  type ListServerCertificateTagsRequest,
  type ServerCertificateMetadata,
  TagServerCertificate$,
  type TagServerCertificateRequest,
  UntagServerCertificate$,
  type UntagServerCertificateRequest,
  UpdateServerCertificate$,
  type UpdateServerCertificateRequest,
  UploadServerCertificate$,
  type UploadServerCertificateRequest,
  type UploadServerCertificateResponse,
} from '@aws-sdk/client-iam';
import { sql } from 'kysely';
import type { AccountId } from '#kernel/ids.ts';
import { type Call, operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { checkServerCertificate, sealPrivateKey } from '../domain/certificates.ts';
import { entityArn, nameKey, uniqueId } from '../domain/identifiers.ts';
import { cutPage, pageOf } from '../domain/page.ts';
import { tagList, tagMap } from '../domain/tags.ts';
import { alreadyExists, noSuchEntity } from '../errors.ts';
import type { ServerCertificateRecord } from '../records/certificates.ts';
import type { IamQueries } from '../store.ts';
import { accessToEntity, accessToList } from './named-entities.ts';
import { putTags } from './principals.ts';
import { checkQuota } from './quotas.ts';
import { listTagsOperation, tagOperation, type Taggable, untagOperation } from './tags.ts';
import { callerAccount, creationTime, required } from './targets.ts';

const KIND = 'server-certificate';

function find(queries: IamQueries, account: AccountId, name: string): Promise<ServerCertificateRecord | undefined> {
  return queries
    .selectFrom('iam_server_certificate')
    .selectAll()
    .where('account', '=', account)
    .where('name_key', '=', nameKey(name))
    .executeTakeFirst();
}

/** @throws ServiceError NoSuchEntity */
async function get(queries: IamQueries, call: Call, given: string | undefined): Promise<ServerCertificateRecord> {
  const name = required(given, 'ServerCertificateName');
  const found = await find(queries, callerAccount(call), name);
  if (found === undefined) throw noSuchEntity(`The Server Certificate with name ${name} cannot be found.`);
  return found;
}

/** @throws ServiceError EntityAlreadyExists */
async function checkNameIsFree(queries: IamQueries, account: AccountId, name: string): Promise<void> {
  if ((await find(queries, account, name)) === undefined) return;
  throw alreadyExists(`The Server Certificate with name ${name} already exists.`);
}

async function access(
  action: string,
  given: string | undefined,
  call: Call,
  iam: IamContext,
  facts: Parameters<typeof accessToEntity>[6] = {},
) {
  const name = required(given, 'ServerCertificateName');
  const found = await find(iam.store.read, callerAccount(call), name);
  return accessToEntity(action, KIND, found, name, call, iam, facts);
}

function metadataOf(record: ServerCertificateRecord): ServerCertificateMetadata {
  return {
    Path: record.path,
    ServerCertificateName: record.name,
    ServerCertificateId: record.id,
    Arn: entityArn(KIND, record),
    UploadDate: new Date(record.uploaded_at),
    Expiration: new Date(record.expires_at),
  };
}

const uploadServerCertificate = operation<IamContext, UploadServerCertificateRequest, UploadServerCertificateResponse>(
  UploadServerCertificate$,
  {
    authorize(input, call) {
      const name = required(input.ServerCertificateName, 'ServerCertificateName');
      const resource = entityArn(KIND, { account: callerAccount(call), path: input.Path ?? '/', name });
      const requestTags = tagMap(input.Tags);
      const upload = { action: 'iam:UploadServerCertificate', resource, requestTags };
      return input.Tags?.length ? [upload, { action: 'iam:TagServerCertificate', resource, requestTags }] : [upload];
    },
    async handle(input, call, iam) {
      const account = callerAccount(call);
      const tags = tagMap(input.Tags);
      const name = required(input.ServerCertificateName, 'ServerCertificateName');
      const body = required(input.CertificateBody, 'CertificateBody');
      const key = required(input.PrivateKey, 'PrivateKey');
      const chain = input.CertificateChain;
      const { expiresAt } = checkServerCertificate({ body, key, chain }, call.now);
      const id = uniqueId('ASCA', iam.randomness);
      const record: ServerCertificateRecord = {
        id,
        account,
        name,
        name_key: nameKey(name),
        path: input.Path ?? '/',
        body,
        chain: chain ?? null,
        sealed: sealPrivateKey(key, id, iam.rootKey),
        uploaded_at: creationTime(call),
        expires_at: expiresAt,
      };
      await iam.store.write(async (transaction) => {
        await checkNameIsFree(transaction, account, name);
        await checkQuota(transaction, account, 'ServerCertificates');
        await transaction.insertInto('iam_server_certificate').values(record).execute();
        await putTags(transaction, account, id, tags);
      });
      const Tags = input.Tags?.length ? { Tags: tagList(tags) } : {};
      return { ServerCertificateMetadata: metadataOf(record), ...Tags };
    },
  },
);

const getServerCertificate = operation<IamContext, GetServerCertificateRequest, GetServerCertificateResponse>(
  GetServerCertificate$,
  {
    authorize: (input, call, iam) => access('iam:GetServerCertificate', input.ServerCertificateName, call, iam),
    async handle(input, call, iam) {
      const record = await get(iam.store.read, call, input.ServerCertificateName);
      const tags = tagList(await iam.store.tagsOf(record.id));
      return {
        ServerCertificate: {
          ServerCertificateMetadata: metadataOf(record),
          CertificateBody: record.body,
          ...(record.chain !== null && { CertificateChain: record.chain }),
          ...(tags.length > 0 && { Tags: tags }),
        },
      };
    },
  },
);

const listServerCertificates = operation<IamContext, ListServerCertificatesRequest, ListServerCertificatesResponse>(
  ListServerCertificates$,
  {
    authorize: (input, call) => accessToList('iam:ListServerCertificates', KIND, input.PathPrefix, call),
    async handle(input, call, iam) {
      const page = pageOf(input);
      const prefix = input.PathPrefix ?? '/';
      const rows = await iam.store.read
        .selectFrom('iam_server_certificate')
        .selectAll()
        .where('account', '=', callerAccount(call))
        .where('name_key', '>', page.after)
        .where(sql<boolean>`substr(path, 1, ${prefix.length}) = ${prefix}`)
        .orderBy('name_key')
        .limit(page.limit + 1)
        .execute();
      const { items, ...rest } = cutPage(rows, page, (row) => row.name_key);
      return { ServerCertificateMetadataList: items.map(metadataOf), ...rest };
    },
  },
);

const updateServerCertificate = operation<IamContext, UpdateServerCertificateRequest, object>(
  UpdateServerCertificate$,
  {
    async authorize(input, call, iam) {
      const action = 'iam:UpdateServerCertificate';
      const requests = await access(action, input.ServerCertificateName, call, iam);
      // Under the old and the new name and path, so that nobody moves one out of reach.
      const account = callerAccount(call);
      const given = required(input.ServerCertificateName, 'ServerCertificateName');
      const found = await find(iam.store.read, account, given);
      const name = input.NewServerCertificateName ?? found?.name ?? given;
      const renamed = entityArn(KIND, { account, path: input.NewPath ?? found?.path ?? '/', name });
      return renamed === requests[0]?.resource ? requests : [...requests, { action, resource: renamed }];
    },
    async handle(input, call, iam) {
      await iam.store.write(async (transaction) => {
        const record = await get(transaction, call, input.ServerCertificateName);
        const name = input.NewServerCertificateName ?? record.name;
        if (nameKey(name) !== record.name_key) await checkNameIsFree(transaction, record.account, name);
        await transaction
          .updateTable('iam_server_certificate')
          .set({ name, name_key: nameKey(name), path: input.NewPath ?? record.path })
          .where('id', '=', record.id)
          .execute();
      });
      return {};
    },
  },
);

const deleteServerCertificate = operation<IamContext, DeleteServerCertificateRequest, object>(
  DeleteServerCertificate$,
  {
    authorize: (input, call, iam) => access('iam:DeleteServerCertificate', input.ServerCertificateName, call, iam),
    async handle(input, call, iam) {
      await iam.store.write(async (transaction) => {
        const record = await get(transaction, call, input.ServerCertificateName);
        await transaction.deleteFrom('iam_tag').where('owner_id', '=', record.id).execute();
        await transaction.deleteFrom('iam_server_certificate').where('id', '=', record.id).execute();
      });
      return {};
    },
  },
);

const certificateTags: Taggable<{ readonly ServerCertificateName: string | undefined }> = {
  access: (action, input, call, iam, facts) => access(action, input.ServerCertificateName, call, iam, facts),
  idOf: async (queries, input, call) => (await get(queries, call, input.ServerCertificateName)).id,
};

export const serverCertificateOperations = [
  uploadServerCertificate,
  getServerCertificate,
  listServerCertificates,
  updateServerCertificate,
  deleteServerCertificate,
  tagOperation<TagServerCertificateRequest>(TagServerCertificate$, certificateTags),
  untagOperation<UntagServerCertificateRequest>(UntagServerCertificate$, certificateTags),
  listTagsOperation<ListServerCertificateTagsRequest>(ListServerCertificateTags$, certificateTags),
];
