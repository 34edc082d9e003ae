import type { Frame } from 'node-av/lib';
import type { HdrMetadata } from '../color-settings.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { MediaInput } from './media-input.ts';

/** HDR10's static metadata as x265 takes it. */
export function x265Hdr(hdr: HdrMetadata | undefined): Record<string, string> {
  if (hdr === undefined) return {};
  const at = ([x, y]: readonly [number, number]): string => `(${x},${y})`;
  const { red, green, blue, white, minimum, maximum, maxContentLight, maxPictureLight } = hdr;
  return {
    hdr10: '1',
    'master-display': `G${at(green)}B${at(blue)}R${at(red)}WP${at(white)}L(${maximum},${minimum})`,
    'max-cll': `${maxContentLight},${maxPictureLight}`,
  };
}

/** Packets, of all streams, after which a file is taken to have no picture that says it. */
const MAX_PACKETS = 200;
const known = new WeakMap<MediaInput, { readonly hdr: HdrMetadata | undefined }>();

/** HDR10's static metadata that go with the first picture of a film; `undefined` where they are not there in full. */
export function hdrOfInput(ffmpeg: FFmpeg, media: MediaInput): HdrMetadata | undefined {
  const before = known.get(media);
  if (before !== undefined) return before.hdr;
  const again = media.openAgain();
  try {
    const hdr = hdrOfFirstPicture(ffmpeg, again);
    known.set(media, { hdr });
    return hdr;
  } finally {
    again.close();
  }
}

function hdrOfFirstPicture(ffmpeg: FFmpeg, media: MediaInput): HdrMetadata | undefined {
  const video = media.findVideo();
  if (video === undefined) return undefined;
  const decoder = media.openDecoder(video);
  const packet = new ffmpeg.Packet();
  packet.alloc();
  const frame = new ffmpeg.Frame();
  frame.alloc();
  try {
    for (let count = 0; count < MAX_PACKETS && media.readPacket(packet); count++) {
      if (packet.streamIndex === video.index) decoder.sendPacketSync(packet);
      packet.unref();
      if (decoder.receiveFrameSync(frame) >= 0) return hdrOfFrame(ffmpeg, frame);
    }
    return undefined;
  } finally {
    frame.free();
    packet.free();
    decoder.freeContext();
  }
}

/** FFmpeg's AVMasteringDisplayMetadata: ten rationals of two 32-bit numbers, and two flags. */
const [DISPLAY_SIZE, PRIMARIES_FLAG, LUMINANCE_FLAG] = [88, 80, 84];
/** AVContentLightMetadata: two 32-bit numbers. */
const LIGHT_SIZE = 8;
/** In parts of one; ST 2086 counts in these. */
const [COLOR_UNITS, LIGHT_UNITS] = [50_000, 10_000];

function hdrOfFrame(ffmpeg: FFmpeg, frame: Frame): HdrMetadata | undefined {
  const display = frame.getSideData(ffmpeg.AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
  if (display === null || display.length < DISPLAY_SIZE) return undefined;
  if (display.readInt32LE(PRIMARIES_FLAG) === 0 || display.readInt32LE(LUMINANCE_FLAG) === 0) return undefined;
  const at = (index: number, units: number): number => {
    const [numerator, denominator] = [display.readInt32LE(8 * index), display.readInt32LE(8 * index + 4)];
    return denominator === 0 ? 0 : Math.max(0, Math.round((numerator * units) / denominator));
  };
  const color = (index: number): [number, number] => [at(index, COLOR_UNITS), at(index + 1, COLOR_UNITS)];
  const light = frame.getSideData(ffmpeg.AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
  const hasLight = light !== null && light.length >= LIGHT_SIZE;
  return {
    red: color(0),
    green: color(2),
    blue: color(4),
    white: color(6),
    minimum: at(8, LIGHT_UNITS),
    maximum: at(9, LIGHT_UNITS),
    maxContentLight: hasLight ? light.readUInt32LE(0) : 0,
    maxPictureLight: hasLight ? light.readUInt32LE(4) : 0,
  };
}
