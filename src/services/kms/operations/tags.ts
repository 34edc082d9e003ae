import {
  ListResourceTags$,
  type ListResourceTagsRequest,
  type ListResourceTagsResponse,
  TagResource$,
  type TagResourceRequest,
  UntagResource$,
  type UntagResourceRequest,
} from '@aws-sdk/client-kms';
import { type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { keyAccess } from '../domain/key-access.ts';
import { type LocatedKey, deletionProblem } from '../domain/key-locator.ts';
import { decodeMarker, pageOf } from '../domain/pagination.ts';
import { checkTagCount, checkTags } from '../domain/tags.ts';
import { invalidState, unsupported } from '../errors.ts';
import { authorizeOnKey } from './authorize-on-key.ts';

const DEFAULT_LIMIT = 50;

export const tagResource = operation<KmsContext, TagResourceRequest, Record<string, never>>(TagResource$, {
  async authorize(input, call, kms) {
    const located = await kms.keys.locate(input.KeyId ?? '', call, 'kms:TagResource');
    return [{ ...keyAccess(call, located, 'kms:TagResource'), requestTags: checkTags(input.Tags) }];
  },
  async handle(input, call, kms) {
    const { key } = await locateForTagging(input.KeyId, call, kms, 'kms:TagResource');
    const tags = checkTags(input.Tags);
    await kms.store.write(
      async (transaction) => {
        for (const [tag_key, tag_value] of Object.entries(tags)) {
          await transaction
            .insertInto('kms_tag')
            .values({ region: key.region, key_id: key.id, tag_key, tag_value })
            .onConflict((conflict) => conflict.columns(['region', 'key_id', 'tag_key']).doUpdateSet({ tag_value }))
            .execute();
        }
        const all = await transaction
          .selectFrom('kms_tag')
          .select('tag_key')
          .where('region', '=', key.region)
          .where('key_id', '=', key.id)
          .execute();
        checkTagCount(all.length);
      },
      [key],
    );
    return {};
  },
});

export const untagResource = operation<KmsContext, UntagResourceRequest, Record<string, never>>(UntagResource$, {
  async authorize(input, call, kms) {
    const located = await kms.keys.locate(input.KeyId ?? '', call, 'kms:UntagResource');
    const context = { 'aws:TagKeys': input.TagKeys ?? [] };
    return [keyAccess(call, located, 'kms:UntagResource', { context })];
  },
  async handle(input, call, kms) {
    const { key } = await locateForTagging(input.KeyId, call, kms, 'kms:UntagResource');
    const names = input.TagKeys ?? [];
    if (names.length === 0) return {};
    await kms.store.write(
      (transaction) =>
        transaction
          .deleteFrom('kms_tag')
          .where('region', '=', key.region)
          .where('key_id', '=', key.id)
          .where('tag_key', 'in', names)
          .execute(),
      [key],
    );
    return {};
  },
});

export const listResourceTags = operation<KmsContext, ListResourceTagsRequest, ListResourceTagsResponse>(
  ListResourceTags$,
  {
    authorize: authorizeOnKey('kms:ListResourceTags'),
    async handle(input, call, kms) {
      const { key } = await kms.keys.locate(input.KeyId ?? '', call, 'kms:ListResourceTags');
      const limit = input.Limit ?? DEFAULT_LIMIT;
      const after = decodeMarker(input.Marker);
      const tags = Object.entries(key.tags).filter(([name]) => name > after);
      const { items, ...page } = pageOf(tags, limit, ([name]) => name);
      return { Tags: items.map(([TagKey, TagValue]) => ({ TagKey, TagValue })), ...page };
    },
  },
);

async function locateForTagging(
  keyId: string | undefined,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<LocatedKey> {
  const located = await kms.keys.locate(keyId ?? '', call, action);
  if (located.key.manager === 'AWS') throw unsupported(`${located.arn} is an AWS managed key: it cannot be tagged.`);
  const problem = deletionProblem(located.key.state);
  if (problem !== undefined) throw invalidState(located.arn, problem);
  return located;
}
