import type { TranscodeJob } from '../transcode-job.ts';
import type { Rational } from '../video-settings.ts';
import type { TimedTag } from '../packaging/timed-tags.ts';
import type { ClipWindow } from './clip-windows.ts';
import { timesFrom } from './film-times.ts';
import type { CopiedFormat } from './track-format.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { framerateOf, type MediaInput } from './media-input.ts';
import { timecodesOfOutputs } from './output-timecodes.ts';

/** The job's tags with their times in an output of some rate of pictures; absent: the first input's. */
export function timedTagsOf(
  job: TranscodeJob,
  first: MediaInput,
  window: ClipWindow,
): (rate: Rational | undefined) => TimedTag[] {
  const timecodes = timecodesOfOutputs(job, first, window);
  return (wanted) => {
    const video = first.findVideo();
    const rate = wanted ?? (video === undefined ? { num: 25, den: 1 } : framerateOf(video));
    const times = timesFrom(timecodes(rate), rate);
    return (job.timedMetadata ?? []).map(({ timecode, tag }) => ({ seconds: times.secondsOf(timecode), bytes: tag }));
  };
}

/** Ticks a second of a stream of tags. */
export const TAG_CLOCK = 90_000;

/** What a muxer has to know of a stream of ID3 tags. */
export function tagStream(ffmpeg: FFmpeg): CopiedFormat {
  const parameters = new ffmpeg.CodecParameters();
  parameters.alloc();
  parameters.codecType = ffmpeg.AVMEDIA_TYPE_DATA;
  parameters.codecId = ffmpeg.AV_CODEC_ID_TIMED_ID3;
  return { parameters, timeBase: { num: 1, den: TAG_CLOCK }, sampleAspectRatio: { num: 1, den: 1 }, extraData: null };
}
