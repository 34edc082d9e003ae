import { DeleteStream$, type DeleteStreamInput, type DeleteStreamOutput } from '@aws-sdk/client-kinesis-video';
import { operation } from '#kernel/operation.ts';
import type { KinesisVideoContext } from '../context.ts';

/** From the answer on nobody finds the stream; what is in it is removed in the background, also after a restart. */
export const deleteStream = operation<KinesisVideoContext, DeleteStreamInput, DeleteStreamOutput>(DeleteStream$, {
  authorize: ({ StreamARN }, call, { streams }) => streams.access('kinesisvideo:DeleteStream', { StreamARN }, call),
  async handle({ StreamARN, CurrentVersion }, call, { streams, janitor }) {
    const stream = await streams.change({ StreamARN }, call, CurrentVersion, () => ({ deleted_at: call.now }));
    streams.announceDeletion(stream);
    janitor.removeDeletedSoon();
    return {};
  },
});
