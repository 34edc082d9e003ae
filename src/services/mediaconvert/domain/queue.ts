import type {
  CreateQueueRequest,
  Queue,
  ReservationPlanSettings,
  UpdateQueueRequest,
} from '@aws-sdk/client-mediaconvert';
import type { RootKey } from '#crypto/root-key.ts';
import { badRequest, invalidSettings, type Problem } from '../errors.ts';
import type { ResourceRecord } from '../resource-store.ts';
import type { JobScope } from '../store.ts';
import { DEFAULT_QUEUE, queueArn } from './names.ts';
import { openDocument } from './resource-document.ts';

/** What is kept of a queue. Times are milliseconds since the epoch. */
export interface QueueDocument {
  readonly description?: string;
  readonly isPaused: boolean;
  /** Jobs at once; absent: as many as the machine does. */
  readonly concurrentJobs?: number;
  /** Only of reserved queues. */
  readonly plan?: ReservedPlan;
}

interface ReservedPlan {
  readonly slots: number;
  readonly isRenewed: boolean;
  readonly purchasedAt: number;
  readonly expiresAt: number;
}

const TERM_MS = 365 * 86_400_000;

const PLAIN: QueueDocument = { isPaused: false };

/** A queue's document; the Default queue needs no record. */
export function queueDocument(rootKey: RootKey, record: ResourceRecord | undefined): QueueDocument {
  return record === undefined ? PLAIN : openDocument<QueueDocument>(rootKey, record);
}

export function isReserved(queue: QueueDocument): boolean {
  return queue.plan !== undefined;
}

/** How many jobs of a queue may run at once: none while it is paused or its plan has expired. */
export function slotsOf({ isPaused, concurrentJobs, plan }: QueueDocument, now: number): number {
  if (isPaused || (plan !== undefined && isExpired(plan, now))) return 0;
  return plan?.slots ?? concurrentJobs ?? Number.POSITIVE_INFINITY;
}

function isExpired({ expiresAt, isRenewed }: ReservedPlan, now: number): boolean {
  return !isRenewed && now >= expiresAt;
}

/** @throws ServiceError BadRequestException */
export function newQueue(input: CreateQueueRequest, now: number): QueueDocument {
  const problems: Problem[] = [];
  const { ConcurrentJobs, Description, PricingPlan = 'ON_DEMAND', ReservationPlanSettings: plan, Status } = input;
  if (PricingPlan === 'RESERVED' && plan === undefined) {
    problems.push({ pointer: '', text: 'reservationPlanSettings is a required property of a RESERVED queue' });
  }
  if (PricingPlan === 'RESERVED' && ConcurrentJobs !== undefined) {
    problems.push({ pointer: '/concurrentJobs', text: 'A RESERVED queue has reserved slots instead' });
  }
  if (PricingPlan === 'ON_DEMAND' && plan !== undefined) {
    problems.push({ pointer: '/reservationPlanSettings', text: 'Is only allowed with RESERVED' });
  }
  checkNumbers(input, problems);
  if (problems.length > 0) throw invalidSettings(problems);
  return {
    ...(Description !== undefined && { description: Description }),
    isPaused: Status === 'PAUSED',
    ...(ConcurrentJobs !== undefined && { concurrentJobs: ConcurrentJobs }),
    ...(plan !== undefined && { plan: planOf(plan, now) }),
  };
}

/** @throws ServiceError BadRequestException */
export function changedQueue(before: QueueDocument, input: UpdateQueueRequest, now: number): QueueDocument {
  const problems: Problem[] = [];
  const { ConcurrentJobs, Description, ReservationPlanSettings: plan, Status } = input;
  checkNumbers(input, problems);
  if (plan !== undefined && before.plan === undefined) {
    problems.push({ pointer: '/reservationPlanSettings', text: 'Is only allowed for RESERVED queues' });
  }
  if (ConcurrentJobs !== undefined && before.plan !== undefined) {
    problems.push({ pointer: '/concurrentJobs', text: 'A RESERVED queue has reserved slots instead' });
  }
  if (plan?.ReservedSlots !== undefined && plan.ReservedSlots < (before.plan?.slots ?? 0)) {
    problems.push({
      pointer: '/reservationPlanSettings/reservedSlots',
      text: `Should be greater than or equal to ${before.plan?.slots}; reserved slots cannot be given back`,
    });
  }
  if (problems.length > 0) throw invalidSettings(problems);
  return {
    ...before,
    ...(Description !== undefined && { description: Description }),
    ...(Status !== undefined && { isPaused: Status === 'PAUSED' }),
    ...(ConcurrentJobs !== undefined && { concurrentJobs: ConcurrentJobs }),
    ...(plan !== undefined && { plan: renewed(before.plan, plan, now) }),
  };
}

/** More slots, or a plan in place of an expired one, begin a new term. */
function renewed(before: ReservedPlan | undefined, plan: ReservationPlanSettings, now: number): ReservedPlan {
  const isNew = before === undefined || isExpired(before, now) || (plan.ReservedSlots ?? 0) > before.slots;
  return isNew ? planOf(plan, now) : { ...before, isRenewed: plan.RenewalType === 'AUTO_RENEW' };
}

function planOf(plan: ReservationPlanSettings, now: number): ReservedPlan {
  const isRenewed = plan.RenewalType === 'AUTO_RENEW';
  return { slots: plan.ReservedSlots ?? 0, isRenewed, purchasedAt: now, expiresAt: now + TERM_MS };
}

function checkNumbers(input: CreateQueueRequest | UpdateQueueRequest, problems: Problem[]): void {
  const { ConcurrentJobs, MaximumConcurrentFeeds, ReservationPlanSettings: plan } = input;
  if (ConcurrentJobs !== undefined && ConcurrentJobs < 1) {
    problems.push({ pointer: '/concurrentJobs', text: 'Should be greater than or equal to 1' });
  }
  if (MaximumConcurrentFeeds !== undefined && MaximumConcurrentFeeds > 0) {
    problems.push({ pointer: '/maximumConcurrentFeeds', text: 'Elemental Inference feeds are not supported' });
  }
  if (plan?.ReservedSlots !== undefined && plan.ReservedSlots < 1) {
    problems.push({ pointer: '/reservationPlanSettings/reservedSlots', text: 'Should be greater than or equal to 1' });
  }
}

/** How many jobs of a queue wait and run. */
export interface QueueLoad {
  readonly submitted: number;
  readonly progressing: number;
}

/** @param record absent: the Default queue, as nobody has changed it yet */
export function queueView(
  scope: JobScope,
  record: ResourceRecord | undefined,
  document: QueueDocument,
  load: QueueLoad,
  now: number,
): Queue {
  const name = record?.name ?? DEFAULT_QUEUE;
  const { description, isPaused, concurrentJobs, plan } = document;
  return {
    Arn: queueArn(scope, name),
    Name: name,
    ...(description !== undefined && { Description: description }),
    PricingPlan: plan === undefined ? 'ON_DEMAND' : 'RESERVED',
    Status: isPaused ? 'PAUSED' : 'ACTIVE',
    Type: name === DEFAULT_QUEUE ? 'SYSTEM' : 'CUSTOM',
    ...(record !== undefined && {
      CreatedAt: new Date(record.created_at),
      LastUpdated: new Date(record.updated_at),
    }),
    ...(concurrentJobs !== undefined && { ConcurrentJobs: concurrentJobs }),
    ...(plan !== undefined && { ReservationPlan: planView(plan, now) }),
    SubmittedJobsCount: load.submitted,
    ProgressingJobsCount: load.progressing,
  };
}

function planView(plan: ReservedPlan, now: number): Queue['ReservationPlan'] {
  const terms = plan.isRenewed ? Math.max(0, Math.floor((now - plan.expiresAt) / TERM_MS) + 1) : 0;
  return {
    Commitment: 'ONE_YEAR',
    RenewalType: plan.isRenewed ? 'AUTO_RENEW' : 'EXPIRE',
    ReservedSlots: plan.slots,
    PurchasedAt: new Date(plan.purchasedAt),
    ExpiresAt: new Date(plan.expiresAt + terms * TERM_MS),
    Status: isExpired(plan, now) ? 'EXPIRED' : 'ACTIVE',
  };
}

/** @throws ServiceError BadRequestException */
export function refuseDefault(name: string): void {
  if (name === DEFAULT_QUEUE)
    throw badRequest(`The queue ${DEFAULT_QUEUE} is the service's own; it cannot be deleted.`);
}
