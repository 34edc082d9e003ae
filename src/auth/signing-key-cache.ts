import { type CredentialScope, deriveSigningKey, scopeText } from './signing-key.ts';

const MAX_KEYS = 4096;

/**
 * Signing keys already derived: four HMACs saved a request. A key is good for one secret, day, region and service: the
 * secret is part of the name, so that a changed one never meets an old key.
 */
export class SigningKeyCache {
  readonly #keys = new Map<string, Buffer>();

  get(secretAccessKey: string, scope: CredentialScope): Buffer {
    const name = `${scopeText(scope)} ${secretAccessKey}`;
    let key = this.#keys.get(name);
    if (key === undefined) {
      if (this.#keys.size >= MAX_KEYS) this.#keys.clear();
      key = deriveSigningKey(secretAccessKey, scope);
      this.#keys.set(name, key);
    }
    return key;
  }
}
