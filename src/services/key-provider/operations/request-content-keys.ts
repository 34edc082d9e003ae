import { type Call, operation } from '#kernel/operation.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { CpixError } from '#media/cpix/cpix-error.ts';
import type {
  CpixRequest,
  CpixResponse,
  DrmSignals,
  DrmSystem,
  RequestedSystem,
  SpekeVersion,
} from '#media/cpix/document.ts';
import { readRequest } from '#media/cpix/read-document.ts';
import { writeResponse } from '#media/cpix/write-document.ts';
import type { KeyProviderContext } from '../context.ts';
import { DOCUMENTS_PATH, stageAddress } from '../domain/addresses.ts';
import { invoke, isContentId } from '../domain/content-id.ts';
import { unprocessableDocument } from '../errors.ts';
import { type Answer, RequestContentKeys$, type RequestContentKeysRequest } from '../schemas.ts';
import { isCompatible, isKnownSystem, type SignalledKey, signalsOf } from '../signals/drm-signals.ts';
import { ownerOf } from './owner.ts';

const PROVIDER_NAME = 'Coffer';

/** SPEKE's one method: an encryptor asks for the keys of a content, and for what players are to be told of them. */
export const requestContentKeys = operation<KeyProviderContext, RequestContentKeysRequest, Answer>(
  RequestContentKeys$,
  {
    authorize: (_input, call) => invoke(call, `POST/${DOCUMENTS_PATH}`),
    async handle(input, call, context) {
      const version = versionOf(input.SpekeVersion);
      const request = readDocument(Buffer.from(input.Body ?? []), version);
      call.audit.details['contentId'] = request.contentId;
      call.audit.details['keyIds'] = request.keys.map(({ kid }) => kid).join(' ');
      const response = await answerTo(request, call, context);
      call.reply.headers[version === '1.0' ? 'speke-user-agent' : 'x-speke-user-agent'] = PROVIDER_NAME;
      call.reply.headers['cache-control'] = 'no-store';
      return {
        ContentType: 'application/xml',
        ...(version !== '1.0' && { SpekeVersion: version }),
        Body: Buffer.from(writeResponse(response)),
      };
    },
  },
);

/** @throws ServiceError UnprocessableEntityException */
function versionOf(header: string | undefined): SpekeVersion {
  if (header === undefined) return '1.0';
  if (header !== '1.0' && header !== '2.0') throw unprocessableDocument('Unsupported SPEKE version');
  return header;
}

function readDocument(body: Buffer, version: SpekeVersion): CpixRequest {
  try {
    const request = readRequest(body, version);
    checkRequest(request);
    return request;
  } catch (error) {
    throw error instanceof CpixError ? unprocessableDocument(error.message) : error;
  }
}

/** What is SPEKE's but not this provider's. @throws CpixError */
function checkRequest({ contentId, certificates, keys, systems }: CpixRequest): void {
  if (!isContentId(contentId)) {
    throw new CpixError(
      'The content id may have 200 letters, digits and _.@=+-, and begins with a letter, a digit or _',
    );
  }
  if (certificates.length > 0) throw new CpixError('Encrypted content keys are not supported (DeliveryDataList)');
  for (const { systemId, kid } of systems) {
    if (!isKnownSystem(systemId)) throw new CpixError(`Unsupported DRMSystem ${systemId}`);
    const scheme = keys.find((key) => key.kid === kid)?.scheme;
    if (scheme !== undefined && !isCompatible(systemId, scheme)) {
      throw new CpixError(`ContentKey@commonEncryptionScheme non compatible with DRMSystem ${systemId}`);
    }
  }
}

async function answerTo(request: CpixRequest, call: Call, context: KeyProviderContext): Promise<CpixResponse> {
  const { version, contentId, rules, keys, systems } = request;
  const kids = keys.map(({ kid }) => kid);
  const owner = ownerOf(call);
  const contentKeys = await context.contents.provide(owner, contentId, kids, call.requestId).catch(asText);
  const stage = stageAddress(call.source, context.publicAddress, context.endpoint);
  const signalled = (kid: string): SignalledKey => {
    const key = keys.find((candidate) => candidate.kid === kid);
    return { kid, kids, contentId, stage, scheme: key?.scheme, explicitIv: key?.explicitIv };
  };
  return {
    version,
    contentId,
    rules,
    keys: keys.map((key) => ({ ...key, value: contentKeys.key(key.kid) })),
    systems: systems.map((system) => answerFor(system, signalsOf(system.systemId, signalled(system.kid)))),
  };
}

/** Of what is asked for, what the system has. */
function answerFor({ kid, systemId, wanted }: RequestedSystem, signals: DrmSignals): DrmSystem {
  const picked = Object.entries(signals).filter(([name]) => wanted.includes(name as keyof DrmSignals));
  return { kid, systemId, signals: Object.fromEntries(picked) };
}

/** Encryptors show people what stands in the answer. */
function asText(error: unknown): never {
  if (!(error instanceof ServiceError) || !error.isClientFault || error.code === 'AccessDeniedException') throw error;
  const { code, status, message } = error;
  throw new ServiceError(code, status, message, { headers: { 'content-type': 'text/plain' }, cause: error });
}
