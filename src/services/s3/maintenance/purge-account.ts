import type { AccountId } from '#kernel/ids.ts';
import type { S3Context } from '../context.ts';
import { blobsOfRow, parseStoredPart } from '../domain/object-facts.ts';
import { removeInventories } from '../inventory/inventory-store.ts';

const PAGE = 500;

/** Removes every bucket of an account with all that is in it. Begun again, it goes on where it ended. */
export async function purgeAccount(s3: S3Context, account: AccountId): Promise<void> {
  for (const { name } of await s3.store.allBuckets(account)) await purgeBucket(s3, name);
  await s3.store.setAccountBlock(account, undefined);
  await s3.store.write((transaction) =>
    transaction.deleteFrom('s3_notification').where('account', '=', account).execute(),
  );
}

async function purgeBucket(s3: S3Context, bucket: string): Promise<void> {
  for (;;) {
    const { blobs, isDone } = await s3.store.write(async (transaction) => {
      const found: string[] = [];
      for (const table of ['s3_object', 's3_version'] as const) {
        const keys = transaction.selectFrom(table).select('key').where('bucket', '=', bucket).limit(PAGE);
        const rows = await transaction
          .deleteFrom(table)
          .where('bucket', '=', bucket)
          .where('key', 'in', keys)
          .returning(['facts', 'parts'])
          .execute();
        found.push(...rows.flatMap((row) => blobsOfRow(row)));
        if (rows.length >= PAGE) return { blobs: found, isDone: false };
      }
      const uploads = transaction.selectFrom('s3_upload').select('id').where('bucket', '=', bucket);
      const parts = await transaction.selectFrom('s3_part').select('facts').where('upload', 'in', uploads).execute();
      await transaction.deleteFrom('s3_part').where('upload', 'in', uploads).execute();
      await transaction.deleteFrom('s3_upload').where('bucket', '=', bucket).execute();
      await removeInventories(transaction, bucket);
      await transaction.deleteFrom('s3_bucket').where('name', '=', bucket).execute();
      return { blobs: [...found, ...parts.map((part) => parseStoredPart(part.facts).blob)], isDone: true };
    });
    s3.leases.discard(blobs);
    if (isDone) return;
  }
}
