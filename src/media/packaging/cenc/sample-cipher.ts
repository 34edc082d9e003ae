import { randomBytes } from 'node:crypto';
import type { ContentKey } from '#crypto/content-cipher.ts';
import type { Subsample } from './subsamples.ts';

/** Of ten blocks of a picture one is encrypted, with the scheme `cbcs`. */
export const PATTERN = { encrypted: 1, skipped: 9 } as const;
const BLOCK = 16;

/** Encrypts samples in place, one after the other. */
export interface SampleCipher {
  /** The vector of the next sample, where each has its own. */
  readonly iv: Buffer | undefined;
  /** @param pieces of a picture; undefined for sound, which is encrypted as a whole */
  encrypt(sample: Buffer, pieces: readonly Subsample[] | undefined): void;
}

/**
 * Scheme `cenc`: AES-CTR, with a vector of eight bytes for each sample.
 *
 * INVARIANT: under one key no counter may be used twice. A sample's blocks are counted in the lower eight bytes, the
 * upper eight are the vector, which begins at random for each rendition and goes up by one with each sample.
 */
export class CounterCipher implements SampleCipher {
  readonly #key: ContentKey;
  #next = randomBytes(8).readBigUInt64BE();

  constructor(key: ContentKey) {
    this.#key = key;
  }

  get iv(): Buffer {
    const iv = Buffer.alloc(8);
    iv.writeBigUInt64BE(this.#next);
    return iv;
  }

  encrypt(sample: Buffer, pieces: readonly Subsample[] | undefined): void {
    const stream = this.#key.countingStream(Buffer.concat([this.iv, Buffer.alloc(8)]));
    this.#next = (this.#next + 1n) & 0xffff_ffff_ffff_ffffn;
    let at = 0;
    for (const { clear, encrypted } of pieces ?? [{ clear: 0, encrypted: sample.length }]) {
      at += clear;
      if (encrypted > 0) stream.update(sample.subarray(at, at + encrypted)).copy(sample, at);
      at += encrypted;
    }
  }
}

/** Scheme `cbcs`: AES-CBC that begins with the same vector in each piece; of a picture one block in ten. */
export class PatternCipher implements SampleCipher {
  readonly iv = undefined;
  readonly #key: ContentKey;
  readonly #iv: Uint8Array;

  constructor(key: ContentKey, iv: Uint8Array) {
    this.#key = key;
    this.#iv = iv;
  }

  encrypt(sample: Buffer, pieces: readonly Subsample[] | undefined): void {
    if (pieces === undefined) {
      const whole = sample.length - (sample.length % BLOCK);
      if (whole > 0) this.#key.encryptBlocks(this.#iv, sample.subarray(0, whole)).copy(sample);
      return;
    }
    let at = 0;
    for (const { clear, encrypted } of pieces) {
      at += clear;
      if (encrypted >= BLOCK) this.#encryptPattern(sample.subarray(at, at + encrypted));
      at += encrypted;
    }
  }

  #encryptPattern(piece: Buffer): void {
    const step = (PATTERN.encrypted + PATTERN.skipped) * BLOCK;
    const count = Math.ceil((piece.length - BLOCK + 1) / step);
    const blocks = Buffer.allocUnsafe(count * BLOCK);
    for (let index = 0; index < count; index++) piece.copy(blocks, index * BLOCK, index * step, index * step + BLOCK);
    const sealed = this.#key.encryptBlocks(this.#iv, blocks);
    for (let index = 0; index < count; index++) sealed.copy(piece, index * step, index * BLOCK, (index + 1) * BLOCK);
  }
}
