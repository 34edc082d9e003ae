import { invalidParameter } from '../errors.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const MIN_HOURS = 4;
const MAX_DAYS = 1000;
/** A schedule that has no time in so many days is none. */
const HORIZON_DAYS = 366 * 9;

/** When windows of rotation begin, in UTC. */
export interface Schedule {
  /** The first window that begins after a time; `undefined` when there is none. Milliseconds since the epoch. */
  next(after: number): number | undefined;
  /** Whether the time of a rotation says something about the next: rates do, cron expressions do not. */
  readonly isRate: boolean;
  /** Whether windows begin several times a day: they close after an hour then, else with the day. */
  readonly isHourly: boolean;
  /** The hours at which windows begin, where they are fixed. */
  readonly hours: readonly number[];
  /** Hours from one window to the next, at least. */
  readonly interval: number;
}

export function everyDays(days: number): Schedule {
  return {
    isRate: true,
    isHourly: false,
    hours: [0],
    interval: days * 24,
    next: (after) => startOfDay(after) + days * DAY_MS,
  };
}

function everyHours(hours: number): Schedule {
  return {
    isRate: true,
    isHourly: true,
    hours: [],
    interval: hours,
    next(after) {
      const midnight = startOfDay(after);
      const passed = Math.floor((after - midnight) / (hours * HOUR_MS));
      return midnight + (passed + 1) * hours * HOUR_MS;
    },
  };
}

function startOfDay(time: number): number {
  return Math.floor(time / DAY_MS) * DAY_MS;
}

/** Reads `rate(10 days)`, `rate(12 hours)` or `cron(0 8 1 * ? *)`. @throws ServiceError InvalidParameterException */
export function readScheduleExpression(text: string): Schedule {
  const rate = /^rate\((\d{1,6}) (hour|hours|day|days)\)$/.exec(text);
  if (rate !== null) return readRate(Number(rate[1]), rate[2] ?? '');
  const cron = /^cron\(([^()]+)\)$/.exec(text);
  if (cron !== null) return readCron((cron[1] ?? '').trim().split(/\s+/));
  throw invalidParameter(`ScheduleExpression is rate(…) or cron(…), not ${text}.`);
}

function readRate(count: number, unit: string): Schedule {
  const isDays = unit.startsWith('day');
  const hours = isDays ? count * 24 : count;
  if (hours < MIN_HOURS) throw invalidParameter('A secret is rotated every four hours at the most.');
  if (hours > MAX_DAYS * 24) throw invalidParameter(`A secret is rotated at least every ${MAX_DAYS} days.`);
  return isDays ? everyDays(count) : everyHours(count);
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

type DayTest = (date: Date) => boolean;

function readCron(fields: readonly string[]): Schedule {
  const [minutes, hourField = '', dayField = '', monthField = '', weekdayField = '', year] = fields;
  if (fields.length !== 6) throw cronError('it has six fields');
  if (minutes !== '0') throw cronError('the minutes are 0');
  if (year !== '*') throw cronError('the year is *');
  if (dayField !== '?' && weekdayField !== '?') throw cronError('one of day-of-month and day-of-week is ?');
  const hours = readField(hourField, { min: 0, max: 23 });
  const months = new Set(readField(monthField, { min: 1, max: 12, names: MONTHS }));
  const isDay = readDays(dayField);
  const isWeekday = readWeekdays(weekdayField);
  const interval = shortestInterval(hours);
  if (interval < MIN_HOURS) throw invalidParameter('A secret is rotated every four hours at the most.');
  const schedule: Schedule = {
    isRate: false,
    isHourly: hours.length > 1,
    hours,
    interval,
    next(after) {
      for (let day = 0, start = startOfDay(after); day <= HORIZON_DAYS; day++, start += DAY_MS) {
        const date = new Date(start);
        if (!months.has(date.getUTCMonth() + 1) || !isDay(date) || !isWeekday(date)) continue;
        const hour = hours.find((one) => start + one * HOUR_MS > after);
        if (hour !== undefined) return start + hour * HOUR_MS;
      }
      return undefined;
    },
  };
  if (schedule.next(0) === undefined) throw cronError('it has no such day');
  return schedule;
}

function shortestInterval(hours: readonly number[]): number {
  return Math.min(...hours.map((hour, index) => (hours[index + 1] ?? (hours[0] ?? 0) + 24) - hour));
}

function readDays(field: string): DayTest {
  if (field === '?') return () => true;
  if (field === 'L') return (date) => new Date(date.getTime() + DAY_MS).getUTCDate() === 1;
  const days = new Set(readField(field, { min: 1, max: 31 }));
  return (date) => days.has(date.getUTCDate());
}

function readWeekdays(field: string): DayTest {
  if (field === '?') return () => true;
  const [, nthOf, nth] = /^([A-Z]{3}|[1-7])#([1-5])$/.exec(field) ?? [];
  const [, lastOf] = /^([A-Z]{3}|[1-7])L$/.exec(field) ?? [];
  const bounds = { min: 1, max: 7, names: WEEKDAYS };
  const weekdays = new Set(readField(nthOf ?? lastOf ?? field, bounds));
  return (date) => {
    if (!weekdays.has(date.getUTCDay() + 1)) return false;
    if (nth !== undefined) return Math.ceil(date.getUTCDate() / 7) === Number(nth);
    return lastOf === undefined || new Date(date.getTime() + 7 * DAY_MS).getUTCMonth() !== date.getUTCMonth();
  };
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

/** @returns what the field lets through, in ascending order */
function readField(field: string, bounds: Bounds): number[] {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const match = /^(\*|[0-9A-Z]{1,3}|(?=\/))(?:-([0-9A-Z]{1,3}))?(?:\/(\d{1,2}))?$/.exec(part);
    if (match === null || (match[1] === '*' && match[2] !== undefined)) throw cronError(`${part} is no part of it`);
    // AWS's own examples have /8 for */8.
    const [, given = '', last, step] = match;
    const first = given === '' ? '*' : given;
    const from = first === '*' ? bounds.min : readNumber(first, bounds);
    const isOpen = first === '*' || step !== undefined;
    const to = last === undefined ? (isOpen ? bounds.max : from) : readNumber(last, bounds);
    const by = step === undefined ? 1 : Number(step);
    if (by < 1 || to < from) throw cronError(`${part} is no part of it`);
    for (let value = from; value <= to; value += by) values.add(value);
  }
  return [...values].sort((one, other) => one - other);
}

function readNumber(text: string, { min, max, names = [] }: Bounds): number {
  const named = names.indexOf(text);
  const value = named >= 0 ? named + min : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw cronError(`${text} is not between ${min} and ${max}`);
  return value;
}

function cronError(what: string): Error {
  return invalidParameter(`ScheduleExpression: a cron expression of Secrets Manager is not so: ${what}.`);
}
