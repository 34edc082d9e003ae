import type { FileGroup, FileOutput, MovieContainer } from '../output-group.ts';
import { IndexedWriter } from '../packaging/indexed-writer.ts';
import { ObjectWriter, type PartSink } from '../packaging/object-writer.ts';
import { expandIdentifiers } from '../packaging/output-name.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { type ByteTarget, Muxer, type MuxerName } from './muxer.ts';
import { fileResult, interleaved, muxerTracks, nameFacts, type Output, type OutputTracks } from './outputs.ts';
import { transportOptions, withPids } from './transport-options.ts';

interface Format {
  readonly muxer: MuxerName;
  readonly contentType: string;
  /** What the muxer does at the end: nothing, or it completes the head. */
  readonly head: 'plain' | 'completed';
}

const FORMATS: Readonly<Record<MovieContainer, Format>> = {
  m2ts: { muxer: 'mpegts', contentType: 'video/MP2T', head: 'plain' },
  mxf: { muxer: 'mxf', contentType: 'application/mxf', head: 'completed' },
  webm: { muxer: 'webm', contentType: 'video/webm', head: 'completed' },
  gif: { muxer: 'gif', contentType: 'image/gif', head: 'plain' },
  y4m: { muxer: 'yuv4mpegpipe', contentType: 'application/octet-stream', head: 'plain' },
  h264: { muxer: 'h264', contentType: 'video/H264', head: 'plain' },
  h265: { muxer: 'hevc', contentType: 'video/H265', head: 'plain' },
  mpeg2: { muxer: 'mpeg2video', contentType: 'video/mpeg', head: 'plain' },
};

/** True for the containers that want start codes and parameter sets in the stream. */
export function isAnnexB(container: FileOutput['container']): boolean {
  return ['m2ts', 'mxf', 'h264', 'h265', 'mpeg2'].includes(container);
}

export function isMovie(container: FileOutput['container']): container is MovieContainer {
  return container in FORMATS;
}

/** A file of a picture, and mostly sound, that needs no index in front. */
export function openMovieFile(
  ffmpeg: FFmpeg,
  group: FileGroup,
  output: FileOutput & { readonly container: MovieContainer },
  tracks: OutputTracks,
  sink: PartSink,
  startedAt: number,
): Output {
  const facts = nameFacts(group, output.extension, tracks, output, startedAt);
  const key = expandIdentifiers(`${group.keyBase}${output.nameModifier}.${output.extension}`, facts);
  const { muxer: name, contentType, head } = FORMATS[output.container];
  const { target, end } = openTarget(sink, { key, contentType }, head, name);
  const { transport } = output;
  const plain = muxerTracks(tracks);
  const list = transport === undefined ? plain : withPids(plain, transport, tracks.video !== undefined);
  const options = transport === undefined ? {} : transportOptions(output, tracks, transport);
  const muxer = new Muxer(ffmpeg, name, list, target, options, transport?.clockOffsetSeconds ?? 0);
  return {
    ...interleaved(list, (track, packet) => muxer.write(track, packet)),
    finish() {
      muxer.finish();
      end();
      return fileResult(`s3://${group.bucket}/${key}`, tracks, target.length);
    },
  };
}

function openTarget(
  sink: PartSink,
  object: Parameters<PartSink['open']>[0],
  head: Format['head'],
  muxer: MuxerName,
): { readonly target: ByteTarget; readonly end: () => void } {
  if (head === 'plain') {
    const target = new ObjectWriter(sink, object);
    return { target, end: () => target.end() };
  }
  // Each of MXF's partitions is told where the last one is, in the end; the first one, which readers ask, is here.
  const target = new IndexedWriter(sink, object, muxer === 'mxf');
  return { target, end: () => target.end(new Uint8Array(0)) };
}
