import type { LifecycleRule, TransitionStorageClass } from '@aws-sdk/client-s3';
import { invalidArgument, invalidRequest, malformedXml, notImplemented } from '../errors.ts';

/** In the order in which objects go, and never back. Those of the archive are refused: they would be read at once here. */
const ORDER: readonly string[] = ['STANDARD', 'STANDARD_IA', 'INTELLIGENT_TIERING', 'ONEZONE_IA', 'GLACIER_IR'];
const AFTER_A_MONTH: readonly string[] = ['STANDARD_IA', 'ONEZONE_IA'];
const DAY = 24 * 3_600_000;

/** Whether objects go from one class to the other. */
export function mayFollow(from: string, to: string): boolean {
  return ORDER.indexOf(from === 'REDUCED_REDUNDANCY' ? 'STANDARD' : from) < ORDER.indexOf(to);
}

/** @throws ServiceError */
export function checkTransitions(rule: LifecycleRule, prefix: string): void {
  const { Transitions: transitions = [], NoncurrentVersionTransitions: noncurrent = [], Expiration: end } = rule;
  checkClasses(transitions, 'Transition', prefix);
  checkClasses(noncurrent, 'NoncurrentVersionTransition', prefix);
  for (const { Days: days, Date: date, StorageClass: storageClass } of transitions) {
    if ((days === undefined) === (date === undefined)) throw malformedXml();
    checkDays(days, 'Days', 'Transition', storageClass);
    if (date !== undefined && date.getTime() % DAY !== 0) throw invalidArgument("'Date' must be at midnight GMT");
    if (end === undefined) continue;
    if ((days !== undefined && end.Date !== undefined) || (date !== undefined && end.Days !== undefined)) {
      throw invalidRequest(
        `Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for prefix '${prefix}'`,
      );
    }
    checkLater('Days', end.Days, days, 'Expiration', 'Transition', prefix);
    checkLater('Date', end.Date?.getTime(), date?.getTime(), 'Expiration', 'Transition', prefix);
  }
  const last = rule.NoncurrentVersionExpiration?.NoncurrentDays;
  for (const { NoncurrentDays: days, StorageClass: storageClass, NewerNoncurrentVersions: newer } of noncurrent) {
    if (days === undefined) throw malformedXml();
    checkDays(days, 'NoncurrentDays', 'NoncurrentVersionTransition', storageClass);
    if (newer !== undefined && (!Number.isInteger(newer) || newer < 1 || newer > 100)) {
      throw invalidArgument(
        "'NewerNoncurrentVersions' for NoncurrentVersionTransition action must be a positive integer up to 100",
      );
    }
    checkLater('NoncurrentDays', last, days, 'NoncurrentVersionExpiration', 'NoncurrentVersionTransition', prefix);
  }
}

function checkClasses(
  transitions: readonly { readonly StorageClass?: TransitionStorageClass | undefined }[],
  action: string,
  prefix: string,
): void {
  const seen = new Set<string>();
  for (const { StorageClass: storageClass } of transitions) {
    if (storageClass === undefined) throw malformedXml();
    if (!ORDER.includes(storageClass)) throw notImplemented(`StorageClass ${storageClass}`);
    if (seen.has(storageClass)) {
      throw invalidRequest(
        `'StorageClass' must be different for '${action}' actions in same 'Rule' with prefix '${prefix}'`,
      );
    }
    seen.add(storageClass);
  }
}

function checkDays(days: number | undefined, name: string, action: string, storageClass: string | undefined): void {
  if (days === undefined) return;
  if (!Number.isInteger(days) || days < 0) throw invalidArgument(`'${name}' for ${action} action must be nonnegative`);
  if (days >= 30 || storageClass === undefined || !AFTER_A_MONTH.includes(storageClass)) return;
  throw invalidArgument(
    `'${name}' in ${action} action must be greater than or equal to 30 for storageClass '${storageClass}'`,
  );
}

function checkLater(
  name: string,
  end: number | undefined,
  before: number | undefined,
  ending: string,
  action: string,
  prefix: string,
): void {
  if (end === undefined || before === undefined || end > before) return;
  throw invalidArgument(
    `'${name}' in the ${ending} action for prefix '${prefix}' must be greater than '${name}' in the ${action} action`,
  );
}
