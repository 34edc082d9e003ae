import type { ExpirationModelType, ImportType } from '@aws-sdk/client-kms';
import { incorrectKeyMaterial, invalidState, unsupported } from '../errors.ts';
import type { EndedMaterial } from '../maintenance/key-events.ts';
import type { KmsStore } from '../store.ts';
import type { KeyRecord, KeyRef, KmsTransaction, MaterialRecord } from '../tables.ts';
import { currentKey, everywhere, type KeyMaterial, makeCurrent, materialsOf } from './history.ts';

/** Expired wrapping keys are remembered so long, so that their tokens are told as expired. */
const EXPIRED_TOKENS_KEPT_MS = 30 * 86_400_000;

/** What an import says of the material. */
export interface ImportTerms {
  readonly expirationModel: ExpirationModelType;
  readonly validTo: number | null;
  readonly type: ImportType | undefined;
  readonly description: string | undefined;
  /** The id that the material is said to have. */
  readonly materialId: string | undefined;
}

/**
 * Gives a key imported material: its first one, the next one (which a rotation makes current), or one that it had.
 *
 * @throws ServiceError IncorrectKeyMaterialException, KMSInvalidStateException, UnsupportedOperationException
 */
export async function storeImported(
  queries: KmsTransaction,
  key: KeyRecord,
  arn: string,
  material: MaterialRecord,
  terms: ImportTerms,
  now: number,
): Promise<void> {
  const materials = await materialsOf(queries, key, now);
  const known = materials.find(({ id }) => id === material.id);
  const isNew = checkImport(key, arn, materials, known, material, terms);
  await queries
    .insertInto('kms_material')
    .values(material)
    .onConflict((clash) => clash.columns(['id', 'region']).doUpdateSet({ sealed: material.sealed }))
    .execute();
  if (isNew && known === undefined) await associate(queries, key, material.id, materials);
  await queries
    .updateTable('kms_material_history')
    .set({
      expiration_model: terms.expirationModel,
      valid_to: terms.validTo,
      ...(terms.description !== undefined && { description: terms.description }),
    })
    .where('region', '=', key.region)
    .where('key_id', '=', key.id)
    .where('material_id', '=', material.id)
    .execute();
  await enableIfComplete(queries, key, now);
}

/** @returns true for material that the key does not have yet */
function checkImport(
  key: KeyRecord,
  arn: string,
  materials: readonly KeyMaterial[],
  known: KeyMaterial | undefined,
  material: MaterialRecord,
  terms: ImportTerms,
): boolean {
  const type = terms.type ?? (materials.length === 0 ? 'NEW_KEY_MATERIAL' : 'EXISTING_KEY_MATERIAL');
  if (terms.materialId !== undefined && terms.materialId !== material.id) {
    throw incorrectKeyMaterial(`The key material is not the one of KeyMaterialId ${terms.materialId}.`);
  }
  if (type === 'EXISTING_KEY_MATERIAL') {
    if (known === undefined) throw incorrectKeyMaterial(`The key material is not one of ${arn}.`);
    return false;
  }
  if (key.multi_region === 'REPLICA') {
    throw unsupported(`${arn} is a multi-Region replica key: new key material is imported into its primary first.`);
  }
  if (known !== undefined && !known.isPending) {
    throw incorrectKeyMaterial(`The key material is already associated with ${arn}.`);
  }
  if (known === undefined && materials.some(({ isPending }) => isPending)) {
    throw invalidState(arn, 'has key material that is pending rotation');
  }
  return true;
}

/** Makes material one of the key's, in every Region where the key is. */
async function associate(
  queries: KmsTransaction,
  key: KeyRecord,
  materialId: string,
  materials: readonly KeyMaterial[],
): Promise<void> {
  const isFirst = materials.length === 0;
  const position = (materials.at(-1)?.position ?? -1) + 1;
  for (const { region } of await everywhere(queries, key.id)) {
    const row = {
      region,
      key_id: key.id,
      material_id: materialId,
      position,
      is_pending: isFirst ? 0 : 1,
      rotated_at: null,
      rotation_type: null,
      description: null,
      expiration_model: null,
      valid_to: null,
    } as const;
    await queries.insertInto('kms_material_history').values(row).execute();
  }
  if (!isFirst) return;
  await queries.updateTable('kms_key').set({ material_id: materialId }).where('id', '=', key.id).execute();
}

/** A key that waits for material is enabled when it has all that belongs to it. */
async function enableIfComplete(queries: KmsTransaction, key: KeyRef, now: number): Promise<void> {
  if (!(await isComplete(queries, key, now))) return;
  await queries
    .updateTable('kms_key')
    .set({ state: 'Enabled' })
    .where('region', '=', key.region)
    .where('id', '=', key.id)
    .where('state', '=', 'PendingImport')
    .execute();
}

/**
 * Makes the imported material that waits for it the current one.
 *
 * @returns its id
 * @throws ServiceError KMSInvalidStateException where there is none, or not in every Region of the key
 */
export async function rotateToImported(
  queries: KmsTransaction,
  key: KeyRef,
  arn: string,
  now: number,
): Promise<string> {
  const pending = (await materialsOf(queries, key, now)).find((material) => material.isPending);
  if (pending?.isPresent !== true) throw invalidState(arn, 'has no imported key material that is pending rotation');
  if (!(await isEverywhere(queries, key.id, pending.id, now))) {
    throw invalidState(arn, 'has replica keys into which the key material is not imported yet');
  }
  await makeCurrent(queries, key.id, pending.id, 'ON_DEMAND', now);
  return pending.id;
}

/** True when a material is there in every Region of its key. */
export async function isEverywhere(
  queries: KmsTransaction,
  keyId: string,
  materialId: string,
  now: number,
): Promise<boolean> {
  for (const replica of await everywhere(queries, keyId)) {
    const material = (await materialsOf(queries, replica, now)).find(({ id }) => id === materialId);
    if (material?.isPresent !== true) return false;
  }
  return true;
}

/** True when every material that belongs to a key is there. */
export async function isComplete(queries: KmsTransaction, key: KeyRef, now: number): Promise<boolean> {
  const materials = (await materialsOf(queries, key, now)).filter(({ isPending }) => !isPending);
  return materials.length > 0 && materials.every(({ isPresent }) => isPresent);
}

/**
 * Destroys imported material in one Region. That of a primary which no rotation has made current yet is forgotten in
 * every Region; a key that lacks any other material waits for it.
 */
export async function removeImported(queries: KmsTransaction, key: KeyRecord, material: KeyMaterial): Promise<void> {
  const isForgotten = material.isPending && key.multi_region !== 'REPLICA';
  if (isForgotten) {
    await queries.deleteFrom('kms_material').where('key_id', '=', key.id).where('id', '=', material.id).execute();
    await queries
      .deleteFrom('kms_material_history')
      .where('key_id', '=', key.id)
      .where('material_id', '=', material.id)
      .execute();
    return;
  }
  await queries
    .deleteFrom('kms_material')
    .where('region', '=', key.region)
    .where('key_id', '=', key.id)
    .where('id', '=', material.id)
    .execute();
  await queries
    .updateTable('kms_material_history')
    .set({ expiration_model: null, valid_to: null })
    .where('region', '=', key.region)
    .where('key_id', '=', key.id)
    .where('material_id', '=', material.id)
    .execute();
  if (material.isPending) return;
  await queries
    .updateTable('kms_key')
    .set({ state: 'PendingImport' })
    .where('region', '=', key.region)
    .where('id', '=', key.id)
    .where('state', 'in', ['Enabled', 'Disabled'])
    .execute();
}

/**
 * Destroys the imported material whose time has come.
 *
 * @param only of this key alone
 * @returns the materials that were destroyed
 */
export async function expireMaterials(store: KmsStore, now: number, only?: KeyRef): Promise<readonly EndedMaterial[]> {
  const due = await expiredIn(store.read, now, only);
  if (due.length === 0) return [];
  return await store.write(async (queries) => {
    const ended: EndedMaterial[] = [];
    for (const { region, key_id: id } of await expiredIn(queries, now, only)) {
      const key = await currentKey(queries, { region, id });
      if (key === undefined) continue;
      for (const material of await materialsOf(queries, key, now)) {
        if (material.validTo === null || material.validTo > now) continue;
        await removeImported(queries, key, material);
        ended.push({ key, materialId: material.id });
      }
    }
    return ended;
  });
}

function expiredIn(queries: KmsTransaction, now: number, only: KeyRef | undefined) {
  let query = queries.selectFrom('kms_material_history').selectAll().where('valid_to', '<=', now);
  if (only !== undefined) query = query.where('region', '=', only.region).where('key_id', '=', only.id);
  return query.execute();
}

/** Destroys wrapping keys that have expired, and forgets the oldest of them. Returns how many were destroyed. */
export async function expireImportKeys(store: KmsStore, now: number): Promise<number> {
  const due = await store.read
    .selectFrom('kms_import_parameters')
    .select('id')
    .where('expires_at', '<=', now)
    .where((where) =>
      where.or([where('sealed', 'is not', null), where('expires_at', '<=', now - EXPIRED_TOKENS_KEPT_MS)]),
    )
    .execute();
  if (due.length === 0) return 0;
  await store.write(async (queries) => {
    await queries
      .updateTable('kms_import_parameters')
      .set({ sealed: null })
      .where('expires_at', '<=', now)
      .where('sealed', 'is not', null)
      .execute();
    await queries
      .deleteFrom('kms_import_parameters')
      .where('expires_at', '<=', now - EXPIRED_TOKENS_KEPT_MS)
      .execute();
  });
  return due.length;
}
