import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of util-linux. */
const TASKSET: string = 'taskset';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A server in a process of its own. */
export interface BenchServer {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly pid: number | undefined;
  /** Milliseconds from spawning the process until it said that it was ready. */
  readonly startedInMs: number;
  /** Resident memory in bytes. */
  residentBytes(): Promise<number>;
  /** Seconds of processor time that it has had so far, all of its threads together. */
  processorSeconds(): Promise<number>;
  stop(): Promise<void>;
}

/** @param processor the only one that it may use; any when absent */
export async function startBareServer(processor?: number): Promise<BenchServer> {
  const [command, ...args] = onProcessor(processor, process.execPath, join(root, 'bench/bare-server.ts'));
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const started = performance.now();
  const port = await lineOf(child, /^(\d+)$/m);
  return serverOf(child, `http://127.0.0.1:${port}`, performance.now() - started, async () => {});
}

/**
 * `COFFER_BENCH_NODE_OPTIONS` is given to Node, such as `--cpu-prof`.
 *
 * @param folder the data folder's parent, to start again on the same data; a new one when absent
 * @param processor the only one that it may use; any when absent
 */
export async function startCoffer(folder?: string, processor?: number): Promise<BenchServer> {
  const parent = folder ?? (await mkdtemp(join(tmpdir(), 'coffer-bench-')));
  const credentials = { accessKeyId: 'AKIABENCHBENCHBENCH0', secretAccessKey: randomBytes(30).toString('base64') };
  const options = (process.env['COFFER_BENCH_NODE_OPTIONS'] ?? '').split(' ').filter((option) => option !== '');
  const coffer = [join(root, 'bin/main.mjs'), 'start', '--port', '0', '--log-level', 'error'];
  const [command, ...args] = onProcessor(processor, process.execPath, ...options, ...coffer);
  const started = performance.now();
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      COFFER_DATA: join(parent, 'data'),
      COFFER_ROOT_KEY_FILE: join(parent, 'root.key'),
      COFFER_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
      COFFER_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  });
  const endpoint = await lineOf(child, /ready at (http:\S+)/);
  const startedInMs = performance.now() - started;
  const cleanUp = async () => (folder === undefined ? rm(parent, { recursive: true, force: true }) : undefined);
  return { ...serverOf(child, endpoint, startedInMs, cleanUp), credentials };
}

/** A command line that runs on one processor alone, where the system can do that. */
export function onProcessor(
  processor: number | undefined,
  command: string,
  ...args: readonly string[]
): readonly [string, ...string[]] {
  return processor === undefined ? [command, ...args] : [TASKSET, '-c', String(processor), command, ...args];
}

/** Two processors to keep a server and who loads it apart; none where the machine cannot. */
export function twoProcessors(): readonly [number, number] | undefined {
  const isThere = spawnSync(TASKSET, ['-c', '0,1', 'true'], { stdio: 'ignore' }).status === 0;
  return isThere ? [0, 1] : undefined;
}

/** A server that is none of ours, in a process of its own; `undefined` where it is not installed. */
export async function startOther(
  command: string,
  args: readonly string[],
  ready: RegExp,
  endpoint: string,
): Promise<BenchServer | undefined> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const isThere = await new Promise<boolean>((resolve) => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
  if (!isThere) return undefined;
  const started = performance.now();
  await lineOf(child, ready);
  return serverOf(child, endpoint, performance.now() - started, async () => {});
}

function serverOf(
  child: ChildProcess,
  endpoint: string,
  startedInMs: number,
  cleanUp: () => Promise<void>,
): BenchServer {
  return {
    endpoint,
    pid: child.pid,
    startedInMs,
    credentials: { accessKeyId: '', secretAccessKey: '' },
    async residentBytes() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
    },
    async processorSeconds() {
      const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      await cleanUp();
    },
  };
}

function lineOf(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const take = (data: Buffer): void => {
      if (output.length > 100_000) return;
      output += data.toString();
      const match = pattern.exec(output);
      if (match?.[1] !== undefined) resolve(match[1]);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}: ${output}`)));
  });
}
