import { hkdfSync, randomBytes } from 'node:crypto';

// Frozen: docs/formats/content-keys.md.
const FORMAT = 'coffer/content-keys/1';
const KEY_PURPOSE = 'coffer/content-key/v1/';
const SEED_LENGTH = 32;
const KEY_LENGTH = 16;

/** So that the document stays far below the longest value that a secret may have. */
export const MAX_KIDS = 1024;

/** A secret does not hold what the provider has put there. */
export class ContentKeysError extends Error {}

/** All keys of one content: a seed, and the ids of the keys that were asked for. */
export class ContentKeys {
  readonly kids: ReadonlySet<string>;
  readonly #seed: Buffer;

  private constructor(seed: Buffer, kids: Iterable<string>) {
    this.#seed = seed;
    this.kids = new Set(kids);
  }

  static create(kids: Iterable<string>): ContentKeys {
    return new ContentKeys(randomBytes(SEED_LENGTH), kids);
  }

  /** @param document the value of the secret @throws ContentKeysError */
  static read(document: string | undefined): ContentKeys {
    const parsed = parseObject(document ?? '');
    const { format, seed, kids } = parsed;
    if (format !== FORMAT || typeof seed !== 'string' || !Array.isArray(kids) || !kids.every(isText)) {
      throw new ContentKeysError();
    }
    const bytes = Buffer.from(seed, 'base64');
    if (bytes.length !== SEED_LENGTH) throw new ContentKeysError();
    return new ContentKeys(bytes, kids);
  }

  /** The value of the secret. */
  write(): string {
    return JSON.stringify({ format: FORMAT, seed: this.#seed.toString('base64'), kids: [...this.kids] });
  }

  with(kids: Iterable<string>): ContentKeys {
    return new ContentKeys(this.#seed, [...this.kids, ...kids]);
  }

  /**
   * The key with that id, always the same.
   *
   * INVARIANT: it tells nothing of the seed, nor of the other keys.
   *
   * @param kid a UUID in lower case
   */
  key(kid: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#seed, new Uint8Array(0), KEY_PURPOSE + kid, KEY_LENGTH));
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Readonly<Record<string, unknown>>;
  } catch {
    // Said below, without the text.
  }
  throw new ContentKeysError();
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
