import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';

/** How an object was encrypted as a whole, by somebody else and before it was stored. */
export interface WholeObjectCipher {
  readonly mode: 'ctr' | 'cbc' | 'gcm';
  /** 16, 24 or 32 bytes; not kept, so that the caller may overwrite it. */
  readonly key: Uint8Array;
  /** 16 bytes, or 12 with CTR and GCM. */
  readonly iv: Uint8Array;
}

/** Bytes of the ciphertext. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Gives these bytes of the ciphertext, all of them. */
type ReadCiphertext = (range: ByteRange) => Promise<Uint8Array>;

/** Opens any part of an encrypted object by itself. */
export interface RangedDecryptor {
  /** Bytes of the plaintext. */
  readonly size: number;
  /** What of the ciphertext is needed for `length` bytes of the plaintext from `offset` on. */
  cover(offset: number, length: number): ByteRange;
  /**
   * Fills `target` with the plaintext from `offset` on.
   *
   * @param ciphertext what `cover` asked for
   */
  open(ciphertext: Uint8Array, offset: number, target: Uint8Array): void;
}

/** The object is not what was said of it. The message says why, and may be shown. */
export class CiphertextError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CiphertextError';
  }
}

const BLOCK = 16;
const GCM_TAG = 16;
const GCM_BLOCKS = 2 ** 32 - 2;
/** How much is read at once to verify a tag. */
const VERIFIED_CHUNK = 4 * 1024 * 1024;

/**
 * Prepares the reading of an encrypted object in any order.
 *
 * INVARIANT: with GCM the whole object is read once and its tag verified before this resolves; what is read afterwards
 * is what was verified only if the object does not change, for which the caller answers.
 *
 * @param size bytes of the ciphertext, tag and padding included
 * @throws CiphertextError when the size or padding is impossible or the tag is wrong
 */
export async function openRanged(
  cipher: WholeObjectCipher,
  size: number,
  read: ReadCiphertext,
): Promise<RangedDecryptor> {
  const { mode } = cipher;
  const key = createSecretKey(cipher.key);
  const iv = Buffer.from(cipher.iv);
  switch (mode) {
    case 'ctr':
      return new CounterDecryptor(key, Buffer.concat([iv, Buffer.alloc(BLOCK - iv.length)]), size, 128);
    case 'cbc':
      return new ChainDecryptor(key, iv, size - (await readPadding(key, iv, size, read)));
    case 'gcm':
      await verifyTag(key, iv, size, read);
      return new CounterDecryptor(key, firstGcmCounter(key, iv), size - GCM_TAG, 32);
  }
}

/** CTR, and GCM without its tag: each block is masked by the encryption of a counter. */
class CounterDecryptor implements RangedDecryptor {
  readonly size: number;
  readonly #key: KeyObject;
  readonly #first: Buffer;
  readonly #counterBits: number;

  /**
   * @param first the counter of the first block
   * @param counterBits how many of its last bits count, and begin anew without a carry: 32 in GCM
   */
  constructor(key: KeyObject, first: Buffer, size: number, counterBits: 32 | 128) {
    this.#key = key;
    this.#first = first;
    this.#counterBits = counterBits;
    this.size = size;
  }

  cover(offset: number, length: number): ByteRange {
    return { offset, length };
  }

  open(ciphertext: Uint8Array, offset: number, target: Uint8Array): void {
    let at = 0;
    while (at < target.length) {
      const block = Math.floor((offset + at) / BLOCK);
      const skipped = (offset + at) % BLOCK;
      const { counter, blocksLeft } = this.#counterOf(block);
      const end = Math.min(target.length, at + blocksLeft * BLOCK - skipped);
      const decipher = createDecipheriv(`aes-${bitsOf(this.#key)}-ctr`, this.#key, counter);
      decipher.update(Buffer.alloc(skipped));
      target.set(decipher.update(ciphertext.subarray(at, end)), at);
      at = end;
    }
  }

  /** The counter of a block, and how many blocks there are until OpenSSL, which carries over, would count wrong. */
  #counterOf(block: number): { readonly counter: Buffer; readonly blocksLeft: number } {
    if (this.#counterBits === 128) return { counter: plus(this.#first, block), blocksLeft: Number.MAX_SAFE_INTEGER };
    const counter = Buffer.from(this.#first);
    const low = (counter.readUInt32BE(BLOCK - 4) + block) % 2 ** 32;
    counter.writeUInt32BE(low, BLOCK - 4);
    return { counter, blocksLeft: 2 ** 32 - low };
  }
}

/** CBC: each block needs the ciphertext before it. */
class ChainDecryptor implements RangedDecryptor {
  readonly size: number;
  readonly #key: KeyObject;
  readonly #iv: Buffer;

  constructor(key: KeyObject, iv: Buffer, size: number) {
    this.#key = key;
    this.#iv = iv;
    this.size = size;
  }

  cover(offset: number, length: number): ByteRange {
    const first = Math.floor(offset / BLOCK);
    const end = Math.ceil((offset + length) / BLOCK) * BLOCK;
    const start = Math.max(0, first - 1) * BLOCK;
    return { offset: start, length: end - start };
  }

  open(ciphertext: Uint8Array, offset: number, target: Uint8Array): void {
    const isFirst = offset < BLOCK;
    const iv = isFirst ? this.#iv : ciphertext.subarray(0, BLOCK);
    const blocks = isFirst ? ciphertext : ciphertext.subarray(BLOCK);
    const skipped = offset % BLOCK;
    target.set(openBlocks(this.#key, iv, blocks).subarray(skipped, skipped + target.length));
  }
}

function openBlocks(key: KeyObject, iv: Uint8Array, blocks: Uint8Array): Buffer {
  const decipher = createDecipheriv(`aes-${bitsOf(key)}-cbc`, key, iv);
  decipher.setAutoPadding(false);
  return decipher.update(blocks);
}

/** The length of the padding (PKCS #7), which says where a CBC plaintext ends. */
async function readPadding(key: KeyObject, iv: Buffer, size: number, read: ReadCiphertext): Promise<number> {
  if (size === 0 || size % BLOCK !== 0) {
    throw new CiphertextError(`AES-CBC makes whole blocks of 16 bytes, and the object has ${size} bytes`);
  }
  const start = Math.max(0, size - 2 * BLOCK);
  const tail = await read({ offset: start, length: size - start });
  const [before, last] = tail.length > BLOCK ? [tail.subarray(0, BLOCK), tail.subarray(BLOCK)] : [iv, tail];
  const block = openBlocks(key, before, last);
  const padding = block[BLOCK - 1] ?? 0;
  const isRight = padding >= 1 && padding <= BLOCK && block.subarray(BLOCK - padding).every((byte) => byte === padding);
  if (!isRight) throw new CiphertextError('the padding at its end is wrong, as with another key or mode');
  return padding;
}

/** Reads the whole object, one chunk ahead, and compares its tag, which are its last 16 bytes. */
async function verifyTag(key: KeyObject, iv: Buffer, size: number, read: ReadCiphertext): Promise<void> {
  const end = size - GCM_TAG;
  if (end < 0) throw new CiphertextError(`it is too short for the tag of AES-GCM, with ${size} bytes`);
  if (end > GCM_BLOCKS * BLOCK) throw new CiphertextError('it is longer than AES-GCM allows (64 GiB)');
  const decipher = createDecipheriv(`aes-${bitsOf(key)}-gcm`, key, iv, { authTagLength: GCM_TAG });
  decipher.setAuthTag(await read({ offset: end, length: GCM_TAG }));
  const readAt = async (offset: number): Promise<Uint8Array | undefined> =>
    offset < end ? await read({ offset, length: Math.min(VERIFIED_CHUNK, end - offset) }) : undefined;
  let next = readAt(0);
  for (let at = 0; at < end; at += VERIFIED_CHUNK) {
    const chunk = await next;
    next = readAt(at + VERIFIED_CHUNK);
    // The loop may end by the chunk's failure; the one after it must not be left unhandled.
    next.catch(() => undefined);
    if (chunk !== undefined) decipher.update(chunk);
  }
  try {
    decipher.final();
  } catch {
    throw new CiphertextError('its authentication tag is wrong: it was changed, or the key or vector is another');
  }
}

/**
 * The counter of GCM's first block. From a vector that is not 12 bytes long it comes by a hash, which OpenSSL has inside
 * only: so a block of zeros is encrypted, and its mask decrypted back into the counter.
 */
function firstGcmCounter(key: KeyObject, iv: Buffer): Buffer {
  const mask = createCipheriv(`aes-${bitsOf(key)}-gcm`, key, iv, { authTagLength: GCM_TAG }).update(
    Buffer.alloc(BLOCK),
  );
  const decipher = createDecipheriv(`aes-${bitsOf(key)}-ecb`, key, null);
  decipher.setAutoPadding(false);
  return decipher.update(mask);
}

function bitsOf(key: KeyObject): 128 | 192 | 256 {
  const bits = (key.symmetricKeySize ?? 0) * 8;
  if (bits === 128 || bits === 192 || bits === 256) return bits;
  throw new RangeError(`AES has no keys of ${bits} bits.`);
}

/** A block as a number of 128 bits, plus a count, without a carry out of it. */
function plus(block: Buffer, count: number): Buffer {
  const sum = BigInt.asUintN(128, BigInt(`0x${block.toString('hex')}`) + BigInt(count));
  return Buffer.from(sum.toString(16).padStart(2 * BLOCK, '0'), 'hex');
}
