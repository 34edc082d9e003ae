import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ClientConfig } from './platform.ts';

const COFFER = fileURLToPath(new URL('../../bin/main.mjs', import.meta.url));
const READY_MS = 20_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `coffer start`. */
export interface RunningServer {
  readonly pid: number;
  readonly endpoint: string;
  readonly ended: Promise<Ended>;
  /** What was printed and logged so far. */
  output(): string;
  /** Sends a signal and waits until the process is gone. */
  end(signal: NodeJS.Signals): Promise<Ended>;
}

/** A running command that is no server. */
export interface RunningCommand {
  readonly ended: Promise<Ended>;
  readonly stdin: Writable;
  /** What was printed so far. */
  output(): string;
  signal(signal: NodeJS.Signals): void;
}

/** What `coffer env --json` prints. */
export interface RootEnvironment {
  readonly AWS_ENDPOINT_URL: string;
  readonly AWS_ACCESS_KEY_ID: string;
  readonly AWS_SECRET_ACCESS_KEY: string;
  readonly AWS_REGION: string;
}

/**
 * A home folder of a user who has nothing yet, in which the command line runs as a child process, as that user would
 * run it. Removed at the end, with every process that was started in it.
 */
export class CofferHome {
  readonly folder: string;
  readonly dataFolder: string;
  readonly configFolder: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(folder: string) {
    this.folder = folder;
    this.dataFolder = join(folder, '.local', 'share', 'coffer');
    this.configFolder = join(folder, '.config', 'coffer');
  }

  static async make(): Promise<CofferHome> {
    return new CofferHome(await mkdtemp(join(tmpdir(), 'coffer-home-')));
  }

  environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const { PATH, TMPDIR, PYENV_ROOT } = process.env;
    return { PATH, ...(TMPDIR && { TMPDIR }), ...(PYENV_ROOT && { PYENV_ROOT }), HOME: this.folder, ...extra };
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], extra: NodeJS.ProcessEnv = {}, input?: Buffer): Promise<Ended> {
    const { child, ended } = this.#spawn(args, extra);
    // A command that needs no more of it closes its input.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    return ended;
  }

  /** Begins a command that goes on by itself. */
  begin(args: readonly string[], extra: NodeJS.ProcessEnv = {}): RunningCommand {
    const { child, ended, output } = this.#spawn(args, extra);
    return { ended, output, stdin: child.stdin, signal: (signal) => void child.kill(signal) };
  }

  /** Starts the server on any free port, and waits until it says that it is ready. */
  async start(args: readonly string[] = [], extra: NodeJS.ProcessEnv = {}): Promise<RunningServer> {
    const { child, ended, output } = this.#spawn(['start', '--port', '0', ...args], extra);
    const deadline = Date.now() + READY_MS;
    for (;;) {
      const endpoint = /ready at (http:\S+)/.exec(output())?.[1];
      if (endpoint !== undefined && child.pid !== undefined) {
        const end = (signal: NodeJS.Signals) => {
          child.kill(signal);
          return ended;
        };
        return { pid: child.pid, endpoint, ended, output, end };
      }
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`The server did not become ready:\n${output()}`);
      }
      await delay(10);
    }
  }

  async rootEnvironment(extra: NodeJS.ProcessEnv = {}): Promise<RootEnvironment> {
    const { stdout, stderr, code } = await this.run(['env', '--json'], extra);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as RootEnvironment;
  }

  /** What a client of the SDK is constructed with, to be root. */
  async rootClientConfig(extra: NodeJS.ProcessEnv = {}): Promise<ClientConfig> {
    const values = await this.rootEnvironment(extra);
    return clientConfig(values.AWS_ENDPOINT_URL, values.AWS_ACCESS_KEY_ID, values.AWS_SECRET_ACCESS_KEY);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  #spawn(args: readonly string[], extra: NodeJS.ProcessEnv) {
    const child = spawn(process.execPath, [COFFER, ...args], {
      env: this.environment(extra),
      cwd: this.folder,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = new Promise<Ended>((resolve) => {
      child.on('close', (code, signal) => {
        this.#children.delete(child);
        resolve({ code, signal, stdout, stderr });
      });
    });
    return { child, ended, output: () => stdout + stderr };
  }
}

export function clientConfig(
  endpoint: string,
  accessKeyId: string,
  secretAccessKey: string,
  sessionToken?: string,
): ClientConfig {
  return {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    forcePathStyle: true,
    maxAttempts: 1,
  };
}
