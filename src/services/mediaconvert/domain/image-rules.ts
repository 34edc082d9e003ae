import type {
  ImageInserter,
  InsertableImage,
  MotionImageInserter,
  MotionImageInsertionFramerate,
  MotionImageInsertionOffset,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { checkFileInput } from './cross-setting-rules.ts';
import { allOf, carriedOut, each, missing, oneOf, type SettingRule, structure } from './setting-rule.ts';

/** Still pictures on top of an input or of an output. */
export const imageInserter: SettingRule<ImageInserter> = structure<ImageInserter>({
  // Of films that are HDR.
  SdrReferenceWhiteLevel: carriedOut,
  InsertableImages: each(
    allOf(
      checkPlace,
      structure<InsertableImage>({
        ImageInserterInput: checkFileInput,
        ImageX: carriedOut,
        ImageY: carriedOut,
        Width: carriedOut,
        Height: carriedOut,
        Layer: carriedOut,
        Opacity: carriedOut,
        StartTime: carriedOut,
        Duration: carriedOut,
        FadeIn: carriedOut,
        FadeOut: carriedOut,
      }),
    ),
  ),
});

function checkPlace(image: InsertableImage, pointer: string, problems: Problem[]): void {
  if (image.ImageInserterInput === undefined) problems.push(missing(pointer, 'imageInserterInput'));
  if (image.ImageX === undefined) problems.push(missing(pointer, 'imageX'));
  if (image.ImageY === undefined) problems.push(missing(pointer, 'imageY'));
  const { Width: width, Height: height } = image;
  for (const [member, value] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (value !== undefined && value > LARGEST) {
      problems.push({ pointer: `${pointer}/${member}`, text: `Should be less than or equal to ${LARGEST}` });
    }
  }
}

/** As large as a film may be. */
const LARGEST = 8192;

/** A film, or a series of images, on top of all inputs. */
export const motionImageInserter: SettingRule<MotionImageInserter> = allOf(
  checkMotion,
  structure<MotionImageInserter>({
    // Checked with the name of the file.
    InsertionMode: oneOf('MOV', 'PNG'),
    Framerate: structure<MotionImageInsertionFramerate>({
      FramerateNumerator: carriedOut,
      FramerateDenominator: carriedOut,
    }),
    Input: checkFileInput,
    Offset: structure<MotionImageInsertionOffset>({ ImageX: carriedOut, ImageY: carriedOut }),
    Playback: carriedOut,
    StartTime: carriedOut,
  }),
);

function checkMotion(motion: MotionImageInserter, pointer: string, problems: Problem[]): void {
  const { Input: file, InsertionMode: mode, Framerate: rate } = motion;
  if (file === undefined) {
    problems.push(missing(pointer, 'input'));
    return;
  }
  const isSeries = /\.png(\?|$)/.test(file);
  const refuse = (member: string, text: string): void => void problems.push({ pointer: `${pointer}/${member}`, text });
  if (mode !== undefined && (mode === 'PNG') !== isSeries) refuse('insertionMode', 'Should be what the input is');
  if (!isSeries) {
    if (rate !== undefined) refuse('framerate', 'Is only allowed with series of images');
    if (!/\.mov(\?|$)/.test(file)) refuse('input', 'Should name a .mov file or the first .png file of a series');
    return;
  }
  if (!/(^|\D)0+\.png(\?|$)/.test(file)) refuse('input', 'Should end with the number nought, such as 000.png');
  if (rate === undefined) problems.push(missing(pointer, 'framerate'));
  else if (rate.FramerateNumerator === undefined || rate.FramerateDenominator === undefined) {
    refuse('framerate', 'Needs framerateNumerator and framerateDenominator');
  }
}
