import {
  GetQueue$,
  type GetQueueRequest,
  type GetQueueResponse,
  ListQueues$,
  type ListQueuesRequest,
  type ListQueuesResponse,
  type Queue,
} from '@aws-sdk/client-mediaconvert';
import { type Call, operation } from '#kernel/operation.ts';
import type { MediaconvertContext } from '../context.ts';
import { DEFAULT_QUEUE, queueArn } from '../domain/job-view.ts';
import { scopeOf } from '../domain/scope.ts';
import { badRequest, notFound } from '../errors.ts';

export const getQueue = operation<MediaconvertContext, GetQueueRequest, GetQueueResponse>(GetQueue$, {
  authorize: (input, call) => [
    { action: 'mediaconvert:GetQueue', resource: queueArn(scopeOf(call), input.Name ?? '') },
  ],
  async handle(input, call, context) {
    if (input.Name !== DEFAULT_QUEUE) throw notFound(`The queue ${input.Name ?? ''} does not exist.`);
    return { Queue: await defaultQueue(call, context) };
  },
});

export const listQueues = operation<MediaconvertContext, ListQueuesRequest, ListQueuesResponse>(ListQueues$, {
  authorize: (_input, call) => [{ action: 'mediaconvert:ListQueues', resource: queueArn(scopeOf(call), '*') }],
  async handle(input, call, context) {
    // One queue is one page.
    if (input.NextToken !== undefined) throw badRequest('/nextToken: Is not a token of this list');
    return { Queues: [await defaultQueue(call, context)] };
  },
});

/** Every account has it in every region, and nobody can delete it. */
async function defaultQueue(call: Call, context: MediaconvertContext): Promise<Queue> {
  const scope = scopeOf(call);
  const [submitted, progressing] = await Promise.all([
    context.store.countByStatus(scope, 'SUBMITTED'),
    context.store.countByStatus(scope, 'PROGRESSING'),
  ]);
  return {
    Arn: queueArn(scope, DEFAULT_QUEUE),
    Name: DEFAULT_QUEUE,
    PricingPlan: 'ON_DEMAND',
    Status: 'ACTIVE',
    Type: 'SYSTEM',
    SubmittedJobsCount: submitted,
    ProgressingJobsCount: progressing,
  };
}
