import { loadFFmpeg } from './ffmpeg/load-ffmpeg.ts';
import { MediaInput } from './ffmpeg/media-input.ts';
import type { MediaInfo } from './transcode-report.ts';

/**
 * Opens a file that lies in memory and lists its streams. It runs in the caller's process: meant for files of one's
 * own. Others' files are probed in a worker, at the start of a job.
 *
 * @param name how errors call the file
 * @throws TranscodeError 1010 when it is not media; FFmpegMissingError without node-av
 */
export async function probeMedia(bytes: Buffer, name = 'memory'): Promise<MediaInfo> {
  const ffmpeg = await loadFFmpeg();
  const source = {
    size: bytes.length,
    read: (offset: number, length: number) => bytes.subarray(offset, offset + length),
  };
  const input = MediaInput.open(ffmpeg, source, name);
  const { info } = input;
  input.close();
  return info;
}
