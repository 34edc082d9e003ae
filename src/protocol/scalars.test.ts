import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { splitHeaderList } from './header-values.ts';
import { formatTimestamp, parseBase64, parseBoolean, parseHttpDate, parseNumber, parseTimestamp } from './scalars.ts';

const date = fc.integer({ min: 0, max: 250_000_000_000 }).map((value) => new Date(value * 1000));

describe('timestamps', () => {
  it('come back as they were written, in every format', () => {
    for (const format of ['date-time', 'http-date', 'epoch-seconds'] as const) {
      fc.assert(
        fc.property(date, (value) => {
          assert.deepEqual(parseTimestamp(formatTimestamp(value, format), format), value);
        }),
      );
    }
  });

  it('are read in all forms of HTTP', () => {
    const expected = new Date('1994-11-06T08:49:37Z');
    for (const text of [
      'Sun, 06 Nov 1994 08:49:37 GMT',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
    ]) {
      assert.deepEqual(parseHttpDate(text), expected, text);
    }
  });

  it('are read with fractions and offsets', () => {
    assert.deepEqual(
      parseTimestamp('2024-02-29T01:02:03.456789+01:30', 'date-time'),
      new Date('2024-02-28T23:32:03.456Z'),
    );
    assert.deepEqual(parseTimestamp('1700000000.5', 'epoch-seconds'), new Date(1_700_000_000_500));
  });

  it('are refused when they are none', () => {
    for (const text of [
      '',
      'now',
      '2023-02-29T00:00:00Z',
      '2023-13-01T00:00:00Z',
      '2023-01-01',
      '2023-01-01T00:00:00',
      '2023-01-01T25:00:00Z',
    ]) {
      assert.throws(() => parseTimestamp(text, 'date-time'), text);
    }
    for (const text of ['', '1e9999', '9e15', 'NaN', '0x10'])
      assert.throws(() => parseTimestamp(text, 'epoch-seconds'), text);
    assert.equal(parseHttpDate('Sun, 31 Feb 1994 08:49:37 GMT'), undefined);
  });
});

describe('numbers, booleans and base64', () => {
  it('take what AWS takes and nothing else', () => {
    assert.equal(parseNumber('-1.5e3'), -1500);
    assert.equal(parseNumber('Infinity'), Number.POSITIVE_INFINITY);
    assert(Number.isNaN(parseNumber('NaN')));
    for (const text of ['', ' ', '0x1', '1_0', '1e999', '١', 'toString', '--1'])
      assert.throws(() => parseNumber(text), text);
    assert.equal(parseBoolean('True'), true);
    for (const text of ['', '1', 'yes', 'tRuE']) assert.throws(() => parseBoolean(text), text);
  });

  it('decode base64 exactly', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.deepEqual(parseBase64(Buffer.from(bytes).toString('base64')), Buffer.from(bytes));
      }),
    );
  });
});

describe('lists in headers', () => {
  it('are split at commas outside quotes', () => {
    assert.deepEqual(splitHeaderList('ETag, ObjectSize ,"a,\\"b"'), ['ETag', 'ObjectSize', 'a,"b']);
    assert.deepEqual(splitHeaderList(''), []);
    assert.deepEqual(splitHeaderList(',,'), []);
  });
});
