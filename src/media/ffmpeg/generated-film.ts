import type { Frame } from 'node-av/lib';
import { uriOf } from '../media-location.ts';
import { ERROR_CODES } from '../transcode-error.ts';
import type { GeneratedFilm } from '../transcode-input.ts';
import { type AuxiliaryPort, readAuxiliary } from './auxiliary.ts';
import { check, present } from './check.ts';
import { decodeImage, MAX_IMAGE_BYTES } from './decode-image.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { ByteSource } from './media-input.ts';

/**
 * A film of one picture as the bytes of a YUV4MPEG2 file, so that it is an input like any other. The file is not kept:
 * each of its frames is the same bytes.
 *
 * @throws TranscodeError 1010 for an image that is none
 */
export function openGeneratedFilm(
  ffmpeg: FFmpeg,
  port: AuxiliaryPort,
  film: GeneratedFilm,
): ByteSource & { close(): void } {
  const { width, height, framerate, milliseconds } = film;
  const rate = `${framerate.num}:${framerate.den}`;
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F${rate} Ip A1:1 C420mpeg2\n`);
  const unit = Buffer.concat([FRAME, pictureOf(ffmpeg, port, film)]);
  const frames = Math.max(1, Math.round((milliseconds * framerate.num) / framerate.den / 1000));
  const size = head.length + frames * unit.length;
  return {
    size,
    read(offset, length) {
      if (offset >= size) return Buffer.alloc(0);
      if (offset < head.length) return head.subarray(offset, offset + length);
      const at = (offset - head.length) % unit.length;
      return unit.subarray(at, at + length);
    },
    close: () => undefined,
  };
}

const FRAME = Buffer.from('FRAME\n');
/** From so many lines on, pictures have HD's matrix. */
const HD_HEIGHT = 720;

/** The three planes of the picture: black, with the image in the middle, as large as fits. */
function pictureOf(ffmpeg: FFmpeg, port: AuxiliaryPort, { width, height, image }: GeneratedFilm): Buffer {
  const still =
    image === undefined ? undefined : decodeImage(ffmpeg, readAuxiliary(port, image, MAX_IMAGE_BYTES), uriOf(image));
  const black = `color=black:size=${width}x${height}:rate=1:duration=1`;
  const matrix = height >= HD_HEIGHT ? 'bt709' : 'bt601';
  const form = `scale=out_color_matrix=${matrix}:out_range=tv,format=yuv420p,buffersink@out`;
  const text =
    still === undefined
      ? `${black},${form}`
      : `buffer@in=video_size=${still.width}x${still.height}:pix_fmt=${still.format}:time_base=1/1:pixel_aspect=1/1` +
        `:colorspace=${still.colorSpace}:range=${still.colorRange},` +
        `scale=w=${width}:h=${height}:force_original_aspect_ratio=decrease:flags=bicubic,format=gbrap[i];` +
        `${black},format=gbrp[b];[b][i]overlay=x=(W-w)/2:y=(H-h)/2:format=gbrp,${form}`;
  const what = 'Error making the picture of a generated input';
  const graph = new ffmpeg.FilterGraph();
  graph.alloc();
  try {
    check(ffmpeg, graph.parsePtr(text), ERROR_CODES.unknown, what);
    check(ffmpeg, graph.configSync(), ERROR_CODES.unknown, what);
    if (still !== undefined) {
      const source = present(graph.getFilter('buffer@in'), what);
      check(ffmpeg, source.buffersrcAddFrameSync(still), ERROR_CODES.unknown, what);
      source.buffersrcAddFrameSync(null);
    }
    const frame = new ffmpeg.Frame();
    frame.alloc();
    const sink = present(graph.getFilter('buffersink@out'), what);
    check(ffmpeg, sink.buffersinkGetFrameSync(frame), ERROR_CODES.unknown, what);
    const planes = planesOf(frame);
    frame.free();
    return planes;
  } finally {
    still?.free();
    graph.free();
  }
}

/** Without what stands behind the lines. */
function planesOf(frame: Frame): Buffer {
  const parts: Buffer[] = [];
  for (const [plane, share] of [1, 2, 2].entries()) {
    const [width, lines] = [Math.ceil(frame.width / share), Math.ceil(frame.height / share)];
    const stride = frame.linesize[plane] ?? width;
    const bytes = frame.data?.[plane] ?? Buffer.alloc(0);
    for (let line = 0; line < lines; line += 1) parts.push(bytes.subarray(line * stride, line * stride + width));
  }
  return Buffer.concat(parts);
}
