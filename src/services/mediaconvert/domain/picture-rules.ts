import type { Input, Output, Rectangle, TimecodeBurnin, VideoDescription } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { allOf, carriedOut, missing, oneOf, type SettingRule, structure } from './setting-rule.ts';

/** A part of a picture: of an input that is cropped, or of an output that is filled. */
export const rectangle: SettingRule<Rectangle> = allOf(
  checkRectangle,
  structure<Rectangle>({ X: carriedOut, Y: carriedOut, Width: carriedOut, Height: carriedOut }),
);

function checkRectangle(area: Rectangle, pointer: string, problems: Problem[]): void {
  for (const [member, name] of [
    ['Width', 'width'],
    ['Height', 'height'],
    ['X', 'x'],
    ['Y', 'y'],
  ] as const) {
    const value = area[member];
    if (value === undefined) problems.push(missing(pointer, name));
    else if (value % 2 !== 0) problems.push({ pointer: `${pointer}/${name}`, text: 'Should be an even number' });
  }
}

/** Where the picture goes is said once. */
export function checkPosition(video: VideoDescription, pointer: string, problems: Problem[]): void {
  const { Position: position, ScalingBehavior: scaling = 'DEFAULT' } = video;
  if (position === undefined) return;
  if (scaling !== 'DEFAULT') {
    problems.push({ pointer: `${pointer}/position`, text: `Is not allowed with scalingBehavior ${scaling}` });
  }
  const { X: x = 0, Y: y = 0, Width: width = 0, Height: height = 0 } = position;
  if (x + width > (video.Width ?? Number.POSITIVE_INFINITY)) {
    problems.push({ pointer: `${pointer}/position/width`, text: "Reaches beyond the output's width" });
  }
  if (y + height > (video.Height ?? Number.POSITIVE_INFINITY)) {
    problems.push({ pointer: `${pointer}/position/height`, text: "Reaches beyond the output's height" });
  }
}

export const timecodeBurnin: SettingRule<TimecodeBurnin> = structure<TimecodeBurnin>({
  FontSize: oneOf(10, 16, 32, 48),
  Position: carriedOut,
  Prefix: carriedOut,
});

/** Which codecs' pictures carry timecodes. */
export function checkTimecodeInsertion(video: VideoDescription, pointer: string, problems: Problem[]): void {
  const codec = video.CodecSettings?.Codec ?? '';
  if ((video.TimecodeInsertion ?? 'DISABLED') === 'DISABLED' || ['H_264', 'H_265', 'MPEG2'].includes(codec)) return;
  problems.push({ pointer: `${pointer}/timecodeInsertion`, text: 'Needs codec H_264, H_265 or MPEG2' });
}

/** Which containers have a track of timecodes. */
export function checkTimecodeTrack(output: Output, pointer: string, problems: Problem[]): void {
  const { Container: container = '' } = output.ContainerSettings ?? {};
  if (output.VideoDescription?.TimecodeTrack !== 'ENABLED' || container === 'MP4' || container === 'MOV') return;
  problems.push({ pointer: `${pointer}/videoDescription/timecodeTrack`, text: 'Needs container MP4 or MOV' });
}

/** The members of an input by which its pictures are changed, for what can only be done with pictures that are not. */
export function pictureWorkOf(input: Input): readonly string[] {
  const { ImageInserter: images, Crop, Position, VideoSelector: selector } = input;
  return [
    ...(input.VideoGenerator === undefined ? [] : ['videoGenerator']),
    ...((images?.InsertableImages ?? []).length > 0 ? ['imageInserter'] : []),
    ...(Crop !== undefined ? ['crop'] : []),
    ...(Position !== undefined ? ['position'] : []),
    ...(input.DeblockFilter === 'ENABLED' ? ['deblockFilter'] : []),
    ...(input.DenoiseFilter === 'ENABLED' ? ['denoiseFilter'] : []),
    ...(['DEGREE_0', undefined].includes(selector?.Rotate) ? [] : ['videoSelector/rotate']),
    ...(selector?.PadVideo === 'BLACK' ? ['videoSelector/padVideo'] : []),
    ...(['FOLLOW', undefined].includes(selector?.ColorSpace) ? [] : ['videoSelector/colorSpace']),
    ...(['FOLLOW', undefined].includes(selector?.SampleRange) ? [] : ['videoSelector/sampleRange']),
    ...(selector?.AlphaBehavior === 'REMAP_TO_LUMA' ? ['videoSelector/alphaBehavior'] : []),
  ];
}
