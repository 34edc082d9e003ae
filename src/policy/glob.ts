import { ANY_TEXT, type Glob, ONE_CHARACTER } from './glob-symbols.ts';
import { matchesBySegments } from './segment-search.ts';

/** Characters of a text: the text itself where each is one code unit, else an array, so that `?` takes an emoji whole. */
function charactersOf(text: string): ArrayLike<string> {
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
}

/** Appends literal text to a pattern that is being built. */
export function pushLiteral(glob: (string | typeof ANY_TEXT | typeof ONE_CHARACTER)[], text: string): void {
  for (const character of text) glob.push(character);
}

/** Steps after which a search is taken over by one that has a better bound and a slower start. */
const MAX_STEPS = 100_000;

/**
 * Matches without recursion: after a mismatch only the last `*` takes one character more, which is enough, because an
 * earlier `*` could not do better. That is pattern × text steps at worst, so that a search which goes on for long is left
 * to `matchesBySegments`.
 *
 * INVARIANT: no pattern or text, however hostile, takes more than that.
 */
export function matchesGlob(glob: Glob, text: string): boolean {
  const characters = charactersOf(text);
  // What is longer than the text, stars apart, does not match: so the text's length bounds both factors.
  if (glob.length > characters.length && shortestMatch(glob) > characters.length) return false;
  let position = 0;
  let index = 0;
  let afterStar = -1;
  let retryFrom = 0;
  let steps = 0;
  while (position < characters.length) {
    if (++steps > MAX_STEPS) return matchesBySegments(glob, characters);
    const symbol = glob[index];
    if (symbol === ANY_TEXT) {
      afterStar = ++index;
      if (afterStar === glob.length) return true;
      retryFrom = position;
    } else if (symbol !== undefined && (symbol === ONE_CHARACTER || symbol === characters[position])) {
      index++;
      position++;
    } else if (afterStar >= 0) {
      index = afterStar;
      position = ++retryFrom;
    } else {
      return false;
    }
  }
  while (glob[index] === ANY_TEXT) index++;
  return index === glob.length;
}

function shortestMatch(glob: Glob): number {
  let length = 0;
  for (const symbol of glob) if (symbol !== ANY_TEXT) length++;
  return length;
}
