import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { flipBit, withDatabase } from '../harness/database-damage.ts';
import { cluster, endOfFragment, header, simpleBlock } from '../harness/matroska-builder.ts';
import { VideoPlatform } from '../harness/video-platform.ts';

const START = 1_795_260_000_000;
const LARGE = 300_000;
const SMALL = 3000;

/** A stream of four fragments: two in blobs, two in the database. */
interface Filled {
  readonly stream: string;
  readonly payloads: readonly Buffer[];
  readonly numbers: readonly string[];
}

describe('damaged video', () => {
  let video: VideoPlatform;
  let database: string;
  let count = 0;

  before(async () => {
    video = await VideoPlatform.start();
    database = join(video.platform.dataFolder, 'records.db');
  });
  after(() => video.stop());

  async function fill(sizes = [LARGE, LARGE, SMALL, SMALL]): Promise<Filled> {
    const stream = `camera-${++count}`;
    await video.createStream(stream);
    const producer = await video.producer(stream);
    const payloads = sizes.map((size) => randomBytes(size));
    producer.send(header());
    for (const [index, payload] of payloads.entries()) {
      const blocks = [];
      for (let at = 0; at < payload.length; at += 15_000) {
        blocks.push(simpleBlock({ payload: payload.subarray(at, at + 15_000) }));
      }
      producer.send(cluster(START + index * 1000, { blocks }), endOfFragment());
    }
    producer.end();
    const acks = await producer.ended();
    const numbers = acks.filter((ack) => ack.EventType === 'PERSISTED').map((ack) => ack.FragmentNumber ?? '');
    assert.equal(numbers.length, sizes.length);
    return { stream, payloads, numbers };
  }

  function blobOf(number: string): string {
    const row = withDatabase(database, (open) =>
      open.prepare('SELECT blob FROM kinesis_video_fragment WHERE number = ?').get(number),
    );
    const [space = '', name = ''] = String(row?.['blob']).split('/');
    return join(video.platform.dataFolder, 'blobs', space, name.slice(0, 2), name);
  }

  /**
   * Reads until something is wrong.
   *
   * @returns how many fragments came, and what was told of the next one
   */
  async function read({ stream, payloads }: Filled): Promise<readonly [whole: number, end: string]> {
    const consumer = await video.consumer(stream, 'EARLIEST');
    for (let index = 0; ; index++) {
      let chunk: Awaited<ReturnType<typeof consumer.next>>;
      try {
        chunk = index < payloads.length ? await consumer.next() : undefined;
      } catch {
        return [index, 'broken off'];
      } finally {
        if (index >= payloads.length) consumer.close();
      }
      if (chunk === undefined) return [index, 'nothing'];
      const error = chunk.tags.get('ERROR_CODE');
      if (error !== undefined) return [index, error];
      const payload = payloads[index] ?? Buffer.alloc(0);
      // INVARIANT of the test: whatever is given as a fragment is the fragment that was sent.
      for (let at = 0; at < payload.length; at += 15_000)
        assert.ok(chunk.bytes.includes(payload.subarray(at, at + 15_000)));
    }
  }

  it('is not there when nothing was damaged', async () => {
    assert.deepEqual(await read(await fill()), [4, 'nothing']);
  });

  it('any changed byte of a blob is told as an error', async () => {
    for (const position of [0, 20, 45, 150_000, LARGE]) {
      const filled = await fill();
      const path = blobOf(filled.numbers[1] ?? '');
      await writeFile(path, flipBit(await readFile(path), position));
      assert.deepEqual(await read(filled), [1, 'INTERNAL_ERROR'], `byte ${position}`);
    }
  });

  it('a fragment that is damaged beyond its first megabyte breaks off: nothing wrong comes, and no end that looks right', async () => {
    const filled = await fill([100, 2_500_000]);
    const path = blobOf(filled.numbers[1] ?? '');
    await writeFile(path, flipBit(await readFile(path), 2_400_000));
    assert.deepEqual(await read(filled), [1, 'broken off']);
  });

  it('a blob that is shorter, longer, empty or gone is told as an error', async () => {
    for (const [what, damage] of Object.entries({
      shorter: (path: string) => truncate(path, 200_000),
      longer: (path: string) => writeFile(path, randomBytes(16), { flag: 'a' }),
      empty: (path: string) => truncate(path, 0),
      gone: (path: string) => rm(path),
    })) {
      const filled = await fill();
      await damage(blobOf(filled.numbers[0] ?? ''));
      assert.deepEqual(await read(filled), [0, 'INTERNAL_ERROR'], what);
    }
  });

  it('a blob in the place of another is told as an error, of the same connection too', async () => {
    const filled = await fill();
    const other = await fill();
    const [first = '', second = ''] = filled.numbers.map((number, index) => (index < 2 ? blobOf(number) : ''));
    await copyFile(first, second);
    assert.deepEqual(await read(filled), [1, 'INTERNAL_ERROR']);
    await copyFile(blobOf(filled.numbers[0] ?? ''), blobOf(other.numbers[0] ?? ''));
    assert.deepEqual(await read(other), [0, 'INTERNAL_ERROR']);
  });

  it('ciphertexts in the database that are changed, swapped or gone are told as errors', async () => {
    const change = 'UPDATE kinesis_video_fragment_body SET body = ? WHERE number = ?';
    const bodies = (numbers: readonly string[]) =>
      withDatabase(database, (open) =>
        numbers.map((number) => {
          const row = open.prepare('SELECT body FROM kinesis_video_fragment_body WHERE number = ?').get(number);
          return Buffer.from(row?.['body'] as Uint8Array);
        }),
      );
    const filled = await fill();
    const [, , third = '', fourth = ''] = filled.numbers;
    const [body = Buffer.alloc(0)] = bodies([third]);
    withDatabase(database, (open) => open.prepare(change).run(flipBit(body, 100), third));
    assert.deepEqual(await read(filled), [2, 'INTERNAL_ERROR']);
    withDatabase(database, (open) => open.prepare(change).run(body, third));
    assert.deepEqual(await read(filled), [4, 'nothing']);
    withDatabase(database, (open) => open.prepare(change).run(body, fourth));
    assert.deepEqual(await read(filled), [3, 'INTERNAL_ERROR']);
    withDatabase(database, (open) => {
      open.prepare('DELETE FROM kinesis_video_fragment_body WHERE number = ?').run(third);
    });
    assert.deepEqual(await read(filled), [2, 'INTERNAL_ERROR']);
  });

  it('a connection’s header and data key that are changed are told as errors, or end the answer', async () => {
    for (const column of ['header', 'data_key', 'key_arn']) {
      const filled = await fill();
      withDatabase(database, (open) => {
        const query = `SELECT ${column} AS value FROM kinesis_video_ingest WHERE id =
          (SELECT ingest FROM kinesis_video_fragment WHERE number = ?)`;
        const { value } = open.prepare(query).get(filled.numbers[0] ?? '') ?? {};
        const bytes = Buffer.from(value as string);
        const changed = flipBit(bytes, bytes.length - 1);
        const update = `UPDATE kinesis_video_ingest SET ${column} = ? WHERE id =
          (SELECT ingest FROM kinesis_video_fragment WHERE number = ?)`;
        open.prepare(update).run(typeof value === 'string' ? changed.toString() : changed, filled.numbers[0] ?? '');
      });
      assert.deepEqual(await read(filled), [0, 'INTERNAL_ERROR'], column);
    }
  });
});
