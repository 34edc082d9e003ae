import { withLadder } from '../abr-ladder.ts';
import type { TranscodeJob } from '../transcode-job.ts';
import { inputPictures } from './input-pictures.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { framerateOf, type MediaInput } from './media-input.ts';

/** Chooses the renditions of groups that leave it to the first input. */
export function withLadders(ffmpeg: FFmpeg, job: TranscodeJob, first: MediaInput): TranscodeJob {
  const source = first.findVideo();
  if (source === undefined || job.groups.every(({ abr }) => abr === undefined)) return job;
  const { picture: shown } = inputPictures(ffmpeg, first, job.inputs[0]);
  const width = Math.round((shown.width * shown.pixelAspect.num) / shown.pixelAspect.den);
  const facts = { width, height: shown.height, framerate: framerateOf(source) };
  return { ...job, groups: job.groups.map((group) => withLadder(group, facts)) };
}
