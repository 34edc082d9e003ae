import type { CodedTrack } from '#media/packaging/codecs/track-codec.ts';
import { initSegment } from '#media/packaging/mp4/init-segment.ts';
import { mediaSegment } from '#media/packaging/mp4/media-segment.ts';
import { PackagingError } from '#media/packaging/packaging-error.ts';
import { tsSegment } from '#media/packaging/ts/ts-segment.ts';
import type { FragmentRecord } from '#services/kinesis-video/api.ts';
import { invalidArgument, resourceNotFound } from '../errors.ts';
import { type PlayableTracks, playableTracks } from '../sessions/playable-tracks.ts';
import { MEDIA_OFFSET_MS, openGroup } from '../sessions/session-media.ts';
import { numberOf, type SessionAnswer, type SessionCall, sessionOperation } from '../sessions/session-operation.ts';
import {
  GetDASHInitFragment$,
  GetDASHMediaFragment$,
  GetMP4InitFragment$,
  GetMP4MediaFragment$,
  GetTSFragment$,
} from '../sessions/session-schemas.ts';
import { timestampOf } from '../sessions/timeline-entry.ts';

const MP4 = 'video/mp4';
const TRANSPORT_STREAM = 'video/MP2T';
const FRAGMENT_NUMBER = /^\d{1,128}$/;

export const getMp4InitFragment = sessionOperation(GetMP4InitFragment$, 'HLS', answerInit);
export const getDashInitFragment = sessionOperation(GetDASHInitFragment$, 'DASH', answerInit);

export const getMp4MediaFragment = sessionOperation(GetMP4MediaFragment$, 'HLS', async (call) => {
  if (call.session.container !== 'FRAGMENTED_MP4') throw invalidArgument('The session is one of MPEG_TS.');
  const record = await findFragment(call);
  return answerMedia(call, record, timestampOf(call.session, record), 1);
});

export const getDashMediaFragment = sessionOperation(GetDASHMediaFragment$, 'DASH', async (call) => {
  const sequence = numberOf('FragmentNumber', call.request.FragmentNumber);
  const entry = await call.timeline.at(sequence, call.call.now);
  if (entry === undefined) throw resourceNotFound('The fragment is not, or no longer, one of the session.');
  // A DASH manifest has one initialisation segment for each track.
  if (entry.initSequence !== 0) {
    throw new PackagingError('invalid-codec-private-data', 'The codec private data changed during the session.');
  }
  return answerMedia(call, entry.record, entry.mediaTime, entry.sequence + 1);
});

export const getTsFragment = sessionOperation(GetTSFragment$, 'HLS', async (call) => {
  if (call.session.container !== 'MPEG_TS') throw invalidArgument('The session is one of FRAGMENTED_MP4.');
  const record = await findFragment(call);
  const { tracks, frames, lengthMs, release } = await openGroup(call, record);
  try {
    const place = { startMs: timestampOf(call.session, record) + MEDIA_OFFSET_MS, lengthMs };
    const media = tracks.all.map((track) => ({ track, frames: frames.get(track.number) ?? [] }));
    return { contentType: TRANSPORT_STREAM, body: tsSegment(media, place), release };
  } catch (error) {
    release();
    throw error;
  }
});

async function answerInit(call: SessionCall): Promise<SessionAnswer> {
  const { session, timeline, request } = call;
  if (session.container !== 'FRAGMENTED_MP4') throw invalidArgument('The session is one of MPEG_TS.');
  const sequence = numberOf('SequenceNumber', request.SequenceNumber, 0);
  const tracks = await timeline.configuration(sequence, call.call.now);
  if (tracks === undefined) throw resourceNotFound('The session has no such initialisation fragment.');
  return { contentType: MP4, body: [initSegment(trackOf(call, playableTracks(tracks, session.protocol)))] };
}

/** A fragment by its number. INVARIANT: no session gives away what lies outside it. */
async function findFragment({ request, context, stream, timeline }: SessionCall): Promise<FragmentRecord> {
  const { FragmentNumber: number = '' } = request;
  if (!FRAGMENT_NUMBER.test(number)) throw invalidArgument('FragmentNumber is not a number.');
  const record = await context.video.archive.find(stream, number);
  if (record === undefined || !timeline.holds(record)) {
    throw resourceNotFound('The fragment is not, or no longer, one of the session.');
  }
  return record;
}

/**
 * @param record the first of its group
 * @param startMs where it begins on the session's timeline
 */
async function answerMedia(
  call: SessionCall,
  record: FragmentRecord,
  startMs: number,
  sequence: number,
): Promise<SessionAnswer> {
  const { tracks, frames, lengthMs, release } = await openGroup(call, record);
  try {
    const track = trackOf(call, tracks);
    const place = { startMs: startMs + MEDIA_OFFSET_MS, lengthMs };
    const body = mediaSegment(track, frames.get(track.number) ?? [], place, sequence);
    return { contentType: MP4, body, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** The track that is asked for; the first one where none is named. */
function trackOf({ request }: SessionCall, { all }: PlayableTracks): CodedTrack {
  const number = request.TrackNumber === undefined ? all[0]?.number : numberOf('TrackNumber', request.TrackNumber);
  const track = all.find((candidate) => candidate.number === number);
  if (track !== undefined) return track;
  // Sessions do not survive that a stream's tracks change.
  throw new PackagingError('unsupported-media', `The fragment has no track ${number ?? ''} that can be played.`);
}
