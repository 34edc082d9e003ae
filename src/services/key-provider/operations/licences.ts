import { type Call, operation } from '#kernel/operation.ts';
import type { KeyProviderContext } from '../context.ts';
import { invoke, readContentId, readKeyId } from '../domain/content-id.ts';
import type { ContentKeys } from '../domain/content-keys.ts';
import { readLicenceWish, writeLicence } from '../domain/licence.ts';
import { notFound } from '../errors.ts';
import { type Answer, type ContentKeyRequest, GetContentKey$, GetLicence$, type LicenceRequest } from '../schemas.ts';
import { ownerOf } from './owner.ts';

/** A ClearKey licence: the keys of the content that the request names. */
export const getLicence = operation<KeyProviderContext, LicenceRequest, Answer>(GetLicence$, {
  isReadOnly: true,
  isDataEvent: true,
  authorize: (input, call) => invoke(call, `POST/licences/${readContentId(input.ContentId)}`),
  async handle(input, call, context) {
    const wish = readLicenceWish(input.Body);
    const keys = await keysOf(input.ContentId, wish.kids, call, context);
    call.audit.details['keyIds'] = wish.kids.join(' ');
    call.reply.headers['cache-control'] = 'no-store';
    return { ContentType: 'application/json', Body: writeLicence(keys) };
  },
});

/** The 16 bytes of a key, as HLS's players fetch them. */
export const getContentKey = operation<KeyProviderContext, ContentKeyRequest, Answer>(GetContentKey$, {
  isReadOnly: true,
  isDataEvent: true,
  authorize: (input, call) => invoke(call, `GET/keys/${readContentId(input.ContentId)}/${readKeyId(input.KeyId)}`),
  async handle(input, call, context) {
    const kid = readKeyId(input.KeyId);
    const keys = await keysOf(input.ContentId, [kid], call, context);
    call.reply.headers['cache-control'] = 'no-store';
    return { ContentType: 'application/octet-stream', Body: keys.get(kid) ?? Buffer.alloc(0) };
  },
});

/** @throws ServiceError NotFoundException for a content or a key that was never asked for */
async function keysOf(
  contentId: string | undefined,
  kids: readonly string[],
  call: Call,
  context: KeyProviderContext,
): Promise<ReadonlyMap<string, Buffer>> {
  const id = readContentId(contentId);
  const found = await context.contents.find(ownerOf(call), id, call.requestId);
  if (found === undefined) throw notFound(`There are no keys of the content ${id}.`);
  return new Map(kids.map((kid) => [kid, keyOf(found, id, kid)]));
}

function keyOf(keys: ContentKeys, contentId: string, kid: string): Buffer {
  if (!keys.kids.has(kid)) throw notFound(`The content ${contentId} has no key ${kid}.`);
  return keys.key(kid);
}
