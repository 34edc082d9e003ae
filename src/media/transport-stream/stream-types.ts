import type { ElementaryStreamInfo } from '../live/stream-report.ts';

export interface StreamKind {
  readonly kind: ElementaryStreamInfo['kind'];
  readonly codec: string;
}

/** `stream_type` of ISO/IEC 13818-1 (table 2-34), and of ATSC and SCTE for what broadcasters use. */
const KINDS: Readonly<Record<number, StreamKind>> = {
  0x01: { kind: 'video', codec: 'MPEG-1 Video' },
  0x02: { kind: 'video', codec: 'MPEG-2 Video' },
  0x03: { kind: 'audio', codec: 'MPEG-1 Audio' },
  0x04: { kind: 'audio', codec: 'MPEG-2 Audio' },
  0x0f: { kind: 'audio', codec: 'AAC' },
  0x10: { kind: 'video', codec: 'MPEG-4 Visual' },
  0x11: { kind: 'audio', codec: 'AAC' },
  0x1b: { kind: 'video', codec: 'H.264' },
  0x24: { kind: 'video', codec: 'HEVC' },
  0x81: { kind: 'audio', codec: 'AC-3' },
  0x86: { kind: 'data', codec: 'SCTE-35' },
  0x87: { kind: 'audio', codec: 'E-AC-3' },
};

/** In private streams (type 6) a descriptor says what they are (ETSI EN 300 468). */
const DESCRIBED: Readonly<Record<number, StreamKind>> = {
  0x6a: { kind: 'audio', codec: 'AC-3' },
  0x7a: { kind: 'audio', codec: 'E-AC-3' },
  0x56: { kind: 'data', codec: 'Teletext' },
  0x59: { kind: 'data', codec: 'DVB Subtitle' },
};
const PRIVATE_STREAM = 6;
const REGISTRATION = 0x05;

export function kindOfStream(streamType: number, descriptors: Buffer): StreamKind {
  if (streamType === PRIVATE_STREAM) {
    for (let at = 0; at + 2 <= descriptors.length; at += 2 + (descriptors[at + 1] ?? 0)) {
      const kind = DESCRIBED[descriptors[at] ?? 0];
      if (kind !== undefined) return kind;
      const isOpus = descriptors[at] === REGISTRATION && descriptors.toString('latin1', at + 2, at + 6) === 'Opus';
      if (isOpus) return { kind: 'audio', codec: 'Opus' };
    }
  }
  return KINDS[streamType] ?? { kind: 'data', codec: `0x${streamType.toString(16).padStart(2, '0')}` };
}
