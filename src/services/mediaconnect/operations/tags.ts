import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-mediaconnect';
import { type AccessRequest, operation } from '#kernel/operation.ts';
import type { MediaConnectContext } from '../context.ts';
import type { FlowDocument, FlowRecord } from '../domain/flow-document.ts';
import { checkTags, type TagMap, withoutTags, withTags } from '../domain/tags.ts';
import { notFound } from '../errors.ts';
import { tagsOf } from '../flows.ts';
import { ListTagsForResource$, TagResource$, UntagResource$ } from '../generated/schemas.ts';

/** Of flows, sources, outputs and entitlements. */
export const tagResource = operation<MediaConnectContext, TagResourceRequest, undefined>(TagResource$, {
  async authorize({ ResourceArn, Tags = {} }, call, { flows }) {
    const requests = await flows.access('TagResource', ResourceArn, call);
    return requests.map((request): AccessRequest => ({ ...request, requestTags: Tags }));
  },
  async handle({ ResourceArn, Tags = {} }, call, { flows, lifecycle }) {
    const added = checkTags(Tags);
    const flow = await flows.findOwner(ResourceArn, call);
    await lifecycle.change(
      flow.arn,
      call,
      retagged(flow, ResourceArn, (before) => withTags(before, added)),
      false,
    );
    return undefined;
  },
});

export const untagResource = operation<MediaConnectContext, UntagResourceRequest, undefined>(UntagResource$, {
  async authorize({ ResourceArn, TagKeys = [] }, call, { flows }) {
    const requests = await flows.access('UntagResource', ResourceArn, call);
    return requests.map((request): AccessRequest => ({ ...request, context: { 'aws:TagKeys': TagKeys } }));
  },
  async handle({ ResourceArn, TagKeys = [] }, call, { flows, lifecycle }) {
    const flow = await flows.findOwner(ResourceArn, call);
    await lifecycle.change(
      flow.arn,
      call,
      retagged(flow, ResourceArn, (before) => withoutTags(before, TagKeys)),
      false,
    );
    return undefined;
  },
});

export const listTagsForResource = operation<
  MediaConnectContext,
  ListTagsForResourceRequest,
  ListTagsForResourceResponse
>(ListTagsForResource$, {
  authorize: ({ ResourceArn }, call, { flows }) => flows.access('ListTagsForResource', ResourceArn, call),
  async handle({ ResourceArn }, call, { flows }) {
    return { Tags: { ...tagsOf(await flows.findOwner(ResourceArn, call), ResourceArn) } };
  },
});

/** @throws ServiceError NotFoundException when it is gone meanwhile */
function retagged(flow: FlowRecord, arn: string | undefined, tagsAfter: (before: TagMap) => TagMap) {
  return (document: FlowDocument): FlowDocument => {
    if (flow.arn === arn) return { ...document, tags: tagsAfter(document.tags) };
    if (tagsOf({ ...flow, document }, arn) === undefined) throw notFound('The resource does not exist.');
    const retag = <Part extends { readonly arn: string; readonly tags: TagMap }>(part: Part): Part =>
      part.arn === arn ? { ...part, tags: tagsAfter(part.tags) } : part;
    return {
      ...document,
      sources: document.sources.map(retag),
      outputs: document.outputs.map(retag),
      entitlements: document.entitlements.map(retag),
    };
  };
}
