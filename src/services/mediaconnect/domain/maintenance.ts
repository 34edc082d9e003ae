import type { Maintenance, UpdateMaintenance } from '@aws-sdk/client-mediaconnect';
import type { Loose } from '../api-types.ts';
import { badRequest } from '../errors.ts';
import type { MaintenanceDocument } from './flow-document.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const DAY_MS = 86_400_000;
const DEFAULT_HOUR = '02:00';
/** How far ahead a date may be asked for. */
const HORIZON_DAYS = 30;

/**
 * @param before what is kept, where there is something
 * @param now milliseconds since the epoch
 * @throws ServiceError BadRequestException
 */
export function checkMaintenance(
  before: MaintenanceDocument | undefined,
  given: Loose<UpdateMaintenance>,
  now: number,
): MaintenanceDocument {
  const day = given.MaintenanceDay ?? before?.day;
  if (day === undefined) throw badRequest('Maintenance: MaintenanceDay is required.');
  const startHour = given.MaintenanceStartHour ?? before?.startHour ?? DEFAULT_HOUR;
  if (!/^([01]\d|2[0-3]):00$/.test(startHour)) {
    throw badRequest('Maintenance: MaintenanceStartHour must be a full hour of UTC, such as 13:00.');
  }
  const isSameWindow = before !== undefined && before.day === day && before.startHour === startHour;
  const scheduledDate = given.MaintenanceScheduledDate ?? (isSameWindow ? before.scheduledDate : undefined);
  if (given.MaintenanceScheduledDate !== undefined) checkDate(given.MaintenanceScheduledDate, startHour, now);
  return { day, startHour, ...(scheduledDate !== undefined && { scheduledDate }) };
}

function checkDate(date: string, startHour: string, now: number): void {
  const at = startOf(date, startHour);
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(date) && !Number.isNaN(at) && new Date(at).toISOString().startsWith(date);
  if (!isDate) throw badRequest('Maintenance: MaintenanceScheduledDate must be a date, such as 2030-01-30.');
  if (at <= now || at > now + HORIZON_DAYS * DAY_MS) {
    throw badRequest(`Maintenance: MaintenanceScheduledDate must be within the next ${HORIZON_DAYS} days.`);
  }
}

/** The window as it is told: with the next date on which it begins. */
export function maintenanceView(kept: MaintenanceDocument, now: number): Maintenance {
  const { day, startHour, scheduledDate } = kept;
  const isAhead = scheduledDate !== undefined && startOf(scheduledDate, startHour) > now;
  return {
    MaintenanceDay: day as NonNullable<Maintenance['MaintenanceDay']>,
    MaintenanceStartHour: startHour,
    MaintenanceScheduledDate: isAhead ? scheduledDate : nextDate(day, startHour, now),
  };
}

function nextDate(day: string, startHour: string, now: number): string {
  const today = new Date(now);
  const days = (DAYS.indexOf(day) - today.getUTCDay() + 7) % 7;
  const date = new Date(now + days * DAY_MS).toISOString().slice(0, 10);
  if (startOf(date, startHour) > now) return date;
  return new Date(now + (days + 7) * DAY_MS).toISOString().slice(0, 10);
}

function startOf(date: string, startHour: string): number {
  return Date.parse(`${date}T${startHour}:00.000Z`);
}
