import type { Job } from '@aws-sdk/client-mediaconvert';
import type { RootKey } from '#crypto/root-key.ts';
import type { JobRecord, JobTransition } from '../store.ts';
import { openRequest } from './job-request.ts';
import { countWarnings, warningsOf } from './job-warnings.ts';
import { jobArn, queueArn } from './names.ts';
import { shareDetails, sharesOf } from './job-share.ts';
import { groupDetails, type WrittenGroup } from './written-group.ts';

/** A job as the API shows it. */
export function jobView(rootKey: RootKey, job: JobRecord): Job {
  const request = openRequest(rootKey, job);
  const warnings = warningsOf(job);
  const isRunning = job.status === 'PROGRESSING';
  const transitions = JSON.parse(job.transitions) as readonly JobTransition[];
  const acceleration = request.AccelerationSettings?.Mode ?? 'DISABLED';
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
    ...(request.HopDestinations !== undefined && { HopDestinations: request.HopDestinations }),
    ...(transitions.length > 0 && {
      QueueTransitions: transitions.map(({ from, to, at }) => ({
        SourceQueue: queueArn(job, from),
        DestinationQueue: queueArn(job, to),
        Timestamp: new Date(at),
      })),
    }),
    Role: job.role,
    ...(request.JobTemplate !== undefined && { JobTemplate: request.JobTemplate }),
    Settings: request.Settings,
    AccelerationSettings: { Mode: acceleration },
    AccelerationStatus: acceleration === 'DISABLED' ? 'NOT_APPLICABLE' : 'NOT_ACCELERATED',
    BillingTagsSource: request.BillingTagsSource ?? 'JOB',
    SimulateReservedQueue: request.SimulateReservedQueue ?? 'DISABLED',
    StatusUpdateInterval: request.StatusUpdateInterval ?? 'SECONDS_60',
    UserMetadata: request.UserMetadata ?? {},
    ...(job.client_token !== null && { ClientRequestToken: job.client_token }),
    ...(request.JobEngineVersionRequested !== undefined && {
      JobEngineVersionRequested: request.JobEngineVersionRequested,
    }),
    ...(request.JobEngineVersionUsed !== undefined && { JobEngineVersionUsed: request.JobEngineVersionUsed }),
    ...shareDetails(sharesOf(rootKey, job)),
    RetryCount: Math.max(0, job.attempts - 1),
    Messages: { Info: [], Warning: warnings.map(({ message }) => message) },
    ...(warnings.length > 0 && { Warnings: [...countWarnings(warnings)] }),
    ...(isRunning && job.phase !== null && { CurrentPhase: job.phase }),
    ...(job.percent !== null && { JobPercentComplete: job.percent }),
    ...(job.error_code !== null && { ErrorCode: job.error_code }),
    ...(job.error_message !== null && { ErrorMessage: job.error_message }),
    ...(job.output_details !== null && {
      OutputGroupDetails: groupDetails(JSON.parse(job.output_details) as WrittenGroup[]),
    }),
  };
}
