import type { InputPicture, OutputPicture } from '#media/picture-settings.ts';
import type { Input, JobSettings, VideoDescription } from '@aws-sdk/client-mediaconvert';
import { planImages } from './image-plan.ts';

/** What is done to an input's pictures, for all outputs. */
export function planInputPicture(input: Input): InputPicture {
  const images = planImages(input.ImageInserter);
  return { ...(images.length > 0 && { images }) };
}

/** What is done to an output's pictures beside making them of the right size and rate. */
export function planOutputPicture(video: VideoDescription): OutputPicture {
  const images = planImages(video.VideoPreprocessors?.ImageInserter);
  return { ...(images.length > 0 && { images }) };
}

/** Where an input's pictures are counted from. */
export function inputTimecode({ TimecodeSource, TimecodeStart }: Input): string {
  return timecode(TimecodeSource, TimecodeStart);
}

/** Where the outputs' pictures are counted from. */
export function outputTimecode({ TimecodeConfig: config }: JobSettings): string {
  return timecode(config?.Source, config?.Start);
}

function timecode(source = 'EMBEDDED', start: string | undefined): string {
  if (source === 'EMBEDDED') return 'embedded';
  return source === 'ZEROBASED' ? 'zero' : (start ?? 'zero');
}
