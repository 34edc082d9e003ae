import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ColumnValue, RowSeal } from './row-seal.ts';

const seal = new RowSeal(Buffer.alloc(32, 1));

const value: fc.Arbitrary<ColumnValue> = fc.oneof(
  fc.constant(null),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '0', 't0:', 'n', 'i1;', 'AQ=='),
  fc.uint8Array({ maxLength: 20 }),
);

const row = fc.dictionary(fc.string({ minLength: 1, maxLength: 4 }), value, { minKeys: 1, maxKeys: 5 });

/** The same value in every way that a database tells them apart. */
function canonical(given: ColumnValue): string {
  if (given instanceof Uint8Array) return `blob ${Buffer.from(given).toString('hex')}`;
  if (typeof given === 'number' && Number.isInteger(given)) return `number ${BigInt(given)}`;
  if (typeof given === 'number' || typeof given === 'bigint') return `number ${given}`;
  return `${typeof given} ${given}`;
}

function describeRow(table: string, columns: Record<string, ColumnValue>): string {
  const names = Object.keys(columns).toSorted();
  return JSON.stringify([table, ...names.map((name) => [name, canonical(columns[name] ?? null)])]);
}

function sealOf(table: string, columns: Record<string, ColumnValue>): string {
  const names = Object.keys(columns).toSorted();
  return seal
    .seal(
      table,
      names,
      names.map((name) => columns[name] ?? null),
    )
    .toString('hex');
}

describe('the seal of a row', () => {
  it('is the same for the same row alone: any change of any column, name or table changes it', () => {
    const table = fc.constantFrom('a', 'b', 'at1:b');
    fc.assert(
      fc.property(table, row, table, row, (tableA, a, tableB, b) => {
        const isSame = describeRow(tableA, a) === describeRow(tableB, b);
        assert.equal(sealOf(tableA, a) === sealOf(tableB, b), isSame);
      }),
    );
    fc.assert(
      fc.property(row, fc.nat(), value, (columns, index, changed) => {
        const names = Object.keys(columns);
        const name = names[index % names.length] ?? '';
        const other = { ...columns, [name]: changed };
        const isSame = describeRow('t', columns) === describeRow('t', other);
        assert.equal(sealOf('t', columns) === sealOf('t', other), isSame);
      }),
    );
  });

  it('changes when two columns change places or a border between them moves', () => {
    assert.notEqual(sealOf('t', { a: 'x', b: 'y' }), sealOf('t', { a: 'y', b: 'x' }));
    assert.notEqual(sealOf('t', { a: 'xy', b: 'z' }), sealOf('t', { a: 'x', b: 'yz' }));
    assert.notEqual(sealOf('t', { a: null }), sealOf('t', { a: '' }));
    assert.notEqual(sealOf('t', { a: '1' }), sealOf('t', { a: 1 }));
    assert.notEqual(sealOf('t', { a: Buffer.from('x') }), sealOf('t', { a: 'x' }));
  });

  it('is that of docs/formats/row-seals.md', () => {
    const columns = ['id', 'mark', 'name', 'size', 'sum'];
    const mac = seal.seal('thing', columns, ['a', null, 'ä', 7, Buffer.from([1, 2])]);
    assert.equal(mac.toString('hex'), '7fd740914af74f6ddf2796deb261c57612bff9454cd696214bd8a6d936de264b');
    assert.ok(seal.isSealed('thing', columns, ['a', null, 'ä', 7n, Buffer.from([1, 2])], mac));
  });

  it('of another key, of another length or none at all is refused', () => {
    const mac = seal.seal('t', ['a'], [1]);
    const other = new RowSeal(Buffer.alloc(32, 2)).seal('t', ['a'], [1]);
    assert.ok(seal.isSealed('t', ['a'], [1], mac));
    for (const wrong of [other, mac.subarray(1), Buffer.alloc(0), null, mac.toString('hex')]) {
      assert.ok(!seal.isSealed('t', ['a'], [1], wrong));
    }
  });

  it('is not made of numbers that a database does not keep', () => {
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => seal.seal('t', ['a'], [number]), RangeError);
    }
  });
});
