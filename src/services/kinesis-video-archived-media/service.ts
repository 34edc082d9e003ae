import * as sdk from '@aws-sdk/client-kinesis-video-archived-media';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { ArchivedMediaContext } from './context.ts';
import { kinesisVideoArchivedMediaErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import { getDashManifest } from './operations/dash-manifest.ts';
import { getClip } from './operations/get-clip.ts';
import { getDashStreamingSessionUrl } from './operations/get-dash-streaming-session-url.ts';
import { getHlsStreamingSessionUrl } from './operations/get-hls-streaming-session-url.ts';
import { getImages } from './operations/get-images.ts';
import { getMediaForFragmentList } from './operations/get-media-for-fragment-list.ts';
import { getHlsMasterPlaylist, getHlsMediaPlaylist } from './operations/hls-playlists.ts';
import { listFragments } from './operations/list-fragments.ts';
import { preflightDash, preflightHls } from './operations/preflight.ts';
import {
  getDashInitFragment,
  getDashMediaFragment,
  getMp4InitFragment,
  getMp4MediaFragment,
  getTsFragment,
} from './operations/session-fragments.ts';
import { SESSION_SCHEMAS } from './sessions/session-schemas.ts';

/** Kinesis Video Streams' archive: fragments after the fact, and the sessions by which players read them. */
export function kinesisVideoArchivedMediaService(context: ArchivedMediaContext): Service<ArchivedMediaContext> {
  return {
    name: 'kinesis-video-archived-media',
    eventSource: 'kinesisvideo.amazonaws.com',
    signingNames: ['kinesisvideo'],
    protocol: 'restJson1',
    schemas: [...operationSchemasOf(sdk), ...SESSION_SCHEMAS],
    unsignedOperations: SESSION_SCHEMAS.map((schema) => schema[2]),
    operations: [
      listFragments,
      getMediaForFragmentList,
      getImages,
      getClip,
      getHlsStreamingSessionUrl,
      getHlsMasterPlaylist,
      getHlsMediaPlaylist,
      getMp4InitFragment,
      getMp4MediaFragment,
      getTsFragment,
      getDashStreamingSessionUrl,
      getDashManifest,
      getDashInitFragment,
      getDashMediaFragment,
      preflightHls,
      preflightDash,
    ],
    context,
    constraints,
    errors: kinesisVideoArchivedMediaErrors,
  };
}
