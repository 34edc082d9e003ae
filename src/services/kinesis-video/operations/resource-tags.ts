import {
  ListTagsForResource$,
  type ListTagsForResourceInput,
  type ListTagsForResourceOutput,
  type Tag,
  TagResource$,
  type TagResourceInput,
  type TagResourceOutput,
  UntagResource$,
  type UntagResourceInput,
  type UntagResourceOutput,
} from '@aws-sdk/client-kinesis-video';
import { operation } from '#kernel/operation.ts';
import type { KinesisVideoContext } from '../context.ts';
import { checkTags, parseTags, type TagMap, withoutTags, withTags } from '../domain/tags.ts';
import { invalidArgument, invalidPageToken } from '../errors.ts';

/**
 * AWS documents these for signalling channels; they take streams too (Service Authorization Reference: TagResource has
 * the resource types channel and stream). Here there are no channels.
 */
export const tagResource = operation<KinesisVideoContext, TagResourceInput, TagResourceOutput>(TagResource$, {
  authorize: ({ ResourceARN, Tags }, call, { streams }) =>
    streams.access('kinesisvideo:TagResource', { StreamARN: ResourceARN }, call, { requestTags: tagMap(Tags) }),
  async handle({ ResourceARN, Tags }, call, { streams }) {
    await streams.change({ StreamARN: ResourceARN }, call, undefined, (row) => ({
      tags: JSON.stringify(withTags(parseTags(row.tags), tagMap(Tags))),
    }));
    return {};
  },
});

export const untagResource = operation<KinesisVideoContext, UntagResourceInput, UntagResourceOutput>(UntagResource$, {
  authorize: ({ ResourceARN, TagKeyList = [] }, call, { streams }) =>
    streams.access('kinesisvideo:UntagResource', { StreamARN: ResourceARN }, call, {
      context: { 'aws:TagKeys': TagKeyList },
    }),
  async handle({ ResourceARN, TagKeyList = [] }, call, { streams }) {
    await streams.change({ StreamARN: ResourceARN }, call, undefined, (row) => ({
      tags: JSON.stringify(withoutTags(parseTags(row.tags), TagKeyList)),
    }));
    return {};
  },
});

export const listTagsForResource = operation<KinesisVideoContext, ListTagsForResourceInput, ListTagsForResourceOutput>(
  ListTagsForResource$,
  {
    authorize: ({ ResourceARN }, call, { streams }) =>
      streams.access('kinesisvideo:ListTagsForResource', { StreamARN: ResourceARN }, call),
    async handle({ ResourceARN, NextToken }, call, { streams }) {
      if (NextToken !== undefined) throw invalidPageToken();
      return { Tags: { ...(await streams.find({ StreamARN: ResourceARN }, call)).tags } };
    },
  },
);

/** @throws ServiceError InvalidArgumentException */
function tagMap(tags: readonly Tag[] | undefined): TagMap {
  const result = new Map<string, string>();
  for (const { Key = '', Value = '' } of tags ?? []) {
    if (result.has(Key)) throw invalidArgument(`Tags: the key ${Key} stands there twice.`);
    result.set(Key, Value);
  }
  return checkTags(Object.fromEntries(result));
}
