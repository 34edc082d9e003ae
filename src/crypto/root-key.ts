import { DecryptionError } from './decryption-error.ts';
import { keyIdOf, RootSecret } from './root-secret.ts';

// Frozen: docs/formats/root-key.md.
const FORMER_CONTEXT = 'coffer/root-key/former';
const TOKEN_PURPOSE = 'tokens/1';
const TOKEN_KEY_CONTEXT = 'coffer/root-key/token-key';

/** The key of tokens that were handed out under a former root key, sealed under the present one. */
export interface SealedTokenKey {
  /** Milliseconds since the epoch: no token of that key lives longer. */
  readonly until: number;
  /** Base64. */
  readonly sealed: string;
}

interface TokenKey {
  readonly until: number;
  readonly secret: RootSecret;
}

/**
 * The key under which the installation's secrets lie: KMS key material, the service master key of S3, what records
 * hold of credentials. It is read at start and never stored with the data.
 *
 * While it is changed there are two: all that is written is sealed under the new one, and the former one still opens.
 */
export class RootKey {
  #current: RootSecret;
  #tokens: RootSecret;
  #former: RootSecret | undefined;
  #earlierTokens: readonly TokenKey[] = [];

  /** @param secret 32 bytes; copied, so the caller may (and should) overwrite them afterwards */
  constructor(secret: Uint8Array) {
    this.#current = new RootSecret(secret);
    this.#tokens = tokenSecretOf(this.#current);
  }

  /** 16 hexadecimal digits that tell nothing about the key. */
  get id(): string {
    return this.#current.id;
  }

  /** The id of the former key, where it is known. */
  get formerId(): string | undefined {
    return this.#former?.id;
  }

  /**
   * Encrypts `plaintext` for storage.
   *
   * INVARIANT: the column that it is stored in is among the service's `RootSealedColumn`s, or a change of the root key
   * would not reach it. (It then finds the text by its head, and does not end.)
   *
   * @param context says what it is (`kms/key-material/<key id>/<material id>`): only the same context opens it again
   */
  seal(plaintext: Uint8Array, context: string): Buffer {
    return this.#current.seal(plaintext, context);
  }

  /**
   * Opens what `seal` made. The caller owns the result and should overwrite it after use where it is a key.
   *
   * @throws DecryptionError for anything but the same bytes under the same context
   */
  open(sealed: Uint8Array, context: string): Buffer {
    const former = this.#former;
    if (former === undefined) return this.#current.open(sealed, context);
    const id = keyIdOf(sealed);
    if (id !== undefined) return (id === former.id ? former : this.#current).open(sealed, context);
    try {
      return former.open(sealed, context);
    } catch (error) {
      if (error instanceof DecryptionError) return this.#current.open(sealed, context);
      throw error;
    }
  }

  /**
   * The same text sealed under the present key; `undefined` where it is that already.
   *
   * @throws DecryptionError
   */
  reseal(sealed: Uint8Array, context: string): Buffer | undefined {
    if (keyIdOf(sealed) === this.id) return undefined;
    const plaintext = this.open(sealed, context);
    try {
      return this.seal(plaintext, context);
    } finally {
      plaintext.fill(0);
    }
  }

  /** A key of 32 bytes for one purpose, always the same for the same purpose and root key. */
  deriveKey(purpose: string): Buffer {
    return this.#current.deriveKey(purpose);
  }

  /** The former root key's; `undefined` where there is none. */
  deriveFormerKey(purpose: string): Buffer | undefined {
    return this.#former?.deriveKey(purpose);
  }

  /** As `seal`, for what is handed out and stored nowhere: it opens for a while after the root key was changed, too. */
  sealToken(plaintext: Uint8Array, context: string): Buffer {
    return this.#tokens.seal(plaintext, context);
  }

  /** @throws DecryptionError for anything but what `sealToken` made under the same context */
  openToken(sealed: Uint8Array, context: string): Buffer {
    const id = keyIdOf(sealed);
    // Of earlier versions, which sealed them under the root key itself.
    if (id === undefined) return this.#current.open(sealed, context);
    const earlier = this.#earlierTokens.find(({ secret }) => secret.id === id);
    return (earlier?.secret ?? this.#tokens).open(sealed, context);
  }

  /** Takes `next` as the present key; the present one becomes the former. */
  changeTo(next: RootKey): void {
    this.#former = this.#current;
    this.#current = next.#current;
    this.#tokens = next.#tokens;
    this.#earlierTokens = next.#earlierTokens;
  }

  /** The secret of a former key under this one, to be kept for as long as the change takes. */
  sealFormer(former: RootKey): Buffer {
    const secret = former.#current.reveal();
    try {
      return this.seal(secret, FORMER_CONTEXT);
    } finally {
      secret.fill(0);
    }
  }

  /** Goes on with a change that did not come to its end. @throws DecryptionError */
  restoreFormer(sealed: Uint8Array): void {
    const secret = this.open(sealed, FORMER_CONTEXT);
    this.#former = new RootSecret(secret);
    secret.fill(0);
  }

  /**
   * Takes over the keys of the tokens that a former root key has handed out, so that they go on to work.
   *
   * @param until milliseconds since the epoch: when the last of those that were made until now ends
   * @returns what is to be kept of them
   */
  adoptTokens(former: RootKey, now: number, until: number): readonly SealedTokenKey[] {
    this.#earlierTokens = [
      ...former.#earlierTokens.filter((earlier) => earlier.until > now),
      { until, secret: former.#tokens },
    ];
    return this.#earlierTokens.map(({ until: end, secret }) => {
      const bytes = secret.reveal();
      const sealed = this.seal(bytes, TOKEN_KEY_CONTEXT).toString('base64');
      bytes.fill(0);
      return { until: end, sealed };
    });
  }

  /** @throws DecryptionError */
  restoreTokens(keys: readonly SealedTokenKey[], now: number): void {
    this.#earlierTokens = keys
      .filter(({ until }) => until > now)
      .map(({ until, sealed }) => {
        const bytes = this.open(Buffer.from(sealed, 'base64'), TOKEN_KEY_CONTEXT);
        const secret = new RootSecret(bytes);
        bytes.fill(0);
        return { until, secret };
      });
  }

  /** Forgets the keys of tokens that have all ended. */
  dropEndedTokens(now: number): void {
    this.#earlierTokens = this.#earlierTokens.filter(({ until }) => until > now);
  }
}

function tokenSecretOf(secret: RootSecret): RootSecret {
  const bytes = secret.deriveKey(TOKEN_PURPOSE);
  try {
    return new RootSecret(bytes);
  } finally {
    bytes.fill(0);
  }
}
