import type { FormatContext, IOContext, Packet, Stream } from 'node-av/lib';
import { ElementCursor } from '../matroska/element-cursor.ts';
import { ELEMENT } from '../matroska/element-ids.ts';
import { type Frame, readFrames } from '../matroska/read-frames.ts';
import { type MatroskaHeader, readHeader } from '../matroska/read-header.ts';
import { SourceError } from '../source-error.ts';
import type { FFmpeg } from './load-ffmpeg.ts';

const IO_BUFFER_SIZE = 256 * 1024;
/** Longer than anything: Clusters end where they are told to. */
const NEVER = { cluster_time_limit: 1_000_000, cluster_size_limit: 1_000_000_000 } as const;

/**
 * Turns packets of any container into Matroska's frames: FFmpeg's muxer writes the header with the codecs' private
 * data, and brings each packet into the form that Matroska wants (H.264 with lengths, AAC without ADTS …). Where
 * fragments are cut is not its business: each packet comes out by itself.
 */
export class FrameMuxer {
  /** The EBML header, the Segment's beginning, Info and Tracks. Track numbers are the streams' places in the list. */
  readonly header: MatroskaHeader;
  readonly #ffmpeg: FFmpeg;
  readonly #format: FormatContext;
  readonly #io: IOContext;
  readonly #streams: readonly Stream[];
  #written: Buffer[] = [];

  /**
   * @param extradata codecs' private data that the source does not tell, by the streams' places in the list
   * @throws SourceError when Matroska cannot hold a codec
   */
  constructor(ffmpeg: FFmpeg, streams: readonly Stream[], extradata: ReadonlyMap<number, Buffer>) {
    this.#ffmpeg = ffmpeg;
    this.#streams = streams;
    this.#format = new ffmpeg.FormatContext();
    this.#format.allocOutputContext2(null, 'matroska', null);
    this.#io = new ffmpeg.IOContext();
    this.#io.allocContextWithCallbacks(IO_BUFFER_SIZE, 1, null, (bytes: Buffer) => {
      // The buffer is FFmpeg's, which uses it again.
      this.#written.push(Buffer.from(bytes));
      return bytes.length;
    });
    this.#format.pb = this.#io;
    this.#format.setFlags(ffmpeg.AVFMT_FLAG_CUSTOM_IO);
    for (const [index, stream] of streams.entries()) this.#addStream(stream, extradata.get(index));
    const result = this.#format.writeHeaderSync(ffmpeg.Dictionary.fromObject(NEVER));
    if (result < 0) {
      const names = streams.map(({ codecpar }) => ffmpeg.avGetCodecName(codecpar.codecId) ?? 'unknown');
      this.close();
      throw new SourceError(`Matroska does not take this ${names.join(' and ')} as it is.`);
    }
    this.header = readHeader(this.#takeWritten());
  }

  /** The frames that are ready with this packet: most often its own. A packet that goes back in time gives none. */
  write(packet: Packet): Frame[] {
    const index = this.#streams.findIndex((stream) => stream.index === packet.streamIndex);
    const [from, to] = [this.#streams[index], this.#format.streams[index]];
    if (from === undefined || to === undefined) return [];
    packet.streamIndex = index;
    packet.rescaleTs(from.timeBase, to.timeBase);
    const result = this.#format.writeFrameSync(packet);
    if (result < 0 && result !== this.#ffmpeg.AVERROR_EINVAL) {
      throw new SourceError(`A packet cannot be written: ${this.#ffmpeg.FFmpegError.strerror(result)}.`);
    }
    // Ends the Cluster at hand.
    this.#format.writeFrameSync(null);
    return this.#takeFrames();
  }

  /** The frames that were held back. Nothing can be written after it. */
  finish(): Frame[] {
    this.#format.writeTrailerSync();
    return this.#takeFrames();
  }

  close(): void {
    // In this order: the format must not reach for an I/O context that is gone.
    this.#format.pb = null;
    this.#format.freeContext();
    this.#io.freeContext();
  }

  #takeFrames(): Frame[] {
    const frames: Frame[] = [];
    const elements = new ElementCursor(this.#takeWritten());
    while (elements.next()) {
      if (elements.id !== ELEMENT.cluster) continue;
      const cluster = elements.bytes.subarray(elements.start, elements.dataEnd);
      frames.push(...readFrames(cluster, this.header.tracks, this.header.timecodeScale));
    }
    return frames;
  }

  #takeWritten(): Buffer {
    this.#io.flushSync();
    const bytes = Buffer.concat(this.#written);
    this.#written = [];
    return bytes;
  }

  #addStream(stream: Stream, extradata: Buffer | undefined): void {
    const output = this.#format.newStream();
    stream.codecpar.copy(output.codecpar);
    output.codecpar.codecTag = 0;
    if (extradata !== undefined) output.codecpar.extradata = extradata;
    output.timeBase = stream.timeBase;
    output.avgFrameRate = stream.avgFrameRate;
    output.sampleAspectRatio = stream.sampleAspectRatio;
  }
}
