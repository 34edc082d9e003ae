import type { Packet } from 'node-av/lib';
import { audioConfigOfAdts } from './ffmpeg/adts.ts';
import { FrameMuxer } from './ffmpeg/frame-muxer.ts';
import { type FFmpeg, loadFFmpeg } from './ffmpeg/load-ffmpeg.ts';
import { MediaSource, type SourcePlace } from './ffmpeg/media-source.ts';
import type { MatroskaHeader } from './matroska/read-header.ts';
import type { Frame } from './matroska/read-frames.ts';

/** How many packets are looked at for what the source does not tell about its sound. */
const MOST_EARLY_PACKETS = 500;

/** A source whose packets come out as Matroska's frames, untouched otherwise: nothing is decoded or encoded. */
export class RemuxedSource {
  /** What a Matroska stream of these frames begins with. */
  readonly header: MatroskaHeader;
  /** As FFmpeg calls them: the picture's first, then the sound's. */
  readonly codecs: readonly string[];
  readonly #source: MediaSource;
  readonly #muxer: FrameMuxer;
  readonly #early: Packet[];
  readonly #ffmpeg: FFmpeg;

  private constructor(ffmpeg: FFmpeg, source: MediaSource, muxer: FrameMuxer, early: Packet[]) {
    this.#ffmpeg = ffmpeg;
    this.#source = source;
    this.#muxer = muxer;
    this.#early = early;
    this.header = muxer.header;
    this.codecs = source.streams.map((stream) => source.codecName(stream));
  }

  /** @throws SourceError when it cannot be opened, or not be put into Matroska; FFmpegMissingError without node-av */
  static async open(place: SourcePlace, options: { readonly withAudio: boolean }): Promise<RemuxedSource> {
    const ffmpeg = await loadFFmpeg();
    const source = await MediaSource.open(ffmpeg, place, options.withAudio);
    try {
      const { extradata, early } = await readEarly(ffmpeg, source);
      return new RemuxedSource(ffmpeg, source, new FrameMuxer(ffmpeg, source.streams, extradata), early);
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /**
   * The frames in decoding order, until the source ends or `interrupt` is called. Their payloads are theirs to keep.
   *
   * @throws SourceError when the source breaks off
   */
  async *frames(): AsyncGenerator<Frame> {
    for (let packet = this.#early.shift(); packet !== undefined; packet = this.#early.shift()) {
      yield* this.#muxer.write(packet);
      packet.free();
    }
    const packet = new this.#ffmpeg.Packet();
    packet.alloc();
    try {
      while (await this.#source.read(packet)) {
        yield* this.#muxer.write(packet);
        packet.unref();
      }
      yield* this.#muxer.finish();
    } finally {
      packet.free();
    }
  }

  /** Ends `frames` early. */
  interrupt(): void {
    this.#source.interrupt();
  }

  async close(): Promise<void> {
    for (const packet of this.#early) packet.free();
    this.#muxer.close();
    await this.#source.close();
  }
}

/** In MPEG-TS, what AAC needs to be known stands in its packets: the first one is read before the header is written. */
async function readEarly(
  ffmpeg: FFmpeg,
  source: MediaSource,
): Promise<{ readonly extradata: ReadonlyMap<number, Buffer>; readonly early: Packet[] }> {
  const { audio } = source;
  const extradata = new Map<number, Buffer>();
  const early: Packet[] = [];
  if (audio?.codecpar.codecId !== ffmpeg.AV_CODEC_ID_AAC || audio.codecpar.extradataSize > 0) {
    return { extradata, early };
  }
  while (extradata.size === 0 && early.length < MOST_EARLY_PACKETS) {
    const packet = new ffmpeg.Packet();
    packet.alloc();
    if (!(await source.read(packet))) {
      packet.free();
      break;
    }
    early.push(packet);
    const config = packet.streamIndex === audio.index ? audioConfigOfAdts(packet.data ?? Buffer.alloc(0)) : undefined;
    if (config !== undefined) extradata.set(source.streams.indexOf(audio), config);
  }
  return { extradata, early };
}
