import type { BitStreamFilterContext, CodecParameters, Packet, Stream } from 'node-av/lib';
import type { AudioCodecSettings } from '../audio-codec-settings.ts';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import type { Rational, VideoSettings } from '../video-settings.ts';
import { check, present } from './check.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { framerateOf, pixelAspectOf } from './media-input.ts';
import type { Picture } from './picture-size.ts';
import type { AudioTrack, CopiedFormat, VideoTrack } from './track-format.ts';
import type { PacketReceiver } from './video-encoder.ts';

const NO_TIMESTAMP = -(2n ** 63n);
/** What brings a codec's packets from MP4's form into that of MPEG-TS. */
const ANNEX_B_FILTERS: Readonly<Record<string, string>> = { h264: 'h264_mp4toannexb', hevc: 'hevc_mp4toannexb' };

/**
 * A stream whose packets go from the demuxer to an output as they are, without a decoder. Its times begin at 0, as
 * those of encoders do.
 */
export class PassthroughTrack {
  readonly stream: Stream;
  readonly isVideo: boolean;
  readonly context: CopiedFormat;
  readonly #ffmpeg: FFmpeg;
  readonly #receivers: PacketReceiver[] = [];
  readonly #filter: BitStreamFilterContext | undefined;
  readonly #packet: Packet;
  readonly #shift: bigint;
  readonly #toSeconds: number;
  readonly #step: bigint;
  #end = 0n;
  #lastDts: bigint | undefined;

  /**
   * @param startSeconds of the input: the earliest time in it
   * @param isAnnexB true where the container wants start codes and parameter sets in the stream (MPEG-TS)
   * @throws TranscodeError 1040 when the stream cannot be brought into the form
   */
  constructor(ffmpeg: FFmpeg, stream: Stream, startSeconds: number, isAnnexB: boolean) {
    this.#ffmpeg = ffmpeg;
    this.stream = stream;
    const { num, den } = stream.timeBase;
    this.#toSeconds = num / den;
    this.#shift = BigInt(Math.round((startSeconds * den) / num));
    const rate = framerateOf(stream);
    this.isVideo = stream.codecpar.codecType === ffmpeg.AVMEDIA_TYPE_VIDEO;
    this.#step = this.isVideo ? BigInt(Math.max(1, Math.round((rate.den * den) / (rate.num * num)))) : 0n;
    this.#packet = new ffmpeg.Packet();
    this.#packet.alloc();
    this.#filter = isAnnexB ? this.#openFilter() : undefined;
    const parameters = this.#filter?.outputCodecParameters ?? stream.codecpar;
    this.context = formatOf(parameters, { num, den }, pixelAspectOf(stream));
  }

  /** Seconds so far. */
  get seconds(): number {
    return Number(this.#end) * this.#toSeconds;
  }

  /** Every packet goes to every receiver, which must copy what it keeps. */
  addReceiver(receive: PacketReceiver): void {
    this.#receivers.push(receive);
  }

  /** Passes a packet of the stream on, which is the caller's again afterwards; returns its time in seconds. */
  take(packet: Packet): number {
    this.#place(packet);
    if (this.#filter === undefined) {
      this.#give(packet);
      return Number(packet.pts) * this.#toSeconds;
    }
    const seconds = Number(packet.pts) * this.#toSeconds;
    const what = 'The stream cannot be copied into this container';
    check(this.#ffmpeg, this.#filter.sendPacketSync(packet), ERROR_CODES.unknown, what);
    this.#drain();
    return seconds;
  }

  finish(): void {
    if (this.#filter !== undefined) {
      this.#filter.sendPacketSync(null);
      this.#drain();
      this.#filter.free();
    }
    this.#packet.free();
  }

  #place(packet: Packet): void {
    if (packet.pts === NO_TIMESTAMP) packet.pts = packet.dts === NO_TIMESTAMP ? this.#end + this.#shift : packet.dts;
    if (packet.dts === NO_TIMESTAMP) packet.dts = this.#lastDts === undefined ? packet.pts : this.#lastDts + 1n;
    else packet.dts -= this.#shift;
    packet.pts -= this.#shift;
    // A decoder's clock does not go back; a damaged file's may.
    if (this.#lastDts !== undefined && packet.dts <= this.#lastDts) packet.dts = this.#lastDts + 1n;
    if (packet.pts < packet.dts) packet.pts = packet.dts;
    this.#lastDts = packet.dts;
    if (packet.duration <= 0n) packet.duration = this.#step;
    const end = packet.pts + packet.duration;
    if (end > this.#end) this.#end = end;
  }

  #drain(): void {
    while (this.#filter !== undefined && this.#filter.receivePacketSync(this.#packet) >= 0) {
      this.#give(this.#packet);
      this.#packet.unref();
    }
  }

  #give(packet: Packet): void {
    for (const receive of this.#receivers) receive(packet);
  }

  #openFilter(): BitStreamFilterContext | undefined {
    const ffmpeg = this.#ffmpeg;
    const { codecpar, timeBase } = this.stream;
    const name = ANNEX_B_FILTERS[ffmpeg.avGetCodecName(codecpar.codecId) ?? ''];
    // MP4's form is known by its configuration record, which begins with version 1.
    if (name === undefined || codecpar.extradata?.[0] !== 1) return undefined;
    const what = 'The stream cannot be copied into this container';
    const filter = new ffmpeg.BitStreamFilterContext();
    const found = present(ffmpeg.BitStreamFilter.getByName(name), what);
    check(ffmpeg, filter.alloc(found), ERROR_CODES.settingsDoNotFit, what);
    const input = filter.inputCodecParameters;
    if (input === null) throw new TranscodeError(ERROR_CODES.settingsDoNotFit, what);
    codecpar.copy(input);
    filter.inputTimeBase = timeBase;
    check(ffmpeg, filter.init(), ERROR_CODES.settingsDoNotFit, what);
    return filter;
  }
}

function formatOf(parameters: CodecParameters, timeBase: Rational, sampleAspectRatio: Rational): CopiedFormat {
  return { parameters, timeBase, sampleAspectRatio, extraData: parameters.extradata };
}

/** The codecs of sound that may be copied: Dolby Digital and Dolby Digital Plus. */
const COPIED_SOUNDS: Readonly<Record<string, { readonly codecName: string; readonly frameSize: number }>> = {
  ac3: { codecName: 'ac-3', frameSize: 1536 },
  eac3: { codecName: 'ec-3', frameSize: 1536 },
};

/** The sound of an output that is copied from its input. */
export class PassthroughAudio extends PassthroughTrack implements AudioTrack {
  readonly settings: AudioCodecSettings;
  readonly codecName: string;
  readonly frameSize: number;

  /** @throws TranscodeError 1040 for another codec than Dolby's */
  constructor(ffmpeg: FFmpeg, stream: Stream, startSeconds: number) {
    super(ffmpeg, stream, startSeconds, false);
    const { codecId, sampleRate, channels } = stream.codecpar;
    const codec = ffmpeg.avGetCodecName(codecId) ?? 'unknown';
    const known = COPIED_SOUNDS[codec];
    if (known === undefined) {
      const what = `Only Dolby Digital and Dolby Digital Plus can be passed through, and the input has ${codec}`;
      throw new TranscodeError(ERROR_CODES.settingsDoNotFit, what);
    }
    this.settings = { kind: 'passthrough', sampleRate, channels };
    this.codecName = known.codecName;
    this.frameSize = known.frameSize;
  }
}

/** The picture of an output that is copied from its input. */
export class PassthroughVideo extends PassthroughTrack implements VideoTrack {
  readonly settings: VideoSettings;
  readonly picture: Picture;
  readonly framerate: Rational;

  constructor(ffmpeg: FFmpeg, stream: Stream, settings: VideoSettings, startSeconds: number, isAnnexB: boolean) {
    super(ffmpeg, stream, startSeconds, isAnnexB);
    this.settings = settings;
    const { width, height } = stream.codecpar;
    this.picture = { width, height, pixelAspect: pixelAspectOf(stream) };
    this.framerate = framerateOf(stream);
  }
}
