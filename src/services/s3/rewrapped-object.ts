import type { S3Context } from './context.ts';
import type { ObjectFacts, StoredChecksum, StoredEncryption } from './domain/object-facts.ts';
import { digestOfParts } from './domain/record-seal.ts';
import { openChecksum, storeChecksum } from './keys/checksum-seal.ts';
import type { StoredObject } from './objects.ts';

/**
 * What the record of an object says when its data key is kept in another way.
 *
 * @param encryption how the same data key is kept from now on
 * @returns the facts, and the column of the parts
 */
export function rewrappedObject(
  s3: Pick<S3Context, 'objects'>,
  object: StoredObject,
  encryption: StoredEncryption,
  dataKey: Buffer,
): { readonly facts: ObjectFacts; readonly parts: string | null } {
  const { row, facts } = object;
  // A checksum that lay in the clear is sealed from now on; one that was sealed is so under the same data key.
  const reseal = <Item extends { readonly checksum?: StoredChecksum }>(item: Item): Item => {
    if (item.checksum === undefined) return item;
    const checksum = openChecksum(item.checksum, dataKey, row.id);
    return { ...item, checksum: storeChecksum(checksum, encryption, dataKey, row.id) };
  };
  const parts = row.parts === null ? null : JSON.stringify(s3.objects.partsOf(object).map(reseal));
  const { content } = facts;
  const isOfParts = content.kind === 'parts' && parts !== null;
  return {
    facts: {
      ...reseal(facts),
      encryption,
      content: isOfParts ? { ...content, digest: digestOfParts(parts) } : content,
    },
    parts,
  };
}

/**
 * Keeps the data key of an object, or of a version, in another way, in one commit.
 *
 * @returns false when the record has changed since `object` was read; then nothing is done
 */
export async function changeEncryption(
  s3: Pick<S3Context, 'objects' | 'store' | 'seal'>,
  table: 's3_object' | 's3_version',
  object: StoredObject,
  encryption: StoredEncryption,
  dataKey: Buffer,
): Promise<boolean> {
  const { row } = object;
  const { facts: changed, parts } = rewrappedObject(s3, object, encryption, dataKey);
  const facts = JSON.stringify(changed);
  const { mac } = s3.seal.object({ ...row, facts });
  const { numUpdatedRows } = await s3.store.write((transaction) =>
    transaction
      .updateTable(table)
      .set({ facts, parts, mac })
      .where('bucket', '=', row.bucket)
      .where('key', '=', row.key)
      .where('id', '=', row.id)
      .where('facts', '=', row.facts)
      .executeTakeFirst(),
  );
  return numUpdatedRows > 0n;
}
