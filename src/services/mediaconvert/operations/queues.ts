import {
  CreateQueue$,
  type CreateQueueRequest,
  type CreateQueueResponse,
  DeleteQueue$,
  type DeleteQueueRequest,
  type DeleteQueueResponse,
  GetQueue$,
  type GetQueueRequest,
  type GetQueueResponse,
  ListQueues$,
  type ListQueuesRequest,
  type ListQueuesResponse,
  type Queue,
  UpdateQueue$,
  type UpdateQueueRequest,
  type UpdateQueueResponse,
} from '@aws-sdk/client-mediaconvert';
import { type AccessRequest, type Call, operation } from '#kernel/operation.ts';
import type { MediaconvertContext } from '../context.ts';
import { pageOf } from '../domain/list-page.ts';
import { checkNewName, DEFAULT_QUEUE, nameOf, queueArn } from '../domain/names.ts';
import { changedQueue, newQueue, queueDocument, queueView, refuseDefault } from '../domain/queue.ts';
import { newResource, sealDocument } from '../domain/resource-document.ts';
import { creationAccess, scopeOf, tagsOf } from '../domain/scope.ts';
import { withTags } from '../domain/tags.ts';
import { conflict, notFound, quotaExceeded } from '../errors.ts';
import type { ResourceRecord } from '../resource-store.ts';
import type { JobScope } from '../store.ts';

/** As AWS's quotas: on-demand queues with the Default one, and reserved ones. */
const MAX_QUEUES = { onDemand: 10, reserved: 30 };

export const createQueue = operation<MediaconvertContext, CreateQueueRequest, CreateQueueResponse>(CreateQueue$, {
  authorize: ({ Name = '', Tags }, call) =>
    creationAccess('mediaconvert:CreateQueue', scopeOf(call), 'queues', Name, Tags),
  async handle(input, call, context) {
    const scope = scopeOf(call);
    const { store, rootKey, clock } = context;
    const now = clock.now();
    const name = checkNewName(input.Name ?? '');
    const document = newQueue(input, now);
    const tags = withTags({}, input.Tags);
    const own = (await store.resources.all(scope, 'queue')).filter((record) => record.name !== DEFAULT_QUEUE);
    const others = own.map((record) => queueDocument(rootKey, record));
    const isReserved = document.plan !== undefined;
    const alike = others.filter(({ plan }) => (plan !== undefined) === isReserved).length;
    const most = isReserved ? MAX_QUEUES.reserved : MAX_QUEUES.onDemand - 1;
    const isTaken = name === DEFAULT_QUEUE;
    if (!isTaken && alike >= most) throw tooManyQueues();
    const record = newResource(rootKey, scope, { kind: 'queue', name, document, now, tags });
    const obstacle = isTaken ? 'exists' : await store.resources.add(record, MAX_QUEUES.onDemand + MAX_QUEUES.reserved);
    if (obstacle === 'exists') throw conflict(`The queue ${name} exists already.`);
    if (obstacle === 'full') throw tooManyQueues();
    return { Queue: await viewOf(scope, record, context) };
  },
});

export const updateQueue = operation<MediaconvertContext, UpdateQueueRequest, UpdateQueueResponse>(UpdateQueue$, {
  authorize: ({ Name }, call, context) => queueAccess('mediaconvert:UpdateQueue', Name, call, context),
  async handle(input, call, context) {
    const scope = scopeOf(call);
    const { store, rootKey, clock, runner } = context;
    const now = clock.now();
    const name = ownName(input.Name, scope);
    const missing =
      name === DEFAULT_QUEUE
        ? newResource(rootKey, scope, { kind: 'queue', name, document: { isPaused: false }, now })
        : undefined;
    const record = await store.resources.change(
      { ...scope, kind: 'queue', name },
      (before) => {
        const document = changedQueue(queueDocument(rootKey, before), input, now);
        return { document: sealDocument(rootKey, before, document), updated_at: now };
      },
      missing,
    );
    if (record === undefined) throw queueNotFound(input.Name);
    runner.wake();
    return { Queue: await viewOf(scope, record, context) };
  },
});

export const deleteQueue = operation<MediaconvertContext, DeleteQueueRequest, DeleteQueueResponse>(DeleteQueue$, {
  authorize: ({ Name }, call, context) => queueAccess('mediaconvert:DeleteQueue', Name, call, context),
  async handle(input, call, { store }) {
    const scope = scopeOf(call);
    const name = ownName(input.Name, scope);
    refuseDefault(name);
    const outcome = await store.resources.removeQueue(scope, name);
    if (outcome === 'absent') throw queueNotFound(input.Name);
    if (outcome === 'busy') throw conflict(`The queue ${name} has jobs that are not over yet; it cannot be deleted.`);
    return {};
  },
});

export const getQueue = operation<MediaconvertContext, GetQueueRequest, GetQueueResponse>(GetQueue$, {
  authorize: ({ Name }, call, context) => queueAccess('mediaconvert:GetQueue', Name, call, context),
  async handle(input, call, context) {
    const scope = scopeOf(call);
    const name = ownName(input.Name, scope);
    const record = await context.store.resources.find(scope, 'queue', name);
    if (record === undefined && name !== DEFAULT_QUEUE) throw queueNotFound(input.Name);
    return { Queue: await viewOf(scope, record, context) };
  },
});

export const listQueues = operation<MediaconvertContext, ListQueuesRequest, ListQueuesResponse>(ListQueues$, {
  authorize: (_input, call) => [{ action: 'mediaconvert:ListQueues', resource: queueArn(scopeOf(call), '*') }],
  async handle(input, call, context) {
    const scope = scopeOf(call);
    const { store, rootKey, clock, workers } = context;
    const records: (ResourceRecord | undefined)[] = await store.resources.all(scope, 'queue');
    if (!records.some((record) => record?.name === DEFAULT_QUEUE)) records.push(undefined);
    const [submitted, progressing] = await countsOf(scope, context);
    const queues = records.map((record) => {
      const name = record?.name ?? DEFAULT_QUEUE;
      const load = { submitted: submitted.get(name) ?? 0, progressing: progressing.get(name) ?? 0 };
      return queueView(scope, record, queueDocument(rootKey, record), load, clock.now());
    });
    const isByName = input.ListBy === 'NAME';
    const { items, nextToken } = pageOf(queues, {
      placeOf: (queue) => ({ createdAt: queue.CreatedAt?.getTime() ?? 0, id: queue.Name ?? '' }),
      by: isByName ? 'name' : 'created_at',
      isAscending: input.Order === undefined ? isByName : input.Order === 'ASCENDING',
      limit: input.MaxResults,
      token: input.NextToken,
    });
    const allocated = queues.reduce((sum, { ConcurrentJobs = 0 }) => sum + ConcurrentJobs, 0);
    return {
      Queues: items,
      ...(nextToken !== undefined && { NextToken: nextToken }),
      TotalConcurrentJobs: workers,
      UnallocatedConcurrentJobs: Math.max(0, workers - allocated),
    };
  },
});

async function queueAccess(
  action: string,
  given: string | undefined,
  call: Call,
  { store }: MediaconvertContext,
): Promise<readonly AccessRequest[]> {
  const scope = scopeOf(call);
  const name = nameOf(given ?? '', 'queues', scope) ?? given ?? '';
  const record = await store.resources.find(scope, 'queue', name);
  return [{ action, resource: queueArn(scope, name), resourceTags: tagsOf(record) }];
}

/** @throws ServiceError NotFoundException for an ARN of elsewhere */
function ownName(given: string | undefined, scope: JobScope): string {
  const name = nameOf(given ?? '', 'queues', scope);
  if (name === undefined) throw queueNotFound(given);
  return name;
}

async function viewOf(
  scope: JobScope,
  record: ResourceRecord | undefined,
  context: MediaconvertContext,
): Promise<Queue> {
  const name = record?.name ?? DEFAULT_QUEUE;
  const [submitted, progressing] = await countsOf(scope, context);
  const load = { submitted: submitted.get(name) ?? 0, progressing: progressing.get(name) ?? 0 };
  return queueView(scope, record, queueDocument(context.rootKey, record), load, context.clock.now());
}

function countsOf(scope: JobScope, { store }: MediaconvertContext) {
  return Promise.all([
    store.schedule.countByQueue(scope, 'SUBMITTED'),
    store.schedule.countByQueue(scope, 'PROGRESSING'),
  ]);
}

function queueNotFound(name: string | undefined) {
  return notFound(`The queue ${name ?? ''} does not exist.`);
}

function tooManyQueues() {
  return quotaExceeded(
    `An account has at most ${MAX_QUEUES.onDemand} on-demand and ${MAX_QUEUES.reserved} reserved queues in a Region.`,
  );
}
