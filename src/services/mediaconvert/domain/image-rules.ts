import type {
  ImageInserter,
  InsertableImage,
  MotionImageInserter,
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

/** A film on top of all inputs. Series of pictures are not taken. */
export const motionImageInserter: SettingRule<MotionImageInserter> = allOf(
  checkMotion,
  structure<MotionImageInserter>({
    InsertionMode: oneOf('MOV'),
    Input: checkFileInput,
    Offset: structure<MotionImageInsertionOffset>({ ImageX: carriedOut, ImageY: carriedOut }),
    Playback: carriedOut,
    StartTime: carriedOut,
  }),
);

function checkMotion(motion: MotionImageInserter, pointer: string, problems: Problem[]): void {
  if (motion.Input === undefined) problems.push(missing(pointer, 'input'));
  else if (!motion.Input.endsWith('.mov')) {
    problems.push({ pointer: `${pointer}/input`, text: 'Should name a .mov file; others are not supported' });
  }
}
