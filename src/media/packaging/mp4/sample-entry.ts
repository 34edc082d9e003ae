import type { AacConfig } from '../codecs/aac-config.ts';
import type { CodedTrack, VideoCodec } from '../codecs/track-codec.ts';
import { box, fullBox, text, u16, u32, u8, zeros } from './box.ts';

/** What a decoder of the track has to know: the entry of `stsd` (ISO 14496-12, 8.5.2; 14496-15; 14496-14). */
export function sampleEntry({ codec }: CodedTrack): Buffer {
  switch (codec.kind) {
    case 'avc':
      return visualEntry('avc1', codec, box('avcC', codec.record));
    case 'hevc':
      return visualEntry('hvc1', codec, box('hvcC', codec.record));
    case 'aac':
      return audioEntry('mp4a', codec, elementaryStream(codec));
    case 'g711':
      return audioEntry(codec.name, codec);
  }
}

const DOTS_PER_INCH = 0x0048_0000;
const COLOUR_DEPTH = 0x18;

function visualEntry(type: string, { width, height }: VideoCodec, config: Buffer): Buffer {
  return box(
    type,
    entryHead(),
    zeros(16),
    u16(width, height),
    u32(DOTS_PER_INCH, DOTS_PER_INCH, 0),
    u16(1),
    zeros(32),
    u16(COLOUR_DEPTH, 0xffff),
    config,
  );
}

function audioEntry(
  type: string,
  { channels, sampleRate }: { readonly channels: number; readonly sampleRate: number },
  ...config: readonly Buffer[]
): Buffer {
  // The rate is 16.16; one that does not fit is 0 here, and stands in the codec's own configuration.
  const rate = sampleRate < 65_536 ? sampleRate * 65_536 : 0;
  return box(type, entryHead(), zeros(8), u16(channels, 16, 0, 0), u32(rate), ...config);
}

/** Six reserved bytes and the number of the data reference. */
function entryHead(): Buffer {
  return Buffer.concat([zeros(6), u16(1)]);
}

const AAC_OBJECT_TYPE = 0x40;
const AUDIO_STREAM = 0x15;

/** `esds`: the descriptors of MPEG-4 systems (ISO 14496-1, 7.2.6) around the audio's configuration. */
function elementaryStream({ record }: AacConfig): Buffer {
  const specific = descriptor(5, record);
  const decoder = descriptor(4, u8(AAC_OBJECT_TYPE, AUDIO_STREAM, 0, 0, 0), u32(0, 0), specific);
  const stream = descriptor(3, u16(0), u8(0), decoder, descriptor(6, u8(2)));
  return fullBox('esds', 0, 0, stream);
}

function descriptor(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const size = u8(0x80 | ((body.length >> 21) & 0x7f), 0x80 | ((body.length >> 14) & 0x7f));
  return Buffer.concat([u8(tag), size, u8(0x80 | ((body.length >> 7) & 0x7f), body.length & 0x7f), body]);
}

/** The handler's type, and the media header of that kind of track. */
export function mediaHandler(isVideo: boolean): { readonly handler: Buffer; readonly header: Buffer } {
  const handler = (type: string, name: string): Buffer =>
    fullBox('hdlr', 0, 0, u32(0), text(type), zeros(12), text(`${name}\0`));
  return isVideo
    ? { handler: handler('vide', 'Video'), header: fullBox('vmhd', 0, 1, zeros(8)) }
    : { handler: handler('soun', 'Audio'), header: fullBox('smhd', 0, 0, zeros(4)) };
}
