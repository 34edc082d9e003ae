import * as sdk from '@aws-sdk/client-kinesis-video';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { KinesisVideoContext } from './context.ts';
import { kinesisVideoErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';

/** Kinesis Video Streams' control plane. */
export function kinesisVideoService(context: KinesisVideoContext): Service<KinesisVideoContext> {
  return {
    name: 'kinesis-video',
    eventSource: 'kinesisvideo.amazonaws.com',
    signingNames: ['kinesisvideo'],
    protocol: 'restJson1',
    schemas: operationSchemasOf(sdk),
    operations: [],
    context,
    constraints,
    errors: kinesisVideoErrors,
  };
}
