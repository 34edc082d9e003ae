import type { BoxSpan } from './mp4-boxes.ts';
import { listBoxes } from './mp4-boxes.ts';

const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl']);

/**
 * Puts a `cslg` box (composition to decode timeline, ISO 14496-12) behind each table of composition offsets, and gives
 * that table the wanted version. FFmpeg's muxer writes the negative offsets, but not the box.
 *
 * @param moov a whole `moov` box
 * @param cttsVersion 1 as the specification has it for negative offsets, 0 as older readers expect it
 */
export function withCompositionShift(moov: Uint8Array, cttsVersion: 0 | 1): Uint8Array<ArrayBuffer> {
  const [root] = listBoxes(moov);
  if (root === undefined) throw new RangeError('The index is empty.');
  return rebuild(moov, root, cttsVersion);
}

function rebuild(moov: Uint8Array, box: BoxSpan, cttsVersion: 0 | 1): Uint8Array<ArrayBuffer> {
  if (!CONTAINERS.has(box.type)) {
    const copy = moov.slice(box.start, box.end);
    if (box.type === 'ctts') copy[8] = cttsVersion;
    return copy;
  }
  const children = listBoxes(moov, box.body, box.end);
  const times = children.find((child) => child.type === 'stts');
  const parts = children.flatMap((child) => {
    const rebuilt = rebuild(moov, child, cttsVersion);
    return child.type === 'ctts' && times !== undefined ? [rebuilt, cslg(moov, times, child)] : [rebuilt];
  });
  const size = parts.reduce((sum, part) => sum + part.length, 8);
  const result = new Uint8Array(size);
  new DataView(result.buffer).setUint32(0, size);
  result.set(moov.subarray(box.start + 4, box.body), 4);
  let at = 8;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function cslg(moov: Uint8Array, times: BoxSpan, offsets: BoxSpan): Uint8Array<ArrayBuffer> {
  const facts = { least: 0, greatest: 0, start: Number.POSITIVE_INFINITY, end: 0 };
  const durations = runs(moov, times);
  let decode = 0;
  for (const offset of runs(moov, offsets)) {
    const duration = durations.next().value ?? 0;
    facts.least = Math.min(facts.least, offset);
    facts.greatest = Math.max(facts.greatest, offset);
    facts.start = Math.min(facts.start, decode + offset);
    facts.end = Math.max(facts.end, decode + offset + duration);
    decode += duration;
  }
  const values = [Math.max(0, -facts.least), facts.least, facts.greatest, facts.start, facts.end];
  const is64 = values.some((value) => value > 0x7fff_ffff || value < -0x8000_0000);
  const width = is64 ? 8 : 4;
  const box = new Uint8Array(12 + values.length * width);
  const view = new DataView(box.buffer);
  view.setUint32(0, box.length);
  box.set(new TextEncoder().encode('cslg'), 4);
  view.setUint8(8, is64 ? 1 : 0);
  values.forEach((value, index) => {
    const at = 12 + index * width;
    if (is64) view.setBigInt64(at, BigInt(value));
    else view.setInt32(at, value);
  });
  return box;
}

/** The values of a run-length table (`stts`, `ctts`), one for each sample. */
function* runs(moov: Uint8Array, box: BoxSpan): Generator<number, undefined> {
  const view = new DataView(moov.buffer, moov.byteOffset + box.body, box.end - box.body);
  const count = view.getUint32(4);
  for (let entry = 0; entry < count; entry++) {
    const repeat = view.getUint32(8 + entry * 8);
    const value = view.getInt32(12 + entry * 8);
    for (let index = 0; index < repeat; index++) yield value;
  }
}
