import type { RootKey } from '#crypto/root-key.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { RootSealedColumn } from '#storage/root-sealed-column.ts';
import type { S3Store } from '../store.ts';

/** A master key wraps new data keys for so long; old ones are kept to open what they wrapped. */
const LIFETIME = 30 * 24 * 3600 * 1000;
// INVARIANT: random nonces under one key stay well below 2^32.
const MAXIMUM_USES = 2 ** 30;

interface MasterKey {
  readonly id: string;
  readonly key: Buffer;
  readonly createdAt: number;
}

/** The keys of SSE-S3: this installation's own, sealed under the root key, changed every month. */
export class MasterKeys {
  readonly #store: S3Store;
  readonly #rootKey: RootKey;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #keys = new Map<string, MasterKey>();
  #current: MasterKey | undefined;
  #uses = 0;
  #rotation: Promise<MasterKey> | undefined;

  constructor(dependencies: {
    readonly store: S3Store;
    readonly rootKey: RootKey;
    readonly clock: Clock;
    readonly randomness: Randomness;
  }) {
    this.#store = dependencies.store;
    this.#rootKey = dependencies.rootKey;
    this.#clock = dependencies.clock;
    this.#randomness = dependencies.randomness;
  }

  /** The key for new data keys. */
  async current(): Promise<MasterKey> {
    const key = this.#current;
    if (key !== undefined && this.#clock.now() - key.createdAt < LIFETIME && this.#uses < MAXIMUM_USES) {
      this.#uses++;
      return key;
    }
    this.#rotation ??= this.#rotate().finally(() => {
      this.#rotation = undefined;
    });
    return await this.#rotation;
  }

  /** The key of this id; `undefined` when there is none. */
  async find(id: string): Promise<MasterKey | undefined> {
    if (!this.#keys.has(id)) await this.#load();
    return this.#keys.get(id);
  }

  async #rotate(): Promise<MasterKey> {
    await this.#load();
    const newest = [...this.#keys.values()].at(-1);
    const isUsable =
      newest !== undefined && newest !== this.#current && this.#clock.now() - newest.createdAt < LIFETIME;
    this.#current = isUsable ? newest : await this.#make();
    this.#uses = 0;
    return this.#current;
  }

  async #make(): Promise<MasterKey> {
    const id = this.#randomness.bytes(8).toString('hex');
    const key = this.#randomness.bytes(32);
    const createdAt = this.#clock.now();
    await this.#store.addMasterKey({ id, sealed: this.#rootKey.seal(key, contextOf(id)), created_at: createdAt });
    const made = { id, key, createdAt };
    this.#keys.set(id, made);
    return made;
  }

  async #load(): Promise<void> {
    for (const row of await this.#store.masterKeys()) {
      if (this.#keys.has(row.id)) continue;
      const key = this.#rootKey.open(row.sealed, contextOf(row.id));
      this.#keys.set(row.id, { id: row.id, key, createdAt: row.created_at });
    }
  }
}

function contextOf(id: string): string {
  return `s3/master-key/${id}`;
}

export const masterKeyColumn: RootSealedColumn = {
  table: 's3_master_key',
  column: 'sealed',
  contextOf: (row) => contextOf(String(row['id'])),
};
