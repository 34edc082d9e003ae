import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SILENCE_MS, SourceChoice, STEADY_MS } from './source-choice.ts';

/** Both sources give a packet every 10 ms where `isThere` says so; which one was taken, at each of these times. */
function play(
  preferred: number | undefined,
  ms: number,
  isThere: (source: number, now: number) => boolean,
): (number | undefined)[] {
  const choice = new SourceChoice(2, preferred);
  const taken: (number | undefined)[] = [];
  for (let now = 0; now < ms; now += 10) {
    for (const source of [0, 1]) if (isThere(source, now)) choice.take(source, now);
    choice.tick(now);
    taken[now / 10] = choice.chosen;
  }
  return taken;
}

describe('the choice of a source', () => {
  it('takes the first that is there, and stays with it', () => {
    const taken = play(undefined, 5000, (source, now) => source === 1 || now > 500);
    assert.ok(taken.every((source) => source === 1));
  });

  it('takes the other when one has given nothing for a moment', () => {
    const taken = play(undefined, 5000, (source, now) => source === 1 || now < 1000);
    assert.equal(taken[99], 0);
    assert.equal(taken[(1000 + SILENCE_MS + 20) / 10], 1);
    assert.equal(taken.at(-1), 1);
  });

  it('goes back to the preferred one once that has been there for a while', () => {
    const taken = play(0, 8000, (source, now) => source === 1 || now < 1000 || now >= 3000);
    assert.equal(taken[250], 1);
    assert.equal(taken[(3000 + STEADY_MS - 50) / 10], 1);
    assert.equal(taken[(3000 + STEADY_MS + 20) / 10], 0);
  });

  it('does not go back to a preferred one that comes and goes', () => {
    const taken = play(0, 8000, (source, now) => source === 1 || now < 500 || now % 1000 < 500);
    assert.ok(taken.slice(100).every((source) => source === 1));
  });

  it('has none when none is there, and the next one that comes', () => {
    const taken = play(0, 5000, (source, now) => (source === 0 ? now < 1000 : now > 3000));
    assert.equal(taken[200], undefined);
    assert.equal(taken[310], 1);
  });
});
