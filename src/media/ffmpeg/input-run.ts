import type { CodecContext, Frame, Packet, Stream } from 'node-av/lib';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import type { AudioEncoder } from './audio-encoder.ts';
import { AudioGraph } from './audio-graph.ts';
import { type ClipWindow, WHOLE } from './clip-windows.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { MediaInput } from './media-input.ts';
import { framerateOf, pixelAspectOf, timestampOf } from './media-input.ts';
import type { PassthroughTrack } from './passthrough-track.ts';
import type { VideoEncoder } from './video-encoder.ts';
import { type PictureFacts, VideoGraph } from './video-graph.ts';

/** Larger jumps are taken for a reset clock in containers that allow one, and for damage in the others. */
const JUMP_SECONDS = { discontinuous: 10, continuous: 3600 };
/** Silence that stands in for missing audio trails the video by this much, so that packets still interleave. */
const SILENCE_LAG_SECONDS = 0.5;
/** Decoding begins this much before a window, for sound that is stored earlier than its pictures. */
const SEEK_LEAD_SECONDS = 0.5;

export interface AudioRoute {
  readonly encoder: AudioEncoder;
  /** Absent: the input has no such audio, and silence takes its place. */
  readonly stream?: Stream;
}

interface Decoding {
  readonly stream: Stream;
  readonly decoder: CodecContext;
  readonly clock: StreamClock;
  frames: number;
  /** True once a frame behind the window was seen. */
  isPast: boolean;
}

interface AudioDecoding extends Decoding {
  readonly routes: { readonly encoder: AudioEncoder; graph?: AudioGraph }[];
}

/** One input on its way through decoders and filters to the encoders. */
export class InputRun {
  readonly #ffmpeg: FFmpeg;
  readonly #input: MediaInput;
  readonly #video: Decoding | undefined;
  readonly #audios: readonly AudioDecoding[];
  readonly #videoEncoders: readonly VideoEncoder[];
  readonly #silent: readonly AudioEncoder[];
  readonly #copies: readonly PassthroughTrack[];
  readonly #baseSeconds: number;
  readonly #isJoined: boolean;
  readonly #window: ClipWindow;
  readonly #pictures: PictureFacts;
  readonly #onFrame: (seconds: number, isVideo: boolean) => void;
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
      readonly onFrame: (seconds: number, isVideo: boolean) => void;
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
    this.#onFrame = facts.onFrame;
    this.#frame = new ffmpeg.Frame();
    this.#frame.alloc();
    const video = facts.videoEncoders.length > 0 ? input.findVideo() : undefined;
    this.#video = video === undefined ? undefined : this.#decode(video);
    this.#silent = facts.audioRoutes.filter((route) => route.stream === undefined).map((route) => route.encoder);
    const streams = new Map(facts.audioRoutes.flatMap(({ stream }) => (stream ? [[stream.index, stream]] : [])));
    this.#audios = [...streams.values()].map((stream) => ({
      ...this.#decode(stream),
      routes: facts.audioRoutes
        .filter((route) => route.stream?.index === stream.index)
        .map(({ encoder }) => ({ encoder })),
    }));
    const copied = this.#copies.map(({ stream }) => stream);
    input.keepOnly([...(video === undefined ? [] : [video]), ...streams.values(), ...copied]);
  }

  /** Runs the input, or its window, to the end; returns the time on the outputs' time line at which the next one begins. */
  run(): number {
    const packet = new this.#ffmpeg.Packet();
    packet.alloc();
    this.#input.seekBefore(this.#window.from - SEEK_LEAD_SECONDS);
    while (!this.#isPast && this.#input.readPacket(packet)) {
      this.#feed(packet);
      packet.unref();
    }
    packet.free();
    this.#drain();
    this.#refuseTruncated();
    return this.#close();
  }

  /** True when nothing more of the window can come. */
  get #isPast(): boolean {
    const decodings = [...(this.#video === undefined ? [] : [this.#video]), ...this.#audios];
    return decodings.length > 0 && decodings.every((decoding) => decoding.isPast);
  }

  #decode(stream: Stream): Decoding {
    const limit = this.#input.isClockDiscontinuous ? JUMP_SECONDS.discontinuous : JUMP_SECONDS.continuous;
    return {
      stream,
      decoder: this.#input.openDecoder(stream),
      clock: new StreamClock(stream, this.#input.startSeconds, limit, this.#window.from > 0),
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
    for (const audio of this.#audios) {
      if (packet.streamIndex !== audio.stream.index) continue;
      this.#decodePacket(audio, packet, (frame) => this.#pushAudio(audio, frame));
    }
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
    for (const audio of this.#audios) this.#decodePacket(audio, null, (frame) => this.#pushAudio(audio, frame));
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

  /** The window's end is in the middle of a frame of sound. */
  #cutSound(frame: Frame, seconds: number): void {
    const { from, to } = this.#window;
    if (to === undefined) return;
    const wanted = Math.round((to - from - seconds) * frame.sampleRate);
    if (wanted > 0 && wanted < frame.nbSamples) frame.nbSamples = wanted;
  }

  #pushAudio(audio: AudioDecoding, frame: Frame): void {
    const seconds = this.#placeInWindow(audio, frame, frame.nbSamples / frame.sampleRate);
    if (seconds === undefined) return;
    this.#cutSound(frame, seconds);
    for (const route of audio.routes) {
      if (route.graph?.isFor(frame) === false) {
        route.graph.finish();
        delete route.graph;
      }
      route.graph ??= new AudioGraph(this.#ffmpeg, route.encoder, frame, {
        timeBase: audio.stream.timeBase,
        startSeconds: Math.max(0, route.encoder.seconds - this.#baseSeconds),
      });
      route.graph.push(frame);
    }
    this.#onFrame(seconds, false);
  }

  /** Fills up to a common end, so that the next input begins in step on every track. */
  #close(): number {
    this.#graph?.finish();
    for (const audio of this.#audios) {
      for (const route of audio.routes) route.graph?.finish();
      audio.decoder.freeContext();
    }
    this.#video?.decoder.freeContext();
    this.#frame.free();
    const audioEncoders = this.#audios.flatMap((audio) => audio.routes.map((route) => route.encoder));
    const ends = [...this.#videoEncoders, ...audioEncoders, ...this.#copies].map((encoder) => encoder.seconds);
    const end = Math.max(this.#baseSeconds, ...ends);
    const videoEnd = Math.max(
      this.#baseSeconds,
      ...[...this.#videoEncoders, ...this.#copies].map((track) => track.seconds),
    );
    for (const encoder of this.#silent)
      encoder.fillTo(this.#isJoined || videoEnd === this.#baseSeconds ? end : videoEnd);
    if (this.#isJoined) {
      for (const encoder of this.#videoEncoders) encoder.fillTo(encoder.frameAt(end));
      for (const encoder of audioEncoders) encoder.fillTo(end);
    }
    return end;
  }

  #refuseTruncated(): void {
    if (this.#video !== undefined && this.#video.frames === 0) {
      throw new TranscodeError(ERROR_CODES.inputUnreadable, 'No video frames decoded');
    }
    for (const [index, audio] of this.#audios.entries()) {
      if (audio.frames > 0) continue;
      throw new TranscodeError(
        ERROR_CODES.noAudio,
        `No audio frames decoded on [selector-(Audio Selector ${index + 1})-track-${index + 1}-drc]`,
      );
    }
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

/** Brings a stream's timestamps to the input's own time line, which begins at 0 and does not jump. */
class StreamClock {
  readonly frameSeconds: number;
  readonly #toSeconds: number;
  readonly #limit: number;
  #shift: bigint;
  #expected = 0n;
  #isFirstFree: boolean;
  readonly #step: bigint;

  /** @param isBegunLater true where the first frame may be far from the beginning, and no jump */
  constructor(stream: Stream, startSeconds: number, jumpSeconds: number, isBegunLater: boolean) {
    this.#isFirstFree = isBegunLater;
    const { num, den } = stream.timeBase;
    this.#toSeconds = num / den;
    this.#shift = -BigInt(Math.round(startSeconds / this.#toSeconds));
    const rate = framerateOf(stream);
    const isAudio = stream.codecpar.sampleRate > 0;
    this.frameSeconds = isAudio ? 1024 / stream.codecpar.sampleRate : rate.den / rate.num;
    this.#step = BigInt(Math.max(1, Math.round(this.frameSeconds / this.#toSeconds)));
    this.#limit = Math.round(jumpSeconds / this.#toSeconds);
  }

  /** Sets the frame's `pts` and returns it in seconds. */
  place(frame: Frame): number {
    const stamp = timestampOf(frame);
    let time = stamp === undefined ? this.#expected : stamp + this.#shift;
    const jump = this.#isFirstFree ? 0 : Number(time - this.#expected);
    this.#isFirstFree = false;
    if (Math.abs(jump) > this.#limit) {
      this.#shift -= BigInt(jump);
      time = this.#expected;
    }
    frame.pts = time;
    const length = frame.duration > 0n && Number(frame.duration) < this.#limit ? frame.duration : this.#step;
    this.#expected = time + length;
    return Number(time) * this.#toSeconds;
  }
}
