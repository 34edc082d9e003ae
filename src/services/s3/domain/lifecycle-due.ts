import type { LifecycleRule, StorageClass, TransitionStorageClass } from '@aws-sdk/client-s3';
import { filterOf, type LifecycleSettings, rulesOf } from './lifecycle.ts';
import { mayFollow } from './lifecycle-transitions.ts';

const DAY = 24 * 3_600_000;
/** Objects below this go to no other class, unless a rule's filter speaks of sizes. */
const MINIMUM_TRANSITION = 128 * 1024;

/** What rules look at. */
export interface Candidate {
  readonly key: string;
  readonly size: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly storageClass: StorageClass | undefined;
  /** Milliseconds since the epoch: written, or no longer current. */
  readonly since: number;
}

export interface DueTime {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly rule: string;
}

type Action = { readonly kind: 'expire' } | { readonly kind: 'transition'; readonly to: TransitionStorageClass };

/** The rules that are in force. */
export function activeRules(settings: LifecycleSettings): LifecycleRule[] {
  return rulesOf(settings).filter((rule) => rule.Status === 'Enabled');
}

/** Days are counted to the midnight, UTC, after them. */
function afterDays(since: number, days: number): number {
  return (Math.floor((since + days * DAY) / DAY) + 1) * DAY;
}

function matches(rule: LifecycleRule, { key, size, tags }: Pick<Candidate, 'key' | 'size' | 'tags'>): boolean {
  const filter = filterOf(rule);
  if (!key.startsWith(filter.prefix)) return false;
  if (filter.over !== undefined && size <= filter.over) return false;
  if (filter.under !== undefined && size >= filter.under) return false;
  return Object.entries(filter.tags).every(([name, value]) => tags[name] === value);
}

/** When a current version expires first, and by which rule. */
export function expirationOf(rules: readonly LifecycleRule[], candidate: Candidate): DueTime | undefined {
  let first: DueTime | undefined;
  for (const rule of rules) {
    const { Days: days, Date: date } = rule.Expiration ?? {};
    const at = days === undefined ? date?.getTime() : afterDays(candidate.since, days);
    if (at === undefined || !matches(rule, candidate)) continue;
    if (first === undefined || at < first.at) first = { at, rule: rule.ID ?? '' };
  }
  return first;
}

/** What is due of a current version now. */
export function dueOfCurrent(rules: readonly LifecycleRule[], candidate: Candidate, now: number): Action | undefined {
  const expiration = expirationOf(rules, candidate);
  if (expiration !== undefined && expiration.at <= now) return { kind: 'expire' };
  const transitions = rules.flatMap((rule) =>
    (rule.Transitions ?? []).map(({ Days: days, Date: date, StorageClass: to }) => ({
      rule,
      to,
      at: days === undefined ? (date?.getTime() ?? Number.POSITIVE_INFINITY) : transitionTime(candidate.since, days),
    })),
  );
  return furthest(transitions, candidate, now);
}

/**
 * What is due of a version that is not current.
 *
 * @param newer how many noncurrent versions of the key are newer
 */
export function dueOfNoncurrent(
  rules: readonly LifecycleRule[],
  candidate: Candidate,
  newer: number,
  now: number,
): Action | undefined {
  for (const rule of rules) {
    const { NoncurrentDays: days, NewerNoncurrentVersions: kept = 0 } = rule.NoncurrentVersionExpiration ?? {};
    if (days === undefined || newer < kept || afterDays(candidate.since, days) > now) continue;
    if (matches(rule, candidate)) return { kind: 'expire' };
  }
  const transitions = rules.flatMap((rule) =>
    (rule.NoncurrentVersionTransitions ?? [])
      .filter(({ NewerNoncurrentVersions: kept = 0 }) => newer >= kept)
      .map(({ NoncurrentDays: days = 0, StorageClass: to }) => ({
        rule,
        to,
        at: transitionTime(candidate.since, days),
      })),
  );
  return furthest(transitions, candidate, now);
}

/** Whether a delete marker goes that is the only version of its key. */
export function isMarkerDue(rules: readonly LifecycleRule[], key: string, since: number, now: number): boolean {
  return rules.some((rule) => {
    const { tags, over, under } = filterOf(rule);
    if (Object.keys(tags).length > 0 || over !== undefined || under !== undefined) return false;
    if (!matches(rule, { key, size: 0, tags: {} })) return false;
    const { Days: days, Date: date, ExpiredObjectDeleteMarker: isExpired } = rule.Expiration ?? {};
    if (isExpired === true) return true;
    const at = days === undefined ? date?.getTime() : afterDays(since, days);
    return at !== undefined && at <= now;
  });
}

/** When an upload that is not complete is aborted first, and by which rule. */
export function abortTimeOf(rules: readonly LifecycleRule[], key: string, initiatedAt: number): DueTime | undefined {
  let first: DueTime | undefined;
  for (const rule of rules) {
    const days = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
    if (days === undefined || !key.startsWith(filterOf(rule).prefix)) continue;
    const at = afterDays(initiatedAt, days);
    if (first === undefined || at < first.at) first = { at, rule: rule.ID ?? '' };
  }
  return first;
}

/** Without a day to wait, an object goes at the next occasion. */
function transitionTime(since: number, days: number): number {
  return days === 0 ? since : afterDays(since, days);
}

function furthest(
  transitions: readonly {
    readonly rule: LifecycleRule;
    readonly to: TransitionStorageClass | undefined;
    readonly at: number;
  }[],
  candidate: Candidate,
  now: number,
): Action | undefined {
  let present: string = candidate.storageClass ?? 'STANDARD';
  let target: TransitionStorageClass | undefined;
  for (const { rule, to, at } of transitions) {
    if (to === undefined || at > now || !mayFollow(present, to) || !matches(rule, candidate)) continue;
    const { over, under } = filterOf(rule);
    if (candidate.size < MINIMUM_TRANSITION && over === undefined && under === undefined) continue;
    target = to;
    present = to;
  }
  return target === undefined ? undefined : { kind: 'transition', to: target };
}
