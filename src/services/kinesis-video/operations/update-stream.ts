import { UpdateStream$, type UpdateStreamInput, type UpdateStreamOutput } from '@aws-sdk/client-kinesis-video';
import { operation } from '#kernel/operation.ts';
import type { KinesisVideoContext } from '../context.ts';

/** What is not given stays as it is. The key cannot be changed by anything. */
export const updateStream = operation<KinesisVideoContext, UpdateStreamInput, UpdateStreamOutput>(UpdateStream$, {
  authorize: (input, call, { streams }) => streams.access('kinesisvideo:UpdateStream', input, call),
  async handle(input, call, { streams }) {
    const { DeviceName, MediaType } = input;
    await streams.change(input, call, input.CurrentVersion, (row) => ({
      device_name: DeviceName ?? row.device_name,
      media_type: MediaType ?? row.media_type,
    }));
    return {};
  },
});
