import type { CreateJobRequest } from '@aws-sdk/client-mediaconvert';
import type { RootKey } from '#crypto/root-key.ts';
import type { JobRecord } from '../store.ts';

/** The members of a request that are kept with the job, sealed. */
export type KeptRequest = Pick<
  CreateJobRequest,
  | 'Settings'
  | 'AccelerationSettings'
  | 'BillingTagsSource'
  | 'SimulateReservedQueue'
  | 'StatusUpdateInterval'
  | 'UserMetadata'
>;

/** INVARIANT: settings may hold content keys, so a job's request never lies in the records in the clear. */
export function sealRequest(rootKey: RootKey, id: string, request: KeptRequest): Buffer {
  return rootKey.seal(Buffer.from(JSON.stringify(request)), contextOf(id));
}

/** @throws DecryptionError when the record was tampered with */
export function openRequest(rootKey: RootKey, job: Pick<JobRecord, 'id' | 'request'>): KeptRequest {
  const opened = rootKey.open(job.request, contextOf(job.id));
  return JSON.parse(opened.toString('utf8')) as KeptRequest;
}

function contextOf(id: string): string {
  return `mediaconvert/job/${id}`;
}
