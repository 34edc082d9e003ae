import { createHmac, hkdfSync, KeyObject } from 'node:crypto';

/** Node takes no longer `info` than this, in bytes. */
const NODE_LIMIT = 1024;

/**
 * A key of 32 bytes by HKDF with SHA-256 (RFC 5869), for an `info` of any length: S3's keys of 1,024 bytes make longer
 * ones than Node's own function takes.
 */
export function deriveKey(key: Uint8Array | KeyObject, salt: Uint8Array, info: Uint8Array): Buffer {
  if (info.length <= NODE_LIMIT) return Buffer.from(hkdfSync('sha256', key, salt, info, 32));
  const material = key instanceof KeyObject ? key.export() : key;
  const extracted = createHmac('sha256', salt).update(material).digest();
  try {
    // One block is all that 32 bytes need.
    return createHmac('sha256', extracted).update(info).update(Uint8Array.of(1)).digest();
  } finally {
    extracted.fill(0);
    if (key instanceof KeyObject) material.fill(0);
  }
}
