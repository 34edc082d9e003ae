import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectToServer } from '../../bin/control-client.ts';
import { CofferHome } from '../harness/coffer-home.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/coffer.mjs', import.meta.url));
const skip = process.platform === 'linux' ? false : 'there is no /proc to look into';

it('runs the server so that no core dump has its memory, and no signal opens a debugger', { skip }, async () => {
  await using home = await CofferHome.make();
  const launcher = spawn(process.execPath, [LAUNCHER, 'start', '--port', '0'], { env: home.environment() });
  const ended = new Promise((resolve) => launcher.once('exit', resolve));
  let output = '';
  launcher.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  launcher.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  try {
    while (!output.includes('is ready at')) {
      assert.equal(launcher.exitCode, null, output);
      await delay(20);
    }
    const { pid } = JSON.parse(await readFile(join(home.dataFolder, 'control.json'), 'utf8')) as { pid: number };
    assert.notEqual(pid, launcher.pid);
    const limits = await readFile(`/proc/${pid}/limits`, 'utf8');
    assert.match(limits, /^Max core file size\s+0\s+0\s/m);
    assert.match(await readFile(`/proc/${pid}/coredump_filter`, 'utf8'), /^0+\n$/);
    process.kill(pid, 'SIGUSR1');
    await delay(300);
    assert.doesNotMatch(output, /Debugger listening/);
    const connection = await connectToServer(home.dataFolder);
    assert.ok(connection !== undefined, 'it goes on');
    connection.destroy();
  } finally {
    launcher.kill('SIGTERM');
    await ended;
  }
});
