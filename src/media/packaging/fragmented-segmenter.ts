import type { Packet } from 'node-av/lib';
import type { FFmpeg } from '../ffmpeg/load-ffmpeg.ts';
import type { ByteTarget, MuxerTrack } from '../ffmpeg/muxer.ts';
import { Muxer } from '../ffmpeg/muxer.ts';
import type { RenditionEncryption } from '../content-encryption.ts';
import { FileProtection } from './cenc/file-protection.ts';
import { type ProtectedCodec, TrackProtection } from './cenc/track-protection.ts';
import type { Segment } from './hls-manifest.ts';
import { iFrameManifestKey } from './hls-segmenter.ts';
import { type IFrame, iFrameSegments } from './i-frames.ts';
import { firstSampleEnd } from './mp4/first-sample.ts';
import { IndexedWriter } from './indexed-writer.ts';
import { box, fullBox, text, u16, u32, u64 } from './mp4/box.ts';
import type { PartSink } from './object-writer.ts';
import { ObjectWriter } from './object-writer.ts';
import type { SegmentNames } from './segment-template.ts';
import type { TimedTag, TimedTags } from './timed-tags.ts';
import type { EventMessages } from '../timed-metadata.ts';
import { eventMessage } from './event-message.ts';

/** A segment on its track's clock. */
export interface FragmentedSegment extends Segment {
  /** When it begins and how long it is, in ticks of the track. */
  readonly start: number;
  readonly ticks: number;
  /** Where it stands in a file that holds all of them; set at the end. */
  readonly offset?: number;
}

interface SegmenterFacts {
  readonly sink: PartSink;
  readonly track: MuxerTrack;
  readonly isVideo: boolean;
  readonly names: SegmentNames;
  readonly extension: string;
  readonly isSingleFile: boolean;
  readonly segmentSeconds: number;
  readonly fragmentSeconds: number;
  /** A last segment of fewer seconds becomes part of the one before. */
  readonly minFinalSeconds?: number;
  /** RFC 6381. */
  readonly codec: string;
  /** Absent: the track stays in the clear. */
  readonly protection?: { readonly encryption: RenditionEncryption; readonly codec: ProtectedCodec };
  /** True notes where the pictures stand that can be decoded alone. */
  readonly hasIFrames: boolean;
  /** What is written in front of the fragments of its time. */
  readonly events?: { readonly settings: EventMessages; readonly tags: TimedTags };
}

interface Fragment {
  readonly bytes: Buffer;
  /** True where decoding can begin with it. */
  readonly isEntry: boolean;
  /** In ticks. */
  readonly start: number;
  readonly tags: readonly TimedTag[];
}

/** A fragment of more bytes than this ends before its time, at any frame: FFmpeg holds it in memory. */
const MAX_FRAGMENT_BYTES = 24 * 1024 * 1024;
const SEGMENT_TYPE = box('styp', text('msdh'), u32(0), text('msdhmsixcmfc'));

/**
 * Cuts one track into fragmented MP4 (CMAF, ISO 23000-19): an initialisation segment, and media segments of one or more
 * fragments, in objects of their own or in one. The muxer runs on over the cuts and writes a fragment when it is told
 * to.
 */
export class FragmentedSegmenter {
  readonly facts: SegmenterFacts;
  /** Ticks a second. */
  readonly timescale: number;
  readonly #muxer: Muxer;
  readonly #ticksPerUnit: number;
  readonly #segments: FragmentedSegment[] = [];
  readonly #iFrames: IFrame[] = [];
  readonly #fragments = new Collector();
  readonly #single: IndexedWriter | undefined;
  readonly #protection: TrackProtection | undefined;
  readonly #protector: FileProtection | undefined;
  #init: Buffer = Buffer.alloc(0);
  #indexBytes = 0;
  #writer: ObjectWriter | undefined;
  #segmentBytes = 0;
  #segmentStart = 0;
  #fragmentStart = 0;
  #fragmentBytes = 0;
  /** True where decoding can begin with the fragment. */
  #isEntry = true;
  #end = 0;
  #messageCount = 0;
  /** The end of the open segment, and what came behind it while that may still become part of it. */
  #pending: { readonly at: number; readonly fragments: Fragment[] } | undefined;

  constructor(ffmpeg: FFmpeg, facts: SegmenterFacts) {
    this.facts = facts;
    const { num, den } = facts.track.encoder.timeBase;
    this.timescale = den;
    this.#ticksPerUnit = num;
    const flags = ['frag_custom', 'empty_moov', 'default_base_moof', 'delay_moov', 'skip_trailer', 'cmaf'];
    this.#muxer = new Muxer(ffmpeg, 'mp4', [facts.track], this.#fragments, { movflags: flags.join('+') });
    const { protection } = facts;
    if (protection !== undefined) {
      this.#protection = new TrackProtection(protection.encryption, protection.codec);
      this.#protector = new FileProtection([this.#protection]);
    }
    if (facts.isSingleFile) this.#single = new IndexedWriter(facts.sink, this.#target(facts.names.stem));
  }

  get codecs(): string[] {
    return [this.facts.codec];
  }

  /** What manifests say of the track's key. */
  get encryption(): RenditionEncryption | undefined {
    return this.#protection?.encryption;
  }

  get manifestName(): string {
    return `${nameOf(this.facts.names.stem)}.m3u8`;
  }

  /** In one file, they have their places once the track is finished. */
  get segments(): readonly FragmentedSegment[] {
    if (this.#single === undefined) return this.#segments;
    let offset = this.#init.length + this.#indexBytes;
    return this.#segments.map((segment) => {
      const placed = { ...segment, offset };
      offset += segment.bytes;
      return placed;
    });
  }

  /** The pictures with which fragments begin; in one file, they have their places once the track is finished. */
  get iFrames(): readonly IFrame[] {
    const shift = this.#single === undefined ? 0 : this.#init.length + this.#indexBytes;
    return this.#iFrames.map((frame) => ({ ...frame, offset: (frame.offset ?? 0) + shift }));
  }

  /** Absent where no manifest of pictures is wanted. */
  get iFrameRendition() {
    if (!this.facts.hasIFrames) return undefined;
    const segments = iFrameSegments(this.#iFrames, this.seconds);
    return { name: nameOf(iFrameManifestKey(this.facts.names.stem)), segments, codecs: this.codecs };
  }

  /** Where a player finds what it needs before the first segment. */
  get init(): { readonly name: string; readonly bytes: number; readonly indexBytes: number } {
    const { stem } = this.facts.names;
    const name = this.facts.isSingleFile ? stem : `${stem}init`;
    return { name: `${nameOf(name)}.${this.facts.extension}`, bytes: this.#init.length, indexBytes: this.#indexBytes };
  }

  /** Seconds of the track so far. */
  get seconds(): number {
    return this.#end / this.timescale;
  }

  write(packet: Packet): void {
    const ticks = Number(packet.pts) * this.#ticksPerUnit;
    if (!this.facts.isVideo || packet.isKeyframe) this.#cutAt(Math.max(0, ticks));
    else if (this.#fragmentBytes > MAX_FRAGMENT_BYTES) {
      this.#flush(ticks);
      this.#isEntry = false;
    }
    this.#fragmentBytes += packet.size;
    this.#end = Math.max(this.#end, ticks + Number(packet.duration) * this.#ticksPerUnit);
    this.#muxer.write(0, packet);
  }

  finish(): void {
    if (this.#fragmentBytes > 0) {
      this.#flush(this.#end);
      this.#settleIfLong(this.#end);
      this.#release();
      this.#closeSegment(this.#end);
    }
    this.#muxer.finish();
    if (this.#single === undefined) return;
    const index = this.#index();
    this.#indexBytes = index.length;
    this.#single.end(Buffer.concat([this.#init, index]));
  }

  /** Ends what is due before a frame at which decoding can begin. */
  #cutAt(ticks: number): void {
    if (this.#fragmentBytes === 0) return;
    const { segmentSeconds, fragmentSeconds } = this.facts;
    const segmentAt = (time: number): number => Math.floor(time / this.timescale / segmentSeconds + 1e-6);
    const isSegmentDue = segmentAt(ticks) > segmentAt(this.#pending?.at ?? this.#segmentStart);
    const isFragmentDue = (ticks - this.#fragmentStart) / this.timescale >= fragmentSeconds - 1e-6;
    if (!isSegmentDue && !isFragmentDue) return;
    this.#flush(ticks);
    this.#settleIfLong(ticks);
    this.#isEntry = true;
    this.#fragmentStart = ticks;
    if (!isSegmentDue) return;
    this.#settle();
    if (this.facts.minFinalSeconds === undefined) this.#closeSegment(ticks);
    else this.#pending = { at: ticks, fragments: [] };
  }

  /** What waited becomes a segment of its own once it is long enough to be the last one. */
  #settleIfLong(end: number): void {
    const { minFinalSeconds = 0 } = this.facts;
    const isLong = (end - (this.#pending?.at ?? end)) / this.timescale >= minFinalSeconds - 1e-6;
    if (this.#pending !== undefined && isLong) this.#settle();
  }

  #settle(): void {
    if (this.#pending === undefined) return;
    this.#closeSegment(this.#pending.at);
    this.#release();
  }

  #release(): void {
    const { fragments = [] } = this.#pending ?? {};
    this.#pending = undefined;
    for (const fragment of fragments) this.#append(fragment);
  }

  /** Lets the muxer write out the fragment, which ends there; before the first one comes the initialisation segment. */
  #flush(end: number): void {
    if (this.#init.length === 0) {
      this.#muxer.flush();
      const init = this.#fragments.take();
      this.#init = this.#protector?.protect(init) ?? init;
      this.#storeInit();
    }
    this.#muxer.flush();
    const clear = this.#fragments.take();
    const number = this.#segments.length + (this.#pending === undefined ? 0 : 1);
    const isClear = number < (this.#protection?.encryption.clearSegments ?? 0);
    const bytes = this.#protector?.protect(clear, isClear) ?? clear;
    this.#fragmentBytes = 0;
    const tags = this.facts.events?.tags.takeBefore(end / this.timescale) ?? [];
    const fragment = { bytes, isEntry: this.#isEntry, start: this.#fragmentStart, tags };
    if (this.#pending === undefined) this.#append(fragment);
    else this.#pending.fragments.push(fragment);
  }

  #append(fragment: Fragment): void {
    const { bytes } = fragment;
    this.#write(this.#messages(fragment.tags));
    this.#noteIFrame(fragment);
    this.#write(bytes);
  }

  #write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#single !== undefined) this.#single.write(bytes);
    else {
      const segment = (this.#writer ??= this.#openSegment());
      segment.write(bytes);
    }
    this.#segmentBytes += bytes.length;
  }

  #messages(tags: readonly TimedTag[]): Buffer {
    const settings = this.facts.events?.settings;
    if (settings === undefined) return Buffer.alloc(0);
    const box = (tag: TimedTag): Buffer =>
      eventMessage(settings, tag, this.timescale, this.#segmentStart, ++this.#messageCount);
    return Buffer.concat(tags.map(box));
  }

  /** A range from a fragment's beginning to the end of its first picture. */
  #noteIFrame({ bytes, isEntry, start }: Fragment): void {
    if (!this.facts.hasIFrames || !isEntry) return;
    const isFirst = this.#segmentBytes === 0 && this.#single === undefined;
    const name = this.#single === undefined ? this.#name() : this.facts.names.stem;
    this.#iFrames.push({
      name: `${nameOf(name)}.${this.facts.extension}`,
      offset:
        this.#single === undefined ? this.#segmentBytes + (isFirst ? SEGMENT_TYPE.length : 0) : this.#single.length,
      bytes: firstSampleEnd(bytes),
      time: start / this.timescale,
      segment: this.#segments.length + 1,
    });
  }

  #storeInit(): void {
    if (this.#single !== undefined) return;
    const writer = new ObjectWriter(this.facts.sink, this.#target(`${this.facts.names.stem}init`));
    writer.write(this.#init);
    writer.end();
  }

  #openSegment(): ObjectWriter {
    const writer = new ObjectWriter(this.facts.sink, this.#target(this.#name()));
    writer.write(SEGMENT_TYPE);
    this.#segmentBytes += SEGMENT_TYPE.length;
    return writer;
  }

  #name(): string {
    return this.facts.names.segment({ number: this.#segments.length + 1, time: this.#segmentStart });
  }

  #closeSegment(end: number): void {
    const ticks = end - this.#segmentStart;
    const name = this.#single === undefined ? this.#name() : this.facts.names.stem;
    this.#segments.push({
      name: `${nameOf(name)}.${this.facts.extension}`,
      duration: ticks / this.timescale,
      bytes: this.#segmentBytes,
      start: this.#segmentStart,
      ticks,
    });
    this.#writer?.end();
    this.#writer = undefined;
    this.#segmentBytes = 0;
    this.#segmentStart = end;
  }

  #target(name: string): Parameters<PartSink['open']>[0] {
    return { key: `${name}.${this.facts.extension}`, contentType: this.facts.isVideo ? 'video/mp4' : 'audio/mp4' };
  }

  /** `sidx` (ISO 14496-12, 8.16.3): where the segments of a single file stand; each begins with an entry point. */
  #index(): Buffer {
    const STARTS_WITH_ENTRY = 0x9000_0000;
    const entries = this.#segments.map(({ bytes, ticks }) => u32(bytes, ticks, STARTS_WITH_ENTRY));
    const TRACK = 1;
    return fullBox('sidx', 1, 0, u32(TRACK, this.timescale), u64(0), u64(0), u16(0, entries.length), ...entries);
  }
}

export function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** The muxer's output until somebody takes it. */
class Collector implements ByteTarget {
  #pieces: Buffer[] = [];
  length = 0;

  write(bytes: Uint8Array): void {
    // The buffer is FFmpeg's, which uses it again.
    this.#pieces.push(Buffer.from(bytes));
    this.length += bytes.length;
  }

  take(): Buffer<ArrayBuffer> {
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    return bytes;
  }
}
