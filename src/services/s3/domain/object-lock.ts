import type { DefaultRetention, ObjectLockConfiguration, ObjectLockRetention } from '@aws-sdk/client-s3';
import { accessDenied, invalidArgument, invalidRetentionPeriod, malformedXml } from '../errors.ts';

type LockMode = 'GOVERNANCE' | 'COMPLIANCE';

/** How long a version is kept from removal. */
export interface Retention {
  readonly mode: LockMode;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** What keeps a version from removal. */
export interface LockFacts {
  readonly retention?: Retention;
  /** Absent where nobody ever said; `false` does not keep it. */
  readonly legalHold?: boolean;
}

/** A bucket's object lock: once there, it stays. */
export interface ObjectLockSettings {
  /** What versions get that are written without a retention of their own. */
  readonly defaultRetention?: { readonly mode: LockMode; readonly days: number } | YearsOfRetention;
}

interface YearsOfRetention {
  readonly mode: LockMode;
  readonly years: number;
}

/** Who removes a version, or shortens its retention. */
export interface Removing {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** True when the caller has asked to pass by GOVERNANCE, and may. */
  readonly mayBypass: boolean;
}

const MAXIMUM_DAYS = 36_500;
const MAXIMUM_YEARS = 100;
const DAY = 24 * 3600 * 1000;

/** Refuses the removal of a version that is held, or still retained. @throws ServiceError AccessDenied */
export function requireRemovable(facts: LockFacts, { now, mayBypass }: Removing): void {
  if (facts.legalHold === true) throw protectedByLock();
  const { retention } = facts;
  if (retention === undefined || retention.until <= now) return;
  if (retention.mode === 'GOVERNANCE' && mayBypass) return;
  throw protectedByLock();
}

/**
 * Refuses to weaken a retention that still holds: COMPLIANCE can only be prolonged, GOVERNANCE only prolonged by those
 * who may not pass by it.
 *
 * @throws ServiceError AccessDenied
 */
export function requireRetentionChange(
  before: Retention | undefined,
  after: Retention | undefined,
  { now, mayBypass }: Removing,
): void {
  if (before === undefined || before.until <= now) return;
  if (after?.mode === before.mode && after.until >= before.until) return;
  if (before.mode === 'GOVERNANCE' && mayBypass) return;
  throw protectedByLock();
}

/** A retention as a document gives it; `undefined` takes it away. @throws ServiceError MalformedXML, InvalidArgument */
export function readRetention(retention: ObjectLockRetention | undefined, now: number): Retention | undefined {
  if (retention === undefined) throw malformedXml();
  const { Mode: mode, RetainUntilDate: date } = retention;
  if (mode === undefined && date === undefined) return undefined;
  if (mode === undefined || date === undefined) throw malformedXml();
  return { mode, until: futureTime(date, now) };
}

/** @throws ServiceError InvalidArgument */
export function futureTime(date: Date, now: number): number {
  if (date.getTime() > now) return date.getTime();
  throw invalidArgument('The retain until date must be in the future!');
}

/** @throws ServiceError MalformedXML, InvalidRetentionPeriod */
export function readLockConfiguration(configuration: ObjectLockConfiguration | undefined): ObjectLockSettings {
  if (configuration?.ObjectLockEnabled !== 'Enabled') throw malformedXml();
  const { Rule: rule } = configuration;
  return rule === undefined ? {} : { defaultRetention: readDefaultRetention(rule.DefaultRetention) };
}

function readDefaultRetention(
  retention: DefaultRetention | undefined,
): NonNullable<ObjectLockSettings['defaultRetention']> {
  const { Mode: mode, Days: days, Years: years } = retention ?? {};
  if (mode === undefined) throw malformedXml();
  if (days !== undefined && years === undefined) return { mode, days: period(days, MAXIMUM_DAYS) };
  if (years !== undefined && days === undefined) return { mode, years: period(years, MAXIMUM_YEARS) };
  throw malformedXml();
}

function period(value: number, maximum: number): number {
  if (!Number.isInteger(value) || value <= 0) {
    throw invalidRetentionPeriod('Default retention period must be a positive integer value.');
  }
  if (value > maximum) throw invalidRetentionPeriod('Default retention period too large.');
  return value;
}

export function lockConfigurationOf(settings: ObjectLockSettings): ObjectLockConfiguration {
  const { defaultRetention: retention } = settings;
  if (retention === undefined) return { ObjectLockEnabled: 'Enabled' };
  const length = 'days' in retention ? { Days: retention.days } : { Years: retention.years };
  return { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: retention.mode, ...length } } };
}

/** The retention of a version that is written now and has none of its own. */
export function defaultRetentionOf(settings: ObjectLockSettings | undefined, now: number): Retention | undefined {
  const retention = settings?.defaultRetention;
  if (retention === undefined) return undefined;
  if ('days' in retention) return { mode: retention.mode, until: now + retention.days * DAY };
  const until = new Date(now);
  until.setUTCFullYear(until.getUTCFullYear() + retention.years);
  return { mode: retention.mode, until: until.getTime() };
}

/** Whole days, a begun one counted as one: what `s3:object-lock-remaining-retention-days` is held against. */
export function remainingDays(until: number, now: number): number {
  return Math.ceil((until - now) / DAY);
}

function protectedByLock(): Error {
  return accessDenied('Access Denied because object protected by object lock.');
}
