import type { RotationRulesType } from '@aws-sdk/client-secrets-manager';
import { invalidParameter } from '../errors.ts';
import type { SecretRow } from '../store.ts';
import { everyDays, readScheduleExpression, type Schedule } from './rotation-schedule.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** @throws ServiceError InvalidParameterException for rules that cannot be kept */
export function checkRotationRules(rules: RotationRulesType): RotationRulesType {
  const schedule = scheduleOf(rules);
  if (schedule === undefined) {
    throw invalidParameter('RotationRules needs AutomaticallyAfterDays or ScheduleExpression.');
  }
  const { Duration } = rules;
  if (Duration === undefined) return rules;
  const hours = durationHours(Duration);
  const start = Math.max(0, ...schedule.hours);
  if (hours < 1 || hours > schedule.interval || start + hours > 24) {
    throw invalidParameter(
      `Duration: a window of ${Duration} extends into the next rotation window or into the next UTC day.`,
    );
  }
  return rules;
}

function durationHours(text: string): number {
  const match = /^(\d{1,2})h$/.exec(text);
  if (match === null) throw invalidParameter(`Duration is a number of hours, such as 3h, not ${text}.`);
  return Number(match[1]);
}

function scheduleOf({ AutomaticallyAfterDays, ScheduleExpression }: RotationRulesType): Schedule | undefined {
  if (AutomaticallyAfterDays !== undefined && ScheduleExpression !== undefined) {
    throw invalidParameter('You can specify AutomaticallyAfterDays or ScheduleExpression, but not both.');
  }
  if (ScheduleExpression !== undefined) return readScheduleExpression(ScheduleExpression);
  return AutomaticallyAfterDays === undefined ? undefined : everyDays(AutomaticallyAfterDays);
}

export function parseRules(row: SecretRow): RotationRulesType | undefined {
  return row.rotation_rules === null ? undefined : (JSON.parse(row.rotation_rules) as RotationRulesType);
}

/** When the next window begins, in milliseconds since the epoch; null where there is no schedule. */
export function nextRotation(rules: RotationRulesType | undefined, after: number): number | null {
  return (rules === undefined ? undefined : scheduleOf(rules)?.next(after)) ?? null;
}

/** Until when a rotation of the window that begins at `start` comes: NextRotationDate. */
export function windowEnd(rules: RotationRulesType, start: number): number {
  if (rules.Duration !== undefined) return start + durationHours(rules.Duration) * HOUR_MS;
  if (scheduleOf(rules)?.isHourly === true) return start + HOUR_MS;
  return Math.floor(start / DAY_MS + 1) * DAY_MS - 1000;
}

/** A value that came by hand counts as a rotation, where the schedule is a rate. */
export function nextRotationAfterChange(row: SecretRow, now: number): Partial<SecretRow> {
  const rules = parseRules(row);
  if (row.is_rotation_enabled !== 1 || rules === undefined || scheduleOf(rules)?.isRate !== true) return {};
  return { next_rotation_at: nextRotation(rules, now) };
}
