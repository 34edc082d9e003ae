import { createHash, type Hash, timingSafeEqual } from 'node:crypto';
import type { Call } from '#kernel/operation.ts';
import {
  badContentMd5,
  badDigest,
  entityTooLarge,
  formTooSmall,
  incompleteBody,
  invalidDigest,
  invalidRequest,
  missingContentLength,
  notImplemented,
} from '../errors.ts';
import {
  CHECKSUM_NAMES,
  type Checksum,
  type ChecksumMembers,
  type ChecksumName,
  asChecksumName,
  checksumHeaderOf,
  checksumMemberOf,
  checksumNameOfHeader,
  isChecksumText,
  startChecksum,
} from './checksum.ts';

interface PayloadInput extends ChecksumMembers {
  readonly ContentMD5?: string | undefined;
  readonly ContentLength?: number | undefined;
  readonly ChecksumAlgorithm?: string | undefined;
}

/** The largest object or part that one request can bring. */
const MAXIMUM_PUT = 5 * 1024 ** 3;

/** What a request says about the payload that comes with it, computed while the payload passes. */
export class PayloadChecks {
  /** Bytes of payload, as the request says; a form does not say it. */
  readonly expectedSize: number | undefined;
  readonly checksum: Checksum;
  /** True when the client named the algorithm. */
  readonly isChecksumChosen: boolean;
  readonly #call: Call;
  readonly #given: string | undefined;
  readonly #isTrailing: boolean;
  readonly #contentMd5: Buffer | undefined;
  readonly #md5: Hash | undefined;
  #digest: string | undefined;
  #md5Digest: Buffer | undefined;

  /**
   * @param fallback the algorithm to compute where the client names none
   * @param needsMd5 when the MD5 is wanted for the ETag
   */
  constructor(
    input: PayloadInput,
    call: Call,
    options: { readonly fallback: ChecksumName; readonly needsMd5: boolean },
  ) {
    this.#call = call;
    this.expectedSize = readSize(input, call);
    const { name, value, isTrailing } = readChecksum(input, call);
    this.isChecksumChosen = name !== undefined;
    this.#given = value;
    this.#isTrailing = isTrailing;
    this.checksum = startChecksum(name ?? options.fallback);
    this.#contentMd5 = readContentMd5(input.ContentMD5);
    this.#md5 = options.needsMd5 || this.#contentMd5 !== undefined ? createHash('md5') : undefined;
  }

  /** What the payload must pass by. */
  get observers(): { update(chunk: Uint8Array): unknown }[] {
    return this.#md5 === undefined ? [this.checksum] : [this.checksum, this.#md5];
  }

  readonly checkSize = (size: number): void => {
    const { payloadRange } = this.#call.source;
    if (payloadRange !== undefined && size > payloadRange.max) throw entityTooLarge(size, payloadRange.max);
    if (this.expectedSize !== undefined && size > this.expectedSize) throw incompleteBody();
  };

  /** Compares what came with what was said. @throws ServiceError BadDigest, IncompleteBody */
  finish(size: number): void {
    const { payloadRange } = this.#call.source;
    if (payloadRange !== undefined && size < payloadRange.min) throw formTooSmall(size, payloadRange.min);
    if (this.expectedSize !== undefined && size !== this.expectedSize) throw incompleteBody();
    this.#md5Digest = this.#md5?.digest();
    const { name } = this.checksum;
    this.#digest = this.checksum.digest();
    if (this.#contentMd5 !== undefined && this.#md5Digest !== undefined) {
      if (!timingSafeEqual(this.#contentMd5, this.#md5Digest)) throw badContentMd5();
    }
    const given = this.#isTrailing ? this.#call.trailers[checksumHeaderOf(name)] : this.#given;
    if (given === undefined) {
      if (this.#isTrailing) throw invalidRequest(`The trailer ${checksumHeaderOf(name)} is missing.`);
      return;
    }
    if (!isChecksumText(name, given)) throw invalidChecksum(name);
    if (given !== this.#digest) throw badDigest(name);
  }

  /** The checksum in base64, after `finish`. */
  get digest(): string {
    if (this.#digest === undefined) throw new Error('The payload has not ended.');
    return this.#digest;
  }

  /** The MD5 in hexadecimal digits, after `finish`, where it was wanted. */
  get md5(): string | undefined {
    return this.#md5Digest?.toString('hex');
  }
}

function readSize(input: PayloadInput, call: Call): number | undefined {
  if (call.source.payloadRange !== undefined) return undefined;
  const decoded = call.source.header('x-amz-decoded-content-length');
  const size = decoded === undefined ? input.ContentLength : Number(decoded);
  if (size === undefined) throw missingContentLength();
  if (!Number.isSafeInteger(size) || size < 0) throw missingContentLength();
  if (size > MAXIMUM_PUT) throw entityTooLarge(size, MAXIMUM_PUT);
  return size;
}

function readChecksum(
  input: PayloadInput,
  call: Call,
): { readonly name: ChecksumName | undefined; readonly value: string | undefined; readonly isTrailing: boolean } {
  const given = CHECKSUM_NAMES.filter((name) => input[checksumMemberOf(name)] !== undefined);
  const trailer = call.source
    .header('x-amz-trailer')
    ?.split(',')
    .map((item) => item.trim().toLowerCase())
    .find((item) => item.startsWith('x-amz-checksum-'));
  if (given.length + (trailer === undefined ? 0 : 1) > 1) {
    throw invalidRequest('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  }
  const algorithm = input.ChecksumAlgorithm;
  const chosen = algorithm === undefined ? undefined : asChecksumName(algorithm);
  if (algorithm !== undefined && chosen === undefined)
    throw notImplemented(`x-amz-sdk-checksum-algorithm: ${algorithm}`);
  const [name] = given;
  if (name !== undefined) {
    const value = input[checksumMemberOf(name)];
    if (chosen !== undefined && chosen !== name) throw mismatch();
    if (value === undefined || !isChecksumText(name, value)) throw invalidChecksum(name);
    return { name, value, isTrailing: false };
  }
  if (trailer !== undefined) {
    const trailing = checksumNameOfHeader(trailer);
    if (trailing === undefined) throw notImplemented(trailer);
    if (chosen !== undefined && chosen !== trailing) throw mismatch();
    return { name: trailing, value: undefined, isTrailing: true };
  }
  if (chosen !== undefined) {
    throw invalidRequest(
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  return { name: undefined, value: undefined, isTrailing: false };
}

function mismatch(): Error {
  return invalidRequest('Value for x-amz-sdk-checksum-algorithm header is invalid.');
}

function invalidChecksum(name: ChecksumName): Error {
  return invalidRequest(`Value for ${checksumHeaderOf(name)} header is invalid.`);
}

function readContentMd5(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 16 || !/^[A-Za-z0-9+/]{22}==$/.test(text)) throw invalidDigest(text);
  return bytes;
}
