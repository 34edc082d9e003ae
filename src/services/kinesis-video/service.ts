import * as sdk from '@aws-sdk/client-kinesis-video';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { KinesisVideoContext } from './context.ts';
import { kinesisVideoErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import { createStream } from './operations/create-stream.ts';
import { deleteStream } from './operations/delete-stream.ts';
import { describeStream } from './operations/describe-stream.ts';
import { getDataEndpoint } from './operations/get-data-endpoint.ts';
import {
  describeImageGenerationConfiguration,
  updateImageGenerationConfiguration,
} from './operations/image-generation.ts';
import { listStreams } from './operations/list-streams.ts';
import { describeNotificationConfiguration, updateNotificationConfiguration } from './operations/notification.ts';
import { listTagsForResource, tagResource, untagResource } from './operations/resource-tags.ts';
import {
  describeStreamStorageConfiguration,
  updateStreamStorageConfiguration,
} from './operations/storage-configuration.ts';
import { listTagsForStream, tagStream, untagStream } from './operations/stream-tags.ts';
import { updateDataRetention } from './operations/update-data-retention.ts';
import { updateStream } from './operations/update-stream.ts';

/** Kinesis Video Streams' control plane. */
export function kinesisVideoService(context: KinesisVideoContext): Service<KinesisVideoContext> {
  return {
    name: 'kinesis-video',
    eventSource: 'kinesisvideo.amazonaws.com',
    signingNames: ['kinesisvideo'],
    protocol: 'restJson1',
    schemas: operationSchemasOf(sdk),
    operations: [
      createStream,
      deleteStream,
      describeStream,
      getDataEndpoint,
      describeImageGenerationConfiguration,
      updateImageGenerationConfiguration,
      listStreams,
      describeNotificationConfiguration,
      updateNotificationConfiguration,
      listTagsForResource,
      tagResource,
      untagResource,
      describeStreamStorageConfiguration,
      updateStreamStorageConfiguration,
      listTagsForStream,
      tagStream,
      untagStream,
      updateDataRetention,
      updateStream,
    ],
    context,
    constraints,
    errors: kinesisVideoErrors,
  };
}
