import type { CodecContext, Frame, Packet } from 'node-av/lib';
import type { Segment } from '../packaging/hls-manifest.ts';
import type { ImageRendition } from '../packaging/image-manifests.ts';
import { type PartSink, ObjectWriter } from '../packaging/object-writer.ts';
import { ERROR_CODES } from '../transcode-error.ts';
import { check } from './check.ts';
import { jpegLambda } from './jpeg-quality.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { openPictureEncoder } from './picture-encoder.ts';
import { VideoEncoder, type VideoEncoderFacts } from './video-encoder.ts';

interface ImageFacts {
  readonly sink: PartSink;
  /** Of the manifest and the images, without endings. */
  readonly base: string;
  readonly columns: number;
  readonly rows: number;
}

const QUALITY = 80;
const DIGITS = 5;
const BLACK = [0, 128, 128];

/** Takes pictures at a low rate, and puts some of them into each image, row by row. */
export class ThumbnailEncoder extends VideoEncoder {
  readonly #ffmpeg: FFmpeg;
  readonly #facts: ImageFacts;
  readonly #jpeg: CodecContext;
  readonly #tile: Frame;
  readonly #packet: Packet;
  readonly #images: Segment[] = [];
  readonly #interval: number;
  #count = 0;

  constructor(ffmpeg: FFmpeg, facts: VideoEncoderFacts, images: ImageFacts) {
    super(ffmpeg, facts, () => undefined);
    this.#ffmpeg = ffmpeg;
    this.#facts = images;
    this.#interval = facts.framerate.den / facts.framerate.num;
    const width = facts.picture.width * images.columns;
    const height = facts.picture.height * images.rows;
    this.#jpeg = openPictureEncoder(ffmpeg, true, width, height);
    this.#packet = new ffmpeg.Packet();
    this.#packet.alloc();
    this.#tile = new ffmpeg.Frame();
    this.#tile.alloc();
    this.#tile.width = width;
    this.#tile.height = height;
    this.#tile.format = ffmpeg.AV_PIX_FMT_YUV420P;
    this.#tile.colorRange = ffmpeg.AVCOL_RANGE_JPEG;
    check(ffmpeg, this.#tile.getBuffer(), ERROR_CODES.unknown, 'The images could not be made');
    this.#clear();
  }

  /** Images decide nowhere how long a film is. */
  override get seconds(): number {
    return 0;
  }

  override encode(frame: Frame, number: bigint): void {
    if (number < BigInt(this.#count)) return;
    const { columns, rows } = this.#facts;
    const place = this.#count % (columns * rows);
    this.#copy(frame, place % columns, Math.floor(place / columns));
    this.#count += 1;
    if (place === columns * rows - 1) this.#store(columns * rows);
  }

  override remember(): void {
    // Nothing is filled between two inputs: the next one's first picture is as good.
  }

  override fillTo(): void {
    // As above.
  }

  override finish(): void {
    const { columns, rows } = this.#facts;
    const rest = this.#count % (columns * rows);
    if (rest > 0) this.#store(rest);
    super.finish();
    this.#jpeg.freeContext();
    this.#tile.free();
    this.#packet.free();
  }

  /** What manifests say of it, once it is finished. */
  get rendition(): ImageRendition {
    const { base, columns, rows } = this.#facts;
    const { width, height } = this.picture;
    const name = base.slice(base.lastIndexOf('/') + 1);
    return {
      name: `${name}.m3u8`,
      images: this.#images,
      template: `${encodeURIComponent(name)}_$Number%0${DIGITS}d$.jpg`,
      columns,
      rows,
      width,
      height,
      seconds: this.#interval,
    };
  }

  #copy(frame: Frame, column: number, row: number): void {
    const { width, height } = this.picture;
    const to = this.#tile.data ?? [];
    (frame.data ?? []).slice(0, BLACK.length).forEach((plane, index) => {
      const target = to[index];
      const divisor = index === 0 ? 1 : 2;
      const [lineFrom = 0, lineTo = 0] = [frame.linesize[index], this.#tile.linesize[index]];
      if (target === undefined) return;
      const left = (column * width) / divisor;
      for (let line = 0; line < height / divisor; line++) {
        const begin = line * lineFrom;
        target.set(plane.subarray(begin, begin + width / divisor), ((row * height) / divisor + line) * lineTo + left);
      }
    });
  }

  #clear(): void {
    (this.#tile.data ?? []).slice(0, BLACK.length).forEach((plane, index) => plane.fill(BLACK[index] ?? 0));
  }

  /** @param thumbnails in the image */
  #store(thumbnails: number): void {
    const what = 'The images could not be made';
    this.#tile.quality = jpegLambda(QUALITY);
    this.#tile.pts = BigInt(this.#images.length);
    check(this.#ffmpeg, this.#jpeg.sendFrameSync(this.#tile), ERROR_CODES.unknown, what);
    check(this.#ffmpeg, this.#jpeg.receivePacketSync(this.#packet), ERROR_CODES.unknown, what);
    const key = `${this.#facts.base}_${String(this.#images.length + 1).padStart(DIGITS, '0')}.jpg`;
    const writer = new ObjectWriter(this.#facts.sink, { key, contentType: 'image/jpeg' });
    writer.write(this.#packet.data ?? new Uint8Array(0));
    writer.end();
    this.#packet.unref();
    const name = key.slice(key.lastIndexOf('/') + 1);
    this.#images.push({ name, bytes: writer.length, duration: thumbnails * this.#interval });
    check(this.#ffmpeg, this.#tile.makeWritable(), ERROR_CODES.unknown, what);
    this.#clear();
  }
}
