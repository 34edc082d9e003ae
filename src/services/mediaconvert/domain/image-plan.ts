import { parseLocation } from '#media/media-location.ts';
import type { InsertedImage, MotionOverlay } from '#media/picture-settings.ts';
import type { ImageInserter, InsertableImage, MotionImageInserter } from '@aws-sdk/client-mediaconvert';

/** The images in the order in which they are laid: those of a higher layer on top. */
export function planImages(inserter: ImageInserter | undefined): readonly InsertedImage[] {
  const images = inserter?.InsertableImages ?? [];
  return images
    .toSorted((a, b) => (a.Layer ?? 0) - (b.Layer ?? 0))
    .map((image) => planImage(image, inserter?.SdrReferenceWhiteLevel));
}

function planImage(image: InsertableImage, white = 100): InsertedImage {
  const { Width: width, Height: height, StartTime: start, Duration: duration } = image;
  return {
    file: parseLocation(image.ImageInserterInput ?? ''),
    x: image.ImageX ?? 0,
    y: image.ImageY ?? 0,
    // Nothing and nought are the image's own size.
    ...(width !== undefined && width > 0 && { width }),
    ...(height !== undefined && height > 0 && { height }),
    opacity: (image.Opacity ?? DEFAULT_OPACITY) / 100,
    ...(start !== undefined && { start }),
    // A duration of nought is that of the film, too.
    ...(duration !== undefined && duration > 0 && { seconds: duration / 1000 }),
    white,
    fadeInSeconds: (image.FadeIn ?? 0) / 1000,
    fadeOutSeconds: (image.FadeOut ?? 0) / 1000,
  };
}

const DEFAULT_OPACITY = 50;

export function planMotion(motion: MotionImageInserter): MotionOverlay {
  const { Input: file = '', Offset: offset, Playback: playback, StartTime: start } = motion;
  return {
    file: parseLocation(file),
    ...(offset !== undefined && { place: { x: offset.ImageX ?? 0, y: offset.ImageY ?? 0 } }),
    ...(start !== undefined && { start }),
    isRepeated: playback === 'REPEAT',
    ...(motion.Framerate !== undefined && {
      imageRate: { num: motion.Framerate.FramerateNumerator ?? 0, den: motion.Framerate.FramerateDenominator ?? 1 },
    }),
  };
}
