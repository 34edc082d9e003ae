import type { AudioCodecSettings } from '../audio-codec-settings.ts';
import type { FileGroup, FileOutput } from '../output-group.ts';
import { IndexedWriter } from '../packaging/indexed-writer.ts';
import type { PartSink } from '../packaging/object-writer.ts';
import { expandIdentifiers } from '../packaging/output-name.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { Muxer } from './muxer.ts';
import { type Output, type OutputTracks, muxerTracks, nameFacts } from './outputs.ts';

const SOUND_TYPES = {
  wav: 'audio/wav',
  aiff: 'audio/aiff',
  mp3: 'audio/mpeg',
  mp2: 'audio/mpeg',
  flac: 'audio/flac',
  ac3: 'audio/ac3',
  eac3: 'audio/eac3',
  adts: 'audio/aac',
  latm: 'audio/MP4A-LATM',
  opus: 'audio/ogg',
  ogg: 'audio/ogg',
};

/** A file of one sound; its head is complete in the end only. */
export function openSoundFile(
  ffmpeg: FFmpeg,
  group: FileGroup,
  output: FileOutput & { readonly container: keyof typeof SOUND_TYPES },
  tracks: OutputTracks,
  sink: PartSink,
  startedAt: number,
): Output {
  const facts = nameFacts(group, output.extension, tracks, output, startedAt);
  const key = expandIdentifiers(`${group.keyBase}${output.nameModifier}.${output.extension}`, facts);
  const writer = new IndexedWriter(sink, { key, contentType: SOUND_TYPES[output.container] });
  const list = muxerTracks(tracks);
  const muxer = new Muxer(ffmpeg, output.container, list, writer, optionsOf(output.audios[0]?.codec));
  return {
    write(_, packet) {
      const copy = packet.clone();
      if (copy === null) throw new Error('Out of memory.');
      muxer.write(0, copy);
      copy.free();
    },
    endTrack: () => undefined,
    finish() {
      muxer.finish();
      writer.end(new Uint8Array(0));
      const seconds = tracks.audios[0]?.encoder.seconds ?? 0;
      return { paths: [`s3://${group.bucket}/${key}`], durationMs: Math.round(seconds * 1000) };
    },
  };
}

function optionsOf(codec: AudioCodecSettings | undefined): Readonly<Record<string, string | number>> {
  if (codec?.kind === 'aac' && codec.isMpeg2 === true) return { write_mpeg2: 1 };
  if (codec?.kind === 'wav' && codec.form === 'rf64') return { rf64: 'always' };
  return {};
}
