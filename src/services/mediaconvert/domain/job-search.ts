import type { JobsQueryFilter } from '@aws-sdk/client-mediaconvert';
import type { RootKey } from '#crypto/root-key.ts';
import type { JobFilter, JobRecord, JobScope, MediaconvertStore } from '../store.ts';
import { effectiveSettings, type KeptRequest, openRequest } from './job-request.ts';
import { nameOf } from './names.ts';
import type { PagePlace } from './page-token.ts';

/** Jobs are found for three months after their submission. */
export const JOB_RETENTION_MS = 90 * 86_400_000;

const ROWS_OF_ONE_READ = 100;

/** What a job must be like; values of one filter are alternatives. */
export type JobCondition = (job: JobRecord, request: () => KeptRequest) => boolean;

/** Looks through the jobs in their order until there are enough. */
export async function searchJobs(
  store: MediaconvertStore,
  rootKey: RootKey,
  scope: JobScope,
  search: {
    readonly filter: Pick<JobFilter, 'status' | 'queue'>;
    readonly conditions: readonly JobCondition[];
    readonly isAscending: boolean;
    readonly since: number;
    readonly after?: PagePlace | undefined;
    readonly limit: number;
  },
): Promise<JobRecord[]> {
  const { filter, conditions, isAscending, since, limit } = search;
  const found: JobRecord[] = [];
  for (let after = search.after; ; ) {
    const page = await store.list(scope, {
      ...filter,
      isAscending,
      since,
      ...(after !== undefined && { after }),
      limit: ROWS_OF_ONE_READ,
    });
    for (const job of page) {
      let opened: KeptRequest | undefined;
      const request = () => (opened ??= openRequest(rootKey, job));
      if (conditions.every((isMet) => isMet(job, request))) found.push(job);
      if (found.length >= limit) return found;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < ROWS_OF_ONE_READ) return found;
    after = { createdAt: last.created_at, id: last.id };
  }
}

/** The address of an input, or a part of it. */
export function hasInput(part: string): JobCondition {
  return (_job, request) =>
    (effectiveSettings(request()).Inputs ?? []).some(({ FileInput: address }) => address?.includes(part) === true);
}

export function conditionsOf(filters: readonly JobsQueryFilter[], scope: JobScope): readonly JobCondition[] {
  return filters.map((filter): JobCondition => {
    const alternatives = (filter.Values ?? []).map((value) => conditionOf(filter.Key, value, scope));
    return (job, request) => alternatives.some((isMet) => isMet(job, request));
  });
}

function conditionOf(key: JobsQueryFilter['Key'], value: string, scope: JobScope): JobCondition {
  switch (key) {
    case 'queue': {
      const name = nameOf(value, 'queues', scope);
      return (job) => job.queue === name;
    }
    case 'status':
      return (job) => job.status === value;
    case 'fileInput':
      return hasInput(value);
    case 'jobEngineVersionRequested':
      return (_job, request) => request().JobEngineVersionRequested === value;
    case 'jobEngineVersionUsed':
      return (_job, request) => request().JobEngineVersionUsed === value;
    case 'audioCodec':
      return (_job, request) =>
        outputsOf(request()).some(({ AudioDescriptions: audios }) =>
          (audios ?? []).some((audio) => audio.CodecSettings?.Codec === value),
        );
    case 'videoCodec':
      return (_job, request) =>
        outputsOf(request()).some(({ VideoDescription: video }) => video?.CodecSettings?.Codec === value);
    case 'errorCode':
      return (job) => String(job.error_code) === value;
    default:
      return () => false;
  }
}

function outputsOf(request: KeptRequest) {
  return (effectiveSettings(request).OutputGroups ?? []).flatMap((group) => group.Outputs ?? []);
}
