const PAT_TABLE = 0;
const PMT_TABLE = 2;
const HEAD_BYTES = 8;
const CHECKSUM_BYTES = 4;

export interface ProgramAssociation {
  readonly programNumber: number;
  readonly pid: number;
}

interface MappedStream {
  readonly streamType: number;
  readonly pid: number;
  readonly descriptors: Buffer;
}

export interface ProgramMap {
  readonly programNumber: number;
  readonly pcrPid: number;
  readonly streams: readonly MappedStream[];
}

/**
 * Reads a program association section (ISO/IEC 13818-1, 2.4.4.3).
 *
 * @returns `undefined` where the section is none, or one of the next table
 */
export function readProgramAssociation(section: Buffer): readonly ProgramAssociation[] | undefined {
  if (section[0] !== PAT_TABLE || !isCurrent(section)) return undefined;
  const programs: ProgramAssociation[] = [];
  for (let at = HEAD_BYTES; at + 4 <= section.length - CHECKSUM_BYTES; at += 4) {
    const programNumber = section.readUInt16BE(at);
    // Number 0 tells where the network's table is.
    if (programNumber !== 0) programs.push({ programNumber, pid: section.readUInt16BE(at + 2) & 0x1fff });
  }
  return programs;
}

/**
 * Reads a program map section (ISO/IEC 13818-1, 2.4.4.8). The descriptors are copies.
 *
 * @returns `undefined` where the section is none, or cut off
 */
export function readProgramMap(section: Buffer): ProgramMap | undefined {
  const end = section.length - CHECKSUM_BYTES;
  if (section[0] !== PMT_TABLE || !isCurrent(section) || end < HEAD_BYTES + 4) return undefined;
  const streams: MappedStream[] = [];
  let at = HEAD_BYTES + 4 + (section.readUInt16BE(HEAD_BYTES + 2) & 0xfff);
  while (at + 5 <= end) {
    const length = section.readUInt16BE(at + 3) & 0xfff;
    if (at + 5 + length > end) return undefined;
    streams.push({
      streamType: section[at] ?? 0,
      pid: section.readUInt16BE(at + 1) & 0x1fff,
      descriptors: Buffer.from(section.subarray(at + 5, at + 5 + length)),
    });
    at += 5 + length;
  }
  return {
    programNumber: section.readUInt16BE(3),
    pcrPid: section.readUInt16BE(HEAD_BYTES) & 0x1fff,
    streams,
  };
}

function isCurrent(section: Buffer): boolean {
  return section.length >= HEAD_BYTES + CHECKSUM_BYTES && ((section[5] ?? 0) & 1) === 1;
}

/** Whether a section's checksum fits (ISO/IEC 13818-1, Annex A: the CRC over all of it is 0). */
export function isIntact(section: Buffer): boolean {
  let crc = 0xffff_ffff;
  for (const byte of section) crc = ((crc << 8) ^ (CRC_TABLE[((crc >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0;
  return crc === 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000_0000) === 0 ? crc << 1 : (crc << 1) ^ 0x04c1_1db7;
  return crc >>> 0;
});
