import {
  GetHLSStreamingSessionURL$,
  type GetHLSStreamingSessionURLInput,
  type GetHLSStreamingSessionURLOutput,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { operation } from '#kernel/operation.ts';
import type { ArchivedMediaContext } from '../context.ts';
import { beginSession, sessionAddress } from '../sessions/begin-session.ts';
import { sessionRange } from '../sessions/session-range.ts';

export const getHlsStreamingSessionUrl = operation<
  ArchivedMediaContext,
  GetHLSStreamingSessionURLInput,
  GetHLSStreamingSessionURLOutput
>(GetHLSStreamingSessionURL$, {
  authorize: (input, call, { video }) => video.streams.access('kinesisvideo:GetHLSStreamingSessionURL', input, call),
  async handle(input, call, context) {
    const stream = await context.video.streams.find(input, call);
    const range = sessionRange(
      input.PlaybackMode ?? 'LIVE',
      input.HLSFragmentSelector,
      call.now,
      'HLSFragmentSelector',
    );
    const token = await beginSession(
      {
        protocol: 'HLS',
        range,
        container: input.ContainerFormat ?? 'FRAGMENTED_MP4',
        discontinuityMode: input.DiscontinuityMode ?? (range.by === 'server' ? 'ALWAYS' : 'NEVER'),
        areTimestampsShown: input.DisplayFragmentTimestamp === 'ALWAYS',
        areNumbersShown: false,
        maxFragments: input.MaxMediaPlaylistFragmentResults,
        expires: input.Expires,
      },
      stream,
      call,
      context,
    );
    return { HLSStreamingSessionURL: sessionAddress(call, '/hls/v1/getHLSMasterPlaylist.m3u8', token) };
  },
});
