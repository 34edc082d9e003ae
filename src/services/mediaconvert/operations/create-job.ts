import { CreateJob$, type CreateJobRequest, type CreateJobResponse } from '@aws-sdk/client-mediaconvert';
import { parseArn } from '#kernel/arn.ts';
import { type AccessRequest, type Call, operation } from '#kernel/operation.ts';
import { LOWER_ALPHANUMERIC } from '#kernel/randomness.ts';
import type { MediaconvertContext } from '../context.ts';
import { ENGINE_VERSION, ENGINE_VERSION_PATTERN } from '../domain/engine-versions.ts';
import { readHops } from '../domain/hops.ts';
import { DISALLOWED_INPUT, isInputDisallowed, POLICY_NAME, policyContext, policyOf } from '../domain/input-policy.ts';
import { sealRequest } from '../domain/job-request.ts';
import { jobSettingsRule } from '../domain/job-settings-rules.ts';
import { findTemplate } from '../domain/library.ts';
import { jobView } from '../domain/job-view.ts';
import { presetsOf, resolvePresets, underTemplate } from '../domain/merge-settings.ts';
import { arnOf, DEFAULT_QUEUE, nameOf, queueArn } from '../domain/names.ts';
import { isReserved, queueDocument } from '../domain/queue.ts';
import { checkReservedQueue } from '../domain/reserved-queue-rules.ts';
import { scopeOf, tagsOf } from '../domain/scope.ts';
import { carriedOut, structure } from '../domain/setting-rule.ts';
import { withTags } from '../domain/tags.ts';
import { accessDenied, badRequest, invalidSettings, notFound, type Problem } from '../errors.ts';
import { hopTime } from '../job-schedule.ts';
import type { JobScope } from '../store.ts';

export const createJob = operation<MediaconvertContext, CreateJobRequest, CreateJobResponse>(CreateJob$, {
  // Settings may hold content keys.
  secretMembers: ['Settings'],
  async authorize(input, call, context) {
    const scope = scopeOf(call);
    const tags = input.Tags ?? {};
    const isTagged = Object.keys(tags).length > 0;
    const tagging = { action: 'mediaconvert:TagResource', resource: arnOf(scope, 'jobs', '*'), requestTags: tags };
    const used = await usedResources(input, call, context);
    return [
      ...used.map((request) => ({
        ...request,
        action: 'mediaconvert:CreateJob',
        ...(isTagged && { requestTags: tags }),
      })),
      ...(isTagged ? [tagging] : []),
      {
        action: 'iam:PassRole',
        resource: input.Role ?? '',
        // The queue, as in `aws:SourceArn` when MediaConvert assumes the role: the job has no ARN yet.
        context: {
          'iam:PassedToService': 'mediaconvert.amazonaws.com',
          'iam:AssociatedResourceArn': used[0]?.resource,
        },
      },
    ];
  },
  async handle(input, call, context) {
    const scope = scopeOf(call);
    const { store, rootKey, clock, randomness } = context;
    checkRole(input.Role ?? '', scope);
    const template = await findTemplate(input.JobTemplate, scope, context.library);
    const request = underTemplate(input, template);
    const queue = nameOf(request.Queue ?? DEFAULT_QUEUE, 'queues', scope);
    const record = queue === undefined ? undefined : await store.resources.find(scope, 'queue', queue);
    if (queue === undefined || (record === undefined && queue !== DEFAULT_QUEUE)) throw queueNotFound(request.Queue);
    const problems: Problem[] = [];
    const presets = await context.library.presets(scope, presetsOf(request.Settings));
    const settings = resolvePresets(request.Settings ?? {}, presets, problems);
    const policy = policyOf(rootKey, await store.resources.find(scope, 'policy', POLICY_NAME));
    if (isInputDisallowed(settings, policy)) throw badRequest(DISALLOWED_INPUT);
    const hops = readHops(request.HopDestinations ?? [], queue, scope, problems);
    requestRule({ ...request, Settings: settings }, '', problems);
    if (isReserved(queueDocument(rootKey, record))) checkReservedQueue(request, settings, problems);
    if (problems.length > 0) throw invalidSettings(problems);
    for (const [index, { queue: to }] of hops.entries())
      await requireQueue(to, `/hopDestinations/${index}`, scope, context);
    const tags = withTags({}, input.Tags);
    const now = clock.now();
    const id = `${now}-${randomness.text(6, LOWER_ALPHANUMERIC)}`;
    const priority = request.Priority ?? 0;
    const kept = {
      Settings: request.Settings,
      ...(settings !== request.Settings && { Resolved: settings }),
      JobTemplate: template?.Arn,
      AccelerationSettings: request.AccelerationSettings,
      BillingTagsSource: request.BillingTagsSource,
      HopDestinations: request.HopDestinations,
      SimulateReservedQueue: request.SimulateReservedQueue,
      StatusUpdateInterval: request.StatusUpdateInterval,
      UserMetadata: request.UserMetadata,
      JobEngineVersionRequested: request.JobEngineVersion,
      JobEngineVersionUsed: ENGINE_VERSION,
    };
    const job = await store.create(
      {
        id,
        ...scope,
        status: 'SUBMITTED',
        phase: null,
        percent: null,
        priority,
        queue,
        current_queue: queue,
        current_priority: priority,
        hop_at: hopTime(now, hops),
        hops: JSON.stringify(hops),
        transitions: '[]',
        role: input.Role ?? '',
        request: sealRequest(rootKey, id, kept),
        client_token: input.ClientRequestToken ?? null,
        tags: JSON.stringify(tags),
        created_at: now,
        started_at: null,
        finished_at: null,
        error_code: null,
        error_message: null,
        output_details: null,
        warnings: '[]',
        attempts: 0,
        course: null,
        shares: null,
        lease_owner: null,
        lease_until: null,
      },
      queue !== DEFAULT_QUEUE,
    );
    if (job === undefined) throw queueNotFound(request.Queue);
    call.audit.resources.add(queueArn(scope, queue));
    context.runner.wake();
    return { Job: jobView(rootKey, job) };
  },
});

/** The queue, the template and the presets of a job, each of which the caller must be allowed to use. */
async function usedResources(
  input: CreateJobRequest,
  call: Call,
  context: MediaconvertContext,
): Promise<readonly Omit<AccessRequest, 'action'>[]> {
  const scope = scopeOf(call);
  const { store, rootKey, library } = context;
  const policy = policyOf(rootKey, await store.resources.find(scope, 'policy', POLICY_NAME));
  const template = input.JobTemplate === undefined ? undefined : await library.template(scope, input.JobTemplate);
  const request = underTemplate(input, template);
  const queue = nameOf(request.Queue ?? DEFAULT_QUEUE, 'queues', scope) ?? DEFAULT_QUEUE;
  const used = [
    { type: 'queues', kind: 'queue', name: queue } as const,
    ...(input.JobTemplate === undefined
      ? []
      : [{ type: 'jobTemplates', kind: 'template', name: lastPart(input.JobTemplate) } as const]),
    ...presetsOf(request.Settings).map((name) => ({ type: 'presets', kind: 'preset', name: lastPart(name) }) as const),
  ];
  return Promise.all(
    used.map(async ({ type, kind, name }) => ({
      resource: arnOf(scope, type, name),
      resourceTags: tagsOf(await store.resources.find(scope, kind, name)),
      context: policyContext(policy),
    })),
  );
}

/** The name in an ARN, or what is no ARN as it is. */
function lastPart(given: string): string {
  return given.slice(given.lastIndexOf('/') + 1);
}

async function requireQueue(
  name: string,
  pointer: string,
  scope: JobScope,
  { store }: MediaconvertContext,
): Promise<void> {
  if (name === DEFAULT_QUEUE || (await store.resources.find(scope, 'queue', name)) !== undefined) return;
  throw badRequest(`${pointer}/queue: There is no such queue in this account and Region`);
}

/** A service may act for an account only with that account's roles. */
function checkRole(role: string, scope: JobScope): void {
  const arn = parseArn(role);
  if (arn === undefined || arn.service !== 'iam' || !arn.resource.startsWith('role/')) {
    throw badRequest('/role: Should be the ARN of an IAM role');
  }
  if (arn.account !== scope.account) throw accessDenied('Cross-account pass role is not allowed.');
}

function queueNotFound(queue: string | undefined) {
  return notFound(`Queue not found: ${queue ?? ''}`);
}

const MAX_TOKEN_LENGTH = 64;

/** The members beside the settings, by the same principle: carried out or refused by name. */
const requestRule = structure<CreateJobRequest>({
  Role: carriedOut,
  Settings: (settings, _pointer, problems) => jobSettingsRule(settings, '', problems),
  JobTemplate: carriedOut,
  Queue: carriedOut,
  Priority: carriedOut,
  HopDestinations: carriedOut,
  Tags: carriedOut,
  UserMetadata: carriedOut,
  ClientRequestToken(token, pointer, problems) {
    const isFit = token.length <= MAX_TOKEN_LENGTH && /^[\x20-\x7e]*$/.test(token);
    if (!isFit) problems.push({ pointer, text: `Should have at most ${MAX_TOKEN_LENGTH} ASCII characters` });
  },
  StatusUpdateInterval: carriedOut,
  // Says whose tags a bill shows. There are no bills.
  BillingTagsSource: carriedOut,
  // Jobs are as quick as the machine lets them be, and say that they were not accelerated.
  AccelerationSettings: structure({ Mode: carriedOut }),
  // Every job runs with what one reserved slot has.
  SimulateReservedQueue: carriedOut,
  // There is one version, which AWS's rule for versions that have expired applies to.
  JobEngineVersion(version, pointer, problems) {
    if (!ENGINE_VERSION_PATTERN.test(version)) problems.push({ pointer, text: 'Should be a date as YYYY-MM-DD' });
  },
});
