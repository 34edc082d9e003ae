import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

const hasTool = (tool: string, argument: string): boolean => spawnSync(tool, [argument]).error === undefined;

/** For `skip`: why tests that need srt-live-transmit cannot run here, or false. */
export const withoutSrtTools: string | false = hasTool('srt-live-transmit', '-version')
  ? false
  : 'srt-live-transmit (srt-tools) is not installed';

export const withoutRistTools: string | false = hasTool('ristsender', '-h')
  ? false
  : 'ristsender and ristreceiver (rist-tools) are not installed';

/** UDP ports of 127.0.0.1 that are free now: the first of `count` in a row, and even. */
export async function freePorts(count = 1): Promise<number> {
  for (;;) {
    const first = 20_000 + 2 * Math.floor(Math.random() * 6000);
    const sockets = Array.from({ length: count }, () => createSocket('udp4'));
    try {
      for (const [index, socket] of sockets.entries()) {
        socket.bind(first + index, '127.0.0.1');
        await once(socket, 'listening');
      }
      return first;
    } catch {
      // One of them is taken.
    } finally {
      for (const socket of sockets) socket.close();
    }
  }
}

/** A tool that sends, or takes, a live stream. */
export class LiveTool implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #output: Buffer[] = [];
  #messages = '';

  constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (data: Buffer) => this.#output.push(data));
    this.child.stderr?.on('data', (data: Buffer) => {
      this.#messages += data.toString();
    });
    this.child.stdin?.on('error', () => undefined);
  }

  /** What came on standard output so far. */
  get received(): Buffer {
    return Buffer.concat(this.#output);
  }

  get messages(): string {
    return this.#messages;
  }

  /** Writes into the tool's standard input at a rate, and returns when all is written. */
  async feed(bytes: Buffer, bitRate: number): Promise<void> {
    const PIECE = 1316;
    const began = performance.now();
    for (let at = 0; at < bytes.length; at += PIECE) {
      const due = began + (at * 8000) / bitRate;
      if (due - performance.now() > 1) await delay(due - performance.now());
      this.child.stdin?.write(bytes.subarray(at, at + PIECE));
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Sends its standard input to an SRT address, in datagrams of 1316 bytes; dials again when it is refused. */
export function srtSender(address: string): LiveTool {
  return new LiveTool('srt-live-transmit', ['-q', '-chunk:1316', '-a:yes', 'file://con', address]);
}

/** Writes what it takes from an SRT address to its standard output. */
export function srtTaker(address: string): LiveTool {
  return new LiveTool('srt-live-transmit', ['-q', '-chunk:1316', '-a:yes', address, 'file://con']);
}

/** Waits until `isDone`, for at most so long. */
export async function until(what: string, isDone: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await isDone())) {
    assert.ok(performance.now() < end, `${what}: not within ${ms} ms`);
    await delay(20);
  }
}
