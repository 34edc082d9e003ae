/** The characters of CEA-608 and their codes. Source: 47 CFR 15.119 and CEA-608. */

/** Codes 0x20 to 0x7f are ASCII but for these. */
const DIFFERENT: Readonly<Record<number, string>> = {
  0x2a: 'á',
  0x5c: 'é',
  0x5e: 'í',
  0x5f: 'ó',
  0x60: 'ú',
  0x7b: 'ç',
  0x7c: '÷',
  0x7d: 'Ñ',
  0x7e: 'ñ',
  0x7f: '█',
};

/** Second bytes 0x30 to 0x3f behind 0x11. The tenth is a space through which the picture is seen. */
const SPECIAL = Array.from('®°½¿™¢£♪à\u00a0èâêîôû');
/** Second bytes 0x20 to 0x3f behind 0x12 and 0x13: each takes the place of the character before it. */
const EXTENDED: Readonly<Record<number, readonly string[]>> = {
  0x12: Array.from('ÁÉÓÚÜü‘¡*’—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»'),
  0x13: Array.from('ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤│ÅåØø┌┐└┘'),
};

export function basicCharacter(code: number): string {
  return DIFFERENT[code] ?? String.fromCharCode(code);
}

export function specialCharacter(second: number): string | undefined {
  return SPECIAL[second - 0x30];
}

export function extendedCharacter(first: number, second: number): string | undefined {
  return EXTENDED[first]?.[second - 0x20];
}

export type CharacterCode =
  | { readonly kind: 'basic'; readonly code: number }
  /** A pair of its own; with `fallback`, a basic character goes before it, which it replaces. */
  | { readonly kind: 'pair'; readonly first: number; readonly second: number; readonly fallback?: number };

const CODES = new Map<string, CharacterCode>();
for (let code = 0x20; code < 0x80; code++) CODES.set(basicCharacter(code), { kind: 'basic', code });
SPECIAL.forEach((character, index) => CODES.set(character, { kind: 'pair', first: 0x11, second: 0x30 + index }));
for (const first of [0x12, 0x13]) {
  EXTENDED[first]?.forEach((character, index) => {
    if (CODES.has(character)) return;
    CODES.set(character, { kind: 'pair', first, second: 0x20 + index, fallback: fallbackFor(character) });
  });
}
const SIMILAR: Readonly<Record<string, string>> = {
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '—': '-',
  '–': '-',
  '…': '.',
};
CODES.set('\u00a0', { kind: 'basic', code: 0x20 });

/** What decoders without the extended characters show. */
function fallbackFor(character: string): number {
  const [base = '?'] = character.normalize('NFD');
  const code = base.charCodeAt(0);
  return code >= 0x20 && code < 0x7b && DIFFERENT[code] === undefined ? code : 0x20;
}

/** How a character is sent; one that CEA-608 does not have becomes a similar one, or a question mark. */
export function codeOf(character: string): CharacterCode {
  const known = CODES.get(character) ?? CODES.get(SIMILAR[character] ?? '');
  if (known !== undefined) return known;
  const [base = ''] = character.normalize('NFD');
  return CODES.get(base) ?? { kind: 'basic', code: 0x3f };
}

/** Colours by their place in the codes; 0 is white. */
export const CEA608_COLORS = ['#ffffff', '#00ff00', '#0000ff', '#00ffff', '#ff0000', '#ffff00', '#ff00ff'] as const;

/** The lower five bits of the row's code and its sixth: row 1 to 15 → first byte's low three bits, and the bit 0x20. */
const ROWS: readonly (readonly [number, number])[] = [
  [1, 0x00],
  [1, 0x20],
  [2, 0x00],
  [2, 0x20],
  [5, 0x00],
  [5, 0x20],
  [6, 0x00],
  [6, 0x20],
  [7, 0x00],
  [7, 0x20],
  [0, 0x00],
  [3, 0x00],
  [3, 0x20],
  [4, 0x00],
  [4, 0x20],
];

/** The code that goes to a row, from 1 to 15. */
export function rowCode(row: number): { readonly first: number; readonly second: number } {
  const [low, bit] = ROWS[row - 1] ?? [4, 0x20];
  return { first: 0x10 | low, second: 0x40 | bit };
}

export function rowOf(first: number, second: number): number {
  const index = ROWS.findIndex(([low, bit]) => low === (first & 0x07) && bit === (second & 0x20));
  // Row 11 has one code for both values of the bit.
  return index < 0 ? 11 : index + 1;
}

/** A byte with odd parity in its highest bit. */
export function withParity(byte: number): number {
  let ones = 0;
  for (let bits = byte & 0x7f; bits !== 0; bits >>= 1) ones += bits & 1;
  return (byte & 0x7f) | (ones % 2 === 0 ? 0x80 : 0);
}
