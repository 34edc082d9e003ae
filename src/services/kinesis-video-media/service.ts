import * as sdk from '@aws-sdk/client-kinesis-video-media';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import { kinesisVideoMediaErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';

/** Kinesis Video Streams' live media: its operations are known, none is built yet. */
export function kinesisVideoMediaService(): Service<undefined> {
  return {
    name: 'kinesis-video-media',
    eventSource: 'kinesisvideo.amazonaws.com',
    signingNames: ['kinesisvideo'],
    protocol: 'restJson1',
    schemas: operationSchemasOf(sdk),
    operations: [],
    context: undefined,
    constraints,
    errors: kinesisVideoMediaErrors,
  };
}
