import type { Packet } from 'node-av/lib';
import type { FFmpeg } from '../ffmpeg/load-ffmpeg.ts';
import type { ByteTarget, MuxerTrack } from '../ffmpeg/muxer.ts';
import { Muxer } from '../ffmpeg/muxer.ts';
import { TAG_CLOCK } from '../ffmpeg/timed-tags-of.ts';
import type { RenditionEncryption } from '../content-encryption.ts';
import type { HlsGroup, TransportSettings } from '../output-group.ts';
import { videoCodecName } from './video-codec-name.ts';
import type { Segment } from './hls-manifest.ts';
import { childManifest } from './hls-manifest.ts';
import { HlsProtection } from './hls-protection.ts';
import { type IFrame, iFrameManifest, iFrameSegments } from './i-frames.ts';
import { putHlsManifest } from './manifest-store.ts';
import type { PartSink } from './object-writer.ts';
import { ObjectWriter } from './object-writer.ts';
import type { ProgramDates } from './program-dates.ts';
import { SegmentSeries } from './segment-series.ts';
import type { TimedTags } from './timed-tags.ts';

/** Tables are repeated at each segment's start, and otherwise not: an hour between two. */
const TABLE_PERIOD_SECONDS = 3600;
const CONTENT_TYPE = 'video/MP2T';
const I_FRAME_DIGITS = 5;

interface SegmenterFacts {
  readonly group: HlsGroup;
  readonly sink: PartSink;
  /** The key of the child manifest without its extension. */
  readonly base: string;
  /** The key of a segment, by its number. */
  readonly segmentKey: (number: number) => string;
  readonly tracks: readonly MuxerTrack[];
  readonly transport: TransportSettings;
  /** Bytes of one audio frame. */
  readonly audioFrameBytes: number;
  /** Set when track 0 is video, which then decides where segments may begin. */
  readonly videoKind?: 'h264' | 'h265';
  readonly segmentSeconds: number;
  readonly audioCodecs: readonly string[];
  readonly dates?: ProgramDates;
  readonly iFrames?: 'ranges' | 'files';
  /** The last of the tracks has them. */
  readonly tags?: TimedTags;
}

/**
 * Cuts one MPEG-TS stream into segments. The muxer runs on over the cuts, so that clocks and counters continue; at a
 * cut it is flushed and told to repeat its tables, and the next bytes go to the next object.
 */
export class HlsSegmenter {
  readonly #facts: SegmenterFacts;
  readonly #muxer: Muxer;
  readonly #series: SegmentSeries;
  readonly #toSeconds: number;
  readonly #protection: HlsProtection | undefined;
  readonly #iFrames: IFrame[] = [];
  readonly #iFrameFiles: IFrameFiles | undefined;
  #videoCodec: string | undefined;
  #end = 0;
  readonly #ffmpeg: FFmpeg;
  #tag: Packet | undefined;

  constructor(ffmpeg: FFmpeg, facts: SegmenterFacts) {
    this.#ffmpeg = ffmpeg;
    this.#facts = facts;
    const timeBase = facts.tracks[0]?.encoder.timeBase ?? { num: 1, den: 1 };
    this.#toSeconds = timeBase.num / timeBase.den;
    const { transport, group } = facts;
    const protection = group.encryption && new HlsProtection(group.encryption, facts.tracks, transport.pmtPid);
    this.#protection = protection;
    this.#series = new SegmentSeries({
      sink: facts.sink,
      folder: facts.base.slice(0, facts.base.lastIndexOf('/') + 1),
      segmentKey: facts.segmentKey,
      contentType: CONTENT_TYPE,
      isSingleFile: group.isSingleFile === true,
      ...(group.minFinalSeconds !== undefined && { minFinalSeconds: group.minFinalSeconds }),
      ...(protection !== undefined && { wrap: (writer, number) => protection.segmentWriter(writer, number) }),
    });
    const series = this.#series;
    const target: ByteTarget = { length: 0, write: (bytes) => series.write(bytes) };
    const { tracks } = facts;
    const options = transportOptions(transport, facts.audioFrameBytes);
    const protectedTarget = protection?.streamTarget(target) ?? target;
    this.#muxer = new Muxer(ffmpeg, 'mpegts', tracks, protectedTarget, options, transport.clockOffsetSeconds);
    const [picture] = tracks;
    if (facts.iFrames === 'files' && picture !== undefined) {
      this.#iFrameFiles = new IFrameFiles(ffmpeg, facts.sink, facts.base, picture, transport);
    }
  }

  get segments(): readonly Segment[] {
    return this.#series.segments;
  }

  /** The RFC 6381 names of the tracks. */
  get codecs(): string[] {
    return [...(this.#videoCodec === undefined ? [] : [this.#videoCodec]), ...this.#facts.audioCodecs];
  }

  get encryption(): RenditionEncryption | undefined {
    return this.#facts.group.encryption;
  }

  get manifestName(): string {
    return nameOf(`${this.#facts.base}.m3u8`);
  }

  /** Absent where no manifest of pictures is wanted. */
  get iFrameRendition() {
    if (this.#facts.iFrames === undefined) return undefined;
    const codecs = this.#videoCodec === undefined ? [] : [this.#videoCodec];
    return { name: nameOf(iFrameManifestKey(this.#facts.base)), segments: this.#iFrameSegments, codecs };
  }

  get #iFrameSegments(): readonly Segment[] {
    return iFrameSegments(this.#iFrames, this.#end);
  }

  write(track: number, packet: Packet): void {
    const isPicture = track === 0 && this.#facts.videoKind !== undefined;
    const isKey = isPicture && packet.isKeyframe;
    const time = Number(packet.pts) * this.#toSeconds;
    if (track === 0) {
      this.#writeTags(time);
      const { videoKind } = this.#facts;
      if (videoKind !== undefined) this.#videoCodec ??= videoCodecName(videoKind, packet.data ?? Buffer.alloc(0));
      const { segmentSeconds } = this.#facts;
      this.#series.advance(time);
      const segmentAt = (seconds: number): number => Math.floor(seconds / segmentSeconds + 1e-6);
      const isDue = segmentAt(time) > segmentAt(this.#series.start);
      if ((!isPicture || isKey) && isDue && this.#series.isOpen) {
        this.#muxer.flush();
        this.#series.close(time);
        this.#repeatTables();
      }
    }
    if (isKey && this.#iFrameFiles !== undefined) {
      this.#iFrames.push({ ...this.#iFrameFiles.write(packet), time, segment: this.#series.number });
    }
    this.#protection?.encryptSample(track, packet, this.#series.number);
    if (isKey && this.#facts.iFrames === 'ranges') this.#writeIFrame(packet, time);
    else this.#muxer.write(track, packet);
  }

  /** Those that are due before a moment: so each is in the segment of its time. */
  #writeTags(before: number): void {
    const { tags, tracks } = this.#facts;
    for (const { seconds, bytes } of tags?.takeBefore(before) ?? []) {
      this.#tag ??= this.#newTag();
      this.#tag.data = Buffer.from(bytes);
      this.#tag.pts = BigInt(Math.round(seconds * TAG_CLOCK));
      this.#tag.dts = this.#tag.pts;
      this.#muxer.write(tracks.length - 1, this.#tag);
      this.#tag.unref();
    }
  }

  #newTag(): Packet {
    const packet = new this.#ffmpeg.Packet();
    packet.alloc();
    return packet;
  }

  /** Every range begins with the tables, so that it can be read alone. */
  #writeIFrame(packet: Packet, time: number): void {
    this.#muxer.flushBytes();
    const offset = this.#series.place.position;
    if (this.#series.isOpen) this.#repeatTables();
    this.#muxer.write(0, packet);
    this.#muxer.flushBytes();
    const { name, position } = this.#series.place;
    this.#iFrames.push({ name, offset, bytes: position - offset, time, segment: this.#series.number });
  }

  #repeatTables(): void {
    this.#muxer.setOption('mpegts_flags', '+resend_headers');
  }

  /** @param end the stream's length in seconds */
  finish(end: number): void {
    this.#end = end;
    this.#writeTags(end);
    this.#tag?.free();
    this.#muxer.finish();
    this.#iFrameFiles?.finish();
    this.#series.finish(end);
    const { group, sink, base, dates } = this.#facts;
    if (!group.areManifestsWritten) return;
    putHlsManifest(sink, group, `${base}.m3u8`, childManifest(group, this.segments, undefined, dates));
    if (this.#facts.iFrames === undefined) return;
    putHlsManifest(sink, group, iFrameManifestKey(base), iFrameManifest(group, this.#iFrames, end));
  }
}

/** Of the manifest of the pictures that can be decoded alone. */
export function iFrameManifestKey(base: string): string {
  return `${base}_iframe.m3u8`;
}

function transportOptions(transport: TransportSettings, audioFrameBytes: number): Record<string, number> {
  const tables = transport.tablePeriodSeconds ?? TABLE_PERIOD_SECONDS;
  return {
    mpegts_pmt_start_pid: transport.pmtPid,
    mpegts_service_id: transport.programNumber,
    mpegts_transport_stream_id: transport.transportStreamId,
    pes_payload_size: transport.audioFramesPerPes * audioFrameBytes,
    pat_period: tables,
    sdt_period: tables,
    ...(transport.clockPeriodMs !== undefined && { pcr_period: transport.clockPeriodMs }),
  };
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** Pictures in files of their own, each a transport stream of one picture. */
class IFrameFiles {
  readonly #muxer: Muxer;
  readonly #sink: PartSink;
  readonly #base: string;
  #count = 0;
  #writer: ObjectWriter | undefined;

  constructor(ffmpeg: FFmpeg, sink: PartSink, base: string, track: MuxerTrack, transport: TransportSettings) {
    this.#sink = sink;
    this.#base = base;
    const target: ByteTarget = { length: 0, write: (bytes) => this.#writer?.write(bytes) };
    const options = transportOptions(transport, 0);
    this.#muxer = new Muxer(ffmpeg, 'mpegts', [track], target, options, transport.clockOffsetSeconds);
  }

  /** Writes a picture; the packet stays as it is. */
  write(packet: Packet): Pick<IFrame, 'name' | 'bytes'> {
    const copy = packet.clone();
    if (copy === null) throw new Error('Out of memory.');
    this.#count += 1;
    const key = `${this.#base}_iframe_${String(this.#count).padStart(I_FRAME_DIGITS, '0')}.ts`;
    const writer = new ObjectWriter(this.#sink, { key, contentType: CONTENT_TYPE });
    this.#writer = writer;
    if (this.#count > 1) this.#muxer.setOption('mpegts_flags', '+resend_headers');
    this.#muxer.write(0, copy);
    copy.free();
    this.#muxer.flush();
    this.#writer = undefined;
    writer.end();
    return { name: nameOf(key), bytes: writer.length };
  }

  finish(): void {
    this.#muxer.finish();
  }
}
