import * as sdk from '@aws-sdk/client-kinesis-video-archived-media';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { ArchivedMediaContext } from './context.ts';
import { kinesisVideoArchivedMediaErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';

/** Kinesis Video Streams' archive: fragments after the fact, and the sessions by which players read them. */
export function kinesisVideoArchivedMediaService(context: ArchivedMediaContext): Service<ArchivedMediaContext> {
  return {
    name: 'kinesis-video-archived-media',
    eventSource: 'kinesisvideo.amazonaws.com',
    signingNames: ['kinesisvideo'],
    protocol: 'restJson1',
    schemas: operationSchemasOf(sdk),
    operations: [],
    context,
    constraints,
    errors: kinesisVideoArchivedMediaErrors,
  };
}
