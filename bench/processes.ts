import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

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
  stop(): Promise<void>;
}

export async function startBareServer(): Promise<BenchServer> {
  const child = spawn(process.execPath, [join(root, 'bench/bare-server.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const started = performance.now();
  const port = await lineOf(child, /^(\d+)$/m);
  return serverOf(child, `http://127.0.0.1:${port}`, performance.now() - started, async () => {});
}

/** @param folder the data folder's parent, to start again on the same data; a new one when absent */
export async function startCoffer(folder?: string): Promise<BenchServer> {
  const parent = folder ?? (await mkdtemp(join(tmpdir(), 'coffer-bench-')));
  const credentials = { accessKeyId: 'AKIABENCHBENCHBENCH0', secretAccessKey: randomBytes(30).toString('base64') };
  const started = performance.now();
  const child = spawn(process.execPath, [join(root, 'bin/coffer.ts'), 'start', '--port', '0', '--log-level', 'error'], {
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
    child.stdout?.on('data', (data: Buffer) => {
      output += data.toString();
      const match = pattern.exec(output);
      if (match?.[1] !== undefined) resolve(match[1]);
    });
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}: ${output}`)));
  });
}
