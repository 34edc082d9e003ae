import * as sdk from '@aws-sdk/client-kinesis-video-archived-media';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import { kinesisVideoArchivedMediaErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';

/** Kinesis Video Streams' archive: its operations are known, none is built yet. */
export function kinesisVideoArchivedMediaService(): Service<undefined> {
  return {
    name: 'kinesis-video-archived-media',
    eventSource: 'kinesisvideo.amazonaws.com',
    signingNames: ['kinesisvideo'],
    protocol: 'restJson1',
    schemas: operationSchemasOf(sdk),
    operations: [],
    context: undefined,
    constraints,
    errors: kinesisVideoArchivedMediaErrors,
  };
}
