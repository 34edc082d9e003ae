import type { Readable } from 'node:stream';
import type { FormatContext, IOContext, Packet, Stream } from 'node-av/lib';
import { SourceError } from '../source-error.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { DEMUXERS } from './media-input.ts';
import { StreamReader } from './stream-reader.ts';

/** Where media comes from. */
export type SourcePlace =
  | { readonly kind: 'file'; readonly path: string }
  /** Bytes that come one after the other, such as standard input. It is ended by `close`. */
  | { readonly kind: 'stream'; readonly stream: Readable }
  /** A camera or a server, on the network. */
  | { readonly kind: 'address'; readonly url: string };

/** What files and streams may make FFmpeg open: themselves. An address may lead to further addresses. */
const OWN_PROTOCOL = { file: 'file', stream: 'none' } as const;
const NETWORK_PROTOCOLS = 'udp,rtp,tcp,tls,srt,rtmp,rtmps,http,https,httpproxy,crypto,data';
/** Microseconds without a byte from the network after which a source counts as dead. */
const NETWORK_TIMEOUT = 15_000_000;
const MAX_STREAMS = 128;
const IO_BUFFER_SIZE = 64 * 1024;
const MOST_UNTIMED = 100;
const NO_TIMESTAMP = -(2n ** 63n);

/**
 * Media read packet by packet, in FFmpeg's own threads: the event loop goes on meanwhile. What is read is never
 * written anywhere.
 */
export class MediaSource {
  readonly video: Stream | undefined;
  readonly audio: Stream | undefined;
  readonly #ffmpeg: FFmpeg;
  readonly #format: FormatContext;
  readonly #bytes: CustomBytes | undefined;
  /** Packets that were read and not yet given out. */
  #ready: Packet[] = [];
  /** By stream: the packets before the first one that has a time; undefined from then on. */
  readonly #untimed = new Map<number, Packet[] | undefined>();
  #isInterrupted = false;

  private constructor(ffmpeg: FFmpeg, format: FormatContext, bytes: CustomBytes | undefined, withAudio: boolean) {
    this.#ffmpeg = ffmpeg;
    this.#format = format;
    this.#bytes = bytes;
    const { streams } = format;
    const isPicture = (stream: Stream): boolean => stream.hasDisposition(ffmpeg.AV_DISPOSITION_ATTACHED_PIC);
    const ofType = (type: number): Stream[] => streams.filter(({ codecpar }) => codecpar.codecType === type);
    this.video = ofType(ffmpeg.AVMEDIA_TYPE_VIDEO).find((stream) => !isPicture(stream));
    const [first, ...others] = withAudio ? ofType(ffmpeg.AVMEDIA_TYPE_AUDIO) : [];
    this.audio = [first, ...others].find((stream) => stream?.hasDisposition(ffmpeg.AV_DISPOSITION_DEFAULT)) ?? first;
    for (const stream of streams) {
      if (stream !== this.video && stream !== this.audio) stream.discard = ffmpeg.AVDISCARD_ALL;
    }
  }

  /** @throws SourceError when there is nothing to read, or no picture or sound in it */
  static async open(ffmpeg: FFmpeg, place: SourcePlace, withAudio: boolean): Promise<MediaSource> {
    const format = new ffmpeg.FormatContext();
    format.allocContext();
    const bytes = place.kind === 'stream' ? customBytes(ffmpeg, format, place.stream) : undefined;
    const opened = await format.openInput(nameFor(place), null, ffmpeg.Dictionary.fromObject(optionsFor(place)));
    if (opened < 0) {
      bytes?.reader.stop();
      bytes?.io.freeContext();
      throw new SourceError(`The source cannot be opened: ${ffmpeg.FFmpegError.strerror(opened)}.`);
    }
    const found = await format.findStreamInfo(null);
    const source = new MediaSource(ffmpeg, format, bytes, withAudio);
    if (found >= 0 && (source.video ?? source.audio) !== undefined) return source;
    await source.close();
    throw new SourceError('The source has neither picture nor sound.');
  }

  /** Those that are read: the picture first. */
  get streams(): Stream[] {
    return [this.video, this.audio].filter((stream) => stream !== undefined);
  }

  codecName(stream: Stream): string {
    return this.#ffmpeg.avGetCodecName(stream.codecpar.codecId) ?? 'unknown';
  }

  /**
   * Reads the next packet of the streams in use.
   *
   * @returns false at the end, or after `interrupt`
   * @throws SourceError when the source breaks off
   */
  async read(packet: Packet): Promise<boolean> {
    const ffmpeg = this.#ffmpeg;
    for (;;) {
      if (this.#isInterrupted) return false;
      const next = this.#ready.shift();
      if (next !== undefined) {
        packet.ref(next);
        next.free();
        return true;
      }
      const result = await this.#format.readFrame(packet);
      if (this.#isInterrupted || result === ffmpeg.AVERROR_EOF) return false;
      if (result === ffmpeg.AVERROR_EAGAIN) continue;
      if (result < 0) throw new SourceError(`The source broke off: ${ffmpeg.FFmpegError.strerror(result)}.`);
      this.#take(packet);
      packet.unref();
    }
  }

  /** Puts a packet among those that are ready, if its place in time is known. */
  #take(packet: Packet): void {
    const stream = this.streams.find(({ index }) => index === packet.streamIndex);
    const copy = stream && packet.clone();
    if (stream === undefined || copy === null || copy === undefined) return;
    // Some containers tell when a packet is decoded, not when it is shown.
    if (copy.pts === NO_TIMESTAMP) copy.pts = copy.dts;
    const untimed = this.#untimed.has(stream.index) ? this.#untimed.get(stream.index) : [];
    if (copy.pts !== NO_TIMESTAMP) {
      this.#untimed.set(stream.index, undefined);
      this.#ready.push(...placeBefore(copy, untimed ?? [], stream), copy);
      return;
    }
    // A camera's first packet often comes before its clock is known, and it is the keyframe.
    if (untimed !== undefined && untimed.length < MOST_UNTIMED) this.#untimed.set(stream.index, [...untimed, copy]);
    else copy.free();
  }

  /** Ends the reading, also one that waits for bytes. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#format.interrupt();
    this.#bytes?.reader.stop();
  }

  async close(): Promise<void> {
    this.#bytes?.reader.stop();
    for (const packet of [...this.#ready, ...[...this.#untimed.values()].flatMap((some) => some ?? [])]) packet.free();
    await this.#format.closeInput();
    this.#bytes?.io.freeContext();
  }
}

/** Gives packets the times that they must have had before the first one with a time. */
function placeBefore(first: Packet, untimed: readonly Packet[], { avgFrameRate, timeBase }: Stream): readonly Packet[] {
  const { num, den } = avgFrameRate;
  const step = num > 0 ? BigInt(Math.round((den * timeBase.den) / (num * timeBase.num))) : 1n;
  for (const [index, packet] of untimed.entries()) {
    packet.pts = first.pts - step * BigInt(untimed.length - index);
    packet.dts = packet.pts;
  }
  return untimed;
}

interface CustomBytes {
  readonly reader: StreamReader;
  readonly io: IOContext;
}

function customBytes(ffmpeg: FFmpeg, format: FormatContext, stream: Readable): CustomBytes {
  const reader = new StreamReader(stream);
  const io = new ffmpeg.IOContext();
  io.allocContextWithCallbacks(IO_BUFFER_SIZE, 0, async (size) => (await reader.read(size)) ?? ffmpeg.AVERROR_EOF);
  format.pb = io;
  format.setFlags(ffmpeg.AVFMT_FLAG_CUSTOM_IO);
  return { reader, io };
}

function nameFor(place: SourcePlace): string {
  switch (place.kind) {
    case 'file':
      return `file:${place.path}`;
    case 'stream':
      return '';
    case 'address':
      return place.url;
  }
}

function optionsFor(place: SourcePlace): Record<string, string | number> {
  if (place.kind !== 'address') {
    // INVARIANT: a file is read for what it is. A playlist in disguise must not send other files of this machine.
    return { format_whitelist: DEMUXERS, protocol_whitelist: OWN_PROTOCOL[place.kind], max_streams: MAX_STREAMS };
  }
  return {
    protocol_whitelist: NETWORK_PROTOCOLS,
    max_streams: MAX_STREAMS,
    rtsp_flags: 'prefer_tcp',
    timeout: NETWORK_TIMEOUT,
    rw_timeout: NETWORK_TIMEOUT,
  };
}
