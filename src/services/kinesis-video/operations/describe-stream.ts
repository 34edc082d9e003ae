import { DescribeStream$, type DescribeStreamInput, type DescribeStreamOutput } from '@aws-sdk/client-kinesis-video';
import { operation } from '#kernel/operation.ts';
import type { KinesisVideoContext } from '../context.ts';
import { streamView } from '../domain/stream-view.ts';

export const describeStream = operation<KinesisVideoContext, DescribeStreamInput, DescribeStreamOutput>(
  DescribeStream$,
  {
    authorize: (input, call, { streams }) => streams.access('kinesisvideo:DescribeStream', input, call),
    async handle(input, call, { streams }) {
      return { StreamInfo: streamView(await streams.find(input, call)) };
    },
  },
);
