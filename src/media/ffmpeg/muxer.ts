import type { AVDisposition } from 'node-av/constants';
import type { FormatContext, IOContext, Packet, Stream } from 'node-av/lib';
import { releaseBuffer } from '#kernel/release-buffer.ts';
import type { Rational } from '../video-settings.ts';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import { check } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { isCopied, type TrackFormat } from './track-format.ts';

/** Where a muxer's bytes go. `seek` is absent where the output is a stream. */
export interface ByteTarget {
  /** Takes what it needs of the bytes, which are gone when it returns. */
  write(bytes: Uint8Array): void;
  seek?(position: number): number;
  readonly length: number;
}

export interface MuxerTrack {
  readonly encoder: TrackFormat;
  /** The stream's own number in the container: a PID. */
  readonly id?: number;
  readonly framerate?: Rational;
  /** What the container calls the codec, where it has more than one name. */
  readonly tag?: string;
  /** True where the encoder says it. */
  readonly isTagKept?: boolean;
  readonly language?: string;
  readonly title?: string;
  /** Of the first picture: becomes a track of its own, where the container has such. */
  readonly timecode?: string;
  /** Added to its timestamps, beside what is added to all. */
  readonly offsetSeconds?: number;
  /** `audio_type` of ISO 13818-1, which MPEG-TS tells beside a language. */
  readonly audioType?: number;
}

/** FFmpeg's name of a format. */
export type MuxerName =
  | 'mp4'
  | 'mov'
  | 'ismv'
  | 'mpegts'
  | 'wav'
  | 'mp3'
  | 'flac'
  | 'aiff'
  | 'mp2'
  | 'ac3'
  | 'eac3'
  | 'adts'
  | 'latm'
  | 'opus'
  | 'ogg'
  | 'mxf'
  | 'webm'
  | 'f4v'
  | 'gif'
  | 'yuv4mpegpipe'
  | 'h264'
  | 'hevc'
  | 'mpeg2video';

const IO_BUFFER_SIZE = 64 * 1024;

/** One of FFmpeg's muxers, writing into callbacks. */
export class Muxer {
  readonly #ffmpeg: FFmpeg;
  readonly #format: FormatContext;
  readonly #io: IOContext;
  readonly #streams: Stream[] = [];
  readonly #timeBases: Rational[] = [];
  /** By the track. */
  readonly #offsetSeconds: readonly number[];
  readonly #name: MuxerName;
  #error: Error | undefined;

  /**
   * @param options the muxer's own options
   * @param offsetSeconds added to every timestamp
   * @throws TranscodeError 1040 when the format does not take these tracks
   */
  constructor(
    ffmpeg: FFmpeg,
    name: MuxerName,
    tracks: readonly MuxerTrack[],
    target: ByteTarget,
    options: Readonly<Record<string, string | number>>,
    offsetSeconds = 0,
  ) {
    this.#ffmpeg = ffmpeg;
    this.#name = name;
    this.#offsetSeconds = tracks.map((track) => offsetSeconds + (track.offsetSeconds ?? 0));
    this.#format = new ffmpeg.FormatContext();
    const what = `Error initializing muxer [${name}]`;
    check(ffmpeg, this.#format.allocOutputContext2(null, name, null), ERROR_CODES.settingsDoNotFit, what);
    this.#io = this.#openIo(target);
    this.#format.pb = this.#io;
    this.#format.setFlags(ffmpeg.AVFMT_FLAG_CUSTOM_IO);
    for (const track of tracks) this.#addStream(track);
    const header = this.#format.writeHeaderSync(ffmpeg.Dictionary.fromObject(options));
    this.#throwIfFailed();
    check(ffmpeg, header, ERROR_CODES.settingsDoNotFit, what);
  }

  /** Writes a packet whose times are in the encoder's time base. */
  write(track: number, packet: Packet): void {
    const stream = this.#streams[track];
    const from = this.#timeBases[track];
    if (stream === undefined || from === undefined) throw new RangeError(`There is no track ${track}.`);
    const to = stream.timeBase;
    packet.streamIndex = track;
    packet.rescaleTs(from, to);
    const offsetSeconds = this.#offsetSeconds[track] ?? 0;
    if (offsetSeconds !== 0) {
      const offset = BigInt(Math.round((offsetSeconds * to.den) / to.num));
      packet.pts += offset;
      packet.dts += offset;
    }
    const isPaced = this.#name === 'mxf';
    // MXF's pictures and sounds alternate in lengths that only its own interleaving makes.
    this.#checked(isPaced ? this.#format.interleavedWriteFrameSync(packet) : this.#format.writeFrameSync(packet));
  }

  /** Writes out what the muxer holds back. */
  flush(): void {
    this.#checked(this.#format.writeFrameSync(null));
    this.#io.flushSync();
    this.#throwIfFailed();
  }

  /** Hands over the bytes so far; packets that are held back stay so. */
  flushBytes(): void {
    this.#io.flushSync();
    this.#throwIfFailed();
  }

  setOption(name: string, value: string): void {
    this.#format.setOption(name, value, this.#ffmpeg.AV_OPT_TYPE_STRING, this.#ffmpeg.AV_OPT_SEARCH_CHILDREN);
  }

  finish(): void {
    this.#checked(this.#format.writeTrailerSync());
    this.#io.flushSync();
    this.#throwIfFailed();
    // In this order: the format must not reach for an I/O context that is gone.
    this.#format.pb = null;
    this.#format.freeContext();
    this.#io.freeContext();
  }

  #checked(result: number): void {
    this.#throwIfFailed();
    check(this.#ffmpeg, result, ERROR_CODES.unknown, 'The muxer failed');
  }

  #openIo(target: ByteTarget): IOContext {
    const ffmpeg = this.#ffmpeg;
    const io = new ffmpeg.IOContext();
    const write = (bytes: Buffer): number =>
      this.#guard(() => {
        const { length } = bytes;
        target.write(bytes);
        releaseBuffer(bytes);
        return length;
      });
    let position = 0;
    const seek = (offset: bigint, whence: number): number =>
      this.#guard(() => {
        const kind = whence & ~ffmpeg.AVSEEK_FORCE;
        if (kind === ffmpeg.AVSEEK_SIZE) return target.length;
        if (kind !== ffmpeg.AVSEEK_SET) throw new TranscodeError(ERROR_CODES.unknown, 'The muxer seeks relatively.');
        position = target.seek?.(Number(offset)) ?? position;
        return position;
      });
    io.allocContextWithCallbacks(IO_BUFFER_SIZE, 1, null, write, target.seek === undefined ? null : seek);
    return io;
  }

  /** Callbacks must not throw into C: the error is kept and thrown after the call that led to it. */
  #guard(work: () => number): number {
    try {
      return work();
    } catch (error) {
      this.#error ??= error instanceof Error ? error : new Error('The write failed.');
      return this.#ffmpeg.AVERROR_EIO;
    }
  }

  #throwIfFailed(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  get #audioTypes(): readonly (AVDisposition | undefined)[] {
    const ffmpeg = this.#ffmpeg;
    return [
      undefined,
      ffmpeg.AV_DISPOSITION_CLEAN_EFFECTS,
      ffmpeg.AV_DISPOSITION_HEARING_IMPAIRED,
      ffmpeg.AV_DISPOSITION_VISUAL_IMPAIRED,
    ];
  }

  #addStream(track: MuxerTrack): void {
    const stream = this.#format.newStream();
    if (isCopied(track.encoder)) track.encoder.parameters.copy(stream.codecpar);
    else stream.codecpar.fromContext(track.encoder);
    stream.codecpar.codecTag = track.tag ?? 0;
    if (track.isTagKept === true && !isCopied(track.encoder)) stream.codecpar.codecTag = track.encoder.codecTag;
    const { num, den } = track.encoder.timeBase;
    stream.timeBase = new this.#ffmpeg.Rational(num, den);
    if (track.id !== undefined) stream.id = track.id;
    if (track.framerate !== undefined) {
      stream.avgFrameRate = new this.#ffmpeg.Rational(track.framerate.num, track.framerate.den);
      const aspect = track.encoder.sampleAspectRatio;
      stream.sampleAspectRatio = new this.#ffmpeg.Rational(aspect.num, aspect.den);
    }
    const type = this.#audioTypes[track.audioType ?? 0];
    if (type !== undefined) stream.disposition = type;
    // Without a language, MPEG-TS has no place for the type.
    const language = track.language ?? (type === undefined ? undefined : 'und');
    const metadata = {
      ...(language !== undefined && { language }),
      ...(track.timecode !== undefined && { timecode: track.timecode }),
      ...(track.title !== undefined && { title: track.title, handler_name: track.title }),
    };
    if (Object.keys(metadata).length > 0) stream.metadata = this.#ffmpeg.Dictionary.fromObject(metadata);
    this.#streams.push(stream);
    this.#timeBases.push({ num, den });
  }
}
