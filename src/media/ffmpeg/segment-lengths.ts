import type { FragmentedGroup, HlsGroup, SmoothGroup } from '../output-group.ts';
import type { Rational } from '../video-settings.ts';
import { framerateOf, type MediaInput } from './media-input.ts';
import { gopFrames } from './rate-options.ts';

/** Of AAC at 48 kHz, the only sound to which segments are matched. */
const SAMPLE_RATE = 48_000;
const SAMPLES_A_FRAME = 1024;

/** Seconds of a segment and of a fragment: all renditions cut at the same times. */
export function segmentLengths(
  group: HlsGroup | FragmentedGroup | SmoothGroup,
  first: MediaInput,
): { readonly segmentSeconds: number; readonly fragmentSeconds: number } {
  const { segmentSeconds, alignment } = group;
  const fragmentSeconds = 'fragmentSeconds' in group ? group.fragmentSeconds : segmentSeconds;
  const video = group.outputs.find((output) => output.video !== undefined)?.video;
  const source = first.findVideo();
  if (alignment === 'exact' || source === undefined || video === undefined) return { segmentSeconds, fragmentSeconds };
  const rate = video.framerate ?? framerateOf(source);
  if (alignment === 'match') return { segmentSeconds: matchedSeconds(segmentSeconds, rate), fragmentSeconds };
  const { codec } = video;
  if (codec.kind !== 'h264' && codec.kind !== 'h265') return { segmentSeconds, fragmentSeconds };
  const gopSeconds = (gopFrames(codec, rate) * rate.den) / rate.num;
  return { segmentSeconds: Math.ceil(segmentSeconds / gopSeconds - 1e-6) * gopSeconds, fragmentSeconds };
}

/** The nearest length of whole pictures and whole frames of sound: both kinds of segments begin together, exactly. */
function matchedSeconds(target: number, { num, den }: Rational): number {
  const samples = SAMPLE_RATE * den;
  const frame = SAMPLES_A_FRAME * num;
  const pictures = frame / greatestCommonDivisor(samples, frame);
  const step = (pictures * den) / num;
  return Math.max(1, Math.round(target / step)) * step;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
