import { operation } from '#kernel/operation.ts';
import type { KeyProviderContext } from '../context.ts';
import { licenceAddress, stageAddress } from '../domain/addresses.ts';
import { invoke, readContentId, readKeyId } from '../domain/content-id.ts';
import { readObject } from '../domain/licence.ts';
import { badRequest, notFound } from '../errors.ts';
import { type Answer, CreateLicenceToken$, type LicenceRequest } from '../schemas.ts';
import { ownerOf } from './owner.ts';

const DEFAULT_SECONDS = 3600;
const MAX_SECONDS = 12 * 3600;
const MAX_KIDS = 64;
const MEMBERS = new Set(['expires', 'kids']);

/**
 * A token with which a player asks for the keys of one content, without a signature: in the name of who has asked for it,
 * as long as they may ask themselves.
 */
export const createLicenceToken = operation<KeyProviderContext, LicenceRequest, Answer>(CreateLicenceToken$, {
  authorize: (input, call) => invoke(call, `POST/licence-tokens/${readContentId(input.ContentId)}`),
  async handle(input, call, context) {
    const contentId = readContentId(input.ContentId);
    const { seconds, kids } = readWish(input.Body);
    const found = await context.contents.find(ownerOf(call), contentId, call.requestId);
    if (found === undefined) throw notFound(`There are no keys of the content ${contentId}.`);
    const foreign = kids?.find((kid) => !found.kids.has(kid));
    if (foreign !== undefined) throw notFound(`The content ${contentId} has no key ${foreign}.`);
    const expiresAt = call.now + seconds * 1000;
    const { caller, region } = call;
    const token = context.tokens.write({ caller, region, contentId, expiresAt, ...(kids !== undefined && { kids }) });
    const stage = stageAddress(call.source, context.publicAddress, context.endpoint);
    call.reply.headers['cache-control'] = 'no-store';
    const answer = {
      token,
      licenceUrl: `${licenceAddress(stage, contentId)}?token=${token}`,
      expiresAt: new Date(expiresAt).toISOString(),
    };
    return { ContentType: 'application/json', Body: Buffer.from(JSON.stringify(answer)) };
  },
});

/** @throws ServiceError BadRequestException */
function readWish(body: Uint8Array | undefined): { readonly seconds: number; readonly kids?: readonly string[] } {
  const wish = readObject(body);
  const unknown = Object.keys(wish).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) throw badRequest(`The member ${unknown.slice(0, 64)} is not known.`);
  const { expires = DEFAULT_SECONDS, kids } = wish;
  if (!Number.isInteger(expires) || Number(expires) < 1 || Number(expires) > MAX_SECONDS) {
    throw badRequest(`expires is a number of seconds from 1 to ${MAX_SECONDS}.`);
  }
  const seconds = Number(expires);
  if (kids === undefined) return { seconds };
  if (!Array.isArray(kids) || kids.length === 0 || kids.length > MAX_KIDS) {
    throw badRequest(`kids is a list of 1 to ${MAX_KIDS} key ids.`);
  }
  return { seconds, kids: kids.map((kid: unknown) => readKeyId(typeof kid === 'string' ? kid : undefined)) };
}
