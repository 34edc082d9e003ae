import {
  AddClientIDToOpenIDConnectProvider$,
  type AddClientIDToOpenIDConnectProviderRequest,
  CreateOpenIDConnectProvider$,
  type CreateOpenIDConnectProviderRequest,
  type CreateOpenIDConnectProviderResponse,
  DeleteOpenIDConnectProvider$,
  type DeleteOpenIDConnectProviderRequest,
  GetOpenIDConnectProvider$,
  type GetOpenIDConnectProviderRequest,
  type GetOpenIDConnectProviderResponse,
  ListOpenIDConnectProviders$,
  type ListOpenIDConnectProvidersRequest,
  type ListOpenIDConnectProvidersResponse,
  ListOpenIDConnectProviderTags$,
  type ListOpenIDConnectProviderTagsRequest,
  RemoveClientIDFromOpenIDConnectProvider$,
  type RemoveClientIDFromOpenIDConnectProviderRequest,
  TagOpenIDConnectProvider$,
  type TagOpenIDConnectProviderRequest,
  UntagOpenIDConnectProvider$,
  type UntagOpenIDConnectProviderRequest,
  UpdateOpenIDConnectProviderThumbprint$,
  type UpdateOpenIDConnectProviderThumbprintRequest,
} from '@aws-sdk/client-iam';
import { type AccessRequest, type Call, type ConditionContext, operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { issuerName, oidcProviderArn, readIssuer } from '../domain/oidc-issuer.ts';
import { tagList, tagMap } from '../domain/tags.ts';
import { alreadyExists, invalidInput, noSuchEntity, quotaExceeded } from '../errors.ts';
import type { OidcProviderRecord } from '../records/oidc-providers.ts';
import type { IamQueries } from '../store.ts';
import { putTags } from './principals.ts';
import { listTagsOperation, type Taggable, tagOperation, untagOperation } from './tags.ts';
import { callerAccount, creationTime, required, tagContext } from './targets.ts';

const MAX_PROVIDERS = 100;
const MAX_CLIENT_IDS = 100;
const MAX_THUMBPRINTS = 5;

interface AccessFacts {
  readonly context?: ConditionContext;
  readonly requestTags?: Readonly<Record<string, string>>;
}

interface ProviderInput {
  readonly OpenIDConnectProviderArn: string | undefined;
}

function findProvider(queries: IamQueries, call: Call, arn: string): Promise<OidcProviderRecord | undefined> {
  return queries
    .selectFrom('iam_oidc_provider')
    .selectAll()
    .where('arn', '=', arn)
    .where('account', '=', callerAccount(call))
    .executeTakeFirst();
}

async function getProvider(queries: IamQueries, call: Call, input: ProviderInput): Promise<OidcProviderRecord> {
  const arn = required(input.OpenIDConnectProviderArn, 'OpenIDConnectProviderArn');
  const found = await findProvider(queries, call, arn);
  if (found === undefined) throw noSuchEntity(`OpenIDConnect Provider not found for arn ${arn}`);
  return found;
}

async function access(
  action: string,
  input: ProviderInput,
  call: Call,
  iam: IamContext,
  facts: AccessFacts = {},
): Promise<AccessRequest[]> {
  const resource = required(input.OpenIDConnectProviderArn, 'OpenIDConnectProviderArn');
  const found = await findProvider(iam.store.read, call, resource);
  if (found === undefined) return [{ action, resource, ...facts }];
  const tags = await iam.store.tagsOf(found.arn);
  return [{ action, resource, ...facts, context: { ...tagContext(tags), ...facts.context }, resourceTags: tags }];
}

/** @throws ServiceError InvalidInput */
function issuerOf(input: CreateOpenIDConnectProviderRequest, iam: IamContext): string {
  const issuer = readIssuer(required(input.Url, 'Url'), iam.trustedIssuers);
  if (issuer !== undefined) return issuer;
  throw invalidInput(
    'Invalid Open ID Connect Provider URL: it begins with https:// and has no query, unless the operator allows http for it ' +
      '(COFFER_OIDC_ISSUERS).',
  );
}

function checkThumbprints(thumbprints: readonly string[]): string {
  if (thumbprints.length > MAX_THUMBPRINTS) throw invalidInput('Thumbprint list must contain fewer than 5 entries.');
  for (const thumbprint of thumbprints) {
    if (!/^[0-9a-fA-F]{40}$/.test(thumbprint)) throw invalidInput(`Invalid thumbprint: ${thumbprint}`);
  }
  return JSON.stringify(thumbprints.map((thumbprint) => thumbprint.toLowerCase()));
}

function listOf(json: string): string[] {
  return JSON.parse(json) as string[];
}

const createProvider = operation<IamContext, CreateOpenIDConnectProviderRequest, CreateOpenIDConnectProviderResponse>(
  CreateOpenIDConnectProvider$,
  {
    authorize(input, call, iam) {
      const resource = oidcProviderArn(callerAccount(call), issuerOf(input, iam));
      const requestTags = tagMap(input.Tags);
      const create = { action: 'iam:CreateOpenIDConnectProvider', resource, requestTags };
      return input.Tags?.length
        ? [create, { action: 'iam:TagOpenIDConnectProvider', resource, requestTags }]
        : [create];
    },
    async handle(input, call, iam) {
      const account = callerAccount(call);
      const issuer = issuerOf(input, iam);
      const arn = oidcProviderArn(account, issuer);
      const tags = tagMap(input.Tags);
      const clientIds = [...new Set(input.ClientIDList)];
      if (clientIds.length > MAX_CLIENT_IDS) throw quotaExceeded('ClientIdsPerOpenIdConnectProvider', MAX_CLIENT_IDS);
      const record: OidcProviderRecord = {
        arn,
        account,
        issuer,
        client_ids: JSON.stringify(clientIds),
        thumbprints: checkThumbprints(input.ThumbprintList ?? []),
        created_at: creationTime(call),
      };
      await iam.store.write(async (transaction) => {
        if ((await findProvider(transaction, call, arn)) !== undefined) {
          throw alreadyExists(`Provider with url ${issuer} already exists.`);
        }
        const others = await transaction
          .selectFrom('iam_oidc_provider')
          .select('arn')
          .where('account', '=', account)
          .execute();
        if (others.length >= MAX_PROVIDERS) throw quotaExceeded('OpenIdConnectProvidersPerAccount', MAX_PROVIDERS);
        await transaction.insertInto('iam_oidc_provider').values(record).execute();
        await putTags(transaction, account, arn, tags);
      });
      return { OpenIDConnectProviderArn: arn, ...(Object.keys(tags).length > 0 && { Tags: tagList(tags) }) };
    },
  },
);

const getOidcProvider = operation<IamContext, GetOpenIDConnectProviderRequest, GetOpenIDConnectProviderResponse>(
  GetOpenIDConnectProvider$,
  {
    authorize: (input, call, iam) => access('iam:GetOpenIDConnectProvider', input, call, iam),
    async handle(input, call, iam) {
      const record = await getProvider(iam.store.read, call, input);
      return {
        Url: issuerName(record.issuer),
        ClientIDList: listOf(record.client_ids),
        ThumbprintList: listOf(record.thumbprints),
        CreateDate: new Date(record.created_at),
        Tags: tagList(await iam.store.tagsOf(record.arn)),
      };
    },
  },
);

const listProviders = operation<IamContext, ListOpenIDConnectProvidersRequest, ListOpenIDConnectProvidersResponse>(
  ListOpenIDConnectProviders$,
  {
    authorize: () => [{ action: 'iam:ListOpenIDConnectProviders', resource: '*' }],
    async handle(_input, call, iam) {
      const rows = await iam.store.read
        .selectFrom('iam_oidc_provider')
        .selectAll()
        .where('account', '=', callerAccount(call))
        .orderBy('arn')
        .execute();
      return { OpenIDConnectProviderList: rows.map(({ arn }) => ({ Arn: arn })) };
    },
  },
);

const deleteProvider = operation<IamContext, DeleteOpenIDConnectProviderRequest, object>(DeleteOpenIDConnectProvider$, {
  authorize: (input, call, iam) => access('iam:DeleteOpenIDConnectProvider', input, call, iam),
  async handle(input, call, iam) {
    await iam.store.write(async (transaction) => {
      const { arn } = await getProvider(transaction, call, input);
      await transaction.deleteFrom('iam_tag').where('owner_id', '=', arn).execute();
      await transaction.deleteFrom('iam_oidc_provider').where('arn', '=', arn).execute();
    });
    return {};
  },
});

const updateThumbprint = operation<IamContext, UpdateOpenIDConnectProviderThumbprintRequest, object>(
  UpdateOpenIDConnectProviderThumbprint$,
  {
    authorize: (input, call, iam) => access('iam:UpdateOpenIDConnectProviderThumbprint', input, call, iam),
    async handle(input, call, iam) {
      const thumbprints = checkThumbprints(input.ThumbprintList ?? []);
      await iam.store.write(async (transaction) => {
        const { arn } = await getProvider(transaction, call, input);
        await transaction.updateTable('iam_oidc_provider').set({ thumbprints }).where('arn', '=', arn).execute();
      });
      return {};
    },
  },
);

async function changeClientIds(
  input: ProviderInput,
  call: Call,
  iam: IamContext,
  change: (clientIds: readonly string[]) => readonly string[],
): Promise<object> {
  await iam.store.write(async (transaction) => {
    const { arn, client_ids: before } = await getProvider(transaction, call, input);
    const clientIds = change(listOf(before));
    if (clientIds.length > MAX_CLIENT_IDS) throw quotaExceeded('ClientIdsPerOpenIdConnectProvider', MAX_CLIENT_IDS);
    await transaction
      .updateTable('iam_oidc_provider')
      .set({ client_ids: JSON.stringify(clientIds) })
      .where('arn', '=', arn)
      .execute();
  });
  return {};
}

const addClientId = operation<IamContext, AddClientIDToOpenIDConnectProviderRequest, object>(
  AddClientIDToOpenIDConnectProvider$,
  {
    authorize: (input, call, iam) => access('iam:AddClientIDToOpenIDConnectProvider', input, call, iam),
    handle(input, call, iam) {
      const id = required(input.ClientID, 'ClientID');
      return changeClientIds(input, call, iam, (ids) => [...new Set([...ids, id])]);
    },
  },
);

const removeClientId = operation<IamContext, RemoveClientIDFromOpenIDConnectProviderRequest, object>(
  RemoveClientIDFromOpenIDConnectProvider$,
  {
    authorize: (input, call, iam) => access('iam:RemoveClientIDFromOpenIDConnectProvider', input, call, iam),
    // As in AWS, one that is not there is none to complain of.
    handle: (input, call, iam) => changeClientIds(input, call, iam, (ids) => ids.filter((id) => id !== input.ClientID)),
  },
);

const providerTags: Taggable<ProviderInput> = {
  access,
  idOf: async (queries, input, call) => (await getProvider(queries, call, input)).arn,
};

export const oidcProviderOperations = [
  createProvider,
  getOidcProvider,
  listProviders,
  deleteProvider,
  updateThumbprint,
  addClientId,
  removeClientId,
  tagOperation<TagOpenIDConnectProviderRequest>(TagOpenIDConnectProvider$, providerTags),
  untagOperation<UntagOpenIDConnectProviderRequest>(UntagOpenIDConnectProvider$, providerTags),
  listTagsOperation<ListOpenIDConnectProviderTagsRequest>(ListOpenIDConnectProviderTags$, providerTags),
];
