import type { ByteTarget } from '../../ffmpeg/muxer.ts';
import { readProgramMap } from '../../transport-stream/program-tables.ts';
import { SectionAssembler } from '../../transport-stream/section-assembler.ts';
import { section } from './ts-tables.ts';

const PACKET = 188;
const HEAD = 4;
const SYNC = 0x47;
const PMT_TABLE = 2;

/** `stream_type` in the clear, and with encrypted samples. */
const AVC = { clear: 0x1b, encrypted: 0xdb };
const AAC = { clear: 0x0f, encrypted: 0xcf };
const PRIVATE_DATA_INDICATOR = 0x0f;
const REGISTRATION = 0x05;

/**
 * Rewrites the program map in a stream of whole packets, so that it says which streams have encrypted samples. Source:
 * Apple, "MPEG-2 Stream Encryption Format for HTTP Live Streaming". Every other packet passes as it is.
 */
export class ProtectedProgramMap implements ByteTarget {
  readonly #target: ByteTarget;
  readonly #pmtPid: number;
  readonly #audioConfigs: ReadonlyMap<number, Buffer>;
  readonly #sections: SectionAssembler;
  #rest: Buffer = Buffer.alloc(0);
  #counter = 0;

  /** @param audioConfigs the AudioSpecificConfig of each AAC stream, by its PID */
  constructor(target: ByteTarget, pmtPid: number, audioConfigs: ReadonlyMap<number, Buffer>) {
    this.#target = target;
    this.#pmtPid = pmtPid;
    this.#audioConfigs = audioConfigs;
    this.#sections = new SectionAssembler((bytes) => this.#writeMap(bytes));
  }

  get length(): number {
    return this.#target.length;
  }

  write(bytes: Uint8Array): void {
    const data = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    let start = 0;
    let at = 0;
    for (; at + PACKET <= data.length; at += PACKET) {
      if ((data.readUInt16BE(at + 1) & 0x1fff) !== this.#pmtPid) continue;
      if (at > start) this.#target.write(data.subarray(start, at));
      start = at + PACKET;
      this.#sections.packet(data, at);
    }
    if (at > start) this.#target.write(data.subarray(start, at));
    this.#rest = data.subarray(at);
  }

  #writeMap(bytes: Buffer): void {
    const map = readProgramMap(bytes);
    if (map === undefined) throw new TypeError('The muxer wrote a program map that cannot be read.');
    const streams = map.streams.map(({ streamType, pid, descriptors }) => {
      const [type, added] = this.#protect(streamType, pid);
      const all = Buffer.concat([descriptors, ...added]);
      const head = Buffer.of(type, 0xe0 | (pid >> 8), pid & 0xff, 0xf0 | (all.length >> 8), all.length & 0xff);
      return Buffer.concat([head, all]);
    });
    const clock = Buffer.of(0xe0 | (map.pcrPid >> 8), map.pcrPid & 0xff, 0xf0, 0);
    this.#writeSection(section(PMT_TABLE, map.programNumber, Buffer.concat([clock, ...streams])));
  }

  #protect(streamType: number, pid: number): readonly [type: number, descriptors: readonly Buffer[]] {
    if (streamType === AVC.clear) return [AVC.encrypted, [descriptor(PRIVATE_DATA_INDICATOR, 'zavc')]];
    const config = this.#audioConfigs.get(pid);
    if (streamType !== AAC.clear || config === undefined) throw new TypeError('No encryption is known for a stream.');
    return [
      AAC.encrypted,
      [descriptor(PRIVATE_DATA_INDICATOR, 'aacd'), descriptor(REGISTRATION, 'apad', audioSetup(config))],
    ];
  }

  #writeSection(bytes: Buffer): void {
    // A pointer says that the section begins at once.
    const payload = Buffer.concat([Buffer.of(0), bytes]);
    for (let at = 0; at < payload.length; at += PACKET - HEAD) {
      const packet = Buffer.alloc(PACKET, 0xff);
      packet[0] = SYNC;
      packet[1] = (at === 0 ? 0x40 : 0) | (this.#pmtPid >> 8);
      packet[2] = this.#pmtPid & 0xff;
      packet[3] = 0x10 | this.#counter;
      payload.copy(packet, HEAD, at, at + PACKET - HEAD);
      this.#counter = (this.#counter + 1) & 15;
      this.#target.write(packet);
    }
  }
}

function descriptor(tag: number, format: string, data: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.of(tag, format.length + data.length), Buffer.from(format, 'latin1'), data]);
}

/** By the kind of AAC, if it is not LC: with spectral band replication, and with parametric stereo too. */
const EXTENDED: Readonly<Record<number, string>> = { 5: 'zach', 29: 'zacp' };

/** What a decoder has to know, since it stands in the clear nowhere else: AAC LC or HE-AAC, no priming, version 1. */
function audioSetup(config: Buffer): Buffer {
  const type = EXTENDED[(config[0] ?? 0) >> 3] ?? 'zaac';
  return Buffer.concat([Buffer.from(type, 'latin1'), Buffer.of(0, 0, 1, config.length), config]);
}
