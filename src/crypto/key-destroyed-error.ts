import { DecryptionError } from './decryption-error.ts';

/** A ciphertext whose key was deleted, with all its material: nothing opens it any more. For the operator alone. */
export class KeyDestroyedError extends DecryptionError {
  override readonly name = 'KeyDestroyedError';
}
