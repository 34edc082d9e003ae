import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MemoryBudget } from './memory-budget.ts';

const never = new AbortController().signal;

describe('the budget of memory', () => {
  it('lets in what has room, and the rest in the order in which it came', async () => {
    const budget = new MemoryBudget(100);
    const entered: string[] = [];
    const enter = async (name: string, bytes: number) => {
      const leave = await budget.enter(bytes, never);
      entered.push(name);
      return leave;
    };
    const [first, second] = [await enter('first', 60), await enter('second', 40)];
    const large = enter('large', 90);
    const small = enter('small', 10);
    first();
    await Promise.resolve();
    assert.deepEqual(entered, ['first', 'second'], 'the small one does not pass the large one by');
    second();
    (await large)();
    (await small)();
    assert.deepEqual(entered, ['first', 'second', 'large', 'small']);
  });

  it('gives what is larger than all of it the whole', async () => {
    const budget = new MemoryBudget(100);
    const leave = await budget.enter(500, never);
    const other = budget.enter(1, never);
    leave();
    leave();
    (await other)();
  });

  it('forgets clients that have gone', async () => {
    const budget = new MemoryBudget(100);
    const leave = await budget.enter(80, never);
    const gone = new AbortController();
    const waiting = budget.enter(90, gone.signal);
    const behind = budget.enter(20, never);
    gone.abort();
    await assert.rejects(waiting, /client has gone/);
    (await behind)();
    leave();
    await assert.rejects(budget.enter(1, gone.signal), /client has gone/);
  });

  it('never holds more than its limit, whoever comes and goes', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(sizes, async (given) => {
        const budget = new MemoryBudget(100);
        let held = 0;
        const work = async (bytes: number): Promise<void> => {
          const leave = await budget.enter(bytes, never);
          held += bytes;
          assert.ok(held <= 100);
          await Promise.resolve();
          held -= bytes;
          leave();
        };
        await Promise.all(given.map(work));
        assert.equal(held, 0);
      }),
    );
  });
});
