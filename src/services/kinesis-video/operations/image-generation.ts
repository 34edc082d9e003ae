import {
  DescribeImageGenerationConfiguration$,
  type DescribeImageGenerationConfigurationInput,
  type DescribeImageGenerationConfigurationOutput,
  type ImageGenerationConfiguration,
  UpdateImageGenerationConfiguration$,
  type UpdateImageGenerationConfigurationInput,
  type UpdateImageGenerationConfigurationOutput,
} from '@aws-sdk/client-kinesis-video';
import { operation } from '#kernel/operation.ts';
import type { KinesisVideoContext } from '../context.ts';
import { invalidArgument, noDataRetention } from '../errors.ts';

const MIN_SAMPLING_INTERVAL_MS = 200;

export const describeImageGenerationConfiguration = operation<
  KinesisVideoContext,
  DescribeImageGenerationConfigurationInput,
  DescribeImageGenerationConfigurationOutput
>(DescribeImageGenerationConfiguration$, {
  authorize: (input, call, { streams }) =>
    streams.access('kinesisvideo:DescribeImageGenerationConfiguration', input, call),
  async handle(input, call, { streams }) {
    const { imageGeneration } = await streams.find(input, call);
    return { ...(imageGeneration !== undefined && { ImageGenerationConfiguration: imageGeneration }) };
  },
});

/** Without a configuration the stream's is removed. */
export const updateImageGenerationConfiguration = operation<
  KinesisVideoContext,
  UpdateImageGenerationConfigurationInput,
  UpdateImageGenerationConfigurationOutput
>(UpdateImageGenerationConfiguration$, {
  authorize: (input, call, { streams }) =>
    streams.access('kinesisvideo:UpdateImageGenerationConfiguration', input, call),
  async handle(input, call, { streams }) {
    const configuration = input.ImageGenerationConfiguration;
    if (configuration !== undefined) checkConfiguration(configuration);
    await streams.change(input, call, undefined, (row) => {
      if (configuration === undefined) return { image_generation: null };
      if (configuration.DestinationConfig?.DestinationRegion !== row.region) {
        throw invalidArgument(
          `ImageGenerationConfiguration.DestinationConfig.DestinationRegion must be the stream's region, ${row.region}.`,
        );
      }
      if (row.retention_hours === 0) throw noDataRetention();
      return { image_generation: JSON.stringify(configuration) };
    });
    return {};
  },
});

/** What AWS documents of it, beyond the lengths and patterns of its members. */
function checkConfiguration({ Status, SamplingInterval = 0, FormatConfig }: ImageGenerationConfiguration): void {
  if (Status === 'ENABLED') {
    throw invalidArgument(
      'ImageGenerationConfiguration.Status ENABLED is not implemented: Coffer does not write images to S3. Ask for ' +
        'them with GetImages.',
    );
  }
  if (SamplingInterval < MIN_SAMPLING_INTERVAL_MS) {
    throw invalidArgument(
      `ImageGenerationConfiguration.SamplingInterval must be at least ${MIN_SAMPLING_INTERVAL_MS} (milliseconds).`,
    );
  }
  const quality = FormatConfig?.JPEGQuality;
  if (quality !== undefined && !/^([1-9]\d?|100)$/.test(quality)) {
    throw invalidArgument(
      'ImageGenerationConfiguration.FormatConfig.JPEGQuality must be a whole number from 1 to 100.',
    );
  }
}
