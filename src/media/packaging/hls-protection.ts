import type { Packet } from 'node-av/lib';
import { ContentKey } from '#crypto/content-cipher.ts';
import type { ByteTarget, MuxerTrack } from '../ffmpeg/muxer.ts';
import { replaceData } from '../ffmpeg/packet-data.ts';
import type { RenditionEncryption } from '../content-encryption.ts';
import { encryptAacFrame, encryptAvcPicture } from './sample-aes.ts';
import { ProtectedProgramMap } from './ts/protected-program-map.ts';

/** Where a segment's bytes go. */
export interface SegmentWriter {
  /** Bytes so far. */
  readonly length: number;
  write(bytes: Uint8Array): void;
  end(): void;
}

/** The initialization vector of a segment: the group's, or the segment's number in its playlist. Source: RFC 8216, 5.2. */
export function segmentIv({ iv }: Pick<RenditionEncryption, 'iv'>, number: number): Uint8Array {
  if (iv !== undefined) return iv;
  const own = Buffer.alloc(16);
  own.writeUInt32BE(number, 12);
  return own;
}

/** Encrypts one rendition's segments, or the samples in them. */
export class HlsProtection {
  readonly #encryption: RenditionEncryption;
  readonly #key: ContentKey;
  readonly #tracks: readonly MuxerTrack[];
  readonly #pmtPid: number;

  constructor(encryption: RenditionEncryption, tracks: readonly MuxerTrack[], pmtPid: number) {
    this.#encryption = encryption;
    this.#key = new ContentKey(encryption.key);
    this.#tracks = tracks;
    this.#pmtPid = pmtPid;
  }

  /** What the transport stream passes on its way to the segments. */
  streamTarget(target: ByteTarget): ByteTarget {
    if (this.#encryption.method !== 'SAMPLE-AES') return target;
    const configs = this.#tracks.flatMap(({ id, encoder }) => {
      const { extraData } = encoder;
      return id === undefined || extraData === null ? [] : [[id, Buffer.from(extraData)] as const];
    });
    return new ProtectedProgramMap(target, this.#pmtPid, new Map(configs));
  }

  /** Encrypts a sample in place of the one in the clear. */
  encryptSample(track: number, packet: Packet, number: number): void {
    const { data } = packet;
    if (this.#encryption.method !== 'SAMPLE-AES' || data === null) return;
    const iv = segmentIv(this.#encryption, number);
    const isVideo = this.#tracks[track]?.framerate !== undefined;
    replaceData(packet, (isVideo ? encryptAvcPicture : encryptAacFrame)(data, this.#key, iv));
  }

  segmentWriter(writer: SegmentWriter, number: number): SegmentWriter {
    if (this.#encryption.method !== 'AES-128') return writer;
    const stream = this.#key.encryptStream(segmentIv(this.#encryption, number));
    return {
      get length() {
        return writer.length;
      },
      write: (bytes) => writer.write(stream.update(bytes)),
      end() {
        writer.write(stream.end());
        writer.end();
      },
    };
  }
}
