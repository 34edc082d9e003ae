import { DecryptionError } from './decryption-error.ts';
import type { RootKey } from './root-key.ts';

const CONTEXT = 'coffer/root-key-check';
const KNOWN_TEXT = 'This data belongs to this root key.';

/**
 * A value to keep with the data, by which a later start finds out whether it has the data's own root key before it
 * touches anything. It tells nothing about the key.
 */
export function makeRootKeyCheck(rootKey: RootKey): string {
  return rootKey.seal(Buffer.from(KNOWN_TEXT), CONTEXT).toString('base64');
}

/** Whether `check` was made with this root key. */
export function verifyRootKeyCheck(rootKey: RootKey, check: string): boolean {
  try {
    return rootKey.open(Buffer.from(check, 'base64'), CONTEXT).toString() === KNOWN_TEXT;
  } catch (error) {
    if (error instanceof DecryptionError) return false;
    throw error;
  }
}
