import type { ContentKey } from '#crypto/content-cipher.ts';
import { annexBPieces, splitAnnexB } from './codecs/nal-units.ts';

/**
 * SAMPLE-AES: the samples of a transport stream are encrypted, and everything around them is not. Source: Apple, "MPEG-2
 * Stream Encryption Format for HTTP Live Streaming".
 */

const BLOCK = 16;
/** What stays clear at the beginning of an AAC frame, behind its ADTS header. */
const AAC_LEADER = 16;
/** What stays clear of a NAL unit, its header included; shorter units and those that fit stay clear as a whole. */
const NAL_LEADER = 32;
const SHORTEST_NAL = 48;
/** One block in ten is encrypted. */
const PATTERN = 10 * BLOCK;
const SLICE = 1;
const KEY_SLICE = 5;

/** @param frame an AAC frame without an ADTS header */
export function encryptAacFrame(frame: Uint8Array, key: ContentKey, iv: Uint8Array): Buffer {
  const sealed = Buffer.from(frame);
  const length = Math.floor((frame.length - AAC_LEADER) / BLOCK) * BLOCK;
  if (length <= 0) return sealed;
  key.encryptBlocks(iv, frame.subarray(AAC_LEADER, AAC_LEADER + length)).copy(sealed, AAC_LEADER);
  return sealed;
}

/** @param picture an access unit of H.264 in Annex B form */
export function encryptAvcPicture(picture: Buffer, key: ContentKey, iv: Uint8Array): Buffer {
  return Buffer.concat(annexBPieces(splitAnnexB(picture).map((unit) => encryptUnit(unit, key, iv))));
}

function encryptUnit(unit: Buffer, key: ContentKey, iv: Uint8Array): Buffer {
  const type = (unit[0] ?? 0) & 0x1f;
  if ((type !== SLICE && type !== KEY_SLICE) || unit.length <= SHORTEST_NAL) return unit;
  const places: number[] = [];
  // A block that ends the unit stays clear: there has to be something behind an encrypted one.
  for (let at = NAL_LEADER; unit.length - at > BLOCK; at += PATTERN) places.push(at);
  const blocks = Buffer.concat(places.map((at) => unit.subarray(at, at + BLOCK)));
  const encrypted = key.encryptBlocks(iv, blocks);
  const sealed = Buffer.from(unit);
  places.forEach((at, index) => encrypted.copy(sealed, at, index * BLOCK, (index + 1) * BLOCK));
  return withEmulationPrevention(sealed);
}

/**
 * Keeps start codes out of a unit (H.264, 7.4.1). The unit that was encrypted had been through this before, and has its
 * own such bytes still: a player takes these off, decrypts, and has what the encoder wrote.
 */
function withEmulationPrevention(unit: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let start = 0;
  let at = unit.indexOf(ZEROS);
  while (at >= 0 && at + 2 < unit.length) {
    if ((unit[at + 2] ?? 0) <= 3) {
      pieces.push(unit.subarray(start, at + 2), PREVENTION);
      start = at + 2;
      at = unit.indexOf(ZEROS, start);
    } else at = unit.indexOf(ZEROS, at + 1);
  }
  if (pieces.length === 0) return unit;
  pieces.push(unit.subarray(start));
  return Buffer.concat(pieces);
}

const ZEROS = Buffer.of(0, 0);
const PREVENTION = Buffer.of(3);
