import type { AssumeRoleRequest, Credentials } from '@aws-sdk/client-sts';
import type { Caller } from '#kernel/caller.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { TranscodeError } from '#media/transcode-error.ts';
import type { WorkerCredentials } from '#media/worker/messages.ts';
import type { StsApi } from '#services/sts/api.ts';
import { queueArn } from '../domain/names.ts';
import type { JobRecord } from '../store.ts';

export const NO_SUCH_ROLE = 1433;
const ROLE_CANNOT_BE_ASSUMED = 1434;
const SESSION_SECONDS = 3600;

/** What of a job says whose role is assumed, and for what. */
export type AssumingJob = Pick<JobRecord, 'id' | 'role' | 'account' | 'region' | 'current_queue'>;

/** A job role's session, for the worker's requests over HTTP and for the door. */
export interface JobSession {
  readonly credentials: WorkerCredentials;
  readonly caller: Caller;
}

/**
 * Assumes a job's role in MediaConvert's own name, for the queue of the job: the role's trust policy decides, and may
 * look at `aws:SourceAccount` and `aws:SourceArn`.
 *
 * @throws TranscodeError 1433 when there is no such role, 1434 when it may not be assumed
 */
export async function assumeJobRole(sts: StsApi, job: AssumingJob): Promise<JobSession> {
  const input: AssumeRoleRequest = {
    RoleArn: job.role,
    RoleSessionName: `MediaConvert-${job.id}`,
    DurationSeconds: SESSION_SECONDS,
  };
  try {
    const session = await sts.assumeRole(input, {
      caller: {
        type: 'service',
        service: 'mediaconvert.amazonaws.com',
        sourceAccount: job.account,
        sourceArn: queueArn(job, job.current_queue),
      },
      region: job.region,
      via: [],
      userAgent: 'mediaconvert.amazonaws.com',
      sourceIp: 'mediaconvert.amazonaws.com',
    });
    return { credentials: credentialsOf(session.credentials), caller: session.caller };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    if (!(await sts.hasRole(job.role))) {
      throw new TranscodeError(NO_SUCH_ROLE, `Unable to assume the role [${job.role}]: [The role does not exist]`);
    }
    throw new TranscodeError(
      ROLE_CANNOT_BE_ASSUMED,
      `Unable to assume the role [${job.role}]: [AssumeRole failed: ${error.message}]`,
    );
  }
}

function credentialsOf(credentials: Credentials): WorkerCredentials {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials;
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) throw new Error('STS gave no credentials.');
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiresAt: Expiration.getTime(),
  };
}
