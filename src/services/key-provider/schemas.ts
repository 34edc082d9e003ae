import type { StaticOperationSchema, StaticSimpleSchema, StaticStructureSchema } from '@smithy/types';
import { DOCUMENTS_PATH, STAGE_PATH } from './domain/addresses.ts';

// The provider's API is its own; its shapes are written by hand. The kinds are those of Smithy's static schemas: 0 simple,
// 3 structure, 9 operation; 21 is a blob.
const NAMESPACE = 'io.coffer.keyprovider';

/** Sensitive: what goes through here are keys, or stands for them. */
const Payload$: StaticSimpleSchema = [0, NAMESPACE, 'Payload', { sensitive: 1 }, 21];

type Member = readonly [name: string, traits: Record<string, string | number>];

function structure(name: string, ...members: readonly Member[]): StaticStructureSchema {
  return [
    3,
    NAMESPACE,
    name,
    0,
    members.map(([member]) => member),
    members.map(([, traits]) => ['httpPayload' in traits ? () => Payload$ : 0, traits]),
  ] as unknown as StaticStructureSchema;
}

const contentId: Member = ['ContentId', { httpLabel: 1 }];
const keyId: Member = ['KeyId', { httpLabel: 1 }];
const token: Member = ['Token', { httpQuery: 'token', sensitive: 1 }];
const body: Member = ['Body', { httpPayload: 1 }];

const answer = structure(
  'Answer',
  ['ContentType', { httpHeader: 'Content-Type' }],
  ['SpekeVersion', { httpHeader: 'X-Speke-Version' }],
  body,
);

function operationSchema(
  name: string,
  method: string,
  path: string,
  input: StaticStructureSchema,
): StaticOperationSchema {
  return [9, NAMESPACE, name, { http: [method, `${STAGE_PATH}/${path}`, 200] }, () => input, () => answer];
}

export const RequestContentKeys$ = operationSchema(
  'RequestContentKeys',
  'POST',
  DOCUMENTS_PATH,
  structure('RequestContentKeysRequest', ['SpekeVersion', { httpHeader: 'X-Speke-Version' }], body),
);
export const CreateLicenceToken$ = operationSchema(
  'CreateLicenceToken',
  'POST',
  'licence-tokens/{ContentId}',
  structure('CreateLicenceTokenRequest', contentId, body),
);
export const GetLicence$ = operationSchema(
  'GetLicence',
  'POST',
  'licences/{ContentId}',
  structure('GetLicenceRequest', contentId, body),
);
export const GetContentKey$ = operationSchema(
  'GetContentKey',
  'GET',
  'keys/{ContentId}/{KeyId}',
  structure('GetContentKeyRequest', contentId, keyId),
);
/** The two that players call: with a token in the place of a signature. */
export const PlayLicence$ = operationSchema(
  'PlayLicence',
  'POST',
  'play/{ContentId}/licence',
  structure('PlayLicenceRequest', contentId, token, body),
);
export const PlayContentKey$ = operationSchema(
  'PlayContentKey',
  'GET',
  'play/{ContentId}/keys/{KeyId}',
  structure('PlayContentKeyRequest', contentId, keyId, token),
);
export const PreflightPlay$ = operationSchema(
  'PreflightPlay',
  'OPTIONS',
  'play/{Resource+}',
  structure('PreflightPlayRequest', ['Resource', { httpLabel: 1 }]),
);

export const KEY_PROVIDER_SCHEMAS: readonly StaticOperationSchema[] = [
  RequestContentKeys$,
  CreateLicenceToken$,
  GetLicence$,
  GetContentKey$,
  PlayLicence$,
  PlayContentKey$,
  PreflightPlay$,
];

/** What every operation answers: bytes of one kind. */
export interface Answer {
  readonly ContentType: string;
  readonly SpekeVersion?: string;
  readonly Body: Buffer;
}

export interface RequestContentKeysRequest {
  readonly SpekeVersion?: string | undefined;
  readonly Body?: Uint8Array | undefined;
}

export interface ContentRequest {
  readonly ContentId?: string | undefined;
}

export interface LicenceRequest extends ContentRequest {
  readonly Body?: Uint8Array | undefined;
}

export interface ContentKeyRequest extends ContentRequest {
  readonly KeyId?: string | undefined;
}

export interface WithToken {
  readonly Token?: string | undefined;
}
