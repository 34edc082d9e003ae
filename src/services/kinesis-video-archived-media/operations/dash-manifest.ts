import { sessionDashManifest } from '#media/packaging/manifests/session-dash.ts';
import { resourceNotFound } from '../errors.ts';
import { describeTracks, MEDIA_OFFSET_MS } from '../sessions/session-media.ts';
import { sessionOperation } from '../sessions/session-operation.ts';
import { GetDASHManifest$ } from '../sessions/session-schemas.ts';

export const getDashManifest = sessionOperation(GetDASHManifest$, 'DASH', async (call) => {
  const { session, timeline, token } = call;
  const { now } = call.call;
  const { entries, hasEnded } = await timeline.window(now);
  const [first] = entries;
  if (first === undefined) throw resourceNotFound('No fragments found in the stream for the streaming request.');
  const tracks = await describeTracks(call, first);
  const body = sessionDashManifest({
    token,
    tracks,
    // Without gaps: a fragment lasts till the next one begins.
    fragments: entries.map(({ record, ...entry }, index) => {
      const next = entries[index + 1];
      const durationMs = next === undefined ? entry.durationMs : next.mediaTime - entry.mediaTime;
      return { number: record.number, ...entry, durationMs };
    }),
    mediaOffsetMs: MEDIA_OFFSET_MS,
    hasEnded,
    zeroAt: session.zeroAt,
    now,
    areTimestampsShown: session.areTimestampsShown,
    areNumbersShown: session.areNumbersShown,
  });
  return { contentType: 'application/dash+xml', body };
});
