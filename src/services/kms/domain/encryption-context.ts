/** Non-secret pairs that a ciphertext is bound to. Case counts, order does not. */
export type EncryptionContext = Readonly<Record<string, string>>;

/**
 * One byte string for one context: pairs sorted by the UTF-8 bytes of their keys, each key and value preceded by its
 * length in bytes (4 bytes, big endian). Frozen: it is the associated data of every ciphertext.
 */
export function canonicalEncryptionContext(context: EncryptionContext | undefined): Buffer {
  const pairs = Object.entries(context ?? {}).map(([key, value]) => [Buffer.from(key), Buffer.from(value)] as const);
  pairs.sort(([left], [right]) => Buffer.compare(left, right));
  const parts: Buffer[] = [];
  for (const pair of pairs) {
    for (const text of pair) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(text.length);
      parts.push(length, text);
    }
  }
  return Buffer.concat(parts);
}
