import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { DecryptionError } from './decryption-error.ts';
import { deriveKey } from './derive-key.ts';

// Tink's AesGcmHkdfStreaming with a 256-bit derived key and HKDF-SHA256 (docs/formats/blob.md). Frozen wire constants.
const KEY_LENGTH = 32;
const NONCE_PREFIX_LENGTH = 7;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const ALGORITHM = 'aes-256-gcm';
/** Length byte, salt and nonce prefix; it counts towards the first segment. */
export const STREAM_HEADER_LENGTH = 1 + KEY_LENGTH + NONCE_PREFIX_LENGTH;
const MAXIMUM_SEGMENTS = 2 ** 32;
const MINIMUM_SEGMENT_SIZE = STREAM_HEADER_LENGTH + TAG_LENGTH + 1;

/** A key of 32 bytes from which each stream's own key is derived. */
export type StreamKey = Uint8Array | KeyObject;

/** The bytes of ciphertext that a plaintext becomes. */
export function ciphertextLength(plaintextLength: number, segmentSize: number): number {
  const overSegments = Math.max(1, Math.ceil((plaintextLength + STREAM_HEADER_LENGTH) / (segmentSize - TAG_LENGTH)));
  return STREAM_HEADER_LENGTH + plaintextLength + overSegments * TAG_LENGTH;
}

/**
 * The bytes of plaintext in a ciphertext of this length.
 *
 * @throws DecryptionError when no plaintext has a ciphertext of this length
 */
export function plaintextLength(ciphertextLength: number, segmentSize: number): number {
  const segments = Math.ceil(ciphertextLength / segmentSize);
  const plaintext = ciphertextLength - STREAM_HEADER_LENGTH - segments * TAG_LENGTH;
  const lastLength = ciphertextLength - (segments - 1) * segmentSize;
  // A last segment without plaintext exists only where the whole plaintext is empty.
  if (plaintext < 0 || (segments > 1 && lastLength <= TAG_LENGTH)) throw new DecryptionError();
  return plaintext;
}

/** Encrypts a stream segment by segment. The caller groups the plaintext; see `firstCapacity` and `capacity`. */
export class SegmentSealer {
  /** Goes before the first segment. */
  readonly header: Buffer;
  /** Bytes of plaintext in the first segment, if it is not the last. */
  readonly firstCapacity: number;
  /** Bytes of plaintext in each further segment, if it is not the last. */
  readonly capacity: number;
  readonly #key: KeyObject;
  readonly #nonce: Buffer;
  #index = 0;
  #isEnded = false;

  /**
   * @param associatedData says what the stream is; decryption needs the same
   * @param segmentSize bytes of ciphertext in a segment, its tag included
   * @param head the salt and the nonce prefix (39 bytes), for test vectors only: they must never repeat under one key
   */
  constructor(key: StreamKey, associatedData: Uint8Array, segmentSize: number, head?: Uint8Array) {
    checkSegmentSize(segmentSize);
    this.header = Buffer.allocUnsafe(STREAM_HEADER_LENGTH);
    this.header[0] = STREAM_HEADER_LENGTH;
    this.header.set(head ?? randomBytes(STREAM_HEADER_LENGTH - 1), 1);
    this.firstCapacity = segmentSize - STREAM_HEADER_LENGTH - TAG_LENGTH;
    this.capacity = segmentSize - TAG_LENGTH;
    this.#key = streamKey(key, this.header, associatedData);
    this.#nonce = segmentNonce(this.header);
  }

  /**
   * Encrypts the next segment: exactly its capacity, or any smaller number of bytes for the last one.
   *
   * @returns the pieces of the segment's ciphertext and its tag, in order
   */
  seal(plaintext: readonly Uint8Array[], isLast: boolean): Buffer[] {
    // INVARIANT: a nonce is used once. The index only grows, and nothing follows the last segment.
    if (this.#isEnded || this.#index >= MAXIMUM_SEGMENTS) throw new RangeError('The encrypted stream has ended.');
    const limit = this.#index === 0 ? this.firstCapacity : this.capacity;
    setSegment(this.#nonce, this.#index++, isLast);
    this.#isEnded = isLast;
    const cipher = createCipheriv(ALGORITHM, this.#key, this.#nonce, { authTagLength: TAG_LENGTH });
    const pieces: Buffer[] = [];
    let length = 0;
    for (const piece of plaintext) {
      length += piece.length;
      pieces.push(cipher.update(piece));
    }
    if (isLast ? length > limit : length !== limit) throw new RangeError('A segment of the wrong length.');
    cipher.final();
    pieces.push(cipher.getAuthTag());
    return pieces;
  }
}

/** Decrypts any segment of a stream, in any order. */
export class SegmentOpener {
  readonly segmentSize: number;
  /** Number of segments. */
  readonly count: number;
  /** Bytes of plaintext in the whole stream. */
  readonly plaintextLength: number;
  readonly ciphertextLength: number;
  readonly #key: KeyObject;
  readonly #nonce: Buffer;

  /**
   * @param header the first 40 bytes of the stream
   * @param ciphertextLength bytes of the whole stream, its header included
   * @throws DecryptionError when this is not such a stream
   */
  constructor(
    key: StreamKey,
    associatedData: Uint8Array,
    segmentSize: number,
    header: Uint8Array,
    ciphertextLength: number,
  ) {
    checkSegmentSize(segmentSize);
    if (header.length !== STREAM_HEADER_LENGTH || header[0] !== STREAM_HEADER_LENGTH) throw new DecryptionError();
    this.segmentSize = segmentSize;
    this.ciphertextLength = ciphertextLength;
    this.plaintextLength = plaintextLength(ciphertextLength, segmentSize);
    this.count = Math.ceil(ciphertextLength / segmentSize);
    this.#key = streamKey(key, header, associatedData);
    this.#nonce = segmentNonce(header);
  }

  /** The segment in which a byte of the plaintext lies. */
  segmentAt(plaintextPosition: number): number {
    return Math.floor((plaintextPosition + STREAM_HEADER_LENGTH) / (this.segmentSize - TAG_LENGTH));
  }

  /** Where a segment's ciphertext lies in the stream (without the header, for the first). */
  ciphertextRange(index: number): { readonly start: number; readonly end: number } {
    return {
      start: index === 0 ? STREAM_HEADER_LENGTH : index * this.segmentSize,
      end: Math.min((index + 1) * this.segmentSize, this.ciphertextLength),
    };
  }

  /** The position in the plaintext of a segment's first byte. */
  plaintextStart(index: number): number {
    return index === 0 ? 0 : index * (this.segmentSize - TAG_LENGTH) - STREAM_HEADER_LENGTH;
  }

  /**
   * Decrypts one segment. Nothing of it is given out before its tag has been checked.
   *
   * @param ciphertext the segment as `ciphertextRange` gives it
   * @throws DecryptionError for any changed, missing or moved byte
   */
  open(index: number, ciphertext: Uint8Array): Buffer {
    const { start, end } = this.ciphertextRange(index);
    if (index < 0 || index >= this.count || ciphertext.length !== end - start) throw new DecryptionError();
    setSegment(this.#nonce, index, index === this.count - 1);
    const tagStart = ciphertext.length - TAG_LENGTH;
    const decipher = createDecipheriv(ALGORITHM, this.#key, this.#nonce, { authTagLength: TAG_LENGTH });
    decipher.setAuthTag(ciphertext.subarray(tagStart));
    const plaintext = decipher.update(ciphertext.subarray(0, tagStart));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      throw new DecryptionError();
    }
    return plaintext;
  }
}

/**
 * Groups chunks of any size into segments and encrypts each as soon as it is known not to be the last. Chunks are
 * copied: one call of the cipher for a whole segment makes one buffer, where many would keep the garbage collector
 * busy.
 */
export class StreamEncryptor {
  readonly #sealer: SegmentSealer;
  readonly #gathered: Buffer;
  #length = 0;
  #capacity: number;
  #header: Buffer | undefined;

  constructor(sealer: SegmentSealer) {
    this.#sealer = sealer;
    this.#gathered = Buffer.allocUnsafeSlow(sealer.capacity);
    this.#capacity = sealer.firstCapacity;
    this.#header = sealer.header;
  }

  /** @returns ciphertext that is ready, in order; often none */
  update(chunk: Uint8Array): Buffer[] {
    const output: Buffer[] = [];
    let offset = 0;
    while (offset < chunk.length) {
      // Not before there is more: a segment that is exactly full may be the last.
      if (this.#length === this.#capacity) this.#flush(output, false);
      const end = Math.min(chunk.length, offset + this.#capacity - this.#length);
      this.#gathered.set(offset === 0 && end === chunk.length ? chunk : chunk.subarray(offset, end), this.#length);
      this.#length += end - offset;
      offset = end;
    }
    return output;
  }

  /** Ends the stream, and overwrites the plaintext that was gathered. @returns its last ciphertext */
  end(): Buffer[] {
    const output: Buffer[] = [];
    this.#flush(output, true);
    this.#gathered.fill(0);
    // Not left to the garbage collector, which walks the heap for every few megabytes of such memory.
    if (this.#gathered.buffer instanceof ArrayBuffer) this.#gathered.buffer.transfer(0);
    return output;
  }

  #flush(output: Buffer[], isLast: boolean): void {
    if (this.#header !== undefined) output.push(this.#header);
    this.#header = undefined;
    output.push(...this.#sealer.seal([this.#gathered.subarray(0, this.#length)], isLast));
    this.#length = 0;
    this.#capacity = this.#sealer.capacity;
  }
}

/**
 * Encrypts a text that is wholly in memory.
 *
 * @param segmentSize the text has to fit into one segment
 */
export function sealStream(
  key: StreamKey,
  associatedData: Uint8Array,
  segmentSize: number,
  plaintext: readonly Uint8Array[],
): Buffer {
  const sealer = new SegmentSealer(key, associatedData, segmentSize);
  return Buffer.concat([sealer.header, ...sealer.seal(plaintext, true)]);
}

/**
 * Decrypts a stream that is wholly in memory.
 *
 * @throws DecryptionError for any changed byte
 */
export function openStream(
  key: StreamKey,
  associatedData: Uint8Array,
  segmentSize: number,
  ciphertext: Uint8Array,
): Buffer {
  if (ciphertext.length < STREAM_HEADER_LENGTH) throw new DecryptionError();
  const header = ciphertext.subarray(0, STREAM_HEADER_LENGTH);
  const opener = new SegmentOpener(key, associatedData, segmentSize, header, ciphertext.length);
  const pieces: Buffer[] = [];
  for (let index = 0; index < opener.count; index++) {
    const { start, end } = opener.ciphertextRange(index);
    pieces.push(opener.open(index, ciphertext.subarray(start, end)));
  }
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
}

function checkSegmentSize(segmentSize: number): void {
  if (!Number.isSafeInteger(segmentSize) || segmentSize < MINIMUM_SEGMENT_SIZE) {
    throw new RangeError(`A segment has at least ${MINIMUM_SEGMENT_SIZE} bytes.`);
  }
}

function streamKey(key: StreamKey, header: Uint8Array, associatedData: Uint8Array): KeyObject {
  const salt = header.subarray(1, 1 + KEY_LENGTH);
  const derived = deriveKey(key, salt, associatedData);
  try {
    return createSecretKey(derived);
  } finally {
    derived.fill(0);
  }
}

/** Nonce prefix (7 bytes) ‖ segment index (4, big endian) ‖ 1 for the last segment, else 0. */
function segmentNonce(header: Uint8Array): Buffer {
  const nonce = Buffer.alloc(NONCE_LENGTH);
  nonce.set(header.subarray(1 + KEY_LENGTH), 0);
  return nonce;
}

function setSegment(nonce: Buffer, index: number, isLast: boolean): void {
  nonce.writeUInt32BE(index, NONCE_PREFIX_LENGTH);
  nonce[NONCE_LENGTH - 1] = isLast ? 1 : 0;
}
