/** A–Z, a–z, 0–9, - and _: the value of each is its place. */
const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

/**
 * Base64url without padding, of bytes and as bytes: secrets do not become strings, which nobody can overwrite. The caller
 * overwrites both.
 */
export function encodeBase64Url(bytes: Uint8Array): Buffer {
  const text = Buffer.alloc(Math.ceil((bytes.length * 4) / 3));
  let bits = 0;
  let count = 0;
  let at = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text[at++] = ALPHABET[(bits >> count) & 63] ?? 0;
    }
  }
  if (count > 0) text[at] = ALPHABET[(bits << (6 - count)) & 63] ?? 0;
  return text;
}

/** `undefined` for what is no base64url, or says some bytes in another way than `encodeBase64Url`. */
export function decodeBase64Url(text: Uint8Array): Buffer | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = Buffer.alloc(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let count = 0;
  let at = 0;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return undefined;
    bits = ((bits << 6) | value) & 0xffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes[at++] = (bits >> count) & 255;
  }
  const rest = bits & ((1 << count) - 1);
  return rest === 0 ? bytes : undefined;
}
