import { type Cipheriv, createCipheriv } from 'node:crypto';

const BLOCK = 16;
const ZEROS = Buffer.alloc(BLOCK);

/**
 * AES-256 in counter mode from a counter of zero: the same work encrypts and decrypts. It brings no tag: only for what
 * something else authenticates, and only under a key that no other stream has.
 *
 * @param key 32 bytes
 * @param offset bytes of the stream that lie before what is to come
 */
export function counterStream(key: Buffer, offset: number): Pick<Cipheriv, 'update'> {
  const counter = Buffer.alloc(BLOCK);
  counter.writeBigUInt64BE(BigInt(Math.floor(offset / BLOCK)), BLOCK - 8);
  const cipher = createCipheriv('aes-256-ctr', key, counter);
  cipher.update(ZEROS.subarray(0, offset % BLOCK));
  return cipher;
}
