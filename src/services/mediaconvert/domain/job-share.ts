import type { Job } from '@aws-sdk/client-mediaconvert';
import type { RootKey } from '#crypto/root-key.ts';
import type { RootSealedColumn } from '#storage/root-sealed-column.ts';
import type { JobRecord } from '../store.ts';

/** That a job may be looked into by the operators of the installation, in the place of AWS's support. */
export interface JobShare {
  readonly supportCaseId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** @throws DecryptionError when the record was tampered with */
export function sharesOf(rootKey: RootKey, job: Pick<JobRecord, 'id' | 'shares'>): readonly JobShare[] {
  if (job.shares === null) return [];
  return JSON.parse(rootKey.open(job.shares, contextOf(job.id)).toString('utf8')) as JobShare[];
}

/** What cases are called may tell of people: it lies sealed, like the job's settings. */
export function sealShares(rootKey: RootKey, id: string, shares: readonly JobShare[]): Buffer {
  return rootKey.seal(Buffer.from(JSON.stringify(shares)), contextOf(id));
}

/** As the API shows them. There is nothing to wait for: INITIATED is no job's state here. */
export function shareDetails(shares: readonly JobShare[]): Pick<Job, 'ShareStatus' | 'LastShareDetails'> {
  const last = shares.at(-1);
  if (last === undefined) return { ShareStatus: 'NOT_SHARED' };
  const { supportCaseId, at } = last;
  return {
    ShareStatus: 'SHARED',
    LastShareDetails: `Shared for the support case ${supportCaseId} at ${new Date(at).toISOString()}`,
  };
}

function contextOf(id: string): string {
  return `mediaconvert/job-shares/${id}`;
}

export const jobSharesColumn: RootSealedColumn = {
  table: 'mediaconvert_job',
  column: 'shares',
  contextOf: (row) => contextOf(String(row['id'])),
};
