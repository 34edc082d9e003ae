import type { S3Context } from '../context.ts';
import { type BucketSettings, settingsOf, settingsText } from '../domain/bucket-settings.ts';
import { noSuchBucket } from '../errors.ts';
import type { BucketRow, S3Transaction } from '../store.ts';

type BucketChange = Partial<Pick<BucketRow, 'policy' | 'encryption' | 'tags' | 'settings'>>;

/**
 * Changes what a bucket is set to.
 *
 * @param also further changes of the same transaction
 * @throws ServiceError NoSuchBucket
 */
export async function setBucket(
  s3: S3Context,
  name: string,
  change: BucketChange | ((row: BucketRow) => BucketChange),
  also?: (transaction: S3Transaction) => Promise<void>,
): Promise<void> {
  await s3.store.write(async (transaction) => {
    const row = await transaction.selectFrom('s3_bucket').selectAll().where('name', '=', name).executeTakeFirst();
    if (row === undefined) throw noSuchBucket(name);
    const checked = s3.seal.checkBucket(row);
    const changed = s3.seal.bucket({ ...checked, ...(typeof change === 'function' ? change(checked) : change) });
    const { policy, encryption, tags, settings, mac } = changed;
    await transaction
      .updateTable('s3_bucket')
      .set({ policy, encryption, tags, settings, mac })
      .where('name', '=', name)
      .execute();
    await also?.(transaction);
  });
}

/** Changes the settings that `BucketSettings` holds; `undefined` takes one away. @throws ServiceError NoSuchBucket */
export async function changeSettings(
  s3: S3Context,
  name: string,
  change: { readonly [Name in keyof BucketSettings]: BucketSettings[Name] | undefined },
  also?: (transaction: S3Transaction) => Promise<void>,
): Promise<void> {
  const changed = (row: BucketRow) => ({ settings: settingsText({ ...settingsOf(row), ...change } as BucketSettings) });
  await setBucket(s3, name, changed, also);
}
