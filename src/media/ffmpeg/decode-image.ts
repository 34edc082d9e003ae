import type { CodecContext, Frame } from 'node-av/lib';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import { check, present } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { openCodec } from './open-codec.ts';

const PNG_MARK = Buffer.from([0x89, 0x50, 0x4e, 0x47]);
export const MAX_IMAGE_BYTES = 64 * 1024 * 1024;
/** Of one image: a file of a few bytes may say that it is as large as it likes. */
export const MAX_PIXELS = 8192 * 4320;

/**
 * Decodes a PNG, BMP or TGA file.
 *
 * @throws TranscodeError 1010
 */
export function decodeImage(ffmpeg: FFmpeg, bytes: Buffer, uri: string): Frame {
  const decoder = openImageDecoder(ffmpeg, bytes, uri);
  const packet = new ffmpeg.Packet();
  packet.alloc();
  const frame = new ffmpeg.Frame();
  frame.alloc();
  try {
    packet.data = bytes;
    packet.pts = 0n;
    const what = unableToOpen(uri, 'The image cannot be decoded');
    check(ffmpeg, decoder.sendPacketSync(packet), ERROR_CODES.inputUnreadable, what);
    decoder.sendPacketSync(null);
    check(ffmpeg, decoder.receiveFrameSync(frame), ERROR_CODES.inputUnreadable, what);
    frame.pts = 0n;
    return frame;
  } catch (error) {
    frame.free();
    throw error;
  } finally {
    decoder.freeContext();
    packet.free();
  }
}

function openImageDecoder(ffmpeg: FFmpeg, bytes: Buffer, uri: string): CodecContext {
  const name = decoderFor(ffmpeg, bytes, uri);
  const codec = present(ffmpeg.Codec.findDecoderByName(name), `This FFmpeg has no decoder for ${name}.`);
  const context = new ffmpeg.CodecContext();
  context.allocContext3(codec);
  const options = { threads: 1, max_pixels: MAX_PIXELS };
  openCodec(
    ffmpeg,
    context,
    codec,
    options,
    ERROR_CODES.inputUnreadable,
    unableToOpen(uri, 'The image is not readable'),
  );
  return context;
}

/** By the first bytes; a TGA file has no mark of its own. */
function decoderFor(ffmpeg: FFmpeg, bytes: Buffer, uri: string) {
  if (bytes.subarray(0, 4).equals(PNG_MARK)) return ffmpeg.FF_DECODER_PNG;
  if (bytes.subarray(0, 2).toString('latin1') === 'BM') return ffmpeg.FF_DECODER_BMP;
  if (/\.tga$/i.test(uri)) return ffmpeg.FF_DECODER_TARGA;
  throw new TranscodeError(ERROR_CODES.inputUnreadable, unableToOpen(uri, 'The image is not a PNG, BMP or TGA file'));
}
