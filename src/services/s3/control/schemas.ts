import { PublicAccessBlockConfiguration$, Tag$ } from '@aws-sdk/client-s3';
import type { StaticListSchema, StaticOperationSchema, StaticSimpleSchema, StaticStructureSchema } from '@smithy/types';

// Of S3 Control's model, what there is here of it (facts of the public model; see NOTICE). The kinds are those of Smithy's
// static schemas: 0 simple (of strings), 1 list, 3 structure, 9 operation.
const NAMESPACE = 'com.amazonaws.s3control';
const PATH = '/v20180820';

type Member = readonly [name: string, schema: unknown, traits: Readonly<Record<string, string | number>>];

function structure(name: string, ...members: readonly Member[]): StaticStructureSchema {
  return [
    3,
    NAMESPACE,
    name,
    0,
    members.map(([member]) => member),
    members.map(([, schema, traits]) => [schema, traits]),
  ] as unknown as StaticStructureSchema;
}

const TagKey$: StaticSimpleSchema = [0, NAMESPACE, 'TagKeyString', 0, 0];
const TagList$ = [1, NAMESPACE, 'TagList', 0, [() => Tag$, { xmlName: 'Tag' }]] as unknown as StaticListSchema;
const TagKeyList$ = [1, NAMESPACE, 'TagKeyList', 0, () => TagKey$] as unknown as StaticListSchema;

const account: Member = ['AccountId', 0, { httpHeader: 'x-amz-account-id' }];
const resource: Member = ['ResourceArn', 0, { httpLabel: 1 }];
const configuration: Member = [
  'PublicAccessBlockConfiguration',
  () => PublicAccessBlockConfiguration$,
  { httpPayload: 1, xmlName: 'PublicAccessBlockConfiguration' },
];
const tags: Member = ['Tags', () => TagList$, {}];
const nothing = structure('Nothing');

function operationSchema(
  name: string,
  method: string,
  path: string,
  status: number,
  input: StaticStructureSchema,
  output: StaticStructureSchema = nothing,
): StaticOperationSchema {
  return [9, NAMESPACE, name, { http: [method, PATH + path, status] }, () => input, () => output];
}

const BLOCK_PATH = '/configuration/publicAccessBlock';
const TAGS_PATH = '/tags/{ResourceArn+}';

export const PutPublicAccessBlock$ = operationSchema(
  'PutPublicAccessBlock',
  'PUT',
  BLOCK_PATH,
  201,
  structure('PutPublicAccessBlockRequest', account, configuration),
);
export const GetPublicAccessBlock$ = operationSchema(
  'GetPublicAccessBlock',
  'GET',
  BLOCK_PATH,
  200,
  structure('GetPublicAccessBlockRequest', account),
  structure('GetPublicAccessBlockOutput', configuration),
);
export const DeletePublicAccessBlock$ = operationSchema(
  'DeletePublicAccessBlock',
  'DELETE',
  BLOCK_PATH,
  204,
  structure('DeletePublicAccessBlockRequest', account),
);
export const TagResource$ = operationSchema(
  'TagResource',
  'POST',
  TAGS_PATH,
  204,
  structure('TagResourceRequest', account, resource, tags),
);
export const UntagResource$ = operationSchema(
  'UntagResource',
  'DELETE',
  TAGS_PATH,
  204,
  structure('UntagResourceRequest', account, resource, ['TagKeys', () => TagKeyList$, { httpQuery: 'tagKeys' }]),
);
export const ListTagsForResource$ = operationSchema(
  'ListTagsForResource',
  'GET',
  TAGS_PATH,
  200,
  structure('ListTagsForResourceRequest', account, resource),
  structure('ListTagsForResourceResult', tags),
);

export const CONTROL_SCHEMAS: readonly StaticOperationSchema[] = [
  PutPublicAccessBlock$,
  GetPublicAccessBlock$,
  DeletePublicAccessBlock$,
  TagResource$,
  UntagResource$,
  ListTagsForResource$,
];
