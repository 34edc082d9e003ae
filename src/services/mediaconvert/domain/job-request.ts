import type { CreateJobRequest, JobSettings } from '@aws-sdk/client-mediaconvert';
import type { RootKey } from '#crypto/root-key.ts';
import type { RootSealedColumn } from '#storage/root-sealed-column.ts';
import type { JobRecord } from '../store.ts';

/** What is kept of a request with the job, sealed. */
export interface KeptRequest
  extends Pick<
    CreateJobRequest,
    | 'Settings'
    | 'AccelerationSettings'
    | 'BillingTagsSource'
    | 'HopDestinations'
    | 'JobTemplate'
    | 'SimulateReservedQueue'
    | 'StatusUpdateInterval'
    | 'UserMetadata'
  > {
  readonly JobEngineVersionRequested?: string | undefined;
  readonly JobEngineVersionUsed?: string | undefined;
  /** The settings with their presets resolved, where they name any: what is carried out. */
  readonly Resolved?: JobSettings | undefined;
}

/** The settings that are carried out. */
export function effectiveSettings(request: KeptRequest): JobSettings {
  return request.Resolved ?? request.Settings ?? {};
}

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

export const jobRequestColumn: RootSealedColumn = {
  table: 'mediaconvert_job',
  column: 'request',
  contextOf: (row) => contextOf(String(row['id'])),
};
