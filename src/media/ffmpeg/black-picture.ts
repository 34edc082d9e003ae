import type { Frame } from 'node-av/lib';
import { ERROR_CODES } from '../transcode-error.ts';
import { check, present } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { VideoEncoder } from './video-encoder.ts';

/** A black picture as an encoder takes it; the caller frees it. */
export function blackPicture(ffmpeg: FFmpeg, { picture, pixelFormat, colorRange }: VideoEncoder): Frame {
  const graph = new ffmpeg.FilterGraph();
  graph.alloc();
  const { width, height, pixelAspect } = picture;
  const text =
    `color=black:size=${width}x${height}:rate=1:duration=1,scale=out_range=${colorRange},format=${pixelFormat},` +
    `setsar=${pixelAspect.num}/${pixelAspect.den},buffersink@out`;
  const what = 'Error making a black picture';
  check(ffmpeg, graph.parsePtr(text), ERROR_CODES.unknown, what);
  check(ffmpeg, graph.configSync(), ERROR_CODES.unknown, what);
  const frame = new ffmpeg.Frame();
  frame.alloc();
  check(
    ffmpeg,
    present(graph.getFilter('buffersink@out'), what).buffersinkGetFrameSync(frame),
    ERROR_CODES.unknown,
    what,
  );
  graph.free();
  return frame;
}
