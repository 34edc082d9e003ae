import * as sdk from '@aws-sdk/client-kinesis-video-archived-media';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { ArchivedMediaContext } from './context.ts';
import { kinesisVideoArchivedMediaErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import { getImages } from './operations/get-images.ts';
import { getMediaForFragmentList } from './operations/get-media-for-fragment-list.ts';
import { listFragments } from './operations/list-fragments.ts';

/** Kinesis Video Streams' archive: fragments after the fact, and the sessions by which players read them. */
export function kinesisVideoArchivedMediaService(context: ArchivedMediaContext): Service<ArchivedMediaContext> {
  return {
    name: 'kinesis-video-archived-media',
    eventSource: 'kinesisvideo.amazonaws.com',
    signingNames: ['kinesisvideo'],
    protocol: 'restJson1',
    schemas: operationSchemasOf(sdk),
    operations: [listFragments, getMediaForFragmentList, getImages],
    context,
    constraints,
    errors: kinesisVideoArchivedMediaErrors,
  };
}
