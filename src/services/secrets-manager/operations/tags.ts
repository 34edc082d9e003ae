import {
  TagResource$,
  type TagResourceRequest,
  UntagResource$,
  type UntagResourceRequest,
} from '@aws-sdk/client-secrets-manager';
import { type Call, operation } from '#kernel/operation.ts';
import type { SecretsManagerContext } from '../context.ts';
import { checkTagCount, parseTags, readTags, type TagMap, withoutTags } from '../domain/tags.ts';
import { accessDenied } from '../errors.ts';
import { type AccessDetails, accessTo } from '../secrets.ts';
import { updateSecretRow } from '../store.ts';
import { lockedPrimary } from '../versions.ts';

export const tagResource = operation<SecretsManagerContext, TagResourceRequest, Record<string, never>>(TagResource$, {
  authorize: ({ SecretId, Tags }, call, { secrets }) =>
    secrets.access('TagResource', SecretId, call, { requestTags: readTags(Tags) }),
  async handle({ SecretId, Tags }, call, context) {
    const added = readTags(Tags);
    await setTags(context, 'TagResource', { SecretId, details: { requestTags: added } }, call, (tags) =>
      checkTagCount({ ...tags, ...added }),
    );
    return {};
  },
});

export const untagResource = operation<SecretsManagerContext, UntagResourceRequest, Record<string, never>>(
  UntagResource$,
  {
    authorize: ({ SecretId, TagKeys = [] }, call, { secrets }) =>
      secrets.access('UntagResource', SecretId, call, { context: { 'aws:TagKeys': TagKeys } }),
    async handle({ SecretId, TagKeys = [] }, call, context) {
      await setTags(
        context,
        'UntagResource',
        { SecretId, details: { context: { 'aws:TagKeys': TagKeys } } },
        call,
        (tags) => withoutTags(tags, TagKeys),
      );
      return {};
    },
  },
);

/** A change of tags by which callers would lose their own rights on the secret is refused (API reference). */
async function setTags(
  { secrets, store, replication }: SecretsManagerContext,
  action: string,
  { SecretId, details }: { readonly SecretId: string | undefined; readonly details: AccessDetails },
  call: Call,
  changeOf: (tags: TagMap) => TagMap,
): Promise<void> {
  const found = await secrets.findPrimary(SecretId, call);
  const tags = changeOf(parseTags(found.tags));
  if (!(await call.isAllowed(accessTo(action, found, details, tags)))) {
    throw accessDenied('The change of tags would take your own permissions for this secret away.');
  }
  await store.write(async (transaction) => {
    const row = await lockedPrimary(transaction, found.id, call.now);
    const json = JSON.stringify(changeOf(parseTags(row.tags)));
    await updateSecretRow(transaction, row.id, { tags: json, changed_at: call.now });
    await replication.copyTags(transaction, row, json);
  });
}
