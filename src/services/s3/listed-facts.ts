import { sql } from 'kysely';
import type { Migration } from '#storage/records.ts';

/**
 * What listings tell of a record's facts: all but what is long and no listing's affair.
 *
 * Frozen: the indexes are over this very expression, and only who asks with the same is served from them. Text that is no
 * JSON (something other than Coffer wrote it) is taken as it is, and fails whoever reads it.
 */
export const LISTED_FACTS = `case when json_valid(facts) then json_remove(facts, '$.encryption', '$.headers', '$.metadata',
  '$.content', '$.tags', '$.checksum.value', '$.checksum.sealed') else facts end`;

/**
 * Indexes that hold all that a listing tells, side by side in the order of keys: objects come in any order, and their rows
 * lie far from each other, so that a listing would read a page of the database for each of them.
 */
export const listingIndexes: Migration = {
  name: 's3-0003-listing-indexes',
  async up(transaction) {
    const facts = sql.raw(LISTED_FACTS);
    await sql`CREATE INDEX s3_object_listing ON s3_object (bucket, key, size, etag, modified_at, ${facts})`.execute(
      transaction,
    );
    await sql`CREATE INDEX s3_version_listing ON s3_version (bucket, key, rank, size, etag, modified_at, ${facts})`.execute(
      transaction,
    );
  },
};
