import { type CodedTrack, isVideo } from '../codecs/track-codec.ts';
import { PackagingError } from '../packaging-error.ts';
import {
  type FragmentPlace,
  type SampleTime,
  sizeOf,
  type TimedFrame,
  timescaleOf,
  timeSamples,
} from '../track-samples.ts';
import { accessUnit, adtsFrame } from './elementary-streams.ts';
import { TS_CLOCK, TsPacketizer, wrapped } from './ts-packets.ts';
import { PAT_PID, PMT_PID, pidOf, programAssociation, programMap, streamTypeOf } from './ts-tables.ts';

const VIDEO_STREAM = 0xe0;
const AUDIO_STREAM = 0xc0;
/** How far the clock runs before what is to be decoded. */
const DECODING_LEAD = TS_CLOCK / 2;
/** Audio frames that share one PES packet: about a fifth of a second. */
const AUDIO_FRAMES_PER_PES = 9;
const MAX_PES_LENGTH = 0xffff;

export interface TrackFrames {
  readonly track: CodedTrack;
  readonly frames: readonly TimedFrame[];
}

/** Something to be sent: a video frame, or a few audio frames. */
interface Parcel {
  readonly index: number;
  /** On the clock of MPEG-TS. */
  readonly decodeTime: number;
  readonly showTime: number;
  readonly isKeyframe: boolean;
  readonly pieces: readonly Buffer[];
}

/**
 * A fragment as a segment of MPEG-TS that stands by itself: tables, then the frames of all tracks in the order of
 * decoding. Video goes first among the tracks and carries the clock.
 *
 * @returns the segment in chunks, which are made as they are taken
 * @throws PackagingError unsupported-media for what MPEG-TS does not carry, invalid-frame: at once, not in between
 */
export function tsSegment(tracks: readonly TrackFrames[], place: FragmentPlace): Iterable<Buffer> {
  const ordered = tracks.toSorted((a, b) => Number(isVideo(b.track)) - Number(isVideo(a.track)));
  for (const { track } of ordered) {
    if (streamTypeOf(track) !== undefined) continue;
    throw new PackagingError('unsupported-media', `The media of track ${track.number} cannot be put into MPEG-TS.`);
  }
  const parcels = ordered.flatMap((entry, index) => parcelsOf(entry, index, place));
  parcels.sort((a, b) => a.decodeTime - b.decodeTime);
  return packetsOf(
    ordered.map(({ track }) => track),
    parcels,
  );
}

function* packetsOf(tracks: readonly CodedTrack[], parcels: readonly Parcel[]): Generator<Buffer> {
  const packetizer = new TsPacketizer();
  packetizer.table(PAT_PID, programAssociation());
  packetizer.table(PMT_PID, programMap(tracks));
  for (const parcel of parcels) {
    const isClock = parcel.index === 0;
    packetizer.pes(pidOf(parcel.index), pesPacket(parcel, tracks[parcel.index]), {
      isRandomAccess: parcel.isKeyframe,
      ...(isClock && { clock: parcel.decodeTime - DECODING_LEAD }),
    });
    yield* packetizer.takeFull();
  }
  yield packetizer.takeRest();
}

function parcelsOf({ track, frames }: TrackFrames, index: number, place: FragmentPlace): Parcel[] {
  const times = timeSamples(track, frames, place);
  const toClock = (time: number): number => Math.round((time * TS_CLOCK) / timescaleOf(track));
  const parcelOf = (first: number, pieces: readonly Buffer[]): Parcel => {
    const { decodeTime, compositionOffset } = times[first] as SampleTime;
    return {
      index,
      decodeTime: toClock(decodeTime),
      showTime: toClock(decodeTime + compositionOffset),
      isKeyframe: isVideo(track) && frames[first]?.isKeyframe === true,
      pieces,
    };
  };
  if (isVideo(track)) return frames.map((frame, at) => parcelOf(at, accessUnit(track, frame)));
  const { codec } = track;
  if (codec.kind !== 'aac') return [];
  const parcels: Parcel[] = [];
  for (let at = 0; at < frames.length; at += AUDIO_FRAMES_PER_PES) {
    const together = frames.slice(at, at + AUDIO_FRAMES_PER_PES);
    parcels.push(
      parcelOf(
        at,
        together.flatMap((frame) => adtsFrame(codec, frame)),
      ),
    );
  }
  return parcels;
}

/** The pieces of a PES packet (ISO 13818-1, 2.4.3.6). */
function pesPacket({ decodeTime, showTime, pieces }: Parcel, track: CodedTrack | undefined): Buffer[] {
  const isOfVideo = track !== undefined && isVideo(track);
  const hasDecodeTime = decodeTime !== showTime;
  const times = hasDecodeTime
    ? Buffer.concat([timestamp(3, showTime), timestamp(1, decodeTime)])
    : timestamp(2, showTime);
  const length = 3 + times.length + sizeOf(pieces);
  const head = Buffer.of(
    0,
    0,
    1,
    isOfVideo ? VIDEO_STREAM : AUDIO_STREAM,
    // Only video may be longer than the field can say; 0 says so.
    length > MAX_PES_LENGTH ? 0 : length >> 8,
    length > MAX_PES_LENGTH ? 0 : length & 0xff,
    0x84,
    hasDecodeTime ? 0xc0 : 0x80,
    times.length,
  );
  return [head, times, ...pieces];
}

/** A time of 33 bits, with the marker bits between. */
function timestamp(prefix: number, time: number): Buffer {
  const value = wrapped(time);
  const high = Math.floor(value / 2 ** 30);
  const middle = Math.floor(value / 2 ** 15) & 0x7fff;
  const low = value % 2 ** 15;
  return Buffer.of(
    (prefix << 4) | (high << 1) | 1,
    middle >> 7,
    ((middle & 0x7f) << 1) | 1,
    low >> 7,
    ((low & 0x7f) << 1) | 1,
  );
}
