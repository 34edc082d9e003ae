import type { InputPicture } from '../picture-settings.ts';
import type { TranscodeInput } from '../transcode-input.ts';
import { type FilmTimes, inputTimes } from './film-times.ts';
import { type Turn, turned, turnOf } from './geometry.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { type MediaInput, pixelAspectOf } from './media-input.ts';
import type { Picture } from './picture-size.ts';

export interface InputPictures {
  readonly settings: InputPicture;
  /** As it is seen once it is turned. */
  readonly picture: Picture;
  readonly turn: Turn;
  readonly inputTimes: FilmTimes;
}

/** What is known of an input's pictures before the first one is decoded. */
export function inputPictures(ffmpeg: FFmpeg, media: MediaInput, input: TranscodeInput | undefined): InputPictures {
  const settings = input?.picture ?? {};
  const stream = media.findVideo();
  const turn = stream === undefined ? 0 : turnOf(ffmpeg, stream, settings);
  const coded =
    stream === undefined
      ? { width: 0, height: 0, pixelAspect: { num: 1, den: 1 } }
      : { width: stream.codecpar.width, height: stream.codecpar.height, pixelAspect: pixelAspectOf(stream) };
  return { settings, turn, picture: turned(coded, turn), inputTimes: inputTimes(media, input?.firstTimecode) };
}
