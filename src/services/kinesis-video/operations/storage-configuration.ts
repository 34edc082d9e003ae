import {
  DescribeStreamStorageConfiguration$,
  type DescribeStreamStorageConfigurationInput,
  type DescribeStreamStorageConfigurationOutput,
  UpdateStreamStorageConfiguration$,
  type UpdateStreamStorageConfigurationInput,
  type UpdateStreamStorageConfigurationOutput,
} from '@aws-sdk/client-kinesis-video';
import { operation } from '#kernel/operation.ts';
import type { KinesisVideoContext } from '../context.ts';

export const describeStreamStorageConfiguration = operation<
  KinesisVideoContext,
  DescribeStreamStorageConfigurationInput,
  DescribeStreamStorageConfigurationOutput
>(DescribeStreamStorageConfiguration$, {
  authorize: (input, call, { streams }) =>
    streams.access('kinesisvideo:DescribeStreamStorageConfiguration', input, call),
  async handle(input, call, { streams }) {
    const stream = await streams.find(input, call);
    return {
      StreamName: stream.name,
      StreamARN: stream.arn,
      StreamStorageConfiguration: { DefaultStorageTier: stream.storageTier },
    };
  },
});

/** Both tiers promise the same of what is stored; they differ in price. Here they are one disk. */
export const updateStreamStorageConfiguration = operation<
  KinesisVideoContext,
  UpdateStreamStorageConfigurationInput,
  UpdateStreamStorageConfigurationOutput
>(UpdateStreamStorageConfiguration$, {
  authorize: (input, call, { streams }) => streams.access('kinesisvideo:UpdateStreamStorageConfiguration', input, call),
  async handle(input, call, { streams }) {
    const tier = input.StreamStorageConfiguration?.DefaultStorageTier ?? 'HOT';
    await streams.change(input, call, input.CurrentVersion, () => ({ storage_tier: tier }));
    return {};
  },
});
