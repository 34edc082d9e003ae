const UNRESERVED = /[A-Za-z0-9\-._~]/;

const ENCODED_BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return UNRESERVED.test(character) && byte < 128 ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

const ONLY_UNRESERVED = /^[A-Za-z0-9\-._~]*$/;

/** Percent-encodes all bytes but the unreserved ones, as SigV4 wants it. `bytes` is Latin-1: one character a byte. */
function encodeBytes(bytes: string): string {
  if (ONLY_UNRESERVED.test(bytes)) return bytes;
  let result = '';
  for (let i = 0; i < bytes.length; i++) result += ENCODED_BYTES[bytes.charCodeAt(i) & 0xff];
  return result;
}

const ESCAPE = /%([0-9A-Fa-f]{2})/g;

/** Undoes percent-encoding, byte by byte, into a Latin-1 string. A `%` that begins no escape stays as it is. */
function decodeToBytes(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return bytes.includes('%')
    ? bytes.replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : bytes;
}

/** Brings a value that was percent-encoded in whatever way into SigV4's one form. */
export function recodeUriComponent(text: string): string {
  return encodeBytes(decodeToBytes(text));
}

/** Percent-encodes text that is not encoded yet. */
export function encodeUriComponent(text: string): string {
  return encodeBytes(Buffer.from(text, 'utf8').toString('latin1'));
}

/** Decodes one component of a query string or path to text (UTF-8). */
export function decodeUriComponent(text: string): string {
  return text.includes('%') ? Buffer.from(decodeToBytes(text), 'latin1').toString('utf8') : text;
}
