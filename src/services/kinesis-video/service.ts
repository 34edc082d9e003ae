import * as sdk from '@aws-sdk/client-kinesis-video';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import { kinesisVideoErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';

/** Kinesis Video Streams' control plane: its operations are known, none is built yet. */
export function kinesisVideoService(): Service<undefined> {
  return {
    name: 'kinesis-video',
    eventSource: 'kinesisvideo.amazonaws.com',
    signingNames: ['kinesisvideo'],
    protocol: 'restJson1',
    schemas: operationSchemasOf(sdk),
    operations: [],
    context: undefined,
    constraints,
    errors: kinesisVideoErrors,
  };
}
