import type { ExpirationModelType, RotationType } from '@aws-sdk/client-kms';
import type { KeyRecord, KeyRef, KmsTransaction, MaterialRecord } from '../tables.ts';

/** One of the materials of a key, in one Region. Times are milliseconds since the epoch. */
export interface KeyMaterial {
  readonly id: string;
  /** The order in which materials came to the key, from 0. */
  readonly position: number;
  /** False for imported material that is not there: not yet, not any more, or expired. */
  readonly isPresent: boolean;
  /** Imported, but no rotation has made it current yet. */
  readonly isPending: boolean;
  readonly rotatedAt: number | null;
  readonly rotationType: RotationType | null;
  readonly description: string | null;
  readonly expirationModel: ExpirationModelType | null;
  readonly validTo: number | null;
}

/** Every material that a key has or had, oldest first. */
export async function materialsOf(queries: KmsTransaction, key: KeyRef, now: number): Promise<KeyMaterial[]> {
  const history = await queries
    .selectFrom('kms_material_history')
    .selectAll()
    .where('region', '=', key.region)
    .where('key_id', '=', key.id)
    .execute();
  const rows = await queries
    .selectFrom('kms_material')
    .selectAll()
    .where('region', '=', key.region)
    .where('key_id', '=', key.id)
    .execute();
  const present = new Set(rows.map((row) => row.id));
  const known = new Set(history.map((row) => row.material_id));
  const first = rows.filter((row) => !known.has(row.id)).map((row) => firstMaterial(row.id));
  const others = history.map((row) => ({
    id: row.material_id,
    position: row.position,
    isPresent: present.has(row.material_id) && (row.valid_to === null || row.valid_to > now),
    isPending: row.is_pending === 1,
    rotatedAt: row.rotated_at,
    rotationType: row.rotation_type,
    description: row.description,
    expirationModel: row.expiration_model,
    validTo: row.valid_to,
  }));
  return [...first, ...others].toSorted((a, b) => a.position - b.position);
}

function firstMaterial(id: string): KeyMaterial {
  return {
    id,
    position: 0,
    isPresent: true,
    isPending: false,
    rotatedAt: null,
    rotationType: null,
    description: null,
    expirationModel: null,
    validTo: null,
  };
}

/** A key as the transaction sees it: it may have changed since it was located. */
export function currentKey(queries: KmsTransaction, { region, id }: KeyRef): Promise<KeyRecord | undefined> {
  return queries.selectFrom('kms_key').selectAll().where('region', '=', region).where('id', '=', id).executeTakeFirst();
}

/** A key in every Region where it is: one row for a key of a single Region. */
export function everywhere(queries: KmsTransaction, id: string): Promise<KeyRecord[]> {
  return queries.selectFrom('kms_key').selectAll().where('id', '=', id).orderBy('region').execute();
}

/** Adds new material, made by KMS, to a key in every Region where it is. */
export async function addMaterial(queries: KmsTransaction, key: KeyRef, material: MaterialRecord): Promise<void> {
  const position = (await materialsOf(queries, key, 0)).length;
  for (const { region } of await everywhere(queries, key.id)) {
    await queries
      .insertInto('kms_material')
      .values({ ...material, region })
      .execute();
    await queries
      .insertInto('kms_material_history')
      .values({
        region,
        key_id: key.id,
        material_id: material.id,
        position,
        is_pending: 0,
        rotated_at: null,
        rotation_type: null,
        description: null,
        expiration_model: null,
        valid_to: null,
      })
      .execute();
  }
}

/** Makes a material, which every Region of the key knows, the one that encrypts. */
export async function makeCurrent(
  queries: KmsTransaction,
  keyId: string,
  materialId: string,
  type: RotationType,
  now: number,
): Promise<void> {
  await queries.updateTable('kms_key').set({ material_id: materialId }).where('id', '=', keyId).execute();
  await queries
    .updateTable('kms_material_history')
    .set({ is_pending: 0, rotated_at: now, rotation_type: type })
    .where('key_id', '=', keyId)
    .where('material_id', '=', materialId)
    .execute();
}
