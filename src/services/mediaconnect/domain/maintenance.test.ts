import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkMaintenance, maintenanceView } from './maintenance.ts';

const kept = { day: 'Monday', startHour: '13:00' };
// 19 November 2029 is a Monday.
const monday = Date.parse('2029-11-19T12:59:59.999Z');

function dateOf(now: number, scheduledDate?: string): string | undefined {
  return maintenanceView({ ...kept, ...(scheduledDate !== undefined && { scheduledDate }) }, now)
    .MaintenanceScheduledDate;
}

describe('a maintenance window', () => {
  it('begins on its day, as long as its hour is not past', () => {
    assert.equal(dateOf(monday), '2029-11-19');
    assert.equal(dateOf(monday + 1), '2029-11-26');
    assert.equal(dateOf(Date.parse('2029-11-25T23:59:00Z')), '2029-11-26');
    assert.equal(dateOf(Date.parse('2029-12-31T13:00:00Z')), '2030-01-07');
  });

  it('begins once on the date that was asked for', () => {
    assert.equal(dateOf(monday, '2029-11-30'), '2029-11-30');
    assert.equal(dateOf(Date.parse('2029-11-30T13:00:00Z'), '2029-11-30'), '2029-12-03');
  });

  it('forgets that date when its day or hour changes', () => {
    const asked = checkMaintenance(kept, { MaintenanceScheduledDate: '2029-11-30' }, monday);
    assert.deepEqual(asked, { ...kept, scheduledDate: '2029-11-30' });
    assert.deepEqual(checkMaintenance(asked, { MaintenanceStartHour: '13:00' }, monday), asked);
    assert.deepEqual(checkMaintenance(asked, { MaintenanceDay: 'Friday' }, monday), {
      day: 'Friday',
      startHour: '13:00',
    });
  });

  it('begins at two when no hour is given', () => {
    assert.deepEqual(checkMaintenance(undefined, { MaintenanceDay: 'Sunday' }, monday), {
      day: 'Sunday',
      startHour: '02:00',
    });
  });
});
