import { ListStreams$, type ListStreamsInput, type ListStreamsOutput } from '@aws-sdk/client-kinesis-video';
import { operation } from '#kernel/operation.ts';
import type { KinesisVideoContext } from '../context.ts';
import { decodePageToken, encodePageToken } from '../domain/page-token.ts';
import { recordOf } from '../domain/stream-record.ts';
import { streamView } from '../domain/stream-view.ts';
import type { StreamRow } from '../store.ts';
import { accountOfCaller } from '../streams.ts';

const DEFAULT_PAGE = 10_000;
/** Rows that are read and checked before other requests get their turn. */
const READ_AT_ONCE = 200;

export const listStreams = operation<KinesisVideoContext, ListStreamsInput, ListStreamsOutput>(ListStreams$, {
  authorize: () => [{ action: 'kinesisvideo:ListStreams', resource: '*' }],
  async handle(input, call, { store }) {
    const account = accountOfCaller(call.caller);
    const limit = input.MaxResults ?? DEFAULT_PAGE;
    const prefix = input.StreamNameCondition?.ComparisonValue ?? '';
    let after = input.NextToken === undefined ? '' : decodePageToken(input.NextToken);
    const rows: StreamRow[] = [];
    for (let isDone = false; !isDone && rows.length <= limit; ) {
      const count = Math.min(READ_AT_ONCE, limit + 1 - rows.length);
      const read = await store.list(account, call.region, { prefix, after, limit: count });
      rows.push(...read);
      after = read.at(-1)?.name ?? after;
      isDone = read.length < count;
    }
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      StreamInfoList: page.map((row) => streamView(recordOf(row))),
      ...(rows.length > limit && last !== undefined && { NextToken: encodePageToken(last.name) }),
    };
  },
});
