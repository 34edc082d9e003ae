import type { VideoDescription, VideoPreprocessor } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { checkHdrCodec, colorCorrector } from './color-rules.ts';
import { imageInserter } from './image-rules.ts';
import { allOf, carriedOut, oneOf, type SettingRule, structure, withoutEffect } from './setting-rule.ts';
import { deinterlacer, noiseReducer } from './noise-rules.ts';
import { checkPosition, checkTimecodeInsertion, rectangle, timecodeBurnin } from './picture-rules.ts';
import { checkPassthrough } from './passthrough-rules.ts';
import { checkVideoCodec, videoCodecSettings } from './video-codec-rules.ts';

/** What of an output's picture is carried out. */

export const videoDescription: SettingRule<VideoDescription> = allOf(
  checkVideoCodec,
  checkPassthrough,
  checkVideoSize,
  checkTimecodeInsertion,
  checkPosition,
  checkHdrCodec,
  structure<VideoDescription>({
    CodecSettings: videoCodecSettings,
    Width: carriedOut,
    Height: carriedOut,
    ScalingBehavior: oneOf('DEFAULT', 'STRETCH_TO_OUTPUT', 'FIT', 'FIT_NO_UPSCALE', 'FILL'),
    Sharpness: carriedOut,
    // The service's own: it is always on, and a job that turns it off is carried out with it.
    AntiAlias: withoutEffect,
    ColorMetadata: carriedOut,
    ChromaPositionMode: carriedOut,
    AfdSignaling: oneOf('NONE'),
    RespondToAfd: oneOf('NONE'),
    // A later SDK names more.
    TimecodeInsertion: oneOf('DISABLED', 'PIC_TIMING_SEI'),
    TimecodeTrack: carriedOut,
    DropFrameTimecode: carriedOut,
    Crop: rectangle,
    Position: rectangle,
    VideoPreprocessors: structure<VideoPreprocessor>({
      TimecodeBurnin: timecodeBurnin,
      ImageInserter: imageInserter,
      Deinterlacer: deinterlacer,
      NoiseReducer: noiseReducer,
      ColorCorrector: colorCorrector,
    }),
  }),
);

const LARGEST = { H_264: [4096, 2304], other: [8192, 4320] } as const;

function checkVideoSize(video: VideoDescription, pointer: string, problems: Problem[]): void {
  const [maxWidth, maxHeight] = LARGEST[video.CodecSettings?.Codec === 'H_264' ? 'H_264' : 'other'];
  for (const [member, value, most] of [
    ['width', video.Width, maxWidth],
    ['height', video.Height, maxHeight],
  ] as const) {
    if (value === undefined) continue;
    if (value % 2 !== 0) {
      const text = `Invalid resolution [${video.Width ?? 'auto'} x ${video.Height ?? 'auto'}], only even values are supported`;
      problems.push({ pointer: `${pointer}/${member}`, text });
    }
    if (value > most)
      problems.push({ pointer: `${pointer}/${member}`, text: `Should be less than or equal to ${most}` });
  }
}
