import { parseLocation } from '#media/media-location.ts';
import type { GeneratedFilm, InputSource } from '#media/transcode-input.ts';
import type { Input, InputVideoGenerator } from '@aws-sdk/client-mediaconvert';

/** Where an input comes from. */
export function planSource({ FileInput: file, VideoGenerator: generator }: Input): InputSource {
  return generator === undefined ? parseLocation(file ?? '') : planGenerator(generator);
}

function planGenerator(generator: InputVideoGenerator): GeneratedFilm {
  const { Width: width = 540, Height: height = 360, ImageInput: image, Channels: channels } = generator;
  const { FramerateNumerator: num = 30_000, FramerateDenominator: den = 1001 } = generator;
  return {
    milliseconds: generator.Duration ?? 0,
    width,
    height,
    framerate: { num, den },
    ...(image !== undefined && { image: parseLocation(image) }),
    ...(channels !== undefined && { channels }),
  };
}
