import type { Packet } from 'node-av/lib';
import type { MuxerTrack } from '../ffmpeg/muxer.ts';
import type { RenditionEncryption } from '../content-encryption.ts';
import type { HlsGroup } from '../output-group.ts';
import { adtsHeader } from './adts-header.ts';
import { type Segment, childManifest } from './hls-manifest.ts';
import { HlsProtection } from './hls-protection.ts';
import { timestampTag } from './id3-tag.ts';
import { putHlsManifest } from './manifest-store.ts';
import type { PartSink } from './object-writer.ts';
import type { ProgramDates } from './program-dates.ts';
import { SegmentSeries } from './segment-series.ts';

export type PackedCodec = 'aac' | 'ac3' | 'eac3' | 'mp3';

interface SegmenterFacts {
  readonly group: HlsGroup;
  readonly sink: PartSink;
  /** The key of the child manifest without its extension. */
  readonly base: string;
  readonly segmentKey: (number: number) => string;
  readonly track: MuxerTrack;
  readonly codec: PackedCodec;
  /** RFC 6381. */
  readonly codecName: string;
  readonly segmentSeconds: number;
  /** Added to every timestamp. */
  readonly clockOffsetSeconds: number;
  /** True begins each segment with its time, as players expect. */
  readonly isTimed: boolean;
  readonly dates?: ProgramDates;
}

/** The file names' endings, which tell players what a segment is. */
export const PACKED_EXTENSIONS: Readonly<Record<PackedCodec, string>> = {
  aac: 'aac',
  ac3: 'ac3',
  eac3: 'ec3',
  mp3: 'mp3',
};
const CONTENT_TYPES: Readonly<Record<PackedCodec, string>> = {
  aac: 'audio/aac',
  ac3: 'audio/ac3',
  eac3: 'audio/eac3',
  mp3: 'audio/mpeg',
};

/** Sound in segments without a container ("packed audio"). Source: RFC 8216, 3.4. */
export class PackedAudioSegmenter {
  readonly #facts: SegmenterFacts;
  readonly #series: SegmentSeries;
  readonly #toSeconds: number;
  readonly #config: Buffer;

  constructor(facts: SegmenterFacts) {
    this.#facts = facts;
    const { encoder } = facts.track;
    this.#toSeconds = encoder.timeBase.num / encoder.timeBase.den;
    this.#config = Buffer.from(encoder.extraData ?? []);
    const { group } = facts;
    const protection = group.encryption && new HlsProtection(group.encryption, [facts.track], 0);
    this.#series = new SegmentSeries({
      sink: facts.sink,
      folder: facts.base.slice(0, facts.base.lastIndexOf('/') + 1),
      segmentKey: facts.segmentKey,
      contentType: CONTENT_TYPES[facts.codec],
      isSingleFile: group.isSingleFile === true,
      ...(group.minFinalSeconds !== undefined && { minFinalSeconds: group.minFinalSeconds }),
      ...(protection !== undefined && { wrap: (writer, number) => protection.segmentWriter(writer, number) }),
    });
  }

  get segments(): readonly Segment[] {
    return this.#series.segments;
  }

  get codecs(): string[] {
    return [this.#facts.codecName];
  }

  get encryption(): RenditionEncryption | undefined {
    return this.#facts.group.encryption;
  }

  get manifestName(): string {
    return `${this.#facts.base.slice(this.#facts.base.lastIndexOf('/') + 1)}.m3u8`;
  }

  write(packet: Packet): void {
    const time = Number(packet.pts) * this.#toSeconds;
    const { segmentSeconds, clockOffsetSeconds } = this.#facts;
    const segmentAt = (seconds: number): number => Math.floor(seconds / segmentSeconds + 1e-6);
    this.#series.advance(time);
    if (this.#series.isOpen && segmentAt(time) > segmentAt(this.#series.start)) this.#series.close(time);
    if (!this.#series.isOpen && this.#facts.isTimed) this.#series.write(timestampTag(time + clockOffsetSeconds));
    const data = packet.data ?? Buffer.alloc(0);
    if (this.#facts.codec === 'aac') this.#series.write(adtsHeader(this.#config, data.length));
    this.#series.write(data);
  }

  /** @param end the sound's length in seconds */
  finish(end: number): void {
    this.#series.finish(end);
    const { group, sink, base, dates } = this.#facts;
    if (!group.areManifestsWritten) return;
    putHlsManifest(sink, group, `${base}.m3u8`, childManifest(group, this.segments, undefined, dates));
  }
}
