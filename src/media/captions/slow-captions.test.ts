import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { plainLines } from './cue.ts';
import { parseSrt } from './srt.ts';
import { parseTtml } from './ttml-parser.ts';

/** Far above what is needed on a slow machine, and far below what it took. */
const PATIENCE_MS = 5000;

function timed<Result>(work: () => Result): Result {
  const begin = performance.now();
  const result = work();
  assert.ok(performance.now() - begin < PATIENCE_MS);
  return result;
}

describe('captions that are made to be slow', () => {
  test('a million beginnings of tags with one end are read in one pass', () => {
    const [cue] = timed(() => parseSrt(`1\n00:00:00,000 --> 00:00:01,000\n${'<'.repeat(1_000_000)}>\n`));
    assert.match(cue === undefined ? '' : (plainLines(cue)[0] ?? ''), /^<+$/);
  });

  test('styles that all refer to each other are gone through once', () => {
    const ids = Array.from({ length: 16 }, (_, index) => `s${index}`);
    const styles = ids.map((id) => `<style xml:id="${id}" style="${ids.join(' ')}" tts:color="red"/>`);
    const head = `<head><styling>${styles.join('')}</styling></head>`;
    const paragraphs = '<p style="s3" begin="0s" end="1s">x</p>'.repeat(1000);
    const cues = timed(() => parseTtml(`<tt>${head}<body><div>${paragraphs}</div></body></tt>`));
    assert.equal(cues.length, 1000);
    assert.deepEqual(cues[999]?.lines, [[{ text: 'x', color: '#ff0000' }]]);
  });
});
