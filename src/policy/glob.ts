/** `*`: any number of characters, none included. */
export const ANY_TEXT = Symbol('*');
/** `?`: exactly one character. */
export const ONE_CHARACTER = Symbol('?');

/** A pattern taken apart: literal characters and wildcards. Literal `*` and `?` are strings here. */
export type Glob = readonly (string | typeof ANY_TEXT | typeof ONE_CHARACTER)[];

/** Characters of a text: the text itself where each is one code unit, else an array, so that `?` takes an emoji whole. */
function charactersOf(text: string): ArrayLike<string> {
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
}

/** Appends literal text to a pattern that is being built. */
export function pushLiteral(glob: (string | typeof ANY_TEXT | typeof ONE_CHARACTER)[], text: string): void {
  for (const character of text) glob.push(character);
}

/**
 * Matches in at most pattern × text steps, without recursion: after a mismatch only the last `*` takes one character
 * more, which is enough, because an earlier `*` could not do better.
 *
 * INVARIANT: no pattern or text, however hostile, takes more than that.
 */
export function matchesGlob(glob: Glob, text: string): boolean {
  const characters = charactersOf(text);
  let position = 0;
  let index = 0;
  let afterStar = -1;
  let retryFrom = 0;
  while (position < characters.length) {
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
