import {
  GetDASHStreamingSessionURL$,
  type GetDASHStreamingSessionURLInput,
  type GetDASHStreamingSessionURLOutput,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { operation } from '#kernel/operation.ts';
import type { ArchivedMediaContext } from '../context.ts';
import { beginSession, sessionAddress } from '../sessions/begin-session.ts';
import { sessionRange } from '../sessions/session-range.ts';

export const getDashStreamingSessionUrl = operation<
  ArchivedMediaContext,
  GetDASHStreamingSessionURLInput,
  GetDASHStreamingSessionURLOutput
>(GetDASHStreamingSessionURL$, {
  authorize: (input, call, { video }) => video.streams.access('kinesisvideo:GetDASHStreamingSessionURL', input, call),
  async handle(input, call, context) {
    const stream = await context.video.streams.find(input, call);
    const mode = input.PlaybackMode ?? 'LIVE';
    const token = await beginSession(
      {
        protocol: 'DASH',
        range: sessionRange(mode, input.DASHFragmentSelector, call.now, 'DASHFragmentSelector'),
        container: 'FRAGMENTED_MP4',
        // The timeline has no gaps: there is nothing to mark.
        discontinuityMode: 'NEVER',
        areTimestampsShown: input.DisplayFragmentTimestamp === 'ALWAYS',
        areNumbersShown: input.DisplayFragmentNumber === 'ALWAYS',
        maxFragments: input.MaxManifestFragmentResults,
        expires: input.Expires,
      },
      stream,
      call,
      context,
    );
    return { DASHStreamingSessionURL: sessionAddress(call, '/dash/v1/getDASHManifest.mpd', token) };
  },
});
