import {
  ListTagsForStream$,
  type ListTagsForStreamInput,
  type ListTagsForStreamOutput,
  TagStream$,
  type TagStreamInput,
  type TagStreamOutput,
  UntagStream$,
  type UntagStreamInput,
  type UntagStreamOutput,
} from '@aws-sdk/client-kinesis-video';
import { operation } from '#kernel/operation.ts';
import type { KinesisVideoContext } from '../context.ts';
import { checkTags, parseTags, withoutTags, withTags } from '../domain/tags.ts';
import { invalidPageToken } from '../errors.ts';

export const tagStream = operation<KinesisVideoContext, TagStreamInput, TagStreamOutput>(TagStream$, {
  authorize: (input, call, { streams }) =>
    streams.access('kinesisvideo:TagStream', input, call, { requestTags: checkTags(input.Tags) }),
  async handle(input, call, { streams }) {
    await streams.change(input, call, undefined, (row) => ({
      tags: JSON.stringify(withTags(parseTags(row.tags), input.Tags ?? {})),
    }));
    return {};
  },
});

export const untagStream = operation<KinesisVideoContext, UntagStreamInput, UntagStreamOutput>(UntagStream$, {
  authorize: (input, call, { streams }) =>
    streams.access('kinesisvideo:UntagStream', input, call, { context: { 'aws:TagKeys': input.TagKeyList ?? [] } }),
  async handle(input, call, { streams }) {
    await streams.change(input, call, undefined, (row) => ({
      tags: JSON.stringify(withoutTags(parseTags(row.tags), input.TagKeyList ?? [])),
    }));
    return {};
  },
});

/** A stream has so few tags that they are one page. */
export const listTagsForStream = operation<KinesisVideoContext, ListTagsForStreamInput, ListTagsForStreamOutput>(
  ListTagsForStream$,
  {
    authorize: (input, call, { streams }) => streams.access('kinesisvideo:ListTagsForStream', input, call),
    async handle(input, call, { streams }) {
      if (input.NextToken !== undefined) throw invalidPageToken();
      return { Tags: { ...(await streams.find(input, call)).tags } };
    },
  },
);
