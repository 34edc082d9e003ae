import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCoffer } from './processes.ts';
import { median, type Result } from './result.ts';

const ROUNDS = 5;

/** From spawning the process to the line that says that it is ready, on a data folder that exists. */
export async function benchStartUp(): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-bench-'));
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const server = await startCoffer(folder);
    if (round > 0) times.push(server.startedInMs / 1000);
    await server.stop();
  }
  await rm(folder, { recursive: true, force: true });
  return {
    name: 'start to ready',
    value: median(times),
    unit: 's',
    target: 1.5,
    isAtMost: true,
    detail: times.map((time) => time.toFixed(2)).join(' '),
  };
}
