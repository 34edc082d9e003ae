import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Takes all descriptors but one, so that a file's second opening is refused. */
const SCRIPT = `
  import { closeSync, openSync, readdirSync } from 'node:fs';
  const { BlobFile } = await import(process.argv[1]);
  const before = readdirSync('/proc/self/fd').length;
  const taken = [];
  let refusal;
  try { for (;;) taken.push(openSync('/dev/null')); } catch {}
  closeSync(taken.pop());
  try { await BlobFile.create(process.argv[2]); } catch (error) { refusal = error.code; }
  for (const descriptor of taken) closeSync(descriptor);
  console.log(JSON.stringify({ refusal, left: readdirSync('/proc/self/fd').length - before }));
`;

test('a file for which no second descriptor is left leaves neither a descriptor nor a file', {
  skip: process.platform !== 'linux' && 'looks into /proc',
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-descriptors-'));
  try {
    const module = new URL('./blob-file.ts', import.meta.url).href;
    const { stdout } = await run('sh', [
      '-c',
      'ulimit -n 128; exec "$0" "$@"',
      process.execPath,
      '--input-type=module',
      '--eval',
      SCRIPT,
      module,
      join(folder, 'blob'),
    ]);
    assert.deepEqual(JSON.parse(stdout), { refusal: 'EMFILE', left: 0 });
    assert.deepEqual(await readdir(folder), []);
  } finally {
    await rm(folder, { recursive: true });
  }
});
