import type { TableRenewal } from '#storage/root-sealed-column.ts';
import { type RecordSeal, SEALED_TABLES } from '../domain/record-seal.ts';

/** How the seals of S3's records come under another root key. */
export function s3SealRenewals(seal: RecordSeal): readonly TableRenewal[] {
  return SEALED_TABLES.map((table) => ({
    table,
    // Contents have tags of their own, and the list of parts is covered by its digest among the facts.
    skips: ['body', 'parts'],
    isExact: false,
    renew(row) {
      const state = seal.renew(table, row);
      if (state === 'present') return { changes: {}, isDamaged: false };
      return state === 'damaged' ? { changes: {}, isDamaged: true } : { changes: { mac: state }, isDamaged: false };
    },
  }));
}
