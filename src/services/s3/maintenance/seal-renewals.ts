import type { TableRenewal } from '#storage/root-sealed-column.ts';
import type { RecordSeal } from '../domain/record-seal.ts';

/** What each record's seal covers, and the seal; not the contents of small objects, which have tags of their own. */
const COLUMNS = {
  s3_bucket: ['name', 'account', 'region', 'created_at', 'policy', 'encryption', 'tags', 'settings', 'mac'],
  s3_object: ['bucket', 'key', 'id', 'size', 'etag', 'modified_at', 'facts', 'mac'],
  s3_version: ['bucket', 'key', 'rank', 'id', 'size', 'etag', 'modified_at', 'facts', 'mac'],
  s3_upload: ['id', 'bucket', 'key', 'object_id', 'initiated_at', 'facts', 'mac'],
  s3_part: ['upload', 'number', 'facts', 'modified_at', 'mac'],
} as const;

/** How the seals of S3's records come under another root key. */
export function s3SealRenewals(seal: RecordSeal): readonly TableRenewal[] {
  return (['s3_bucket', 's3_object', 's3_version', 's3_upload', 's3_part'] as const).map((table) => ({
    table,
    columns: COLUMNS[table],
    isExact: false,
    renew(row) {
      const state = seal.renew(table, row);
      if (state === 'present') return { changes: {}, isDamaged: false };
      return state === 'damaged' ? { changes: {}, isDamaged: true } : { changes: { mac: state }, isDamaged: false };
    },
  }));
}
