import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import type { VideoSettings } from '../video-settings.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { MediaInput } from './media-input.ts';
import { PassthroughVideo } from './passthrough-track.ts';
import type { PacketReceiver } from './video-encoder.ts';

/** The first input's picture on its way to an output as it is. @throws TranscodeError */
export function copiedVideo(
  ffmpeg: FFmpeg,
  settings: VideoSettings,
  first: MediaInput,
  isAnnexB: boolean,
  receive: PacketReceiver,
): PassthroughVideo {
  const source = first.findVideo();
  if (source === undefined) throw new TranscodeError(ERROR_CODES.noVideo, 'The input has no video stream.');
  const track = new PassthroughVideo(ffmpeg, source, settings, first.startSeconds, isAnnexB);
  track.addReceiver(receive);
  return track;
}
