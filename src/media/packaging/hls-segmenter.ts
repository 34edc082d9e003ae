import type { Packet } from 'node-av/lib';
import type { FFmpeg } from '../ffmpeg/load-ffmpeg.ts';
import type { ByteTarget, MuxerTrack } from '../ffmpeg/muxer.ts';
import { Muxer } from '../ffmpeg/muxer.ts';
import type { RenditionEncryption } from '../content-encryption.ts';
import type { HlsGroup, TransportSettings } from '../output-group.ts';
import { videoCodecName } from './video-codec-name.ts';
import type { Segment } from './hls-manifest.ts';
import { childManifest } from './hls-manifest.ts';
import { HlsProtection, type SegmentWriter } from './hls-protection.ts';
import { putHlsManifest } from './manifest-store.ts';
import type { PartSink } from './object-writer.ts';
import { ObjectWriter } from './object-writer.ts';

/** Tables are repeated at each segment's start, and otherwise not: an hour between two. */
const TABLE_PERIOD_SECONDS = 3600;

interface SegmenterFacts {
  readonly group: HlsGroup;
  readonly sink: PartSink;
  /** The key of the child manifest without its extension. */
  readonly base: string;
  /** The key of the next segment without number and extension. */
  readonly segmentBase: () => string;
  readonly tracks: readonly MuxerTrack[];
  readonly transport: TransportSettings;
  /** Bytes of one audio frame. */
  readonly audioFrameBytes: number;
  /** Set when track 0 is video, which then decides where segments may begin. */
  readonly videoKind?: 'h264' | 'h265';
  readonly segmentSeconds: number;
  readonly audioCodecs: readonly string[];
}

/**
 * Cuts one MPEG-TS stream into segments. The muxer runs on over the cuts, so that clocks and counters continue; at a
 * cut it is flushed and told to repeat its tables, and the next bytes go to the next object.
 */
export class HlsSegmenter {
  readonly segments: Segment[] = [];
  readonly #facts: SegmenterFacts;
  readonly #muxer: Muxer;
  readonly #target: SwitchableTarget;
  readonly #toSeconds: number;
  readonly #protection: HlsProtection | undefined;
  #start = 0;
  #key = '';
  #videoCodec: string | undefined;

  constructor(ffmpeg: FFmpeg, facts: SegmenterFacts) {
    this.#facts = facts;
    const timeBase = facts.tracks[0]?.encoder.timeBase ?? { num: 1, den: 1 };
    this.#toSeconds = timeBase.num / timeBase.den;
    this.#target = new SwitchableTarget(() => this.#open());
    const { transport, group } = facts;
    this.#protection = group.encryption && new HlsProtection(group.encryption, facts.tracks, transport.pmtPid);
    const options = {
      mpegts_pmt_start_pid: transport.pmtPid,
      mpegts_service_id: transport.programNumber,
      mpegts_transport_stream_id: transport.transportStreamId,
      pes_payload_size: transport.audioFramesPerPes * facts.audioFrameBytes,
      pat_period: TABLE_PERIOD_SECONDS,
      sdt_period: TABLE_PERIOD_SECONDS,
    };
    const target = this.#protection?.streamTarget(this.#target) ?? this.#target;
    this.#muxer = new Muxer(ffmpeg, 'mpegts', facts.tracks, target, options, transport.clockOffsetSeconds);
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

  write(track: number, packet: Packet): void {
    if (track === 0) {
      const { videoKind } = this.#facts;
      if (videoKind !== undefined) this.#videoCodec ??= videoCodecName(videoKind, packet.data ?? Buffer.alloc(0));
      const time = Number(packet.pts) * this.#toSeconds;
      const isEntry = videoKind === undefined || packet.isKeyframe;
      const { segmentSeconds } = this.#facts;
      const isDue = Math.floor(time / segmentSeconds + 1e-6) > Math.floor(this.#start / segmentSeconds + 1e-6);
      if (isEntry && isDue && this.#target.isOpen) {
        this.#cut(time);
        this.#muxer.setOption('mpegts_flags', '+resend_headers');
      }
    }
    this.#protection?.encryptSample(track, packet, this.#number);
    this.#muxer.write(track, packet);
  }

  /** The number of the segment that is being written. */
  get #number(): number {
    return this.segments.length + 1;
  }

  /** @param end the stream's length in seconds */
  finish(end: number): void {
    this.#muxer.finish();
    if (this.#target.isOpen) this.#close(end);
    const { group, sink, base } = this.#facts;
    if (!group.areManifestsWritten) return;
    putHlsManifest(sink, group, `${base}.m3u8`, childManifest(group, this.segments));
  }

  #cut(time: number): void {
    this.#muxer.flush();
    this.#close(time);
  }

  #open(): SegmentWriter {
    const number = String(this.#number).padStart(5, '0');
    this.#key = `${this.#facts.segmentBase()}_${number}.ts`;
    const writer = new ObjectWriter(this.#facts.sink, { key: this.#key, contentType: 'video/MP2T' });
    return this.#protection?.segmentWriter(writer, this.#number) ?? writer;
  }

  #close(time: number): void {
    const bytes = this.#target.close();
    this.segments.push({ name: nameOf(this.#key), duration: Math.max(0, time - this.#start), bytes });
    this.#start = time;
  }
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** The muxer's output, which goes to one object after another. */
class SwitchableTarget implements ByteTarget {
  length = 0;
  #writer: SegmentWriter | undefined;
  readonly #open: () => SegmentWriter;

  constructor(open: () => SegmentWriter) {
    this.#open = open;
  }

  get isOpen(): boolean {
    return this.#writer !== undefined;
  }

  write(bytes: Uint8Array): void {
    this.#writer ??= this.#open();
    this.#writer.write(bytes);
    this.length += bytes.length;
  }

  close(): number {
    this.#writer?.end();
    const bytes = this.#writer?.length ?? 0;
    this.#writer = undefined;
    return bytes;
  }
}
