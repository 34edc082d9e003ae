import { availableParallelism } from 'node:os';
import type { CodecContext, Dictionary, FormatContext, Frame, IOContext, Packet, Stream } from 'node-av/lib';
import type { AudioPick } from '../transcode-input.ts';
import type { MediaInfo, StreamInfo } from '../transcode-report.ts';
import type { Rational } from '../video-settings.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import { readPrograms } from '../transport-stream/programs.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { openCodec } from './open-codec.ts';

/** Random access to a file's bytes; blocks. */
export interface ByteSource {
  readonly size: number;
  /** Up to `length` bytes from `offset`, which stay what they are until the next read; empty at the end. */
  read(offset: number, length: number): Buffer;
}

/**
 * The demuxers that may open an input. INVARIANT: none of them opens other addresses or files (no playlists, manifests
 * or concatenation scripts); `protocol_whitelist` names no protocol at all, so that one which tried to would fail too.
 */
export const DEMUXERS =
  'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,m4v,avi,flv,mxf,asf,wav,w64,aiff,mp3,aac,flac,ogg,' +
  'ac3,eac3,h264,hevc,obu,ivf,yuv4mpegpipe,dv,gxf,gif';
const NO_PROTOCOL = 'none';

const IO_BUFFER_SIZE = 128 * 1024;
const MAX_PIXELS = 8192 * 8192;
const MAX_STREAMS = 128;
/** Of a transport stream, in which its programs are described. */
const TABLES_BYTES = 4 * 1024 * 1024;
/** Of a decoder: each keeps pictures of its own. */
const MAX_THREADS = 8;

/** FFmpeg's "no timestamp". */
const NO_TIMESTAMP = -(2n ** 63n);

/** One input file, opened for reading through callbacks: FFmpeg itself never touches the network or the disk. */
export class MediaInput {
  readonly info: MediaInfo;
  readonly #ffmpeg: FFmpeg;
  readonly #format: FormatContext;
  readonly #io: IOContext;
  readonly #uri: string;
  readonly #source: ReadProxy;
  #videoPid: number | undefined;
  /** Of the program that is used; absent: all. */
  #programPids: ReadonlySet<number> | undefined;

  private constructor(ffmpeg: FFmpeg, format: FormatContext, io: IOContext, uri: string, source: ReadProxy) {
    this.#ffmpeg = ffmpeg;
    this.#format = format;
    this.#io = io;
    this.#uri = uri;
    this.#source = source;
    this.info = describe(ffmpeg, format);
  }

  /**
   * Opens and probes a file.
   *
   * @param uri how messages name the file
   * @throws TranscodeError 1010 when it is not readable media
   */
  static open(ffmpeg: FFmpeg, source: ByteSource, uri: string): MediaInput {
    if (source.size === 0) {
      throw new TranscodeError(ERROR_CODES.inputUnreadable, unableToOpen(uri, 'The file is empty'));
    }
    const proxy = new ReadProxy(ffmpeg, source);
    const io = new ffmpeg.IOContext();
    io.allocContextWithCallbacks(
      IO_BUFFER_SIZE,
      0,
      (size) => proxy.read(size),
      null,
      (offset, whence) => proxy.seek(offset, whence),
    );
    const format = new ffmpeg.FormatContext();
    format.allocContext();
    format.pb = io;
    format.setFlags(ffmpeg.AVFMT_FLAG_CUSTOM_IO);
    const options: Dictionary = ffmpeg.Dictionary.fromObject({
      format_whitelist: DEMUXERS,
      protocol_whitelist: NO_PROTOCOL,
      max_streams: MAX_STREAMS,
    });
    const opened = format.openInputSync('', null, options);
    proxy.throwIfFailed();
    if (opened < 0) {
      const isHeadless = opened === ffmpeg.AVERROR_INVALIDDATA && isMovie(proxy.head(MOVIE_HEAD));
      const cause = isHeadless ? 'no moov box found in file' : openCause(ffmpeg, opened);
      throw new TranscodeError(ERROR_CODES.inputUnreadable, unableToOpen(uri, cause));
    }
    const found = format.findStreamInfoSync(null);
    proxy.throwIfFailed();
    if (found < 0) throw new TranscodeError(ERROR_CODES.inputUnreadable, unableToOpen(uri, openCause(ffmpeg, found)));
    return new MediaInput(ffmpeg, format, io, uri, proxy);
  }

  /** Bytes. */
  get size(): number {
    return this.#source.size;
  }

  get streams(): Stream[] {
    return this.#format.streams;
  }

  /** Seconds: the earliest timestamp of the file. */
  get startSeconds(): number {
    const start = this.#format.startTime;
    return start === NO_TIMESTAMP ? 0 : Number(start) / this.#ffmpeg.AV_TIME_BASE;
  }

  /** The timecode of the first picture, where the file has one. */
  get embeddedTimecode(): string | undefined {
    for (const { metadata } of [...this.streams, this.#format]) {
      const timecode = metadata?.get('timecode');
      if (timecode !== undefined && timecode !== null) return timecode;
    }
    return undefined;
  }

  /** True for containers whose clock may jump (MPEG-TS, MPEG-PS). */
  get isClockDiscontinuous(): boolean {
    return this.info.format === 'mpegts' || this.info.format === 'mpeg';
  }

  /** Has the video of this number used (in MPEG-TS its PID), and no other. */
  chooseVideo(pid: number): void {
    this.#videoPid = pid;
  }

  /**
   * Has the streams of one program used, unless others are named by their PIDs; a stream with one program has no choice.
   *
   * @param number absent, or not there: the first
   */
  chooseProgram(number: number | undefined): void {
    if (this.info.format !== 'mpegts') return;
    const programs = readPrograms(this.#source.head(TABLES_BYTES));
    if (programs.length < 2) return;
    this.#programPids = (programs.find((program) => program.number === number) ?? programs[0])?.pids;
  }

  #streamsOf(type: number): Stream[] {
    const streams = this.streams.filter((stream) => stream.codecpar.codecType === type);
    const pids = this.#programPids;
    return pids === undefined ? streams : streams.filter(({ id }) => pids.has(id));
  }

  /** The video stream to use; cover pictures are not video. */
  findVideo(): Stream | undefined {
    const ffmpeg = this.#ffmpeg;
    const all = this.streams.filter((stream) => stream.codecpar.codecType === ffmpeg.AVMEDIA_TYPE_VIDEO);
    if (this.#videoPid !== undefined) return all.find((stream) => stream.id === this.#videoPid);
    return this.#streamsOf(ffmpeg.AVMEDIA_TYPE_VIDEO).find(
      (stream) => !stream.hasDisposition(ffmpeg.AV_DISPOSITION_ATTACHED_PIC),
    );
  }

  /** The audio streams that a selector means; `undefined` where one that it names is not there, or is not audio. */
  findAudios(pick: AudioPick): Stream[] | undefined {
    const ffmpeg = this.#ffmpeg;
    const all = this.streams.filter((stream) => stream.codecpar.codecType === ffmpeg.AVMEDIA_TYPE_AUDIO);
    const streams = this.#streamsOf(ffmpeg.AVMEDIA_TYPE_AUDIO);
    switch (pick.kind) {
      case 'none':
        return [];
      case 'default': {
        const usual = streams.find((stream) => stream.hasDisposition(ffmpeg.AV_DISPOSITION_DEFAULT)) ?? streams[0];
        return usual === undefined ? [] : [usual];
      }
      case 'tracks':
        return complete(pick.tracks.map((track) => streams[track - 1]));
      case 'streams':
        return complete(pick.streams.map((place) => all.find(({ index }) => index === place - 1)));
      case 'pids':
        return complete(pick.pids.map((pid) => all.find(({ id }) => id === pid)));
      case 'language':
        return complete([streams.find((stream) => stream.metadata?.get('language') === pick.code)]);
      case 'pcm': {
        const isPcm = ({ codecpar }: Stream): boolean =>
          ffmpeg.avGetCodecName(codecpar.codecId)?.startsWith('pcm_') === true;
        const found = streams.filter(isPcm);
        return found.length === 0 ? undefined : found;
      }
    }
  }

  /** The `audio_type` (ISO 13818-1) that a transport stream tells of its sound; `undefined` for none. */
  audioTypeOf(stream: Stream | undefined): number | undefined {
    if (stream === undefined || this.info.format !== 'mpegts') return undefined;
    const ffmpeg = this.#ffmpeg;
    if (stream.hasDisposition(ffmpeg.AV_DISPOSITION_CLEAN_EFFECTS)) return 1;
    if (stream.hasDisposition(ffmpeg.AV_DISPOSITION_HEARING_IMPAIRED)) return 2;
    return stream.hasDisposition(ffmpeg.AV_DISPOSITION_VISUAL_IMPAIRED) ? 3 : undefined;
  }

  /** @throws TranscodeError 1030 when the codec is unknown or broken */
  openDecoder(stream: Stream): CodecContext {
    const ffmpeg = this.#ffmpeg;
    const codec = ffmpeg.Codec.findDecoder(stream.codecpar.codecId);
    const name = ffmpeg.avGetCodecName(stream.codecpar.codecId) ?? 'unknown';
    if (codec === null) {
      throw new TranscodeError(ERROR_CODES.unsupportedInput, unableToOpen(this.#uri, `No decoder found for ${name}`));
    }
    const context = new ffmpeg.CodecContext();
    context.allocContext3(codec);
    context.parametersToContext(stream.codecpar);
    context.pktTimebase = stream.timeBase;
    const cause = `Unable to open input file [${this.#uri}]: Error initializing decoder for ${name}`;
    const options = { threads: Math.min(MAX_THREADS, availableParallelism()), max_pixels: MAX_PIXELS };
    openCodec(ffmpeg, context, codec, options, ERROR_CODES.unsupportedInput, cause);
    return context;
  }

  /** Leaves out all streams but these, so that the demuxer need not read them. */
  keepOnly(streams: readonly Stream[]): void {
    const kept = new Set(streams.map((stream) => stream.index));
    for (const stream of this.streams) {
      if (!kept.has(stream.index)) stream.discard = this.#ffmpeg.AVDISCARD_ALL;
    }
  }

  /**
   * Reads the next packet.
   *
   * @returns false at the end of the file
   * @throws TranscodeError 1076 when the file ends early or is broken beyond the demuxer's means
   */
  readPacket(packet: Packet): boolean {
    const ffmpeg = this.#ffmpeg;
    const result = this.#format.readFrameSync(packet);
    this.#source.throwIfFailed();
    if (result >= 0) return true;
    if (result === ffmpeg.AVERROR_EOF) return false;
    throw new TranscodeError(
      ERROR_CODES.readStoppedEarly,
      `Demuxer: [ReadPacketData File read failed - ${ffmpeg.FFmpegError.strerror(result)} at length ` +
        `[${this.#source.position}]. Is file truncated?]`,
    );
  }

  /**
   * Goes to a place before a time, where decoding can begin. Containers whose clock may jump are read from where they
   * are, as their times say little of places.
   *
   * @param seconds on the input's own time line
   */
  seekBefore(seconds: number): void {
    if (this.isClockDiscontinuous || seconds <= 0) return;
    const time = BigInt(Math.round((seconds + this.startSeconds) * this.#ffmpeg.AV_TIME_BASE));
    // Where it cannot be done, reading goes on from the beginning: slower, and just as right.
    this.#format.seekFrameSync(-1, time, this.#ffmpeg.AVSEEK_FLAG_BACKWARD);
  }

  /** The same file once more, with the same streams chosen: to look at its beginning beside its reading. */
  openAgain(): MediaInput {
    const again = MediaInput.open(this.#ffmpeg, this.#source.source, this.#uri);
    again.#videoPid = this.#videoPid;
    again.#programPids = this.#programPids;
    return again;
  }

  close(): void {
    // In this order: the format must not reach for an I/O context that is gone.
    this.#format.pb = null;
    this.#format.closeInputSync();
    this.#io.freeContext();
  }
}

/** Keeps the place in the source, and an error that FFmpeg would only report as "I/O error". */
class ReadProxy {
  position = 0;
  readonly size: number;
  #error: Error | undefined;
  readonly #ffmpeg: FFmpeg;
  readonly source: ByteSource;

  constructor(ffmpeg: FFmpeg, source: ByteSource) {
    this.#ffmpeg = ffmpeg;
    this.source = source;
    this.size = source.size;
  }

  /** The file's first bytes, wherever reading has come to. */
  head(length: number): Buffer {
    const parts: Buffer[] = [];
    let at = 0;
    while (at < length) {
      const part = this.source.read(at, length - at);
      if (part.length === 0) break;
      // The source may use its memory again.
      parts.push(Buffer.from(part));
      at += part.length;
    }
    return Buffer.concat(parts);
  }

  read(size: number): Buffer | number {
    try {
      const bytes = this.source.read(this.position, size);
      if (bytes.length === 0) return this.#ffmpeg.AVERROR_EOF;
      this.position += bytes.length;
      return bytes;
    } catch (error) {
      this.#error ??= error instanceof Error ? error : new Error('The read failed.');
      return this.#ffmpeg.AVERROR_EIO;
    }
  }

  seek(offset: bigint, whence: number): bigint | number {
    const ffmpeg = this.#ffmpeg;
    const kind = whence & ~ffmpeg.AVSEEK_FORCE;
    if (kind === ffmpeg.AVSEEK_SIZE) return BigInt(this.source.size);
    const base = kind === ffmpeg.AVSEEK_CUR ? this.position : kind === ffmpeg.AVSEEK_END ? this.source.size : 0;
    const target = base + Number(offset);
    if (!Number.isSafeInteger(target) || target < 0) return ffmpeg.AVERROR_EINVAL;
    this.position = target;
    return BigInt(target);
  }

  throwIfFailed(): void {
    if (this.#error !== undefined) throw this.#error;
  }
}

/** All of them, or nothing where one is missing. */
function complete(streams: readonly (Stream | undefined)[]): Stream[] | undefined {
  const found = streams.filter((stream) => stream !== undefined);
  return found.length === streams.length ? found : undefined;
}

const MOVIE_HEAD = 8;

/** True for the first bytes of an MP4 or a MOV of our time. */
function isMovie(head: Buffer): boolean {
  return head.toString('latin1', 4, MOVIE_HEAD) === 'ftyp';
}

function openCause(ffmpeg: FFmpeg, result: number): string {
  return result === ffmpeg.AVERROR_INVALIDDATA || result === ffmpeg.AVERROR_EINVAL
    ? 'No parser found for container'
    : ffmpeg.FFmpegError.strerror(result);
}

function describe(ffmpeg: FFmpeg, format: FormatContext): MediaInfo {
  const duration = format.duration;
  return {
    format: format.iformat?.name ?? 'unknown',
    ...(duration > 0n && { durationSeconds: Number(duration) / ffmpeg.AV_TIME_BASE }),
    streams: format.streams.map((stream) => describeStream(ffmpeg, stream)),
  };
}

function describeStream(ffmpeg: FFmpeg, stream: Stream): StreamInfo {
  const parameters = stream.codecpar;
  const isVideo = parameters.codecType === ffmpeg.AVMEDIA_TYPE_VIDEO;
  const isAudio = parameters.codecType === ffmpeg.AVMEDIA_TYPE_AUDIO;
  const timeBase = stream.timeBase;
  const language = stream.metadata?.get('language') ?? undefined;
  return {
    index: stream.index,
    id: stream.id,
    kind: isVideo ? 'video' : isAudio ? 'audio' : 'other',
    codec: ffmpeg.avGetCodecName(parameters.codecId) ?? 'unknown',
    ...(stream.duration > 0n && { durationSeconds: (Number(stream.duration) * timeBase.num) / timeBase.den }),
    ...(parameters.bitRate > 0n && { bitrate: Number(parameters.bitRate) }),
    ...(language !== undefined && { language }),
    ...(isVideo && {
      width: parameters.width,
      height: parameters.height,
      framerate: framerateOf(stream),
      pixelAspect: pixelAspectOf(stream),
    }),
    ...(isAudio && { sampleRate: parameters.sampleRate, channels: parameters.channels }),
  };
}

/** MediaConvert rounds a variable rate up to one of these. */
const ROUND_RATES = [1, 5, 10, 15, 24, 30, 50, 60];

const MAX_RATE = 240;

/** The rate of a stream of constant rate; for a variable one, the next of the round rates. */
export function framerateOf(stream: Stream): Rational {
  const real = stream.rFrameRate;
  const average = stream.avgFrameRate;
  const realRate = real.den > 0 ? real.num / real.den : 0;
  const averageRate = average.den > 0 ? average.num / average.den : 0;
  const isPlausible = realRate > 0 && realRate <= MAX_RATE;
  const isAveragePlausible = averageRate > 0 && averageRate <= MAX_RATE;
  const isAbout = (rate: number): boolean => Math.abs(rate - averageRate) < rate * 0.01;
  if (isPlausible && (!isAveragePlausible || isAbout(realRate))) return { num: real.num, den: real.den };
  // Streams that count fields, such as H.264 without a container, have a rate of them.
  if (isPlausible && isAbout(realRate / 2)) return halfOf(real);
  const wanted = isAveragePlausible ? averageRate : 30;
  return { num: ROUND_RATES.find((rate) => rate >= wanted - 0.01) ?? 60, den: 1 };
}

function halfOf({ num, den }: Rational): Rational {
  return num % 2 === 0 ? { num: num / 2, den } : { num, den: den * 2 };
}

/** Width to height of one pixel; 1 where the file does not say. */
export function pixelAspectOf(stream: Stream): Rational {
  for (const ratio of [stream.sampleAspectRatio, stream.codecpar.sampleAspectRatio]) {
    if (ratio.num > 0 && ratio.den > 0) return { num: ratio.num, den: ratio.den };
  }
  return { num: 1, den: 1 };
}

/** A frame's time in units of `timeBase`, or `undefined` where it has none. */
export function timestampOf(frame: Frame): bigint | undefined {
  const best = frame.bestEffortTimestamp;
  if (best !== NO_TIMESTAMP) return best;
  return frame.pts === NO_TIMESTAMP ? undefined : frame.pts;
}
