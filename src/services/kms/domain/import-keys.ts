import { createHash, createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { RootKey } from '#crypto/root-key.ts';
import { isWrappingAlgorithm, type WrappingAlgorithm } from '#crypto/unwrap-key.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { RootSealedColumn } from '#storage/root-sealed-column.ts';
import { expiredImportToken, invalidImportToken } from '../errors.ts';
import type { KmsStore } from '../store.ts';
import type { ImportParametersRecord, KeyRef } from '../tables.ts';
import type { Wrapping } from './import-wrapping.ts';

const newKeyPair = promisify(generateKeyPair);

const VALID_MS = 24 * 3_600_000;
const TOKEN_VERSION = 1;
const TOKEN_LENGTH = 33;

/** A wrapping key and the token that goes with it. */
interface ImportKey {
  readonly token: Buffer;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  readonly validTo: number;
}

/** The keys under which material is wrapped on its way here. Their private halves lie sealed under the root key. */
export class ImportKeys {
  readonly #store: KmsStore;
  readonly #rootKey: RootKey;
  readonly #randomness: Randomness;

  constructor(store: KmsStore, rootKey: RootKey, randomness: Randomness) {
    this.#store = store;
    this.#rootKey = rootKey;
    this.#randomness = randomness;
  }

  async create(key: KeyRef, { algorithm, modulusLength }: Wrapping, now: number): Promise<ImportKey> {
    const pair = await newKeyPair('rsa', { modulusLength });
    const token = Buffer.concat([Buffer.of(TOKEN_VERSION), this.#randomness.bytes(TOKEN_LENGTH - 1)]);
    const id = idOf(token);
    const secret = pair.privateKey.export({ format: 'der', type: 'pkcs8' });
    const sealed = this.#rootKey.seal(secret, sealContext(id));
    secret.fill(0);
    const validTo = now + VALID_MS;
    const row: ImportParametersRecord = {
      id,
      region: key.region,
      key_id: key.id,
      algorithm,
      sealed,
      expires_at: validTo,
    };
    await this.#store.write((queries) => queries.insertInto('kms_import_parameters').values(row).execute());
    return { token, publicKey: pair.publicKey.export({ format: 'der', type: 'spki' }), validTo };
  }

  /** @throws ServiceError InvalidImportTokenException, ExpiredImportTokenException */
  async open(
    token: Uint8Array,
    key: KeyRef,
    now: number,
  ): Promise<{ readonly algorithm: WrappingAlgorithm; readonly privateKey: KeyObject }> {
    const row = await this.#store.read
      .selectFrom('kms_import_parameters')
      .selectAll()
      .where('id', '=', idOf(token))
      .executeTakeFirst();
    if (row === undefined || row.region !== key.region || row.key_id !== key.id) throw invalidImportToken();
    if (row.sealed === null || row.expires_at <= now) throw expiredImportToken();
    if (!isWrappingAlgorithm(row.algorithm)) throw invalidImportToken();
    const secret = this.#rootKey.open(row.sealed, sealContext(row.id));
    try {
      return {
        algorithm: row.algorithm,
        privateKey: createPrivateKey({ key: secret, format: 'der', type: 'pkcs8' }),
      };
    } finally {
      secret.fill(0);
    }
  }
}

function idOf(token: Uint8Array): string {
  return createHash('sha256').update(token).digest('hex');
}

function sealContext(id: string): string {
  return `kms-import-key ${id}`;
}

export const importKeyColumn: RootSealedColumn = {
  table: 'kms_import_parameters',
  column: 'sealed',
  contextOf: (row) => sealContext(String(row['id'])),
};
