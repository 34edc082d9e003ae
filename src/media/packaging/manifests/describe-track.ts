import { type CodedTrack, isVideo } from '../codecs/track-codec.ts';
import { sizeOf, type TimedFrame } from '../track-samples.ts';
import type { ManifestTrack } from './session-media.ts';

/** Rates of real cameras and films; what is measured in whole milliseconds is taken for the nearest, if that is near. */
const USUAL_RATES = [24_000 / 1001, 30_000 / 1001, 60_000 / 1001];
const NEAR = 0.003;

/**
 * A track as manifests describe it, by the frames of one fragment.
 *
 * @param lengthMs of the fragment
 */
export function describeTrack(track: CodedTrack, frames: readonly TimedFrame[], lengthMs: number): ManifestTrack {
  const { number, codec } = track;
  const bytes = sizeOf(frames.map(({ payload }) => payload));
  const bandwidth = Math.max(1, Math.ceil((bytes * 8000) / Math.max(1, lengthMs)));
  const about = { number, codec: codec.name, bandwidth };
  if (!isVideo(track)) {
    const { sampleRate, channels } = codec as { readonly sampleRate: number; readonly channels: number };
    return { ...about, sound: { sampleRate, channels } };
  }
  const { width, height } = track.codec;
  const framesPerSecond = rateOf(track, frames);
  return { ...about, picture: { width, height, ...(framesPerSecond !== undefined && { framesPerSecond }) } };
}

function rateOf({ frameMs }: CodedTrack, frames: readonly TimedFrame[]): number | undefined {
  const times = frames.map(({ timeMs }) => timeMs);
  const span = Math.max(...times) - Math.min(...times);
  const measured = frameMs === undefined ? ((frames.length - 1) * 1000) / span : 1000 / frameMs;
  if (!Number.isFinite(measured) || measured <= 0) return undefined;
  const usual = [...USUAL_RATES, Math.max(1, Math.round(measured))];
  const distance = (rate: number): number => Math.abs(rate - measured);
  const nearest = usual.reduce((best, rate) => (distance(rate) < distance(best) ? rate : best));
  return Math.round((distance(nearest) / measured < NEAR ? nearest : measured) * 1000) / 1000;
}
