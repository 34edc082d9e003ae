import * as sdk from '@aws-sdk/client-kinesis-video-media';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { KinesisVideoMediaContext } from './context.ts';
import { kinesisVideoMediaErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import { getMedia } from './operations/get-media.ts';
import { putMedia } from './operations/put-media.ts';
import { PutMedia$, putMediaConstraints } from './schemas.ts';

/** Kinesis Video Streams' media, as it comes and goes. */
export function kinesisVideoMediaService(context: KinesisVideoMediaContext): Service<KinesisVideoMediaContext> {
  return {
    name: 'kinesis-video-media',
    eventSource: 'kinesisvideo.amazonaws.com',
    signingNames: ['kinesisvideo'],
    protocol: 'restJson1',
    schemas: [PutMedia$, ...operationSchemasOf(sdk)],
    // A camera without credentials is refused in the words that its library understands.
    unsignedOperations: [PutMedia$[2], 'GetMedia'],
    operations: [putMedia, getMedia],
    context,
    constraints: { ...constraints, PutMediaInput: putMediaConstraints },
    errors: kinesisVideoMediaErrors,
  };
}
