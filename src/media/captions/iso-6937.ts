/** ISO 6937, the Latin characters of broadcasting: ASCII, signs, and accents that stand before their letter. */

const SIGNS: Readonly<Record<number, string>> = Object.fromEntries([
  ...entries(0xa1, '¡¢£$¥'),
  ...entries(0xa7, '§¤‘“«←↑→↓°±²³×µ¶·÷’”»¼½¾¿'),
  ...entries(0xd0, '―¹®©™♪¬¦'),
  ...entries(0xdc, '⅛⅜⅝⅞ΩÆĐªĦ'),
  ...entries(0xe6, 'ĲĿŁØŒºÞŦŊŉĸæđðħıĳŀłøœßþŧŋ'),
]);

/** 0xc1 to 0xcf, as Unicode's combining characters. */
const ACCENTS: Readonly<Record<number, string>> = {
  0xc1: '\u0300',
  0xc2: '\u0301',
  0xc3: '\u0302',
  0xc4: '\u0303',
  0xc5: '\u0304',
  0xc6: '\u0306',
  0xc7: '\u0307',
  0xc8: '\u0308',
  0xca: '\u030a',
  0xcb: '\u0327',
  0xcd: '\u030b',
  0xce: '\u0328',
  0xcf: '\u030c',
};

function entries(first: number, characters: string): [number, string][] {
  return Array.from(characters).map((character, index) => [first + index, character]);
}

export function decodeIso6937(bytes: Uint8Array): string {
  let text = '';
  let accent: string | undefined;
  for (const byte of bytes) {
    if (ACCENTS[byte] !== undefined) {
      accent = ACCENTS[byte];
      continue;
    }
    // The general currency sign has the place of the dollar.
    const character = byte === 0x24 ? '¤' : byte < 0x80 ? String.fromCharCode(byte) : byte === 0xa0 ? ' ' : SIGNS[byte];
    if (character === undefined) continue;
    text += accent === undefined ? character : `${character}${accent}`.normalize('NFC');
    accent = undefined;
  }
  return text;
}
