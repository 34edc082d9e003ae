import { isEntryUnit, lengthPrefixedPieces, splitLengthPrefixed, unitsOfFrame } from './codecs/nal-units.ts';
import { type CodedTrack, isVideo, type VideoCodec } from './codecs/track-codec.ts';

/** A frame of one track, as a fragment has it. */
export interface TimedFrame {
  /** When it is shown, in milliseconds from the fragment's beginning; may have a fraction, and be negative. */
  readonly timeMs: number;
  /** Where the stream says it. */
  readonly durationMs?: number;
  readonly isKeyframe: boolean;
  readonly payload: Buffer;
}

/** When a frame is decoded and shown, in ticks of its track's time scale. */
export interface SampleTime {
  readonly decodeTime: number;
  readonly duration: number;
  /** From decoding to showing; never negative. */
  readonly compositionOffset: number;
}

/** Ticks a second of video. It divides both milliseconds and the clock of MPEG-TS. */
export const VIDEO_TIMESCALE = 90_000;
/** How long a lone frame of unknown length is taken to last. */
const FALLBACK_FRAME_MS = 40;

export function timescaleOf(track: CodedTrack): number {
  return isVideo(track) ? VIDEO_TIMESCALE : (track.codec as { readonly sampleRate: number }).sampleRate;
}

/** Where a fragment stands on the timeline. */
export interface FragmentPlace {
  /** Of the fragment's beginning, in milliseconds. */
  readonly startMs: number;
  /** How long the fragment lasts, as far as that is known: for its last frame. */
  readonly lengthMs?: number;
  /** Where the track's fragment before ended, in ticks, if it is to be followed without a seam. */
  readonly expected?: number;
}

/**
 * The times of a fragment's frames of one track, which are in decoding order.
 *
 * Matroska says only when frames are shown. Where their order differs (B frames), decoding times are the same times in
 * ascending order, all of them earlier by as many frames as the stream may reorder: the same for every fragment, so that
 * one follows the other without a seam. Thus a fragment is decoded from a little before its beginning.
 */
export function timeSamples(track: CodedTrack, frames: readonly TimedFrame[], place: FragmentPlace): SampleTime[] {
  return isVideo(track) ? timeVideo(track, frames, place) : timeAudio(track, frames, place);
}

function timeVideo(track: CodedTrack<VideoCodec>, frames: readonly TimedFrame[], place: FragmentPlace): SampleTime[] {
  const ticks = (ms: number): number => Math.round((ms * VIDEO_TIMESCALE) / 1000);
  const shown = frames.map(({ timeMs }) => ticks(place.startMs + timeMs));
  const ascending = shown.toSorted((a, b) => a - b);
  const lead = reorderingTicks(track, shown, ascending);
  const decoded: number[] = [];
  let least = place.expected ?? 0;
  for (const time of ascending) {
    const decodeTime = Math.max(time - lead, least);
    decoded.push(decodeTime);
    least = decodeTime + 1;
  }
  const end = (decoded.at(-1) ?? 0) + ticks(lastFrameMs(track, frames, place));
  return decoded.map((decodeTime, index) => ({
    decodeTime,
    duration: (decoded[index + 1] ?? end) - decodeTime,
    compositionOffset: Math.max(0, (shown[index] ?? 0) - decodeTime),
  }));
}

/** By how much frames must be decoded before the times at which as many were shown. */
function reorderingTicks(
  { codec, frameMs }: CodedTrack<VideoCodec>,
  shown: readonly number[],
  ascending: readonly number[],
): number {
  const needed = shown.reduce((most, time, index) => Math.max(most, (ascending[index] ?? time) - time), 0);
  const span = (ascending.at(-1) ?? 0) - (ascending[0] ?? 0);
  const average = shown.length < 2 ? 0 : span / (shown.length - 1);
  const frame = frameMs === undefined ? average : (frameMs * VIDEO_TIMESCALE) / 1000;
  return Math.max(needed, Math.round(frame * (codec.reorderedFrames ?? 0)));
}

/** How long the last frame that is shown lasts: as the stream says, or till the fragment's end, or as the one before. */
function lastFrameMs(track: CodedTrack, frames: readonly TimedFrame[], { lengthMs }: FragmentPlace): number {
  const times = frames.map(({ timeMs }) => timeMs).sort((a, b) => a - b);
  const last = times.at(-1) ?? 0;
  const before = times.length < 2 ? undefined : last - (times.at(-2) ?? 0);
  const said = frames.find(({ timeMs }) => timeMs === last)?.durationMs ?? track.frameMs;
  if (said !== undefined && said > 0) return said;
  const rest = lengthMs === undefined ? 0 : lengthMs - last;
  const isSensible = rest > 0 && (before === undefined || rest <= 2 * before + 1);
  if (isSensible) return rest;
  return before !== undefined && before > 0 ? before : FALLBACK_FRAME_MS;
}

/**
 * Frames of audio have exact lengths, but times in whole milliseconds. So each begins where the one before ends, unless
 * that is more than half a frame from what the stream says.
 */
function timeAudio(track: CodedTrack, frames: readonly TimedFrame[], place: FragmentPlace): SampleTime[] {
  const timescale = timescaleOf(track);
  const starts: number[] = [];
  let next = place.expected;
  let length = 0;
  for (const frame of frames) {
    const said = Math.round(((place.startMs + frame.timeMs) * timescale) / 1000);
    length = audioFrameTicks(track, frame);
    const isSeamless = next !== undefined && said - next <= length / 2;
    const start = isSeamless && next !== undefined ? next : said;
    starts.push(start);
    next = start + length;
  }
  return starts.map((decodeTime, index) => ({
    decodeTime,
    duration: (starts[index + 1] ?? decodeTime + length) - decodeTime,
    compositionOffset: 0,
  }));
}

function audioFrameTicks({ codec }: CodedTrack, { payload }: TimedFrame): number {
  if (codec.kind === 'aac') return codec.samplesPerFrame;
  if (codec.kind === 'g711') return Math.max(1, Math.floor(payload.length / codec.channels));
  throw new TypeError('Not audio.');
}

/** A frame as MP4 has it. */
export interface Mp4Frame {
  /** NAL units behind lengths of four bytes; audio as it is. */
  readonly pieces: readonly Buffer[];
  /** Decoding can begin here: the producer says so, or the picture itself. */
  readonly isEntry: boolean;
}

/** @throws PackagingError invalid-frame */
export function mp4Frame(track: CodedTrack, { payload, isKeyframe }: TimedFrame): Mp4Frame {
  if (!isVideo(track)) return { pieces: [payload], isEntry: true };
  const { lengthSize, kind } = track.codec;
  const ready = lengthSize === 4 ? splitLengthPrefixed(payload, 4) : undefined;
  const units = ready ?? unitsOfFrame(payload, lengthSize);
  return {
    pieces: ready === undefined ? lengthPrefixedPieces(units) : [payload],
    isEntry: isKeyframe || units.some((unit) => isEntryUnit(kind, unit)),
  };
}

export function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
