import { ANY_TEXT, type Glob, ONE_CHARACTER } from './glob-symbols.ts';

const WORD = 32;

/**
 * Matches what a plain search would take too long for: part by part between the stars, all places at once, a bit for each
 * character of the part (Baeza-Yates and Gonnet's "shift-and"). Takes text × pattern ÷ 32 steps.
 */
export function matchesBySegments(glob: Glob, characters: ArrayLike<string>): boolean {
  const segments = segmentsOf(glob);
  const first = segments[0] ?? [];
  const last = segments.at(-1) ?? [];
  if (segments.length === 1) return first.length === characters.length && stands(first, characters, 0);
  let position = first.length;
  const end = characters.length - last.length;
  if (position > end || !stands(first, characters, 0) || !stands(last, characters, end)) return false;
  for (const segment of segments.slice(1, -1)) {
    if (segment.length === 0) continue;
    const found = findSegment(segment, characters, position, end);
    if (found === -1) return false;
    position = found + segment.length;
  }
  return true;
}

type Segment = readonly (string | typeof ONE_CHARACTER)[];

function segmentsOf(glob: Glob): Segment[] {
  const segments: (string | typeof ONE_CHARACTER)[][] = [[]];
  for (const symbol of glob) {
    if (symbol === ANY_TEXT) segments.push([]);
    else segments.at(-1)?.push(symbol);
  }
  return segments;
}

function stands(segment: Segment, characters: ArrayLike<string>, at: number): boolean {
  return segment.every((symbol, index) => symbol === ONE_CHARACTER || symbol === characters[at + index]);
}

/** The first place between `from` and `end` where the segment stands, or -1. */
function findSegment(segment: Segment, characters: ArrayLike<string>, from: number, end: number): number {
  const words = Math.ceil(segment.length / WORD);
  const anyCharacter = new Uint32Array(words);
  const masks = new Map<string, Uint32Array>();
  for (const [index, symbol] of segment.entries()) if (symbol === ONE_CHARACTER) setBit(anyCharacter, index);
  for (const [index, symbol] of segment.entries()) {
    if (symbol === ONE_CHARACTER) continue;
    let mask = masks.get(symbol);
    if (mask === undefined) masks.set(symbol, (mask = anyCharacter.slice()));
    setBit(mask, index);
  }
  // Bit n is set while the last n + 1 characters are the first n + 1 of the segment.
  const state = new Uint32Array(words);
  const lastBit = 1 << ((segment.length - 1) % WORD);
  for (let at = from; at < end; at++) {
    const mask = masks.get(characters[at] ?? '') ?? anyCharacter;
    let carry = 1;
    for (let word = 0; word < words; word++) {
      const before = state[word] ?? 0;
      state[word] = ((before << 1) | carry) & (mask[word] ?? 0);
      carry = before >>> (WORD - 1);
    }
    if (((state[words - 1] ?? 0) & lastBit) !== 0) return at - segment.length + 1;
  }
  return -1;
}

function setBit(mask: Uint32Array, index: number): void {
  const word = Math.floor(index / WORD);
  mask[word] = (mask[word] ?? 0) | (1 << (index % WORD));
}
