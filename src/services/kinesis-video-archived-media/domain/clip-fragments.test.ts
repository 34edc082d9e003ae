import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { StreamRecord } from '#services/kinesis-video/api.ts';
import { ArchiveParts } from '#test/harness/archive-parts.ts';
import { clipFragments } from './clip-fragments.ts';

describe('the fragments of a clip', () => {
  let parts: ArchiveParts;
  let stream: StreamRecord;
  const everything = { by: 'server', start: 0 } as const;

  before(async () => {
    parts = await ArchiveParts.start();
    stream = await parts.createStream('camera', 1);
  });
  after(() => parts.stop());

  it('are as many as have room, and at least one', async () => {
    const records = await parts.put('camera', [4000, 3000, 2000, 100]);
    const chosen = async (bytes: number, fragments = 200) =>
      (await clipFragments(parts.video.archive, stream, everything, { bytes, fragments })).length;
    assert.equal(await chosen(9100), 4);
    assert.equal(await chosen(9000), 3);
    // The small one behind the one without room does not take its place.
    assert.equal(await chosen(7100), 2);
    assert.equal(await chosen(10), 1);
    assert.equal(await chosen(9100, 2), 2);
    assert.deepEqual(await clipFragments(parts.video.archive, stream, everything), records);
  });

  it('are one for each producer timestamp, the newest, wherever the pages end', async () => {
    // All that `put` writes has the same one.
    const records = await parts.put('camera', [100, 100, 100]);
    const byProducer = { by: 'producer', start: 0 } as const;
    for (const fragments of [1, 2, 3, 200]) {
      const chosen = await clipFragments(parts.video.archive, stream, byProducer, { bytes: 1e6, fragments });
      assert.deepEqual(chosen, [records.at(-1)]);
    }
  });
});
