/** `*`: any number of characters, none included. */
export const ANY_TEXT = Symbol('*');
/** `?`: exactly one character. */
export const ONE_CHARACTER = Symbol('?');

/** A pattern taken apart: literal characters and wildcards. Literal `*` and `?` are strings here. */
export type Glob = readonly (string | typeof ANY_TEXT | typeof ONE_CHARACTER)[];
