import type { MultiRegionKeyType } from '@aws-sdk/client-kms';
import type { Region } from '#kernel/ids.ts';
import type { KeyRecord, KmsTransaction } from '../tables.ts';
import { everywhere } from './history.ts';

/** A multi-Region key's primary and its replicas. */
export interface KeyFamily {
  /** Sorted by Region. */
  readonly members: readonly { readonly region: Region; readonly type: MultiRegionKeyType }[];
  /** Days that a primary waits after its last replica is gone; null where no deletion is scheduled so. */
  readonly waitingDays: number | null;
}

export async function familyOf(queries: KmsTransaction, key: KeyRecord): Promise<KeyFamily> {
  const waiting = await queries
    .selectFrom('kms_waiting_primary')
    .select('window_days')
    .where('region', '=', key.region)
    .where('key_id', '=', key.id)
    .executeTakeFirst();
  const members = (await everywhere(queries, key.id)).map(({ region, multi_region }) => ({
    region,
    type: multi_region ?? 'PRIMARY',
  }));
  return { members, waitingDays: waiting?.window_days ?? null };
}

/** Gives a primary a replica: shared are its id, its kind and its material; imported material is imported there anew. */
export async function addReplica(queries: KmsTransaction, primary: KeyRecord, replica: KeyRecord): Promise<void> {
  await queries.insertInto('kms_key').values(copyOf(replica)).execute();
  const { region } = replica;
  if (primary.origin !== 'EXTERNAL') {
    const materials = await queries
      .selectFrom('kms_material')
      .selectAll()
      .where('region', '=', primary.region)
      .where('key_id', '=', primary.id)
      .execute();
    for (const material of materials) {
      await queries
        .insertInto('kms_material')
        .values({ ...copyOf(material), region })
        .execute();
    }
  }
  const history = await queries
    .selectFrom('kms_material_history')
    .selectAll()
    .where('region', '=', primary.region)
    .where('key_id', '=', primary.id)
    .execute();
  for (const row of history) {
    await queries
      .insertInto('kms_material_history')
      .values({ ...copyOf(row), region, description: null, expiration_model: null, valid_to: null })
      .execute();
  }
}

/** A row without its seal, which the copy gets of its own. */
function copyOf<Row extends object>(row: Row): Row {
  const copy: Row & { mac?: unknown } = { ...row };
  delete copy.mac;
  return copy;
}

/** Makes another member of a family its primary; how it rotates goes with that. */
export async function movePrimary(queries: KmsTransaction, id: string, from: Region, to: Region): Promise<void> {
  await queries
    .updateTable('kms_key')
    .set({ multi_region: 'REPLICA', primary_region: to })
    .where('id', '=', id)
    .execute();
  await queries
    .updateTable('kms_key')
    .set({ multi_region: 'PRIMARY' })
    .where('id', '=', id)
    .where('region', '=', to)
    .execute();
  await queries
    .updateTable('kms_rotation_schedule')
    .set({ region: to })
    .where('key_id', '=', id)
    .where('region', '=', from)
    .execute();
}
