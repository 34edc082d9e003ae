/**
 * The one answer to a decryption that fails. It says nothing of why: a wrong key, other associated data and a changed
 * byte look the same.
 */
export class DecryptionError extends Error {
  constructor() {
    super('Decryption failed.');
    this.name = 'DecryptionError';
  }
}
