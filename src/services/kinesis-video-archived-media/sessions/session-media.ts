import { describeTrack } from '#media/packaging/manifests/describe-track.ts';
import type { ManifestTrack } from '#media/packaging/manifests/session-media.ts';
import { fragmentFrames } from '#media/packaging/fragment-frames.ts';
import type { TimedFrame } from '#media/packaging/track-samples.ts';
import { readHeader } from '#media/matroska/read-header.ts';
import type { FragmentRecord } from '#services/kinesis-video/api.ts';
import { type PlayableTracks, playableTracks } from './playable-tracks.ts';
import type { SessionCall } from './session-operation.ts';
import { durationOf, type TimelineEntry } from './timeline-entry.ts';

/**
 * Added to every time in a session's media: decoding begins before showing, and no time may be negative, also where a
 * producer counts from zero.
 */
export const MEDIA_OFFSET_MS = 60_000;

/** A fragment of a session, taken apart. */
export interface SessionFragment {
  readonly tracks: PlayableTracks;
  readonly frames: ReadonlyMap<number, readonly TimedFrame[]>;
  /** To be called when the frames are held no longer. */
  readonly release: () => void;
}

/**
 * Reads a fragment when there is room for it.
 *
 * @throws PackagingError; ServiceError as KMS answers; FragmentMissingError
 */
export async function openFragment(
  { reader, session, call, context }: SessionCall,
  record: FragmentRecord,
): Promise<SessionFragment> {
  const release = await context.budget.enter(record.size, call.signal);
  try {
    const { header, cluster } = await reader.read(record);
    const facts = readHeader(header);
    const tracks = playableTracks(facts.tracks, session.protocol);
    return { tracks, frames: fragmentFrames(facts, cluster), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** How manifests describe the session's tracks, by the first fragment of theirs that was seen. @throws as `openFragment` */
export async function describeTracks(
  session: SessionCall,
  { record, initSequence }: TimelineEntry,
): Promise<readonly ManifestTrack[]> {
  const known = session.descriptions.get(initSequence);
  if (known !== undefined) return known;
  const { tracks, frames, release } = await openFragment(session, record);
  try {
    const described = tracks.all.map((track) =>
      describeTrack(track, frames.get(track.number) ?? [], durationOf(record)),
    );
    session.descriptions.set(initSequence, described);
    return described;
  } finally {
    release();
  }
}
