import { CreateJob$, type CreateJobRequest, type CreateJobResponse } from '@aws-sdk/client-mediaconvert';
import { parseArn } from '#kernel/arn.ts';
import { operation } from '#kernel/operation.ts';
import { LOWER_ALPHANUMERIC } from '#kernel/randomness.ts';
import type { MediaconvertContext } from '../context.ts';
import { sealRequest } from '../domain/job-request.ts';
import { jobSettingsRule } from '../domain/job-settings-rules.ts';
import { DEFAULT_QUEUE, jobView, queueArn } from '../domain/job-view.ts';
import { scopeOf } from '../domain/scope.ts';
import { carriedOut, emptyOnly, oneOf, structure } from '../domain/setting-rule.ts';
import { accessDenied, badRequest, invalidSettings, notFound, type Problem } from '../errors.ts';
import type { JobScope } from '../store.ts';

export const createJob = operation<MediaconvertContext, CreateJobRequest, CreateJobResponse>(CreateJob$, {
  // Settings may hold content keys.
  secretMembers: ['Settings'],
  authorize(input, call) {
    const scope = scopeOf(call);
    const tags = input.Tags ?? {};
    const isTagged = Object.keys(tags).length > 0;
    const queue = queueArn(scope, queueName(input.Queue, scope) ?? DEFAULT_QUEUE);
    return [
      { action: 'mediaconvert:CreateJob', resource: queue, ...(isTagged && { requestTags: tags }) },
      ...(isTagged
        ? [{ action: 'mediaconvert:TagResource', resource: queue.replace(/queues\/.*$/, 'jobs/*'), requestTags: tags }]
        : []),
      {
        action: 'iam:PassRole',
        resource: input.Role ?? '',
        context: { 'iam:PassedToService': 'mediaconvert.amazonaws.com' },
      },
    ];
  },
  async handle(input, call, context) {
    const scope = scopeOf(call);
    checkRole(input.Role ?? '', scope);
    const queue = queueName(input.Queue, scope);
    if (queue !== DEFAULT_QUEUE) throw notFound(`Queue not found: ${input.Queue ?? ''}`);
    checkRequest(input);
    const now = context.clock.now();
    const id = `${now}-${context.randomness.text(6, LOWER_ALPHANUMERIC)}`;
    const job = await context.store.create({
      id,
      ...scope,
      status: 'SUBMITTED',
      phase: null,
      percent: null,
      priority: input.Priority ?? 0,
      queue,
      role: input.Role ?? '',
      request: sealRequest(context.rootKey, id, {
        Settings: input.Settings,
        AccelerationSettings: input.AccelerationSettings,
        BillingTagsSource: input.BillingTagsSource,
        SimulateReservedQueue: input.SimulateReservedQueue,
        StatusUpdateInterval: input.StatusUpdateInterval,
        UserMetadata: input.UserMetadata,
      }),
      client_token: input.ClientRequestToken ?? null,
      tags: JSON.stringify(input.Tags ?? {}),
      created_at: now,
      started_at: null,
      finished_at: null,
      error_code: null,
      error_message: null,
      output_details: null,
      warnings: '[]',
      attempts: 0,
      lease_owner: null,
      lease_until: null,
    });
    call.audit.resources.add(queueArn(scope, queue));
    context.runner.wake();
    return { Job: jobView(context.rootKey, job) };
  },
});

/** The queue's name, from a name or an ARN of this account and region; `undefined` for another's. */
function queueName(queue: string | undefined, scope: JobScope): string | undefined {
  if (queue === undefined) return DEFAULT_QUEUE;
  const arn = parseArn(queue);
  if (arn === undefined) return queue;
  const isOwn = arn.service === 'mediaconvert' && arn.account === scope.account && arn.region === scope.region;
  return isOwn && arn.resource.startsWith('queues/') ? arn.resource.slice('queues/'.length) : undefined;
}

/** A service may act for an account only with that account's roles. */
function checkRole(role: string, scope: JobScope): void {
  const arn = parseArn(role);
  if (arn === undefined || arn.service !== 'iam' || !arn.resource.startsWith('role/')) {
    throw badRequest('/role: Should be the ARN of an IAM role');
  }
  if (arn.account !== scope.account) throw accessDenied('Cross-account pass role is not allowed.');
}

/** The members beside the settings, by the same principle: carried out or refused by name. */
const requestRule = structure<CreateJobRequest>({
  Role: carriedOut,
  Settings: (settings, _pointer, problems) => jobSettingsRule(settings, '', problems),
  Queue: carriedOut,
  Priority: carriedOut,
  Tags: carriedOut,
  UserMetadata: carriedOut,
  ClientRequestToken: carriedOut,
  // Says how often events are sent. Kept and shown; events themselves have no receiver yet.
  StatusUpdateInterval: carriedOut,
  // Says whose tags a bill shows. There are no bills.
  BillingTagsSource: carriedOut,
  AccelerationSettings: structure({ Mode: oneOf('DISABLED', 'PREFERRED') }),
  SimulateReservedQueue: oneOf('DISABLED'),
  HopDestinations: emptyOnly,
});

function checkRequest(input: CreateJobRequest): void {
  const problems: Problem[] = [];
  requestRule(input, '', problems);
  if (problems.length > 0) throw invalidSettings(problems);
}
