import { describeTrack } from '#media/packaging/manifests/describe-track.ts';
import type { ManifestTrack } from '#media/packaging/manifests/session-media.ts';
import { fragmentFrames } from '#media/packaging/fragment-frames.ts';
import type { TimedFrame } from '#media/packaging/track-samples.ts';
import { readHeader } from '#media/matroska/read-header.ts';
import type { FragmentRecord } from '#services/kinesis-video/api.ts';
import { findGroup } from '../domain/fragment-group.ts';
import { type PlayableTracks, playableTracks } from './playable-tracks.ts';
import type { SessionCall } from './session-operation.ts';
import { durationOf, selectionOf, type TimelineEntry } from './timeline-entry.ts';

/**
 * Added to every time in a session's media: decoding begins before showing, and no time may be negative, also where a
 * producer counts from zero.
 */
export const MEDIA_OFFSET_MS = 60_000;

/** A group of a session's fragments, taken apart. */
export interface SessionMedia {
  readonly tracks: PlayableTracks;
  /** With times from the beginning of the group's first fragment. */
  readonly frames: ReadonlyMap<number, readonly TimedFrame[]>;
  /** How long the group lasts. */
  readonly lengthMs: number;
  /** To be called when the frames are held no longer. */
  readonly release: () => void;
}

/**
 * Reads a fragment, and what can only be decoded after it, when there is room for all.
 *
 * @throws PackagingError; ServiceError as KMS answers; FragmentMissingError
 */
export async function openGroup(
  { reader, session, stream, call, context }: SessionCall,
  record: FragmentRecord,
): Promise<SessionMedia> {
  const { group, members } = await findGroup(context.video.archive, stream, selectionOf(session), record);
  const release = await context.budget.enter(group.size, call.signal);
  try {
    const { header, cluster } = await reader.read(record);
    const facts = readHeader(header);
    const tracks = playableTracks(facts.tracks, session.protocol);
    const followers: Buffer[] = [];
    for (const follower of members.slice(1)) followers.push((await reader.read(follower)).cluster);
    return { tracks, frames: fragmentFrames(facts, cluster, ...followers), lengthMs: durationOf(group), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** How manifests describe the session's tracks, by the first group of theirs that was seen. @throws as `openGroup` */
export async function describeTracks(
  session: SessionCall,
  { record, initSequence }: TimelineEntry,
): Promise<readonly ManifestTrack[]> {
  const known = session.descriptions.get(initSequence);
  if (known !== undefined) return known;
  const { tracks, frames, lengthMs, release } = await openGroup(session, record);
  try {
    const described = tracks.all.map((track) => describeTrack(track, frames.get(track.number) ?? [], lengthMs));
    session.descriptions.set(initSequence, described);
    return described;
  } finally {
    release();
  }
}
