import type { TranscodeJob } from '../transcode-job.ts';
import type { Rational } from '../video-settings.ts';
import type { ClipWindow } from './clip-windows.ts';
import { outputTimecode } from './film-times.ts';
import { framerateOf, type MediaInput } from './media-input.ts';
import { outputStartMs } from './output-start.ts';

/** The timecode of the outputs' first picture, at each rate. */
export function timecodesOfOutputs(
  job: TranscodeJob,
  first: MediaInput,
  window: ClipWindow,
): (rate: Rational) => string {
  const source = job.firstTimecode ?? 'embedded';
  const embedded = first.embeddedTimecode;
  const inputRate = rateOf(first);
  return (rate) => outputTimecode(source, embedded, window.from, inputRate, rate);
}

/** The date and time of the outputs' first picture, in milliseconds since the epoch. */
export function startOfOutputsMs(job: TranscodeJob, first: MediaInput, window: ClipWindow): number {
  const rate = rateOf(first);
  const timecode = timecodesOfOutputs(job, first, window)(rate);
  return outputStartMs(timecode, rate, job.firstDate, job.startedAt);
}

function rateOf(first: MediaInput): Rational {
  const video = first.findVideo();
  return video === undefined ? { num: 25, den: 1 } : framerateOf(video);
}
