import type { KeyMaterials } from '../domain/key-materials.ts';
import { rotationAfter } from '../domain/rotation-schedule.ts';
import type { KeyEvents, Rotation } from '../maintenance/key-events.ts';
import type { KmsStore } from '../store.ts';
import type { KeyRef, KmsTransaction } from '../tables.ts';
import { addMaterial, currentKey, makeCurrent } from './history.ts';

/** Keys that one sweep rotates before it looks again. */
const PAGE = 100;

interface Parts {
  readonly store: KmsStore;
  readonly materials: KeyMaterials;
  readonly events: KeyEvents;
}

/** When a key rotates by itself next, and how often; `undefined` where that is off. */
export function scheduleOf(queries: KmsTransaction, key: KeyRef) {
  return queries
    .selectFrom('kms_rotation_schedule')
    .selectAll()
    .where('region', '=', key.region)
    .where('key_id', '=', key.id)
    .executeTakeFirst();
}

/**
 * Gives a key new material, made here, that encrypts from now on. What the old ones encrypted stays readable.
 *
 * @returns its id
 */
export async function rotate(
  { materials }: Pick<Parts, 'materials'>,
  queries: KmsTransaction,
  key: KeyRef,
  type: 'AUTOMATIC' | 'ON_DEMAND',
  now: number,
): Promise<string> {
  const material = materials.create(key, now);
  await addMaterial(queries, key, material);
  await makeCurrent(queries, key.id, material.id, type, now);
  return material.id;
}

/**
 * Rotates the enabled keys whose time has come. A key that is disabled or about to be deleted waits until it is enabled.
 *
 * @returns how many were rotated
 */
export async function rotateDueKeys(parts: Parts, now: number): Promise<number> {
  let count = 0;
  for (;;) {
    const due = await dueKeys(parts.store.read, now);
    for (const key of due) {
      const rotation = await parts.store.write((queries) => rotateIfDue(parts, queries, key, now));
      if (rotation === undefined) continue;
      parts.events.rotated(rotation, 'AUTOMATIC', now);
      count++;
    }
    if (due.length < PAGE) return count;
  }
}

function dueKeys(queries: KmsTransaction, now: number): Promise<KeyRef[]> {
  return queries
    .selectFrom('kms_rotation_schedule')
    .innerJoin('kms_key', (join) =>
      join
        .onRef('kms_key.region', '=', 'kms_rotation_schedule.region')
        .onRef('kms_key.id', '=', 'kms_rotation_schedule.key_id'),
    )
    .select(['kms_key.region', 'kms_key.id'])
    .where('kms_rotation_schedule.next_at', '<=', now)
    .where('kms_key.state', '=', 'Enabled')
    .limit(PAGE)
    .execute();
}

async function rotateIfDue(
  parts: Parts,
  queries: KmsTransaction,
  key: KeyRef,
  now: number,
): Promise<Rotation | undefined> {
  const schedule = await scheduleOf(queries, key);
  const found = await currentKey(queries, key);
  if (schedule === undefined || found?.state !== 'Enabled' || schedule.next_at > now) return undefined;
  const current = await rotate(parts, queries, key, 'AUTOMATIC', now);
  await queries
    .updateTable('kms_rotation_schedule')
    .set({ next_at: rotationAfter(schedule.next_at, schedule.period_days, now) })
    .where('region', '=', key.region)
    .where('key_id', '=', key.id)
    .execute();
  return { key: found, previous: found.material_id, current };
}
