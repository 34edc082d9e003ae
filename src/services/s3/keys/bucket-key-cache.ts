import type { Clock } from '#kernel/clock.ts';

/** As long as a bucket-level key serves one requester before S3 asks KMS for another. AWS names no figure. */
const LIFETIME = 5 * 60 * 1000;
const MAXIMUM_ENTRIES = 4096;

/** A bucket-level key of KMS, in the clear, with what is needed to store it. */
export interface BucketKey {
  readonly key: Buffer;
  readonly keyArn: string;
  /** KMS's ciphertext of `key`. */
  readonly ciphertext: Buffer;
}

interface Entry {
  readonly value: Promise<BucketKey>;
  readonly expiresAt: number;
  uses: number;
}

/**
 * Bucket-level keys, for each requester and a bounded time. Having one is no permission: the caller of this asks KMS
 * whether the requester may use the key each time.
 */
export class BucketKeyCache {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The cached key, or what `fetch` gets.
   *
   * @param id names requester, bucket, key and purpose
   * @returns the key, and whether it came from the cache (then permission is still to be checked)
   */
  async get(
    id: string,
    fetch: () => Promise<BucketKey>,
  ): Promise<{ readonly key: BucketKey; readonly isCached: boolean }> {
    const now = this.#clock.now();
    const cached = this.#entries.get(id);
    // INVARIANT: random nonces under one bucket key stay well below 2^32.
    if (cached !== undefined && cached.expiresAt > now && cached.uses < 2 ** 28) {
      cached.uses++;
      return { key: await cached.value, isCached: true };
    }
    this.#makeRoom(now);
    const value = fetch();
    const entry: Entry = { value, expiresAt: now + LIFETIME, uses: 1 };
    this.#entries.set(id, entry);
    try {
      return { key: await value, isCached: false };
    } catch (error) {
      if (this.#entries.get(id) === entry) this.#entries.delete(id);
      throw error;
    }
  }

  #makeRoom(now: number): void {
    if (this.#entries.size < MAXIMUM_ENTRIES) return;
    for (const [id, entry] of this.#entries) if (entry.expiresAt <= now) this.#entries.delete(id);
    for (const id of this.#entries.keys()) {
      if (this.#entries.size < MAXIMUM_ENTRIES) break;
      this.#entries.delete(id);
    }
  }
}
