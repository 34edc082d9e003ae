import assert from 'node:assert/strict';
import { createDecipheriv, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { ContentKey } from '#crypto/content-cipher.ts';
import { splitAnnexB, withoutEmulationPrevention } from './codecs/nal-units.ts';
import { encryptAacFrame, encryptAvcPicture } from './sample-aes.ts';

const KEY = randomBytes(16);
const IV = randomBytes(16);
const key = new ContentKey(KEY);

/** As a player does it. */
function decryptUnit(unit: Buffer): Buffer {
  const plain = Buffer.from(withoutEmulationPrevention(unit));
  const decipher = createDecipheriv('aes-128-cbc', KEY, IV).setAutoPadding(false);
  for (let at = 32; at < plain.length; at += 160) {
    if (plain.length - at > 16) decipher.update(plain.subarray(at, at + 16)).copy(plain, at);
  }
  return plain;
}

/** A NAL unit as an encoder writes it: what looks like a start code is kept out of it, and its last byte is not zero. */
function unitOf(type: number, length: number, values: number): Buffer {
  const bytes: number[] = [0x60 | type];
  while (bytes.length < length) {
    const byte = Math.floor(Math.random() * values);
    if (byte <= 3 && bytes.at(-1) === 0 && bytes.at(-2) === 0) bytes.push(3);
    bytes.push(byte);
  }
  bytes.push(0x80);
  return Buffer.from(bytes);
}

function picture(...units: Buffer[]): Buffer {
  return Buffer.concat(units.flatMap((unit, index) => [Buffer.from(index === 0 ? [0, 0, 0, 1] : [0, 0, 1]), unit]));
}

describe('the pictures of SAMPLE-AES', () => {
  test('are what they were when a player decrypts them, full of zeros or not', () => {
    for (let round = 0; round < 300; round++) {
      const unit = unitOf(round % 2 === 0 ? 5 : 1, 49 + Math.floor(Math.random() * 900), round % 3 === 0 ? 3 : 256);
      const [sealed = Buffer.alloc(0), ...others] = splitAnnexB(encryptAvcPicture(picture(unit), key, IV));
      assert.equal(others.length, 0, 'no start code came about');
      assert.equal(sealed.indexOf(Buffer.of(0, 0, 2)), -1);
      assert.ok(!sealed.subarray(0, 80).equals(unit.subarray(0, 80)) || unit.length < 49);
      assert.deepEqual(decryptUnit(sealed), unit);
    }
  });

  test('keep their parameter sets, their other messages and short units in the clear', () => {
    const units = [unitOf(9, 1, 256), unitOf(7, 60, 256), unitOf(8, 60, 256), unitOf(6, 300, 256), unitOf(5, 47, 256)];
    assert.ok((units[4]?.length ?? 0) >= 48);
    const short = (units[4] ?? Buffer.alloc(0)).subarray(-48);
    short[0] = 0x65;
    short[47] = 0x80;
    const all = [...units.slice(0, 4), short];
    assert.deepEqual(splitAnnexB(encryptAvcPicture(picture(...all), key, IV)), all);
  });

  test('have one block in ten encrypted behind 32 bytes, and never the last', () => {
    const unit = Buffer.alloc(32 + 160 + 16, 0x55);
    unit[0] = 0x65;
    const [sealed = Buffer.alloc(0)] = splitAnnexB(encryptAvcPicture(picture(unit), key, IV));
    const opened = Buffer.from(withoutEmulationPrevention(sealed));
    const changed = [...opened.keys()].filter((at) => opened[at] !== unit[at]);
    assert.ok(changed.every((at) => at >= 32 && at < 48));
    assert.ok(changed.length > 8);
    const longer = Buffer.concat([unit, Buffer.of(0x55)]);
    const [other = Buffer.alloc(0)] = splitAnnexB(encryptAvcPicture(picture(longer), key, IV));
    assert.deepEqual(decryptUnit(other), longer);
    assert.ok(!Buffer.from(withoutEmulationPrevention(other)).subarray(192, 208).equals(longer.subarray(192, 208)));
  });
});

test('an AAC frame keeps its first 16 bytes and its odd end in the clear', () => {
  for (const length of [1, 16, 31, 32, 33, 47, 48, 371]) {
    const frame = randomBytes(length);
    const before = Buffer.from(frame);
    const sealed = encryptAacFrame(frame, key, IV);
    assert.deepEqual(frame, before, 'what was given stays as it is');
    const blocks = Math.max(0, Math.floor((length - 16) / 16)) * 16;
    const decipher = createDecipheriv('aes-128-cbc', KEY, IV).setAutoPadding(false);
    const middle = decipher.update(sealed.subarray(16, 16 + blocks));
    assert.deepEqual(Buffer.concat([sealed.subarray(0, 16), middle, sealed.subarray(16 + blocks)]), frame);
    assert.equal(sealed.equals(frame), blocks === 0);
  }
});
