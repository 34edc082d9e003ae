import type { CodecContext, Frame, Packet, Stream } from 'node-av/lib';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import { AudioFeeds, type AudioRoute } from './audio-feeds.ts';
import { blackPicture } from './black-picture.ts';
import { type ClipWindow, WHOLE } from './clip-windows.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { MediaInput } from './media-input.ts';
import { framerateOf, pixelAspectOf } from './media-input.ts';
import type { PassthroughTrack } from './passthrough-track.ts';
import type { SampleTarget } from './sample-target.ts';
import { StreamClock } from './stream-clock.ts';
import type { VideoEncoder } from './video-encoder.ts';
import { type PictureFacts, VideoGraph } from './video-graph.ts';

/** Silence that stands in for missing audio trails the video by this much, so that packets still interleave. */
const SILENCE_LAG_SECONDS = 0.5;
/** Decoding begins this much before a window, for sound that is stored earlier than its pictures. */
const SEEK_LEAD_SECONDS = 0.5;

interface Decoding {
  readonly stream: Stream;
  readonly decoder: CodecContext;
  readonly clock: StreamClock;
  frames: number;
  /** True once a frame behind the window was seen. */
  isPast: boolean;
}

/** From so much on, the service warns of sound that was made longer or shorter to fit. */
const WARNED_SECONDS = 0.1;
const PADDED = 240_000;
const DROPPED = 240_001;

function ms(seconds: number): number {
  return Math.round(seconds * 1000);
}

/** One input on its way through decoders and filters to the encoders. */
export class InputRun {
  readonly #ffmpeg: FFmpeg;
  readonly #input: MediaInput;
  readonly #video: Decoding | undefined;
  readonly #audio: AudioFeeds;
  readonly #videoEncoders: readonly VideoEncoder[];
  readonly #silent: readonly SampleTarget[];
  readonly #copies: readonly PassthroughTrack[];
  readonly #baseSeconds: number;
  readonly #isJoined: boolean;
  readonly #window: ClipWindow;
  readonly #pictures: PictureFacts;
  readonly #onPicture: ((frame: Frame, seconds: number) => void) | undefined;
  readonly #onFrame: (seconds: number, isVideo: boolean) => void;
  readonly #onWarning: ((code: number, message: string) => void) | undefined;
  readonly #frame: Frame;
  #graph: VideoGraph | undefined;
  #endSeconds = 0;

  /**
   * @param baseSeconds where the input begins on the outputs' time line
   * @param isJoined true when another input follows
   * @param window the part of the input that is wanted
   * @param onFrame told each decoded frame's time within this input
   */
  constructor(
    ffmpeg: FFmpeg,
    input: MediaInput,
    facts: {
      readonly videoEncoders: readonly VideoEncoder[];
      readonly audioRoutes: readonly AudioRoute[];
      /** Streams of the input that go to outputs without a decoder. */
      readonly copies?: readonly PassthroughTrack[];
      readonly baseSeconds: number;
      readonly isJoined: boolean;
      readonly window?: ClipWindow;
      readonly pictures: PictureFacts;
      /** Told each decoded picture with its time on the outputs' time line. */
      readonly onPicture?: (frame: Frame, seconds: number) => void;
      readonly onFrame: (seconds: number, isVideo: boolean) => void;
      readonly onWarning?: (code: number, message: string) => void;
    },
  ) {
    this.#ffmpeg = ffmpeg;
    this.#input = input;
    this.#videoEncoders = facts.videoEncoders;
    this.#copies = facts.copies ?? [];
    this.#baseSeconds = facts.baseSeconds;
    this.#isJoined = facts.isJoined;
    this.#window = facts.window ?? WHOLE;
    this.#pictures = facts.pictures;
    this.#onPicture = facts.onPicture;
    this.#onFrame = facts.onFrame;
    this.#onWarning = facts.onWarning;
    this.#frame = new ffmpeg.Frame();
    this.#frame.alloc();
    const video = facts.videoEncoders.length > 0 ? input.findVideo() : undefined;
    this.#video = video === undefined ? undefined : this.#decode(video);
    this.#silent = facts.audioRoutes.filter((route) => route.source === undefined).map((route) => route.target);
    const { durationSeconds: lengthSeconds } = input.info;
    this.#audio = new AudioFeeds(ffmpeg, input, facts.audioRoutes, {
      window: this.#window,
      baseSeconds: facts.baseSeconds,
      ...(input.findVideo() !== undefined && lengthSeconds !== undefined && { lengthSeconds }),
      onFrame: (seconds) => facts.onFrame(seconds, false),
    });
    const copied = this.#copies.map(({ stream }) => stream);
    input.keepOnly([...(video === undefined ? [] : [video]), ...this.#audio.streamsOf(input), ...copied]);
  }

  /** Runs the input, or its window, to the end; returns the time on the outputs' time line at which the next one begins. */
  run(): number {
    const packet = new this.#ffmpeg.Packet();
    packet.alloc();
    const from = this.#window.from - SEEK_LEAD_SECONDS - this.#audio.leadSeconds;
    this.#input.seekBefore(from);
    this.#audio.seekBefore(from);
    while (!this.#isPast && this.#input.readPacket(packet)) {
      this.#feed(packet);
      packet.unref();
      this.#audio.readExternals(this.#window.from + Math.max(this.#endSeconds, this.#audio.heardSeconds));
    }
    packet.free();
    this.#drain();
    this.#refuseTruncated();
    return this.#close();
  }

  /** True when nothing more of the window can come. */
  get #isPast(): boolean {
    if (this.#video === undefined) return !this.#audio.isEmpty && this.#audio.isPast;
    return this.#video.isPast && this.#audio.isPast;
  }

  #decode(stream: Stream): Decoding {
    return {
      stream,
      decoder: this.#input.openDecoder(stream),
      clock: new StreamClock(stream, this.#input, this.#window.from > 0),
      frames: 0,
      isPast: false,
    };
  }

  #feed(packet: Packet): void {
    this.#copy(packet);
    if (packet.streamIndex === this.#video?.stream.index) {
      this.#decodePacket(this.#video, packet, (frame) => this.#pushVideo(frame));
      return;
    }
    this.#audio.feed(this.#input, packet);
  }

  /** Passes a packet on to the outputs that take it as it is; they change its times, so that each has its own. */
  #copy(packet: Packet): void {
    for (const track of this.#copies) {
      if (packet.streamIndex !== track.stream.index) continue;
      const copy = packet.clone();
      if (copy === null) throw new Error('Out of memory.');
      const seconds = track.take(copy);
      copy.free();
      for (const encoder of this.#silent) encoder.fillTo(seconds - SILENCE_LAG_SECONDS);
      this.#onFrame(seconds, track.isVideo);
    }
  }

  #drain(): void {
    if (this.#video !== undefined) this.#decodePacket(this.#video, null, (frame) => this.#pushVideo(frame));
    this.#audio.drain();
  }

  /** A broken packet is skipped, as every player does; a file without a single good one is an error in the end. */
  #decodePacket(decoding: Decoding, packet: Packet | null, push: (frame: Frame) => void): void {
    decoding.decoder.sendPacketSync(packet);
    while (decoding.decoder.receiveFrameSync(this.#frame) >= 0) {
      decoding.frames += 1;
      push(this.#frame);
      this.#frame.unref();
    }
  }

  #pushVideo(frame: Frame): void {
    const video = this.#video;
    if (video === undefined) return;
    const timeBase = video.stream.timeBase;
    const seconds = this.#placeInWindow(video, frame, -video.clock.frameSeconds / 2);
    if (seconds === undefined) return;
    if (this.#pictures.settings.isSegmented === true) frame.flags &= ~this.#ffmpeg.AV_FRAME_FLAG_INTERLACED;
    this.#onPicture?.(frame, this.#baseSeconds + seconds);
    const startSeconds = this.#graph === undefined ? 0 : this.#endSeconds;
    if (this.#graph !== undefined && !this.#graph.isFor(frame)) {
      this.#graph.finish();
      this.#graph = undefined;
    }
    this.#graph ??= new VideoGraph(this.#ffmpeg, this.#videoEncoders, frame, {
      timeBase,
      framerate: framerateOf(video.stream),
      pixelAspect: frame.sampleAspectRatio.num > 0 ? frame.sampleAspectRatio : pixelAspectOf(video.stream),
      baseSeconds: this.#baseSeconds,
      startSeconds,
      blackSeconds: this.#pictures.settings.isPaddedBlack === true && this.#endSeconds === 0 ? seconds : 0,
      isLastKept: this.#isJoined,
      pictures: this.#pictures,
    });
    this.#graph.push(frame);
    this.#endSeconds = Math.max(this.#endSeconds, seconds + video.clock.frameSeconds);
    for (const encoder of this.#silent) encoder.fillTo(this.#baseSeconds + seconds - SILENCE_LAG_SECONDS);
    this.#onFrame(seconds, true);
  }

  /**
   * Sets a frame's time, counted from the window's beginning.
   *
   * @param overlap seconds by which a frame may begin before the window; negative ones are for rounded times
   * @returns `undefined` for a frame outside the window
   */
  #placeInWindow(decoding: Decoding, frame: Frame, overlap: number): number | undefined {
    const { from, to } = this.#window;
    const seconds = decoding.clock.place(frame);
    const tolerance = overlap < 0 ? -overlap : 0;
    if (to !== undefined && seconds >= to - tolerance) {
      decoding.isPast = true;
      return undefined;
    }
    if (from === 0) return seconds;
    if (seconds <= from - Math.abs(overlap)) return undefined;
    const { num, den } = decoding.stream.timeBase;
    frame.pts -= BigInt(Math.round((from * den) / num));
    return seconds - from;
  }

  /** How long the window is, as far as the file says: for silence in the place of all that it does not have. */
  get #promisedSeconds(): number {
    const { from, to } = this.#window;
    return Math.max(0, (to ?? this.#input.info.durationSeconds ?? 0) - from);
  }

  /** Fills up to a common end, so that the next input begins in step on every track. */
  #close(): number {
    this.#graph?.finish();
    this.#audio.close();
    this.#video?.decoder.freeContext();
    this.#frame.free();
    const audioEncoders = this.#audio.targets;
    const ends = [...this.#videoEncoders, ...audioEncoders, ...this.#copies].map((encoder) => encoder.seconds);
    const end = Math.max(this.#baseSeconds + (ends.length === 0 ? this.#promisedSeconds : 0), ...ends);
    const videoEnd = Math.max(
      this.#baseSeconds,
      ...[...this.#videoEncoders, ...this.#copies].map((track) => track.seconds),
    );
    const isPadded = this.#pictures.settings.isPaddedBlack === true;
    if (isPadded) this.#padBlack(end);
    for (const encoder of this.#silent)
      encoder.fillTo(isPadded || this.#isJoined || videoEnd === this.#baseSeconds ? end : videoEnd);
    if (this.#isJoined) {
      for (const encoder of this.#videoEncoders) encoder.fillTo(encoder.frameAt(end));
      const padded = Math.max(0, ...audioEncoders.map(({ seconds }) => end - seconds));
      if (padded >= WARNED_SECONDS) this.#onWarning?.(PADDED, `Silence of ${ms(padded)} ms was put behind sound`);
      for (const encoder of audioEncoders) encoder.fillTo(end);
    }
    const leading = this.#audio.leadingSeconds;
    if (leading >= WARNED_SECONDS) this.#onWarning?.(PADDED, `Silence of ${ms(leading)} ms was put before sound`);
    const dropped = this.#audio.droppedSeconds;
    if (dropped >= WARNED_SECONDS) this.#onWarning?.(DROPPED, `Sound of ${ms(dropped)} ms was left out`);
    return end;
  }

  /** Black pictures for sound that goes on. */
  #padBlack(end: number): void {
    for (const encoder of this.#videoEncoders) {
      if (encoder.seconds >= end) continue;
      const black = blackPicture(this.#ffmpeg, encoder);
      encoder.remember(black);
      encoder.fillTo(encoder.frameAt(end));
      black.free();
    }
  }

  #refuseTruncated(): void {
    if (this.#video !== undefined && this.#video.frames === 0) {
      throw new TranscodeError(ERROR_CODES.inputUnreadable, 'No video frames decoded');
    }
    this.#audio.refuseSilent();
    if (this.#window !== WHOLE) {
      // Of a part nobody knows how much there should be, but something.
      if (this.#video === undefined || this.#graph !== undefined) return;
      throw new TranscodeError(ERROR_CODES.clipNotFound, 'An input clip is behind the end of its input');
    }
    const promised = this.#video?.stream;
    if (promised === undefined || !this.#input.info.format.includes('mp4') || promised.duration <= 0n) return;
    const seconds = (Number(promised.duration) * promised.timeBase.num) / promised.timeBase.den;
    if (this.#endSeconds + 1 >= seconds * 0.99) return;
    throw new TranscodeError(
      ERROR_CODES.readStoppedEarly,
      `Demuxer: [ReadPacketData File read failed - end of file hit at length [${this.#input.size}]. Is file truncated?]`,
    );
  }
}
