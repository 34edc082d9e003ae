import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { unchangedSource } from './unchanged-source.ts';

const SIZE = 2_500_000;

test('a file that is given otherwise at a later reading is not read any further', async () => {
  const bytes = randomBytes(SIZE);
  const read = async (offset: number, target: Uint8Array): Promise<void> => {
    target.set(bytes.subarray(offset, offset + target.length));
  };
  const source = unchangedSource({ size: SIZE, read }, () => new Error('changed'));
  const all = new Uint8Array(SIZE);
  await source.read(0, all);
  assert.deepEqual(Buffer.from(all), bytes);
  const some = new Uint8Array(1_200_000);
  await source.read(1_000_000, some);
  assert.deepEqual(Buffer.from(some), bytes.subarray(1_000_000, 2_200_000));
  bytes[2_400_000] = (bytes[2_400_000] ?? 0) ^ 1;
  await source.read(0, some);
  // The changed byte is in the last chunk, though not in what is asked for.
  await assert.rejects(source.read(2_300_000, new Uint8Array(10)), /changed/);
});
