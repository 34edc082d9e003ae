import { type ChildProcess, fork } from 'node:child_process';
import type { OutputTransport, SourceTransport } from '#media/live/flow-spec.ts';
import type { FromLoad, StreamCounts, ToLoad } from './load-messages.ts';

/** A load process, seen from the bench. */
export class Load {
  readonly #child: ChildProcess;
  readonly #answers: ((message: FromLoad) => void)[] = [];

  constructor() {
    this.#child = fork(new URL('./load-main.ts', import.meta.url), { serialization: 'advanced' });
    this.#child.on('message', (message: FromLoad) => this.#answers.shift()?.(message));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @param bitRate of each stream */
  send(outputs: readonly OutputTransport[], bitRate: number): Promise<FromLoad> {
    return this.#ask({ kind: 'send', outputs, bitRate });
  }

  /** @param sampleEvery the latency of each so manieth packet is kept */
  take(sources: readonly SourceTransport[], sampleEvery: number): Promise<FromLoad> {
    return this.#ask({ kind: 'take', sources, sampleEvery });
  }

  connected(): Promise<FromLoad> {
    return this.#ask({ kind: 'connected' });
  }

  begin(): Promise<FromLoad> {
    return this.#ask({ kind: 'begin' });
  }

  /** @returns how many datagrams were sent of each stream */
  async pause(): Promise<readonly number[]> {
    const answer = await this.#ask({ kind: 'pause' });
    return answer.kind === 'sent' ? answer.packets : [];
  }

  /** What came since the start; the latencies since the last call. */
  async count(): Promise<readonly StreamCounts[]> {
    const answer = await this.#ask({ kind: 'count' });
    return answer.kind === 'counts' ? answer.counts : [];
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  #ask(message: ToLoad): Promise<FromLoad> {
    return new Promise((resolve) => {
      this.#answers.push(resolve);
      this.#child.send(message);
    });
  }
}
