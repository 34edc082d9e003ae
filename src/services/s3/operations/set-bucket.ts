import type { S3Context } from '../context.ts';
import { noSuchBucket } from '../errors.ts';
import type { BucketRow } from '../store.ts';

/** Changes settings of a bucket. @throws ServiceError NoSuchBucket */
export async function setBucket(
  s3: S3Context,
  name: string,
  change: Partial<Pick<BucketRow, 'policy' | 'encryption' | 'tags'>>,
): Promise<void> {
  await s3.store.write(async (transaction) => {
    const row = await transaction.selectFrom('s3_bucket').selectAll().where('name', '=', name).executeTakeFirst();
    if (row === undefined) throw noSuchBucket(name);
    const changed = s3.seal.bucket({ ...s3.seal.checkBucket(row), ...change });
    const { policy, encryption, tags, mac } = changed;
    await transaction
      .updateTable('s3_bucket')
      .set({ policy, encryption, tags, mac })
      .where('name', '=', name)
      .execute();
  });
}
