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
import { jobArn, jobView, queueArn } from '../domain/job-view.ts';
import { decodePageToken, encodePageToken } from '../domain/page-token.ts';
import { scopeOf, tagsOf } from '../domain/scope.ts';
import { conflict, notFound } from '../errors.ts';
import { isFinished } from '../store.ts';

const DEFAULT_PAGE = 20;

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
    return {};
  },
});

export const listJobs = operation<MediaconvertContext, ListJobsRequest, ListJobsResponse>(ListJobs$, {
  authorize(input, call) {
    return [{ action: 'mediaconvert:ListJobs', resource: queueArn(scopeOf(call), nameOf(input.Queue) ?? '*') }];
  },
  async handle(input, call, context) {
    const limit = input.MaxResults ?? DEFAULT_PAGE;
    const queue = nameOf(input.Queue);
    const after = input.NextToken === undefined ? undefined : decodePageToken(input.NextToken);
    const jobs = await context.store.list(scopeOf(call), {
      isAscending: input.Order === 'ASCENDING',
      limit: limit + 1,
      ...(input.Status !== undefined && { status: input.Status }),
      ...(queue !== undefined && { queue }),
      ...(after !== undefined && { after }),
    });
    const page = jobs.slice(0, limit);
    const last = page.at(-1);
    return {
      Jobs: page.map((job) => jobView(context.rootKey, job)),
      ...(jobs.length > limit && last !== undefined && { NextToken: encodePageToken(last) }),
    };
  },
});

function nameOf(queue: string | undefined): string | undefined {
  return queue?.replace(/^arn:.*:queues\//, '');
}

async function jobAccess(
  action: string,
  id: string,
  call: Call,
  context: MediaconvertContext,
): Promise<readonly AccessRequest[]> {
  const scope = scopeOf(call);
  const job = await context.store.find(scope, id);
  return [{ action, resource: jobArn(scope, id), resourceTags: tagsOf(job) }];
}

function jobNotFound(id: string | undefined) {
  return notFound(`The job ${id ?? ''} does not exist.`);
}
