import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import type { ListStreamsOutput } from '@aws-sdk/client-kinesis-video';
import { ArchiveParts } from '../harness/archive-parts.ts';
import { filesUnder } from '../harness/files-under.ts';

const SMALL = 1000;
/** Too large to lie in the database. */
const LARGE = 200_000;
const NOTHING = { fragments: 0, keys: 0, bodies: 0, blobs: 0 };

describe('The retention of a video stream', () => {
  let parts: ArchiveParts;

  before(async () => {
    parts = await ArchiveParts.start();
  });
  after(() => parts.stop());

  /** One whole round of the background's work, as at each minute. */
  async function sweep(): Promise<void> {
    parts.video.janitor.sweepSoon();
    await parts.video.janitor.settle();
  }

  async function visible(name: string): Promise<number> {
    const { fragments } = await parts.video.archive.list(await parts.stream(name), { by: 'server' }, 1000);
    return fragments.length;
  }

  async function setRetention(StreamName: string, hours: number): Promise<void> {
    const { version: CurrentVersion, retentionHours } = await parts.stream(StreamName);
    await parts.call('UpdateDataRetention', {
      StreamName,
      CurrentVersion,
      Operation: hours > retentionHours ? 'INCREASE_DATA_RETENTION' : 'DECREASE_DATA_RETENTION',
      DataRetentionChangeInHours: Math.abs(hours - retentionHours),
    });
  }

  it('hides and removes fragments by the time at which the server got them, with their blobs and data keys', async () => {
    parts.video.janitor.start();
    await parts.createStream('two-hours', 2);
    await parts.put('two-hours', [SMALL, LARGE]);
    parts.passHours(1);
    await parts.put('two-hours', [SMALL, LARGE]);
    await sweep();
    assert.deepEqual(await parts.stored(), { fragments: 4, keys: 2, bodies: 2, blobs: 2 });

    parts.passHours(1);
    parts.now += 1;
    assert.equal(await visible('two-hours'), 2, 'they are out of sight before they are removed');
    await sweep();
    assert.deepEqual(await parts.stored(), { fragments: 2, keys: 1, bodies: 1, blobs: 1 });
    parts.passHours(1);
    await sweep();
    assert.deepEqual(await parts.stored(), NOTHING);
  });

  it('acts at once when it is decreased, and keeps what is there when it is increased', async () => {
    await parts.createStream('changing', 10);
    await parts.put('changing', [LARGE]);
    parts.passHours(5);
    await parts.put('changing', [LARGE]);
    await setRetention('changing', 4);
    assert.equal(await visible('changing'), 1);
    await parts.video.janitor.settle();
    assert.deepEqual(await parts.stored(), { fragments: 1, keys: 1, bodies: 0, blobs: 1 });

    await setRetention('changing', 100);
    parts.passHours(50);
    await sweep();
    assert.equal(await visible('changing'), 1);
    await setRetention('changing', 0);
    assert.equal(await visible('changing'), 0);
    await parts.video.janitor.settle();
    assert.deepEqual(await parts.stored(), NOTHING);
  });

  it('of nothing leaves fragments to GetMedia for five minutes', async () => {
    await parts.createStream('passing', 0);
    const stream = await parts.stream('passing');
    await parts.put('passing', [SMALL, LARGE]);
    await sweep();
    assert.equal((await parts.video.archive.after(stream, '0', 10)).length, 2);
    assert.equal(await visible('passing'), 0, 'they are not listed');
    parts.now += 5 * 60_000 + 1;
    assert.equal((await parts.video.archive.after(stream, '0', 10)).length, 0);
    await sweep();
    assert.deepEqual(await parts.stored(), NOTHING);
  });

  it('does not take the data key of a connection that has not sent anything yet', async () => {
    await parts.createStream('silent', 1);
    await parts.put('silent', [SMALL]);
    const ingest = parts.video.archive.connect(await parts.stream('silent'));
    await ingest.open(parts.authority, Buffer.from('header'));
    parts.passHours(3);
    await sweep();
    const written = await ingest.write({
      ...ingest.begin(),
      producerTimestamp: parts.now,
      lengthMs: 1,
      cluster: [Buffer.from('cluster')],
      tags: [],
      startsWithKeyframe: true,
      isKept: true,
    });
    await ingest.close();
    const reader = parts.video.archive.reader(await parts.stream('silent'), parts.authority);
    assert.equal((await reader.read(written)).cluster.toString(), 'cluster');
    reader.close();
    await parts.call('DeleteStream', { StreamARN: (await parts.stream('silent')).arn });
    await parts.video.janitor.settle();
    assert.deepEqual(await parts.stored(), NOTHING);
  });

  it('does not end with a stream’s name: one that is made again has nothing of the one before', async () => {
    const { arn } = await parts.createStream('again', 1);
    await parts.put('again', [SMALL, LARGE]);
    await parts.call('DeleteStream', { StreamARN: arn });
    await parts.createStream('again', 1);
    assert.equal(await visible('again'), 0);
    await parts.put('again', [SMALL]);
    await parts.video.janitor.settle();
    assert.deepEqual(await parts.stored(), { fragments: 1, keys: 1, bodies: 1, blobs: 0 });
    await parts.call('DeleteStream', { StreamARN: (await parts.stream('again')).arn });
    await parts.video.janitor.settle();
  });
});

describe('What is left of video streams', () => {
  let parts: ArchiveParts;

  before(async () => {
    parts = await ArchiveParts.start();
  });
  after(() => parts.stop());

  it('goes when one is deleted, whose producer ends', async () => {
    parts.video.janitor.start();
    const stream = await parts.createStream('doomed', 24);
    const ingest = parts.video.archive.connect(stream);
    await ingest.open(parts.authority, Buffer.from('header'));
    const fragment = (cluster: Buffer) => ({
      ...ingest.begin(),
      producerTimestamp: parts.now,
      lengthMs: 1000,
      cluster: [cluster],
      tags: [],
      startsWithKeyframe: true,
      isKept: true,
    });
    await ingest.write(fragment(Buffer.alloc(LARGE)));
    await parts.call('DeleteStream', { StreamARN: stream.arn });
    assert.equal(ingest.signal.aborted, true);
    await assert.rejects(ingest.write(fragment(Buffer.alloc(LARGE))));
    await parts.video.janitor.settle();
    await ingest.close();
    parts.video.janitor.sweepSoon();
    await parts.video.janitor.settle();
    assert.deepEqual(await parts.stored(), NOTHING);
    assert.deepEqual(await parts.video.store.ids('deleted'), []);
  });

  it('goes after a restart when the process ended before, with the blobs that nothing names', async () => {
    await parts.video.janitor.stop();
    await parts.createStream('kept', 24);
    await parts.put('kept', [SMALL, LARGE]);
    const { arn } = await parts.createStream('half-gone', 24);
    await parts.put('half-gone', [SMALL, LARGE, LARGE]);
    await parts.call('DeleteStream', { StreamARN: arn });
    const { StreamInfoList = [] } = (await parts.call('ListStreams', {})) as ListStreamsOutput;
    assert.deepEqual(
      StreamInfoList.map(({ StreamName }) => StreamName),
      ['kept'],
    );
    // As a process that was killed between two steps leaves it.
    const writer = await parts.video.blobs.create('kinesis-video');
    await writer.write([Buffer.from('written, but not yet named')]);
    await writer.commit();
    assert.deepEqual(await parts.stored(), { fragments: 5, keys: 2, bodies: 2, blobs: 4 });
    await parts.close();

    parts.now += 60_000;
    await parts.open();
    parts.video.janitor.start();
    await parts.video.janitor.settle();
    assert.deepEqual(await parts.video.store.ids('deleted'), []);
    assert.deepEqual(await parts.stored(), { fragments: 2, keys: 1, bodies: 1, blobs: 1 });
    await parts.call('DeleteStream', { StreamARN: (await parts.stream('kept')).arn });
    await parts.video.janitor.settle();
    assert.deepEqual(await parts.stored(), NOTHING);
  });

  it('goes in steps that any end of the process may interrupt', async () => {
    const { arn } = await parts.createStream('large', 24);
    await parts.put('large', Array<number>(450).fill(10));
    await parts.call('DeleteStream', { StreamARN: arn });
    let left = 450;
    for (let starts = 0; left > 0; starts++) {
      assert.ok(starts < 4, 'each start gets on');
      await parts.close();
      await parts.open();
      assert.deepEqual(await parts.verify(), [], 'what is left is sound');
      parts.video.janitor.start();
      while ((await parts.stored()).fragments === left) await new Promise(setImmediate);
      await parts.video.janitor.stop();
      left = (await parts.stored()).fragments;
    }
    parts.video.janitor.start();
    await parts.video.janitor.settle();
    assert.deepEqual(await parts.stored(), NOTHING);
    assert.deepEqual(await parts.video.store.ids('deleted'), []);
  });

  it('is not that of the account’s other streams', async () => {
    await parts.createStream('stays', 24);
    const { arn } = await parts.createStream('goes', 24);
    await parts.put('stays', [SMALL, LARGE]);
    await parts.put('goes', [SMALL, LARGE]);
    await parts.call('DeleteStream', { StreamARN: arn });
    await parts.video.janitor.settle();
    assert.deepEqual(await parts.stored(), { fragments: 2, keys: 1, bodies: 1, blobs: 1 });
    assert.deepEqual(await parts.verify(), []);
  });

  it('goes with the account', async () => {
    const [other] = await parts.services.iam.accounts.create([{}]);
    assert.ok(other);
    const first = parts.account;
    parts.account = other.accountId;
    await parts.createStream('foreign', 24);
    await parts.put('foreign', [SMALL, LARGE]);
    const ingest = parts.video.archive.connect(await parts.stream('foreign'));
    await ingest.open(parts.authority, Buffer.from('header'));
    ingest.signal.addEventListener('abort', () => void ingest.close());
    for (const step of parts.services.purgeSteps(other.accountId)) await step.run();
    assert.deepEqual(await parts.video.store.ids('live', other.accountId), []);
    assert.deepEqual(await parts.stored(), { fragments: 2, keys: 1, bodies: 1, blobs: 1 });
    parts.account = first;
    assert.equal((await parts.stream('stays')).name, 'stays');
  });

  it('verifies; a fragment that was taken away, exchanged or changed is named', async () => {
    const { arn } = await parts.stream('stays');
    const [blob] = await Array.fromAsync(parts.video.blobs.list('kinesis-video'));
    assert.ok(blob);
    const path = (await filesUnder(join(parts.folder, 'blobs'))).find((file) => blob.id.endsWith(basename(file)));
    assert.ok(path);
    const kept = await readFile(path);
    const damage = async (): Promise<string[]> =>
      (await parts.verify()).map(({ what, damage: why }) => `${what.replace(/\d{47}/, 'N')}: ${why}`);
    for (const place of [0, 30, 100_000, kept.length - 1]) {
      const changed = Buffer.from(kept);
      changed.writeUInt8(changed.readUInt8(place) ^ 1, place);
      await writeFile(path, changed);
      assert.deepEqual(await damage(), [`${arn} fragment N: its content or its key does not open`]);
    }
    await writeFile(path, kept.subarray(0, -1));
    assert.deepEqual(await damage(), [`${arn} fragment N: its content or its key does not open`]);
    await rm(path);
    assert.deepEqual(await damage(), [`${arn} fragment N: its blob ${blob.id} is missing`]);
    await writeFile(path, kept);
    assert.deepEqual(await damage(), []);

    await parts.put('stays', [SMALL]);
    const broken = `${arn} fragment N: its content or its key does not open`;
    const database = new DatabaseSync(join(parts.folder, 'records.db'), { timeout: 5000 });
    const bodies = database.prepare('SELECT stream, number, body FROM kinesis_video_fragment_body').all();
    assert.equal(bodies.length, 2);
    const put = database.prepare('UPDATE kinesis_video_fragment_body SET body = ? WHERE number = ?');
    const [one = {}, two = {}] = bodies;
    put.run(two['body'] ?? null, one['number'] ?? null);
    put.run(one['body'] ?? null, two['number'] ?? null);
    assert.deepEqual(await damage(), [broken, broken]);
    put.run(one['body'] ?? null, one['number'] ?? null);
    put.run(two['body'] ?? null, two['number'] ?? null);
    const resize = database.prepare('UPDATE kinesis_video_fragment SET size = size + ?');
    resize.run(1);
    assert.equal((await damage()).filter((line) => line === broken).length, 3);
    resize.run(-1);
    assert.deepEqual(await damage(), []);
    database.exec('DELETE FROM kinesis_video_fragment_body');
    assert.deepEqual(await damage(), [broken, broken]);
    database.close();
  });
});
