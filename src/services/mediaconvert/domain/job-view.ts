import type { Job, OutputGroupDetail } from '@aws-sdk/client-mediaconvert';
import type { RootKey } from '#crypto/root-key.ts';
import { formatArn } from '#kernel/arn.ts';
import type { JobRecord, JobScope } from '../store.ts';
import { openRequest } from './job-request.ts';

export const DEFAULT_QUEUE = 'Default';

export function jobArn(scope: JobScope, id: string): string {
  return formatArn({ service: 'mediaconvert', region: scope.region, account: scope.account, resource: `jobs/${id}` });
}

export function queueArn(scope: JobScope, name: string): string {
  return formatArn({
    service: 'mediaconvert',
    region: scope.region,
    account: scope.account,
    resource: `queues/${name}`,
  });
}

export interface JobWarning {
  readonly code: number;
  readonly message: string;
}

/** A job as the API shows it. */
export function jobView(rootKey: RootKey, job: JobRecord): Job {
  const request = openRequest(rootKey, job);
  const warnings = JSON.parse(job.warnings) as JobWarning[];
  const isRunning = job.status === 'PROGRESSING';
  return {
    Arn: jobArn(job, job.id),
    Id: job.id,
    Status: job.status,
    CreatedAt: new Date(job.created_at),
    Timing: {
      SubmitTime: new Date(job.created_at),
      ...(job.started_at !== null && { StartTime: new Date(job.started_at) }),
      ...(job.finished_at !== null && { FinishTime: new Date(job.finished_at) }),
    },
    Queue: queueArn(job, job.queue),
    Priority: job.priority,
    Role: job.role,
    Settings: request.Settings,
    AccelerationSettings: request.AccelerationSettings ?? { Mode: 'DISABLED' },
    AccelerationStatus: request.AccelerationSettings?.Mode === 'PREFERRED' ? 'NOT_ACCELERATED' : 'NOT_APPLICABLE',
    BillingTagsSource: request.BillingTagsSource ?? 'QUEUE',
    SimulateReservedQueue: request.SimulateReservedQueue ?? 'DISABLED',
    StatusUpdateInterval: request.StatusUpdateInterval ?? 'SECONDS_60',
    UserMetadata: request.UserMetadata ?? {},
    ...(job.client_token !== null && { ClientRequestToken: job.client_token }),
    RetryCount: Math.max(0, job.attempts - 1),
    Messages: { Info: [], Warning: warnings.map(({ message }) => message) },
    ...(warnings.length > 0 && { Warnings: countWarnings(warnings) }),
    ...(isRunning && job.phase !== null && { CurrentPhase: job.phase }),
    ...(job.percent !== null && { JobPercentComplete: job.percent }),
    ...(job.error_code !== null && { ErrorCode: job.error_code }),
    ...(job.error_message !== null && { ErrorMessage: job.error_message }),
    ...(job.output_details !== null && { OutputGroupDetails: JSON.parse(job.output_details) as OutputGroupDetail[] }),
  };
}

function countWarnings(warnings: readonly JobWarning[]) {
  const counts = new Map<number, number>();
  for (const { code } of warnings) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([Code, Count]) => ({ Code, Count }));
}
