import type { FileGroup, FileOutput } from '../output-group.ts';
import { Mp4Writer } from '../packaging/mp4-writer.ts';
import { ObjectWriter, type PartSink } from '../packaging/object-writer.ts';
import { expandIdentifiers } from '../packaging/output-name.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { isMovie, openMovieFile } from './movie-outputs.ts';
import { Muxer } from './muxer.ts';
import { openSoundFile } from './sound-files.ts';
import { fileResult, interleaved, muxerTracks, nameFacts, type Output, type OutputTracks, sizeOf } from './outputs.ts';

/** A file, or pictures. */
export function openFileOutput(
  ffmpeg: FFmpeg,
  group: FileGroup,
  output: FileOutput,
  tracks: OutputTracks,
  sink: PartSink,
  startedAt: number,
): Output {
  const { container } = output;
  if (isMovie(container)) return openMovieFile(ffmpeg, group, { ...output, container }, tracks, sink, startedAt);
  if (container === 'captions') throw new RangeError('Captions are written without FFmpeg.');
  if (container === 'pictures') return openPictures(group, output, tracks, sink, startedAt);
  if (container !== 'mp4' && container !== 'mov' && container !== 'f4v') {
    return openSoundFile(ffmpeg, group, { ...output, container }, tracks, sink, startedAt);
  }
  return openMovie(ffmpeg, group, { ...output, container }, tracks, sink, startedAt);
}

const CONTENT_TYPES = { mp4: 'video/mp4', mov: 'video/quicktime', f4v: 'video/mp4' };

/** An MP4 or MOV file. */
function openMovie(
  ffmpeg: FFmpeg,
  group: FileGroup,
  output: FileOutput & { readonly container: keyof typeof CONTENT_TYPES },
  tracks: OutputTracks,
  sink: PartSink,
  startedAt: number,
): Output {
  const facts = nameFacts(group, output.extension, tracks, output, startedAt);
  const key = expandIdentifiers(`${group.keyBase}${output.nameModifier}.${output.extension}`, facts);
  const { compositionShift } = output;
  const target = { key, contentType: CONTENT_TYPES[output.container] };
  const writer = new Mp4Writer(sink, target, output.moov ?? 'front', output);
  const list = muxerTracks(tracks);
  const options = {
    ...(compositionShift !== undefined && { movflags: 'negative_cts_offsets' }),
    ...(output.majorBrand !== undefined && { brand: output.majorBrand }),
  };
  const muxer = new Muxer(ffmpeg, output.container, list, writer, options);
  return {
    ...interleaved(list, (track, packet) => muxer.write(track, packet)),
    finish() {
      muxer.flush();
      writer.beginTrailer();
      muxer.finish();
      writer.end();
      return fileResult(`s3://${group.bucket}/${key}`, tracks, writer.length);
    },
  };
}

/** As the service counts them. */
const PICTURE_DIGITS = 7;

/** Each picture is an object: `name.0000000.jpg`. */
function openPictures(
  group: FileGroup,
  output: FileOutput,
  tracks: OutputTracks,
  sink: PartSink,
  startedAt: number,
): Output {
  const facts = nameFacts(group, output.extension, tracks, output, startedAt);
  const base = expandIdentifiers(`${group.keyBase}${output.nameModifier}`, facts);
  let count = 0;
  let key: string | undefined;
  return {
    write(_, packet) {
      key = `${base}.${String(count).padStart(PICTURE_DIGITS, '0')}.${output.extension}`;
      count += 1;
      const writer = new ObjectWriter(sink, { key, contentType: 'image/jpeg' });
      writer.write(packet.data ?? new Uint8Array(0));
      writer.end();
    },
    endTrack: () => undefined,
    // The last one stands for all.
    finish: () => ({
      paths: key === undefined ? [] : [`s3://${group.bucket}/${key}`],
      durationMs: Math.round((tracks.video?.seconds ?? 0) * 1000),
      ...sizeOf(tracks),
    }),
  };
}
