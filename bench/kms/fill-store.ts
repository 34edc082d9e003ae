import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { loadRootKeyFile } from '#crypto/root-key-file.ts';
import { systemRandomness } from '#kernel/randomness.ts';
import { KeyMaterials } from '#services/kms/domain/key-materials.ts';
import { GrantStore, type GrantTables } from '#services/kms/grant-store.ts';
import { KmsStore } from '#services/kms/store.ts';
import type { KmsTables } from '#services/kms/tables.ts';
import { ROW_SEAL_PURPOSE, SEAL_COLUMN } from '#storage/row-seal.ts';
import { SqliteRecords } from '#storage/sqlite/sqlite-records.ts';
import { allMigrations } from '../../bin/compose-services.ts';

const KEYS_OF_ONE_INSERT = 100;

/**
 * Writes keys with their material and grants into the data folder of a stopped server, sealed as the server seals them:
 * each like the key that is there already, and its grant, for other grantees and for that grant's own.
 *
 * @returns the ids of the new keys
 */
export async function fillStore(folder: string, keys: number, grantsOfEach: number): Promise<string[]> {
  const rootKey = await loadRootKeyFile(join(folder, 'root.key'));
  const file = join(folder, 'data', 'records.db');
  const opened = await SqliteRecords.open(file, allMigrations, rootKey.deriveKey(ROW_SEAL_PURPOSE));
  const store = new KmsStore(opened.of<KmsTables>(), new GrantStore(opened.of<GrantTables>()));
  const materials = new KeyMaterials(store, rootKey, systemRandomness);
  const key = withoutSeal(await store.read.selectFrom('kms_key').selectAll().executeTakeFirstOrThrow());
  const grant = withoutSeal(
    await opened.of<GrantTables>().read.selectFrom('kms_grant').selectAll().executeTakeFirstOrThrow(),
  );
  const ids: string[] = [];
  while (ids.length < keys) {
    const added = Array.from({ length: KEYS_OF_ONE_INSERT }, () => {
      const id = randomUUID();
      return { id, material: materials.create({ region: key.region, id }, key.created_at) };
    });
    const grants = added.flatMap(({ id }) =>
      Array.from({ length: grantsOfEach }, (_, index) => ({
        ...grant,
        id: randomBytes(32).toString('hex'),
        key_id: id,
        ...(index > 0 && { grantee: `${grant.grantee}-${index}`, grantee_id: null }),
      })),
    );
    await store.write(async (transaction) => {
      const rows = added.map(({ id, material }) => ({ ...key, id, material_id: material.id }));
      await transaction.insertInto('kms_key').values(rows).execute();
      const sealed = added.map(({ material }) => material);
      await transaction.insertInto('kms_material').values(sealed).execute();
      await (transaction as never as import('kysely').Kysely<GrantTables>)
        .insertInto('kms_grant')
        .values(grants)
        .execute();
    });
    ids.push(...added.map(({ id }) => id));
  }
  await opened.close();
  return ids;
}

/** A new row is given its own. */
function withoutSeal<Row extends object>(row: Row): Row {
  const { [SEAL_COLUMN]: _seal, ...rest } = row as Row & { readonly [SEAL_COLUMN]?: unknown };
  return rest as Row;
}
