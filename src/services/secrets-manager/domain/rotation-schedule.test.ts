import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readScheduleExpression } from './rotation-schedule.ts';

/** The first windows after a Friday, 2027-01-01T09:30Z. */
const CASES: Readonly<Record<string, readonly string[]>> = {
  'rate(4 hours)': ['2027-01-01T12:00', '2027-01-01T16:00'],
  'rate(1 day)': ['2027-01-02T00:00', '2027-01-03T00:00'],
  'rate(10 days)': ['2027-01-11T00:00', '2027-01-21T00:00'],
  'cron(0 8 1 * ? *)': ['2027-02-01T08:00', '2027-03-01T08:00'],
  'cron(0 10 ? * MON *)': ['2027-01-04T10:00', '2027-01-11T10:00'],
  'cron(0 8,16 * * ? *)': ['2027-01-01T16:00', '2027-01-02T08:00'],
  'cron(0 /8 * * ? *)': ['2027-01-01T16:00', '2027-01-02T00:00'],
  'cron(0 0/8 * * ? *)': ['2027-01-01T16:00', '2027-01-02T00:00'],
  'cron(0 1 L * ? *)': ['2027-01-31T01:00', '2027-02-28T01:00'],
  'cron(0 9 29 2 ? *)': ['2028-02-29T09:00', '2032-02-29T09:00'],
  'cron(0 16 ? * 2#1 *)': ['2027-01-04T16:00', '2027-02-01T16:00'],
  'cron(0 16 ? * FRIL *)': ['2027-01-29T16:00', '2027-02-26T16:00'],
  'cron(0 6 1 JAN-MAR,12 ? *)': ['2027-02-01T06:00', '2027-03-01T06:00', '2027-12-01T06:00', '2028-01-01T06:00'],
  'cron(0 6 1 1/3 ? *)': ['2027-04-01T06:00', '2027-07-01T06:00', '2027-10-01T06:00'],
};

describe('a schedule of rotations', () => {
  for (const [expression, expected] of Object.entries(CASES)) {
    it(`begins its windows on time: ${expression}`, () => {
      const schedule = readScheduleExpression(expression);
      let time: number | undefined = Date.parse('2027-01-01T09:30Z');
      for (const window of expected) {
        time = time === undefined ? undefined : schedule.next(time);
        assert.equal(time === undefined ? 'none' : new Date(time).toISOString().slice(0, 16), window);
      }
    });
  }
});
