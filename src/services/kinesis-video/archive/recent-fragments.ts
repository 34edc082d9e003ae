const CAPACITY = 64 * 1024 * 1024;

/**
 * The newest fragments of streams that somebody reads, in the clear, in memory: a live consumer needs neither disk nor
 * cipher. Whoever takes from here has been allowed to decrypt the fragment's data key before.
 */
export class RecentFragments {
  readonly #fragments = new Map<string, { readonly pieces: readonly Uint8Array[]; readonly size: number }>();
  #size = 0;

  add(streamId: string, number: string, pieces: readonly Uint8Array[], size: number): void {
    this.#fragments.set(`${streamId} ${number}`, { pieces, size });
    this.#size += size;
    for (const [key, oldest] of this.#fragments) {
      if (this.#size <= CAPACITY) break;
      this.#fragments.delete(key);
      this.#size -= oldest.size;
    }
  }

  find(streamId: string, number: string): readonly Uint8Array[] | undefined {
    return this.#fragments.get(`${streamId} ${number}`)?.pieces;
  }

  /** Forgets a stream's. */
  forget(streamId: string): void {
    for (const [key, { size }] of this.#fragments) {
      if (!key.startsWith(`${streamId} `)) continue;
      this.#fragments.delete(key);
      this.#size -= size;
    }
  }
}
