import {
  CancelJob$,
  type CancelJobRequest,
  type CancelJobResponse,
  GetJob$,
  type GetJobRequest,
  type GetJobResponse,
  ListJobs$,
  type ListJobsRequest,
  type ListJobsResponse,
} from '@aws-sdk/client-mediaconvert';
import { type AccessRequest, type Call, operation } from '#kernel/operation.ts';
import type { MediaconvertContext } from '../context.ts';
import { openRequest } from '../domain/job-request.ts';
import { jobView } from '../domain/job-view.ts';
import { nextTokenOf, pageLimit } from '../domain/list-page.ts';
import { jobArn, nameOf, queueArn } from '../domain/names.ts';
import { decodePageToken } from '../domain/page-token.ts';
import { scopeOf, tagsOf } from '../domain/scope.ts';
import { conflict, notFound } from '../errors.ts';
import { isFinished } from '../store.ts';

export const getJob = operation<MediaconvertContext, GetJobRequest, GetJobResponse>(GetJob$, {
  authorize: (input, call, context) => jobAccess('mediaconvert:GetJob', input.Id ?? '', call, context),
  async handle(input, call, context) {
    const job = await context.store.find(scopeOf(call), input.Id ?? '');
    if (job === undefined) throw jobNotFound(input.Id);
    return { Job: jobView(context.rootKey, job) };
  },
});

export const cancelJob = operation<MediaconvertContext, CancelJobRequest, CancelJobResponse>(CancelJob$, {
  authorize: (input, call, context) => jobAccess('mediaconvert:CancelJob', input.Id ?? '', call, context),
  async handle(input, call, context) {
    const before = await context.store.cancel(scopeOf(call), input.Id ?? '', context.clock.now());
    if (before === undefined) throw jobNotFound(input.Id);
    if (isFinished(before.status)) {
      throw conflict(`Job ${before.id} cannot be canceled, as its status is ${before.status}.`);
    }
    context.runner.cancel(before.id);
    const { UserMetadata: userMetadata = {} } = openRequest(context.rootKey, before);
    context.events.canceled({ ...before, userMetadata });
    return {};
  },
});

export const listJobs = operation<MediaconvertContext, ListJobsRequest, ListJobsResponse>(ListJobs$, {
  authorize(input, call) {
    const scope = scopeOf(call);
    const queue = input.Queue === undefined ? '*' : (nameOf(input.Queue, 'queues', scope) ?? '*');
    return [{ action: 'mediaconvert:ListJobs', resource: queueArn(scope, queue) }];
  },
  async handle(input, call, context) {
    const scope = scopeOf(call);
    const limit = pageLimit(input.MaxResults);
    const queue = input.Queue === undefined ? undefined : (nameOf(input.Queue, 'queues', scope) ?? '');
    const after = input.NextToken === undefined ? undefined : decodePageToken(input.NextToken);
    const jobs = await context.store.list(scope, {
      isAscending: input.Order === 'ASCENDING',
      limit: limit + 1,
      ...(input.Status !== undefined && { status: input.Status }),
      ...(queue !== undefined && { queue }),
      ...(after !== undefined && { after }),
    });
    const next = nextTokenOf(jobs, limit, ({ created_at, id }) => ({ createdAt: created_at, id }));
    return {
      Jobs: jobs.slice(0, limit).map((job) => jobView(context.rootKey, job)),
      ...(next !== undefined && { NextToken: next }),
    };
  },
});

export async function jobAccess(
  action: string,
  id: string,
  call: Call,
  context: MediaconvertContext,
): Promise<readonly AccessRequest[]> {
  const scope = scopeOf(call);
  const job = await context.store.find(scope, id);
  return [{ action, resource: jobArn(scope, id), resourceTags: tagsOf(job) }];
}

export function jobNotFound(id: string | undefined) {
  return notFound(`The job ${id ?? ''} does not exist.`);
}
