import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClosedData } from './closed-data.ts';

describe('data of closed captions', () => {
  it('goes to every reader, in its order, when its picture is due', () => {
    const data = new ClosedData();
    const [one, two] = [data.openReader(), data.openReader()];
    for (let index = 0; index < 5; index++) data.add(index * 40, index);
    assert.deepEqual(one.take(31, 80), [0, 1, 2]);
    assert.deepEqual(two.take(2, 200), [0, 1]);
    assert.deepEqual(two.take(31, 200), [2, 3, 4]);
    assert.deepEqual(one.take(31, 200), [3, 4]);
  });

  it('is not kept longer than the last reader needs it, over a film of any length', () => {
    const data = new ClosedData();
    const readers = [data.openReader(), data.openReader()];
    let taken = 0;
    for (let picture = 0; picture < 20_000; picture++) {
      for (let triplet = 0; triplet < 20; triplet++) data.add(picture * 40, picture);
      for (const reader of readers) taken += reader.take(31, picture * 40).length;
      assert.ok(data.keptCount < 3000, `${data.keptCount}`);
    }
    assert.equal(taken, 2 * 400_000);
  });

  it('is dropped from its oldest end where an output writes less than there is', () => {
    const data = new ClosedData();
    const slow = data.openReader();
    for (let index = 0; index < 1_000_000; index++) data.add(index, index);
    assert.ok(data.keptCount <= 1 << 17);
    const [first = 0] = slow.take(1, 1_000_000);
    assert.ok(first > 800_000);
    slow.close();
    data.add(1_000_001, 1);
    assert.equal(data.keptCount, 0, 'nobody reads any more');
  });
});
