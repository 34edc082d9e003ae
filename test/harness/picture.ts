import assert from 'node:assert/strict';
import { loadFFmpeg } from '#media/ffmpeg/load-ffmpeg.ts';
import { COLOURS, type Colour } from './coloured-video.ts';

export interface Picture {
  readonly format: 'JPEG' | 'PNG';
  readonly width: number;
  readonly height: number;
  /** What its middle looks like. */
  readonly colour: Colour;
}

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const JPEG_SIGNATURE = Buffer.from('ffd8ff', 'hex');

/** Opens a picture of one colour, as a viewer would. */
export async function openPicture(bytes: Uint8Array): Promise<Picture> {
  const ffmpeg = await loadFFmpeg();
  const isPng = PNG_SIGNATURE.equals(bytes.subarray(0, 8));
  assert.ok(isPng || JPEG_SIGNATURE.equals(bytes.subarray(0, 3)), 'it is a PNG or a JPEG');
  const codec = ffmpeg.Codec.findDecoder(isPng ? ffmpeg.AV_CODEC_ID_PNG : ffmpeg.AV_CODEC_ID_MJPEG);
  assert.ok(codec);
  const context = new ffmpeg.CodecContext();
  context.allocContext3(codec);
  assert.ok(context.open2Sync(codec, null) >= 0);
  const packet = new ffmpeg.Packet();
  packet.alloc();
  packet.data = Buffer.from(bytes);
  assert.ok(context.sendPacketSync(packet) >= 0);
  const frame = new ffmpeg.Frame();
  frame.alloc();
  assert.ok(context.receiveFrameSync(frame) >= 0);
  const { width, height } = frame;
  const graph = new ffmpeg.FilterGraph();
  graph.alloc();
  const source = `buffer@in=video_size=${width}x${height}:pix_fmt=${frame.format}:time_base=1/1:pixel_aspect=1/1`;
  const text = `${source}:colorspace=${frame.colorSpace}:range=${frame.colorRange},scale,format=rgb24,buffersink@out`;
  assert.ok(graph.parsePtr(text) >= 0 && graph.configSync() >= 0);
  assert.ok((graph.getFilter('buffer@in')?.buffersrcAddFrameSync(frame) ?? -1) >= 0);
  assert.ok((graph.getFilter('buffersink@out')?.buffersinkGetFrameSync(frame) ?? -1) >= 0);
  const plane = frame.data?.[0];
  assert.ok(plane);
  const at = (height >> 1) * (frame.linesize[0] ?? 0) + (width >> 1) * 3;
  const colour = nearestColour([...plane.subarray(at, at + 3)]);
  graph.free();
  frame.free();
  packet.free();
  context.freeContext();
  return { format: isPng ? 'PNG' : 'JPEG', width, height, colour };
}

function nearestColour(rgb: readonly number[]): Colour {
  for (const [name, wanted] of Object.entries(COLOURS)) {
    if (wanted.every((value, index) => Math.abs(value - (rgb[index] ?? -999)) < 24)) return name as Colour;
  }
  assert.fail(`none of the film's colours: ${rgb.join()}`);
}
