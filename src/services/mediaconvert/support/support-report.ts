import type { RootKey } from '#crypto/root-key.ts';
import { effectiveSettings, openRequest } from '../domain/job-request.ts';
import { sharesOf } from '../domain/job-share.ts';
import { jobView } from '../domain/job-view.ts';
import { warningsOf } from '../domain/job-warnings.ts';
import { queueArn } from '../domain/names.ts';
import type { JobCourse, JobRecord } from '../store.ts';
import { withoutSecrets } from './without-secrets.ts';

/** On what a job ran. */
export interface SupportVersions {
  readonly coffer: string;
  readonly node: string;
  /** The package that FFmpeg comes in. */
  readonly nodeAv: string;
}

/**
 * What an operator reads of a job that its owner has shared: how it went, and with which settings. No keys, no media,
 * nothing with which either could be got.
 *
 * @returns `undefined` where the job is shared with nobody
 */
export function supportReport(rootKey: RootKey, job: JobRecord, versions: SupportVersions): object | undefined {
  const shares = sharesOf(rootKey, job);
  if (shares.length === 0) return undefined;
  const request = openRequest(rootKey, job);
  const view = jobView(rootKey, job);
  const course = job.course === null ? { phases: [] } : (JSON.parse(job.course) as JobCourse);
  const { ErrorCode, ErrorMessage, OutputGroupDetails, QueueTransitions, JobTemplate, RetryCount, Timing } = view;
  return {
    job: view.Arn,
    account: job.account,
    sharedFor: shares.map(({ supportCaseId, at }) => ({ supportCaseId, at: new Date(at) })),
    status: job.status,
    timing: Timing,
    phases: course.phases.map(({ phase, at }) => ({ phase, at: new Date(at) })),
    percentComplete: job.percent,
    retryCount: RetryCount,
    ...(ErrorCode !== undefined && { errorCode: ErrorCode }),
    ...(ErrorMessage !== undefined && { errorMessage: withoutSecrets(ErrorMessage) }),
    warnings: withoutSecrets(warningsOf(job)),
    messages: withoutSecrets(view.Messages),
    worker: { peakMemoryBytes: course.peakMemoryBytes },
    versions: { ...versions, jobEngineRequested: view.JobEngineVersionRequested, jobEngine: view.JobEngineVersionUsed },
    queue: { submittedTo: view.Queue, now: queueArn(job, job.current_queue), priority: job.current_priority },
    queueTransitions: QueueTransitions,
    role: job.role,
    jobTemplate: JobTemplate,
    // Their values are whatever the owner keeps in them.
    userMetadataNames: Object.keys(request.UserMetadata ?? {}),
    tagNames: Object.keys(JSON.parse(job.tags) as object),
    outputGroupDetails: OutputGroupDetails,
    settings: withoutSecrets(effectiveSettings(request)),
  };
}
