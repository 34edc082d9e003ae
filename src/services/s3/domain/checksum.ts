import { createHash, type Hash } from 'node:crypto';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { type CrcAlgorithm, crc32, crc32c, crc64Nvme } from './crc-engine.ts';
import { XxHash, type XxHashName } from './xx-hash.ts';

/** The additional checksums that Coffer computes, by AWS's names. */
export type ChecksumName = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256' | 'SHA512' | 'MD5' | XxHashName;
export type ChecksumKind = 'FULL_OBJECT' | 'COMPOSITE';

/** An algorithm and the value in base64 (for a composite one with `-` and the number of parts). */
export interface ChecksumValue {
  readonly name: ChecksumName;
  readonly kind: ChecksumKind;
  readonly value: string;
}

/** A running checksum. */
export interface Checksum {
  readonly name: ChecksumName;
  update(chunk: Uint8Array): void;
  /** The value in base64; ends the computation. */
  digest(): string;
}

/** The members of requests and responses that carry checksums. */
export interface ChecksumMembers {
  ChecksumCRC32?: string | undefined;
  ChecksumCRC32C?: string | undefined;
  ChecksumCRC64NVME?: string | undefined;
  ChecksumSHA1?: string | undefined;
  ChecksumSHA256?: string | undefined;
  ChecksumSHA512?: string | undefined;
  ChecksumMD5?: string | undefined;
  ChecksumXXHASH64?: string | undefined;
  ChecksumXXHASH3?: string | undefined;
  ChecksumXXHASH128?: string | undefined;
}

interface Facts {
  readonly bytes: number;
  readonly member: keyof ChecksumMembers;
  readonly header: string;
  readonly kinds: readonly ChecksumKind[];
  readonly crc?: CrcAlgorithm;
  readonly isXxHash?: true;
}

const both: readonly ChecksumKind[] = ['COMPOSITE', 'FULL_OBJECT'];
const FACTS: Readonly<Record<ChecksumName, Facts>> = {
  CRC32: { bytes: 4, member: 'ChecksumCRC32', header: 'x-amz-checksum-crc32', kinds: both, crc: crc32 },
  CRC32C: { bytes: 4, member: 'ChecksumCRC32C', header: 'x-amz-checksum-crc32c', kinds: both, crc: crc32c },
  CRC64NVME: {
    bytes: 8,
    member: 'ChecksumCRC64NVME',
    header: 'x-amz-checksum-crc64nvme',
    kinds: ['FULL_OBJECT'],
    crc: crc64Nvme,
  },
  SHA1: { bytes: 20, member: 'ChecksumSHA1', header: 'x-amz-checksum-sha1', kinds: ['COMPOSITE'] },
  SHA256: { bytes: 32, member: 'ChecksumSHA256', header: 'x-amz-checksum-sha256', kinds: ['COMPOSITE'] },
  SHA512: { bytes: 64, member: 'ChecksumSHA512', header: 'x-amz-checksum-sha512', kinds: ['COMPOSITE'] },
  MD5: { bytes: 16, member: 'ChecksumMD5', header: 'x-amz-checksum-md5', kinds: ['COMPOSITE'] },
  XXHASH64: xxHashFacts(8, 'ChecksumXXHASH64'),
  XXHASH3: xxHashFacts(8, 'ChecksumXXHASH3'),
  XXHASH128: xxHashFacts(16, 'ChecksumXXHASH128'),
};

export const CHECKSUM_NAMES = Object.keys(FACTS) as readonly ChecksumName[];

/** Which kinds of checksum a multipart upload may have with an algorithm; the first is the default. */
export function checksumKindsOf(name: ChecksumName): readonly ChecksumKind[] {
  return FACTS[name].kinds;
}

export function checksumMemberOf(name: ChecksumName): keyof ChecksumMembers {
  return FACTS[name].member;
}

export function checksumHeaderOf(name: ChecksumName): string {
  return FACTS[name].header;
}

export function checksumNameOfHeader(header: string): ChecksumName | undefined {
  return CHECKSUM_NAMES.find((name) => FACTS[name].header === header);
}

export function asChecksumName(text: string): ChecksumName | undefined {
  return CHECKSUM_NAMES.find((name) => name === text);
}

/** Whether a text has the form of such a checksum. */
export function isChecksumText(name: ChecksumName, text: string): boolean {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) && Buffer.from(text, 'base64').length === FACTS[name].bytes;
}

export function startChecksum(name: ChecksumName): Checksum {
  const { crc, isXxHash } = FACTS[name];
  if (isXxHash === true) return new XxHashChecksum(name as XxHashName);
  if (name === 'CRC32') return new ZlibCrc32();
  return crc === undefined ? new HashChecksum(name) : new CrcChecksum(name, crc);
}

/** The checksum of checksums that a composite multipart object has. */
export function compositeChecksum(name: ChecksumName, parts: readonly string[]): string {
  const checksum = startChecksum(name);
  for (const part of parts) checksum.update(Buffer.from(part, 'base64'));
  return `${checksum.digest()}-${parts.length}`;
}

/** The checksum of a whole object from those of its parts; only CRCs can do that. */
export function combineChecksums(
  name: ChecksumName,
  parts: readonly { readonly value: string; readonly size: number }[],
): string {
  const { crc } = FACTS[name];
  if (crc === undefined) throw new TypeError(`${name} values cannot be combined.`);
  const combined = parts.reduce((state, part) => crc.combine(state, toNumber(part.value), part.size), 0n);
  return toBase64(combined, crc.bits / 8);
}

class ZlibCrc32 implements Checksum {
  readonly name = 'CRC32';
  #state = 0;

  update(chunk: Uint8Array): void {
    this.#state = zlibCrc32(chunk, this.#state);
  }

  digest(): string {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(this.#state);
    return bytes.toString('base64');
  }
}

class CrcChecksum implements Checksum {
  readonly name: ChecksumName;
  readonly #algorithm: CrcAlgorithm;
  #state = 0n;

  constructor(name: ChecksumName, algorithm: CrcAlgorithm) {
    this.name = name;
    this.#algorithm = algorithm;
  }

  update(chunk: Uint8Array): void {
    this.#state = this.#algorithm.update(this.#state, chunk);
  }

  digest(): string {
    return toBase64(this.#state, this.#algorithm.bits / 8);
  }
}

class XxHashChecksum extends XxHash implements Checksum {
  readonly name: XxHashName;

  constructor(name: XxHashName) {
    super(name);
    this.name = name;
  }
}

class HashChecksum implements Checksum {
  readonly name: ChecksumName;
  readonly #hash: Hash;

  constructor(name: ChecksumName) {
    this.name = name;
    this.#hash = createHash(name.toLowerCase());
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  digest(): string {
    return this.#hash.digest('base64');
  }
}

function xxHashFacts(bytes: number, member: `Checksum${XxHashName}`): Facts {
  const header = `x-amz-checksum-${member.slice('Checksum'.length).toLowerCase()}`;
  return { bytes, member, header, kinds: ['COMPOSITE'], isXxHash: true };
}

function toBase64(value: bigint, bytes: number): string {
  return Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex').toString('base64');
}

function toNumber(base64: string): bigint {
  return BigInt(`0x${Buffer.from(base64, 'base64').toString('hex')}`);
}
