import { sessionMasterPlaylist, sessionMediaPlaylist } from '#media/packaging/manifests/session-hls.ts';
import { resourceNotFound } from '../errors.ts';
import { describeTracks } from '../sessions/session-media.ts';
import { numberOf, sessionOperation } from '../sessions/session-operation.ts';
import { GetHLSMasterPlaylist$, GetHLSMediaPlaylist$ } from '../sessions/session-schemas.ts';

const PLAYLIST = 'application/vnd.apple.mpegurl';

export const getHlsMasterPlaylist = sessionOperation(GetHLSMasterPlaylist$, 'HLS', async (call) => {
  const { entries } = await call.timeline.window(call.call.now);
  const [first] = entries;
  if (first === undefined) throw resourceNotFound('No fragments found in the stream for the streaming request.');
  const tracks = await describeTracks(call, first);
  const video = tracks.find(({ picture }) => picture !== undefined);
  const audio = tracks.find(({ sound }) => sound !== undefined);
  const body = sessionMasterPlaylist({
    token: call.token,
    ...(video !== undefined && { video }),
    ...(audio !== undefined && { audio }),
    isMuxed: call.session.container === 'MPEG_TS',
  });
  return { contentType: PLAYLIST, body };
});

export const getHlsMediaPlaylist = sessionOperation(GetHLSMediaPlaylist$, 'HLS', async (call) => {
  const { session, timeline, token, request } = call;
  const trackNumber = numberOf('TrackNumber', request.TrackNumber, 1);
  const { entries, longestMs, hasEnded } = await timeline.window(call.call.now);
  const [first] = entries;
  const body = sessionMediaPlaylist({
    token,
    trackNumber,
    container: session.container,
    fragments: entries.map(({ record, ...entry }) => ({ number: record.number, ...entry })),
    mediaSequence: first?.sequence ?? 0,
    discontinuitySequence: first?.discontinuitiesBefore ?? 0,
    longestMs,
    isStatic: session.mode === 'ON_DEMAND',
    hasEnded,
    areTimestampsShown: session.areTimestampsShown,
  });
  return { contentType: PLAYLIST, body };
});
