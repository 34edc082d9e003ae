import { uriOf } from '../media-location.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import type { TranscodeInput } from '../transcode-input.ts';
import { type ExternalFiles, externalFiles } from './audio-tracks.ts';
import { openGeneratedFilm } from './generated-film.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { MediaInput } from './media-input.ts';
import type { TranscodePorts } from './transcode-ports.ts';

/** An input with its bytes behind it. */
export class OpenInput {
  readonly media: MediaInput;
  readonly description: TranscodeInput;
  readonly externals: ExternalFiles;
  readonly #source: { close(): void };

  constructor(
    ffmpeg: FFmpeg,
    ports: TranscodePorts,
    index: number,
    description: TranscodeInput,
    isVideoWanted: boolean,
  ) {
    const uri = uriOf(description.source);
    const { source: origin } = description;
    const source = 'milliseconds' in origin ? openGeneratedFilm(ffmpeg, ports, origin) : ports.openSource(index);
    this.description = description;
    this.externals = externalFiles(ffmpeg, ports);
    this.#source = source;
    this.media = MediaInput.open(ffmpeg, source, uri);
    if (description.program !== 'any') this.media.chooseProgram(description.program);
    if (description.picture?.pid !== undefined) this.media.chooseVideo(description.picture.pid);
    if (!isVideoWanted || this.media.findVideo() !== undefined) return;
    throw new TranscodeError(ERROR_CODES.noVideo, unableToOpen(uri, 'No video stream found'));
  }

  close(): undefined {
    this.externals.close();
    this.media.close();
    this.#source.close();
    return undefined;
  }
}
