import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BlobMissingError } from '../blobs.ts';
import { AlignedBlocks, BLOCK_SIZE } from './aligned-blocks.ts';
import { BlobFile } from './blob-file.ts';
import { FolderBlobs } from './folder-blobs.ts';

let parent: string;
let folder: string;
let blobs: FolderBlobs;

before(async () => {
  parent = await mkdtemp(join(tmpdir(), 'coffer-blobs-'));
  folder = join(parent, 'blobs');
  blobs = await FolderBlobs.open(folder);
});
after(() => rm(parent, { recursive: true, force: true }));

async function write(chunks: readonly Uint8Array[]): Promise<string> {
  const writer = await blobs.create('test');
  for (const chunk of chunks) await writer.write([chunk]);
  await writer.commit();
  return writer.id;
}

async function readAll(id: string): Promise<Buffer> {
  const reader = await blobs.open(id);
  const target = Buffer.alloc(reader.size);
  assert.equal(await reader.read(target, 0), reader.size);
  await reader.close();
  return target;
}

async function idsOf(space: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of blobs.list(space)) ids.push(id);
  return ids;
}

test('gives back what was written, in any range', async () => {
  const chunks = [randomBytes(1000), Buffer.alloc(0), randomBytes(2_000_000), randomBytes(1)];
  const whole = Buffer.concat(chunks);
  const id = await write(chunks);
  assert.deepEqual(await readAll(id), whole);
  const reader = await blobs.open(id);
  const target = Buffer.alloc(100);
  assert.equal(await reader.read(target, 950), 100);
  assert.deepEqual(target, whole.subarray(950, 1050));
  assert.equal(await reader.read(target, whole.length - 10), 10);
  assert.equal(await reader.read(target, whole.length + 10), 0);
  await reader.close();
  await reader.close();
});

test('keeps every byte at the bounds of sectors and blocks', async () => {
  for (const size of [0, 1, 4095, 4096, 4097, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 3 * BLOCK_SIZE + 4096]) {
    const bytes = randomBytes(size);
    assert.deepEqual(await readAll(await write([bytes])), bytes, `${size} bytes`);
  }
});

test('writes the ordinary way where direct I/O is refused', async () => {
  const path = join(parent, 'refused');
  const file = await BlobFile.create(path);
  const memory = new AlignedBlocks().take();
  // Direct I/O refuses memory that begins in the midst of a sector; several writes are under way when that shows.
  const blocks = [0, 1, 2].map((index) => memory.subarray(8 + index * 4096, 8 + (index + 1) * 4096).fill(index + 1));
  await Promise.all(blocks.map((block, index) => file.write(block, index === 2 ? 100 : 4096, index * 4096)));
  await file.sync(2 * 4096 + 100);
  await file.close();
  const expected = Buffer.concat([Buffer.alloc(4096, 1), Buffer.alloc(4096, 2), Buffer.alloc(100, 3)]);
  assert.deepEqual(await readFile(path), expected);
});

test('keeps the order of writes that overlap', async () => {
  const writer = await blobs.create('test');
  const chunks = Array.from({ length: 1500 }, (_, index) => Buffer.alloc(index % 300, index));
  await Promise.all([writer.write(chunks), ...chunks.map((chunk) => writer.write([chunk]))]);
  await writer.commit();
  assert.deepEqual(await readAll(writer.id), Buffer.concat([...chunks, ...chunks]));
});

test('shows a blob only when it is committed, and nothing of one that was given up', async () => {
  const writer = await blobs.create('hidden');
  await writer.write([randomBytes(10)]);
  assert.deepEqual(await idsOf('hidden'), []);
  await assert.rejects(blobs.open(writer.id), BlobMissingError);
  await writer.abort();
  await assert.rejects(writer.write([randomBytes(1)]));
  await assert.rejects(writer.commit());
  assert.deepEqual(await readdir(join(folder, 'tmp')), []);
  const committed = await blobs.create('hidden');
  await committed.commit();
  assert.deepEqual(await idsOf('hidden'), [committed.id]);
});

test('keeps a deleted blob for those who are reading it', async () => {
  const id = await write([Buffer.from('still here')]);
  const reader = await blobs.open(id);
  await blobs.delete(id);
  await blobs.delete(id);
  await assert.rejects(blobs.open(id), BlobMissingError);
  const target = Buffer.alloc(10);
  await reader.read(target, 0);
  assert.equal(target.toString(), 'still here');
  await reader.close();
});

test('removes what unfinished writes left behind when it is opened', async () => {
  await mkdir(join(folder, 'tmp'), { recursive: true });
  await writeFile(join(folder, 'tmp', 'leftover'), 'x');
  const id = await write([Buffer.from('kept')]);
  const reopened = await FolderBlobs.open(folder);
  assert.deepEqual(await readdir(join(folder, 'tmp')), []);
  const reader = await reopened.open(id);
  assert.equal(reader.size, 4);
  await reader.close();
});

test('never leaves its folder by an id', async () => {
  for (const id of ['../../etc/passwd', 'test/../../x', '', 'test/short', `test/${'0'.repeat(31)}/`]) {
    await assert.rejects(blobs.open(id), BlobMissingError);
    await assert.rejects(blobs.delete(id), BlobMissingError);
  }
  await assert.rejects(blobs.create('../x'), RangeError);
});

test('commits many blobs at once', async () => {
  const ids = await Promise.all(Array.from({ length: 200 }, (_, index) => write([Buffer.from(String(index))])));
  for (const [index, id] of ids.entries()) assert.equal((await readAll(id)).toString(), String(index));
});
