import type { RootKey } from '#crypto/root-key.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { RootSealedColumn } from '#storage/root-sealed-column.ts';
import { invalidCiphertext } from '../errors.ts';
import type { KmsStore } from '../store.ts';
import type { KeyRef, MaterialRecord } from '../tables.ts';
import { type KeyPair, readKeyPair } from './key-pair.ts';

const MATERIAL_LENGTH = 32;
const MAX_CACHED = 100_000;
const MAX_CACHED_PAIRS = 10_000;
const OVERWRITE_AFTER_MS = 1000;

/**
 * Key material: random, at rest only sealed under the root key, opened into memory when it is first used. What is
 * cached is the material alone: whether it may be used is asked on every call.
 */
export class KeyMaterials {
  readonly #store: KmsStore;
  readonly #rootKey: RootKey;
  readonly #randomness: Randomness;
  readonly #opened = new Map<string, Buffer>();
  readonly #pairs = new Map<string, KeyPair>();
  #generation = 0;

  constructor(store: KmsStore, rootKey: RootKey, randomness: Randomness) {
    this.#store = store;
    this.#rootKey = rootKey;
    this.#randomness = randomness;
  }

  /** Makes new material for a symmetric key; the caller stores the record. */
  create(key: KeyRef, now: number): MaterialRecord {
    return this.seal(key, this.#randomness.bytes(MATERIAL_LENGTH), now);
  }

  /** Seals material of any kind and overwrites it; the caller stores the record. */
  seal(key: KeyRef, material: Buffer, now: number, id = this.#randomness.bytes(32).toString('hex')): MaterialRecord {
    const sealed = this.#rootKey.seal(material, sealContext(key.id, id));
    material.fill(0);
    return { region: key.region, id, key_id: key.id, sealed, created_at: now };
  }

  /** @throws ServiceError InvalidCiphertextException when there is no such material of that key */
  async open(key: KeyRef, materialId: string): Promise<Buffer> {
    const name = `${key.region} ${key.id} ${materialId}`;
    const cached = this.#opened.get(name);
    if (cached !== undefined) return cached;
    const generation = this.#generation;
    const material = await this.#openCopy(key, materialId);
    // What was forgotten while it was being read is not kept.
    if (generation !== this.#generation) return material;
    if (this.#opened.size >= MAX_CACHED) this.#forgetOldest();
    this.#opened.set(name, material);
    return material;
  }

  #forgetOldest(): void {
    for (const [name, material] of this.#opened) {
      overwriteSoon(material);
      this.#opened.delete(name);
      break;
    }
  }

  /**
   * A key pair, parsed; its bytes are overwritten at once.
   *
   * @throws ServiceError InvalidCiphertextException when there is no such material of that key
   */
  async openPair(key: KeyRef, materialId: string): Promise<KeyPair> {
    const name = `${key.region} ${key.id} ${materialId}`;
    const cached = this.#pairs.get(name);
    if (cached !== undefined) return cached;
    const generation = this.#generation;
    const material = await this.#openCopy(key, materialId);
    try {
      const pair = readKeyPair(material);
      if (generation !== this.#generation) return pair;
      if (this.#pairs.size >= MAX_CACHED_PAIRS) this.#pairs.clear();
      this.#pairs.set(name, pair);
      return pair;
    } finally {
      material.fill(0);
    }
  }

  async #openCopy(key: KeyRef, materialId: string): Promise<Buffer> {
    const record = await this.#store.findMaterial(key.region, materialId);
    if (record === undefined || record.key_id !== key.id) throw invalidCiphertext();
    return this.#rootKey.open(record.sealed, sealContext(key.id, materialId));
  }

  /**
   * A copy of a material, in whichever Region it is, for the operator; the caller overwrites it.
   *
   * @throws ServiceError InvalidCiphertextException when there is no such material of that key
   */
  async openAnywhere(keyId: string, materialId: string): Promise<Buffer> {
    const record = await this.#store.findMaterialAnywhere(materialId);
    if (record === undefined || record.key_id !== keyId) throw invalidCiphertext();
    return this.#rootKey.open(record.sealed, sealContext(keyId, materialId));
  }

  /** Overwrites what was opened, as after a key was destroyed. */
  forgetAll(): void {
    this.#generation++;
    for (const material of this.#opened.values()) overwriteSoon(material);
    this.#opened.clear();
    this.#pairs.clear();
  }

  /** As `forgetAll`, of one key. */
  forget({ region, id }: KeyRef): void {
    this.#generation++;
    for (const [name, material] of this.#opened) {
      if (!name.startsWith(`${region} ${id} `)) continue;
      overwriteSoon(material);
      this.#opened.delete(name);
    }
    for (const name of this.#pairs.keys()) if (name.startsWith(`${region} ${id} `)) this.#pairs.delete(name);
  }

  /** True when the stored material opens under the root key. */
  isSound(record: MaterialRecord): boolean {
    try {
      this.#rootKey.open(record.sealed, sealContext(record.key_id, record.id)).fill(0);
      return true;
    } catch {
      return false;
    }
  }
}

/**
 * INVARIANT: not at once. A request that holds the material already must not encrypt under zeros. Who waits for somebody
 * else before it is used takes a copy.
 */
function overwriteSoon(material: Buffer): void {
  setTimeout(() => material.fill(0), OVERWRITE_AFTER_MS).unref();
}

function sealContext(keyId: string, materialId: string): string {
  return `kms-material ${keyId} ${materialId}`;
}

export const materialColumn: RootSealedColumn = {
  table: 'kms_material',
  column: 'sealed',
  contextOf: (row) => sealContext(String(row['key_id']), String(row['id'])),
};
