import type { CodecContext, Frame, Packet, Stream } from 'node-av/lib';
import type { Remix } from '../audio-settings.ts';
import { ERROR_CODES, TranscodeError } from '../transcode-error.ts';
import type { ClipWindow } from './clip-windows.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import type { MediaInput } from './media-input.ts';
import { RouteMix } from './route-mix.ts';
import type { SampleTarget } from './sample-target.ts';
import { StreamClock } from './stream-clock.ts';

/** What sound of an input goes to a target. */
export interface AudioRoute {
  readonly target: SampleTarget;
  /** Where the sound is; its streams are put side by side. Absent: silence takes its place. */
  readonly source?: { readonly media: MediaInput; readonly streams: readonly Stream[] };
  /** Seconds by which the sound is later than its file says. */
  readonly offsetSeconds?: number;
  readonly remix?: Remix;
}

interface AudioDecoding {
  readonly media: MediaInput;
  readonly isExternal: boolean;
  readonly stream: Stream;
  readonly decoder: CodecContext;
  readonly clock: StreamClock;
  readonly feeds: readonly { readonly mix: RouteMix; readonly place: number; readonly offsetSeconds: number }[];
  frames: number;
  isPast: boolean;
}

interface FeedFacts {
  readonly window: ClipWindow;
  /** Where the window begins on the outputs' time line. */
  readonly baseSeconds: number;
  /** Sound that is moved behind this time of the input, or that is of another file, is cut off. */
  readonly lengthSeconds?: number;
  readonly onFrame: (seconds: number) => void;
}

/** The sound of one input on its way to the targets: each stream is decoded once. */
export class AudioFeeds {
  readonly #ffmpeg: FFmpeg;
  readonly #facts: FeedFacts;
  readonly #decodings: readonly AudioDecoding[];
  readonly #mixes: readonly RouteMix[];
  readonly #externals: { readonly media: MediaInput; isEnded: boolean; seconds: number }[];
  readonly #frame: Frame;
  #heardSeconds = 0;
  #leadingSeconds = 0;
  /** Those that have sound already. */
  readonly #begun = new Set<RouteMix>();
  #droppedSeconds = 0;

  /** @param main the input itself; routes may name other files, which are read in step with it */
  constructor(ffmpeg: FFmpeg, main: MediaInput, routes: readonly AudioRoute[], facts: FeedFacts) {
    this.#ffmpeg = ffmpeg;
    this.#facts = facts;
    this.#frame = new ffmpeg.Frame();
    this.#frame.alloc();
    const mixes = routes.flatMap((route) => {
      const { source } = route;
      if (source === undefined || source.streams.length === 0) return [];
      const mix = new RouteMix(ffmpeg, { ...route, streams: source.streams }, facts.baseSeconds);
      return [{ mix, source, offsetSeconds: route.offsetSeconds ?? 0 }];
    });
    this.#mixes = mixes.map(({ mix }) => mix);
    const sources = new Map<MediaInput, Map<number, Stream>>();
    for (const { source } of mixes) {
      const known = sources.get(source.media) ?? new Map<number, Stream>();
      for (const stream of source.streams) known.set(stream.index, stream);
      sources.set(source.media, known);
    }
    this.#decodings = [...sources].flatMap(([media, streams]) =>
      [...streams.values()].map((stream) => ({
        media,
        isExternal: media !== main,
        stream,
        decoder: media.openDecoder(stream),
        clock: new StreamClock(stream, media, facts.window.from > 0),
        feeds: mixes.flatMap(({ mix, source, offsetSeconds }) =>
          source.media !== media
            ? []
            : source.streams.flatMap(({ index }, place) =>
                index === stream.index ? [{ mix, place, offsetSeconds }] : [],
              ),
        ),
        frames: 0,
        isPast: false,
      })),
    );
    const externals = [...sources.keys()].filter((media) => media !== main);
    for (const media of externals) media.keepOnly(this.streamsOf(media));
    this.#externals = externals.map((media) => ({ media, isEnded: false, seconds: 0 }));
  }

  /** The streams of a file that are wanted. */
  streamsOf(media: MediaInput): Stream[] {
    return this.#decodings.filter((one) => one.media === media).map(({ stream }) => stream);
  }

  /** True when nothing more of the window can come. */
  get isPast(): boolean {
    return this.#decodings.every(({ isPast }) => isPast);
  }

  get isEmpty(): boolean {
    return this.#decodings.length === 0;
  }

  /** How much of the sound was behind the input's end, and was left out, as far as its file says. */
  get droppedSeconds(): number {
    return this.#droppedSeconds;
  }

  /** How much silence stands before sound that begins late by itself. */
  get leadingSeconds(): number {
    return this.#leadingSeconds;
  }

  /** How far the input's own sound was heard, from the window's beginning. */
  get heardSeconds(): number {
    return this.#heardSeconds;
  }

  /** The targets that get this input's sound. */
  get targets(): readonly SampleTarget[] {
    return this.#mixes.map(({ target }) => target);
  }

  /** By how much earlier than a window its sound may be found. */
  get leadSeconds(): number {
    return Math.max(0, ...this.#decodings.flatMap(({ feeds }) => feeds.map(({ offsetSeconds }) => offsetSeconds)));
  }

  /** Goes to a place before the window in the files beside the input. */
  seekBefore(seconds: number): void {
    for (const { media } of this.#externals) media.seekBefore(seconds);
  }

  /** Takes a packet of a file, which may be of another stream than sound. */
  feed(media: MediaInput, packet: Packet): void {
    for (const one of this.#decodings) {
      if (one.media !== media || packet.streamIndex !== one.stream.index) continue;
      this.#decode(one, packet);
    }
  }

  /** Reads the files beside the input up to a time of the input. */
  readExternals(seconds: number): void {
    const packet = new this.#ffmpeg.Packet();
    packet.alloc();
    for (const external of this.#externals) {
      while (!external.isEnded && external.seconds <= seconds && !this.#isOver(external.media)) {
        external.isEnded = !external.media.readPacket(packet);
        if (external.isEnded) break;
        const stream = external.media.streams[packet.streamIndex];
        if (stream !== undefined) external.seconds = secondsOf(packet, stream) - external.media.startSeconds;
        this.feed(external.media, packet);
        packet.unref();
      }
    }
    packet.free();
  }

  #isOver(media: MediaInput): boolean {
    return this.#decodings.every((one) => one.media !== media || one.isPast);
  }

  /** Decodes what is left in all files. */
  drain(): void {
    this.readExternals(Number.POSITIVE_INFINITY);
    for (const one of this.#decodings) this.#decode(one, null);
  }

  /** Sends on what the filters hold back. */
  close(): void {
    for (const mix of this.#mixes) mix.finish();
    for (const { decoder } of this.#decodings) decoder.freeContext();
    this.#frame.free();
  }

  /** @throws TranscodeError 1021 when a stream gave no sound at all */
  refuseSilent(): void {
    for (const [index, { frames }] of this.#decodings.entries()) {
      if (frames > 0) continue;
      const place = index + 1;
      const what = `No audio frames decoded on [selector-(Audio Selector ${place})-track-${place}-drc]`;
      throw new TranscodeError(ERROR_CODES.noAudio, what);
    }
  }

  /** A broken packet is skipped, as every player does; a file without a single good one is an error in the end. */
  #decode(one: AudioDecoding, packet: Packet | null): void {
    one.decoder.sendPacketSync(packet);
    while (one.decoder.receiveFrameSync(this.#frame) >= 0) {
      one.frames += 1;
      this.#push(one, this.#frame);
      this.#frame.unref();
    }
  }

  #push(one: AudioDecoding, frame: Frame): void {
    const seconds = one.clock.place(frame);
    const { pts, nbSamples } = frame;
    const { window } = this.#facts;
    const { from } = window;
    const { num, den } = one.stream.timeBase;
    let isPast = true;
    for (const { mix, place, offsetSeconds } of one.feeds) {
      const at = seconds + offsetSeconds - from;
      const end = this.#endFor(offsetSeconds > 0 || one.isExternal) - from;
      if (at >= end) {
        if (window.to === undefined) this.#noteDropped(one, offsetSeconds);
        continue;
      }
      isPast = false;
      if ((from > 0 || offsetSeconds < 0) && at + nbSamples / frame.sampleRate <= 0) continue;
      if (!this.#begun.has(mix)) {
        this.#begun.add(mix);
        this.#leadingSeconds = Math.max(this.#leadingSeconds, at - Math.max(0, offsetSeconds));
      }
      frame.pts = pts + BigInt(Math.round(((offsetSeconds - from) * den) / num));
      const wanted = Math.round((end - at) * frame.sampleRate);
      if (wanted < nbSamples) frame.nbSamples = Math.max(1, wanted);
      mix.push(place, frame, one.stream.timeBase);
      frame.pts = pts;
      frame.nbSamples = nbSamples;
    }
    one.isPast = isPast;
    if (!one.isExternal) this.#heardSeconds = Math.max(this.#heardSeconds, seconds - from);
    this.#facts.onFrame(seconds - from);
  }

  #noteDropped({ media, isExternal }: AudioDecoding, offsetSeconds: number): void {
    const { lengthSeconds = 0 } = this.#facts;
    const length = isExternal ? (media.info.durationSeconds ?? lengthSeconds) : lengthSeconds;
    this.#droppedSeconds = Math.max(this.#droppedSeconds, length + offsetSeconds - lengthSeconds);
  }

  /** Where the sound of a feed ends, on the input's own time line. */
  #endFor(isCut: boolean): number {
    const { window, lengthSeconds } = this.#facts;
    const end = window.to ?? Number.POSITIVE_INFINITY;
    return isCut && lengthSeconds !== undefined ? Math.min(end, lengthSeconds) : end;
  }
}

function secondsOf(packet: Packet, { timeBase }: Stream): number {
  const time = packet.dts > packet.pts ? packet.dts : packet.pts;
  return (Number(time) * timeBase.num) / timeBase.den;
}
