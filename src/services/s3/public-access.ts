import { settingsOf } from './domain/bucket-settings.ts';
import { type PublicAccessBlock, strictest } from './domain/public-access-block.ts';
import type { BucketRow, S3Store } from './store.ts';

/** What holds for a bucket: its own block and its owner's, whichever is stricter. It is read anew by each request. */
export async function publicAccessBlockOf(
  { store }: { readonly store: S3Store },
  bucket: Pick<BucketRow, 'account' | 'settings'>,
): Promise<PublicAccessBlock> {
  return strictest(settingsOf(bucket).publicAccessBlock, await store.findAccountBlock(bucket.account));
}
