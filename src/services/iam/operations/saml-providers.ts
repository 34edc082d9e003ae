import {
  CreateSAMLProvider$,
  type CreateSAMLProviderRequest,
  type CreateSAMLProviderResponse,
  DeleteSAMLProvider$,
  type DeleteSAMLProviderRequest,
  GetSAMLProvider$,
  type GetSAMLProviderRequest,
  type GetSAMLProviderResponse,
  ListSAMLProviders$,
  type ListSAMLProvidersRequest,
  type ListSAMLProvidersResponse,
  ListSAMLProviderTags$,
  type ListSAMLProviderTagsRequest,
  TagSAMLProvider$,
  type TagSAMLProviderRequest,
  UntagSAMLProvider$,
  type UntagSAMLProviderRequest,
  UpdateSAMLProvider$,
  type UpdateSAMLProviderRequest,
  type UpdateSAMLProviderResponse,
} from '@aws-sdk/client-iam';
import { formatArn } from '#kernel/arn.ts';
import { type AccessRequest, type Call, type ConditionContext, operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { uniqueId } from '../domain/identifiers.ts';
import { readSamlMetadata } from '../domain/saml-metadata.ts';
import { tagList, tagMap } from '../domain/tags.ts';
import { alreadyExists, invalidInput, noSuchEntity, quotaExceeded } from '../errors.ts';
import type { SamlProviderRecord } from '../records/saml-providers.ts';
import type { IamQueries } from '../store.ts';
import { putTags } from './principals.ts';
import { listTagsOperation, type Taggable, tagOperation, untagOperation } from './tags.ts';
import { callerAccount, creationTime, required, tagContext } from './targets.ts';

const MAX_PROVIDERS = 100;
/** How long a provider is valid whose metadata do not say: a hundred years, as in AWS. */
const DEFAULT_VALIDITY_MS = 100 * 365 * 86_400_000;

interface AccessFacts {
  readonly context?: ConditionContext;
  readonly requestTags?: Readonly<Record<string, string>>;
}

interface ProviderInput {
  readonly SAMLProviderArn: string | undefined;
}

function arnOf(call: Call, name: string): string {
  return formatArn({ service: 'iam', account: callerAccount(call), resource: `saml-provider/${name}` });
}

function findProvider(queries: IamQueries, call: Call, arn: string): Promise<SamlProviderRecord | undefined> {
  return queries
    .selectFrom('iam_saml_provider')
    .selectAll()
    .where('arn', '=', arn)
    .where('account', '=', callerAccount(call))
    .executeTakeFirst();
}

async function getProvider(queries: IamQueries, call: Call, input: ProviderInput): Promise<SamlProviderRecord> {
  const arn = required(input.SAMLProviderArn, 'SAMLProviderArn');
  const found = await findProvider(queries, call, arn);
  if (found === undefined) throw noSuchEntity(`Manifest not found for arn ${arn}`);
  return found;
}

async function access(
  action: string,
  input: ProviderInput,
  call: Call,
  iam: IamContext,
  facts: AccessFacts = {},
): Promise<AccessRequest[]> {
  const resource = required(input.SAMLProviderArn, 'SAMLProviderArn');
  const found = await findProvider(iam.store.read, call, resource);
  if (found === undefined) return [{ action, resource, ...facts }];
  const tags = await iam.store.tagsOf(found.arn);
  return [{ action, resource, ...facts, context: { ...tagContext(tags), ...facts.context }, resourceTags: tags }];
}

/** @throws ServiceError InvalidInput */
function metadataFacts(document: string, createdAt: number): Pick<SamlProviderRecord, 'metadata' | 'valid_until'> {
  const metadata = readSamlMetadata(document);
  if (metadata === undefined) {
    throw invalidInput(
      'Could not parse metadata: an EntityDescriptor with an RSA key for signing, up to 1,000,000 characters.',
    );
  }
  return { metadata: document, valid_until: metadata.validUntil ?? createdAt + DEFAULT_VALIDITY_MS };
}

/** Encrypted assertions are not read here: nobody is told that they would be. */
function refuseEncryption(input: {
  readonly AssertionEncryptionMode?: string | undefined;
  readonly AddPrivateKey?: string | undefined;
  readonly RemovePrivateKey?: string | undefined;
}): void {
  for (const name of ['AssertionEncryptionMode', 'AddPrivateKey', 'RemovePrivateKey'] as const) {
    if (input[name] !== undefined) throw invalidInput(`The parameter ${name} is not supported.`);
  }
}

const createProvider = operation<IamContext, CreateSAMLProviderRequest, CreateSAMLProviderResponse>(
  CreateSAMLProvider$,
  {
    secretMembers: ['AddPrivateKey'],
    authorize(input, call) {
      const resource = arnOf(call, required(input.Name, 'Name'));
      const requestTags = tagMap(input.Tags);
      const create = { action: 'iam:CreateSAMLProvider', resource, requestTags };
      return input.Tags?.length ? [create, { action: 'iam:TagSAMLProvider', resource, requestTags }] : [create];
    },
    async handle(input, call, iam) {
      refuseEncryption(input);
      const account = callerAccount(call);
      const name = required(input.Name, 'Name');
      const arn = arnOf(call, name);
      const tags = tagMap(input.Tags);
      const record: SamlProviderRecord = {
        arn,
        account,
        name,
        unique_id: uniqueId('ASP', iam.randomness),
        created_at: creationTime(call),
        ...metadataFacts(required(input.SAMLMetadataDocument, 'SAMLMetadataDocument'), creationTime(call)),
      };
      await iam.store.write(async (transaction) => {
        if ((await findProvider(transaction, call, arn)) !== undefined) {
          throw alreadyExists(`Provider with name ${name} already exists.`);
        }
        const others = await transaction
          .selectFrom('iam_saml_provider')
          .select('arn')
          .where('account', '=', account)
          .execute();
        if (others.length >= MAX_PROVIDERS) throw quotaExceeded('SamlProvidersPerAccount', MAX_PROVIDERS);
        await transaction.insertInto('iam_saml_provider').values(record).execute();
        await putTags(transaction, account, arn, tags);
      });
      return { SAMLProviderArn: arn, ...(Object.keys(tags).length > 0 && { Tags: tagList(tags) }) };
    },
  },
);

const updateProvider = operation<IamContext, UpdateSAMLProviderRequest, UpdateSAMLProviderResponse>(
  UpdateSAMLProvider$,
  {
    secretMembers: ['AddPrivateKey'],
    authorize: (input, call, iam) => access('iam:UpdateSAMLProvider', input, call, iam),
    async handle(input, call, iam) {
      refuseEncryption(input);
      const document = input.SAMLMetadataDocument;
      const arn = await iam.store.write(async (transaction) => {
        const found = await getProvider(transaction, call, input);
        if (document === undefined) return found.arn;
        await transaction
          .updateTable('iam_saml_provider')
          .set(metadataFacts(document, found.created_at))
          .where('arn', '=', found.arn)
          .execute();
        return found.arn;
      });
      return { SAMLProviderArn: arn };
    },
  },
);

const getSamlProvider = operation<IamContext, GetSAMLProviderRequest, GetSAMLProviderResponse>(GetSAMLProvider$, {
  authorize: (input, call, iam) => access('iam:GetSAMLProvider', input, call, iam),
  async handle(input, call, iam) {
    const record = await getProvider(iam.store.read, call, input);
    return {
      SAMLProviderUUID: record.unique_id,
      SAMLMetadataDocument: record.metadata,
      CreateDate: new Date(record.created_at),
      ValidUntil: new Date(record.valid_until),
      Tags: tagList(await iam.store.tagsOf(record.arn)),
    };
  },
});

const listProviders = operation<IamContext, ListSAMLProvidersRequest, ListSAMLProvidersResponse>(ListSAMLProviders$, {
  authorize: () => [{ action: 'iam:ListSAMLProviders', resource: '*' }],
  async handle(_input, call, iam) {
    const rows = await iam.store.read
      .selectFrom('iam_saml_provider')
      .selectAll()
      .where('account', '=', callerAccount(call))
      .orderBy('arn')
      .execute();
    return {
      SAMLProviderList: rows.map((row) => ({
        Arn: row.arn,
        ValidUntil: new Date(row.valid_until),
        CreateDate: new Date(row.created_at),
      })),
    };
  },
});

const deleteProvider = operation<IamContext, DeleteSAMLProviderRequest, object>(DeleteSAMLProvider$, {
  authorize: (input, call, iam) => access('iam:DeleteSAMLProvider', input, call, iam),
  async handle(input, call, iam) {
    await iam.store.write(async (transaction) => {
      const { arn } = await getProvider(transaction, call, input);
      await transaction.deleteFrom('iam_tag').where('owner_id', '=', arn).execute();
      await transaction.deleteFrom('iam_saml_provider').where('arn', '=', arn).execute();
    });
    return {};
  },
});

const providerTags: Taggable<ProviderInput> = {
  access,
  idOf: async (queries, input, call) => (await getProvider(queries, call, input)).arn,
};

export const samlProviderOperations = [
  createProvider,
  updateProvider,
  getSamlProvider,
  listProviders,
  deleteProvider,
  tagOperation<TagSAMLProviderRequest>(TagSAMLProvider$, providerTags),
  untagOperation<UntagSAMLProviderRequest>(UntagSAMLProvider$, providerTags),
  listTagsOperation<ListSAMLProviderTagsRequest>(ListSAMLProviderTags$, providerTags),
];
