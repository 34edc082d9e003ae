import {
  ListPolicyTags$,
  type ListPolicyTagsRequest,
  ListRoleTags$,
  type ListRoleTagsRequest,
  ListUserTags$,
  type ListUserTagsRequest,
  type ListUserTagsResponse,
  type Tag,
  TagPolicy$,
  type TagPolicyRequest,
  TagRole$,
  type TagRoleRequest,
  TagUser$,
  type TagUserRequest,
  UntagPolicy$,
  type UntagPolicyRequest,
  UntagRole$,
  type UntagRoleRequest,
  UntagUser$,
  type UntagUserRequest,
} from '@aws-sdk/client-iam';
import { type AccessRequest, type Call, operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { pageOfList } from '../domain/page.ts';
import { checkTagCount, tagList, tagMap } from '../domain/tags.ts';
import type { IamQueries } from '../store.ts';
import { tagsOf } from '../store.ts';
import { putTags } from './principals.ts';
import {
  accessToPolicy,
  accessToPrincipal,
  callerAccount,
  getOwnPolicy,
  getPrincipal,
  required,
  type OperationSchema,
} from './targets.ts';

interface AccessFacts {
  readonly requestTags?: Readonly<Record<string, string>>;
  readonly context?: { readonly 'aws:TagKeys': readonly string[] };
}

/** Something that has tags: how to ask for access to it, and its unique id. */
export interface Taggable<Input> {
  access(action: string, input: Input, call: Call, iam: IamContext, facts?: AccessFacts): Promise<AccessRequest[]>;
  idOf(queries: IamQueries, input: Input, call: Call): Promise<string>;
}

const userTags: Taggable<{ readonly UserName: string | undefined }> = {
  access: (action, input, call, iam, facts) => accessToPrincipal(action, 'user', input.UserName, call, iam, facts),
  idOf: async (queries, input, call) => (await getPrincipal(queries, callerAccount(call), 'user', input.UserName)).id,
};

const roleTags: Taggable<{ readonly RoleName: string | undefined }> = {
  access: (action, input, call, iam, facts) => accessToPrincipal(action, 'role', input.RoleName, call, iam, facts),
  idOf: async (queries, input, call) => (await getPrincipal(queries, callerAccount(call), 'role', input.RoleName)).id,
};

const policyTags: Taggable<{ readonly PolicyArn: string | undefined }> = {
  access: (action, input, call, iam, facts) => accessToPolicy(action, input.PolicyArn, call, iam, facts),
  idOf: async (queries, input, call) =>
    (await getOwnPolicy(queries, callerAccount(call), required(input.PolicyArn, 'PolicyArn'))).id,
};

export function tagOperation<Input extends { readonly Tags: Tag[] | undefined }>(
  schema: OperationSchema,
  taggable: Taggable<Input>,
) {
  return operation<IamContext, Input, object>(schema, {
    authorize: (input, call, iam) =>
      taggable.access(`iam:${schema[2]}`, input, call, iam, { requestTags: tagMap(input.Tags) }),
    async handle(input, call, iam) {
      const tags = tagMap(input.Tags);
      await iam.store.write(async (transaction) => {
        const id = await taggable.idOf(transaction, input, call);
        await putTags(transaction, callerAccount(call), id, tags);
        checkTagCount(Object.keys(await tagsOf(transaction, id)).length);
      });
      return {};
    },
  });
}

export function untagOperation<Input extends { readonly TagKeys: string[] | undefined }>(
  schema: OperationSchema,
  taggable: Taggable<Input>,
) {
  return operation<IamContext, Input, object>(schema, {
    authorize: (input, call, iam) =>
      taggable.access(`iam:${schema[2]}`, input, call, iam, { context: { 'aws:TagKeys': input.TagKeys ?? [] } }),
    async handle(input, call, iam) {
      const keys = required(input.TagKeys, 'TagKeys').map((key) => key.toLowerCase());
      await iam.store.write(async (transaction) => {
        const id = await taggable.idOf(transaction, input, call);
        if (keys.length === 0) return;
        await transaction.deleteFrom('iam_tag').where('owner_id', '=', id).where('key_key', 'in', keys).execute();
      });
      return {};
    },
  });
}

export function listTagsOperation<
  Input extends { readonly Marker?: string | undefined; readonly MaxItems?: number | undefined },
>(schema: OperationSchema, taggable: Taggable<Input>) {
  return operation<IamContext, Input, ListUserTagsResponse>(schema, {
    authorize: (input, call, iam) => taggable.access(`iam:${schema[2]}`, input, call, iam),
    async handle(input, call, iam) {
      const id = await taggable.idOf(iam.store.read, input, call);
      const tags = tagList(await iam.store.tagsOf(id));
      const { items, ...rest } = pageOfList(tags, input, (tag) => tag.Key ?? '');
      return { Tags: [...items], ...rest };
    },
  });
}

export const tagUser = tagOperation<TagUserRequest>(TagUser$, userTags);
export const untagUser = untagOperation<UntagUserRequest>(UntagUser$, userTags);
export const listUserTags = listTagsOperation<ListUserTagsRequest>(ListUserTags$, userTags);
export const tagRole = tagOperation<TagRoleRequest>(TagRole$, roleTags);
export const untagRole = untagOperation<UntagRoleRequest>(UntagRole$, roleTags);
export const listRoleTags = listTagsOperation<ListRoleTagsRequest>(ListRoleTags$, roleTags);
export const tagPolicy = tagOperation<TagPolicyRequest>(TagPolicy$, policyTags);
export const untagPolicy = untagOperation<UntagPolicyRequest>(UntagPolicy$, policyTags);
export const listPolicyTags = listTagsOperation<ListPolicyTagsRequest>(ListPolicyTags$, policyTags);
