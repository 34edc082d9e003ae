import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A load generator in a process of its own, on the processor that the server does not have: requests that were made
 * and signed before, as bytes, over connections that stay open. `node bench/raw-load.ts FILE` takes a `RawLoad` in JSON
 * and prints a `RawLoadResult`.
 */
export interface RawLoad {
  readonly host: string;
  readonly port: number;
  /** Whole HTTP requests in base64, sent one after the other, from the first again after the last. */
  readonly requests: readonly string[];
  readonly connections: number;
  /** How long to send before measuring, and how long to measure. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Requests a second, sent when their time has come; as many as are answered when absent. */
  readonly rate?: number;
}

export interface RawLoadResult {
  readonly requestsPerSecond: number;
  /** All that were answered, those before measuring as well. */
  readonly requests: number;
  /** Milliseconds from when a request was due until its answer was whole. */
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly failures: number;
  /** The beginning of the first answer that was not a success. */
  readonly firstFailure: string;
}

const LAST_ANSWERS_MS = 2000;
const HEAD_END = Buffer.from('\r\n\r\n');

/** One connection: a request, its answer, the next request. */
class Connection {
  readonly #work: Work;
  #socket: Socket | undefined;
  #answer: Buffer[] = [];
  #received = 0;
  /** How long the answer is, once its head has come. */
  #expected = Number.NaN;
  /** The server closes the connection after it. */
  #isLast = false;
  #due = 0;
  #end: () => void = () => {};

  constructor(work: Work) {
    this.#work = work;
  }

  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#end = resolve;
      this.#open();
    });
  }

  #open(): void {
    const { host, port } = this.#work.load;
    const socket = connect({ host, port, noDelay: true });
    this.#socket = socket;
    socket.on('data', (data: Buffer) => this.#take(data));
    socket.on('close', () => this.#reopen(socket));
    socket.on('error', () => {});
    socket.once('connect', () => this.#next());
  }

  /** A server may close after each answer; what was under way then has failed. */
  #reopen(socket: Socket): void {
    if (socket !== this.#socket) return;
    if (this.#received > 0 && Number.isNaN(this.#expected)) this.#work.fail(Buffer.concat(this.#answer));
    this.#clear();
    if (performance.now() < this.#work.until) this.#open();
    else this.#end();
  }

  #next(): void {
    const { due, wait } = this.#work.nextTime();
    if (due >= this.#work.until) {
      const socket = this.#socket;
      this.#socket = undefined;
      socket?.destroy();
      this.#end();
      return;
    }
    this.#due = due;
    if (wait > 0) setTimeout(() => this.#socket?.write(this.#work.nextRequest()), wait);
    else this.#socket?.write(this.#work.nextRequest());
  }

  #take(data: Buffer): void {
    this.#answer.push(data);
    this.#received += data.length;
    if (Number.isNaN(this.#expected)) this.#readHead();
    if (this.#received < this.#expected) return;
    const [first] = this.#answer;
    if (first === undefined || Number.isNaN(this.#expected)) return;
    // `HTTP/1.1 200`
    const isSuccess = first[9] === 0x32;
    if (isSuccess) this.#work.succeed(this.#due);
    else this.#work.fail(Buffer.concat(this.#answer));
    const isLast = this.#isLast;
    this.#clear();
    if (!isLast) return this.#next();
    this.#socket?.destroy();
    this.#open();
  }

  #readHead(): void {
    const whole =
      this.#answer.length === 1 && this.#answer[0] !== undefined ? this.#answer[0] : Buffer.concat(this.#answer);
    const end = whole.indexOf(HEAD_END);
    if (end < 0) return;
    const head = whole.toString('latin1', 0, end);
    const length = /content-length: *(\d+)/i.exec(head)?.[1];
    this.#isLast = /connection: *close/i.test(head);
    this.#expected = end + HEAD_END.length + Number(length ?? 0);
  }

  #clear(): void {
    this.#answer = [];
    this.#received = 0;
    this.#expected = Number.NaN;
    this.#isLast = false;
  }
}

/** What the connections share. */
class Work {
  readonly load: RawLoad;
  readonly until: number;
  readonly #requests: readonly Buffer[];
  readonly #start = performance.now();
  readonly #from: number;
  readonly #latencies: number[] = [];
  #sent = 0;
  #times = 0;
  #answered = 0;
  #failures = 0;
  #firstFailure = '';

  constructor(load: RawLoad) {
    this.load = load;
    this.#requests = load.requests.map((text) => Buffer.from(text, 'base64'));
    this.#from = this.#start + load.warmUpSeconds * 1000;
    this.until = this.#from + load.seconds * 1000;
  }

  /** When the next request is due, and how many milliseconds that is from now. */
  nextTime(): { readonly due: number; readonly wait: number } {
    const now = performance.now();
    const { rate } = this.load;
    if (rate === undefined) return { due: now, wait: 0 };
    const due = this.#start + (this.#times++ / rate) * 1000;
    return { due, wait: due - now };
  }

  nextRequest(): Buffer {
    return this.#requests[this.#sent++ % this.#requests.length] ?? Buffer.alloc(0);
  }

  succeed(due: number): void {
    this.#answered += 1;
    const now = performance.now();
    if (now >= this.#from && now < this.until) this.#latencies.push(now - due);
  }

  fail(answer: Buffer): void {
    this.#failures += 1;
    if (this.#firstFailure === '') this.#firstFailure = answer.toString('latin1', 0, 1000);
  }

  result(): RawLoadResult {
    const sorted = this.#latencies.toSorted((left, right) => left - right);
    return {
      requestsPerSecond: sorted.length / this.load.seconds,
      requests: this.#answered,
      medianMs: sorted[Math.floor(sorted.length / 2)] ?? 0,
      p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
      failures: this.#failures,
      firstFailure: this.#firstFailure,
    };
  }
}

const [file = ''] = process.argv.slice(2);
const work = new Work(JSON.parse(await readFile(file, 'utf8')) as RawLoad);
const connections = Array.from({ length: work.load.connections }, () => new Connection(work).run());
// A server may owe an answer for ever.
await Promise.race([Promise.all(connections), sleep(work.until - performance.now() + LAST_ANSWERS_MS)]);
console.log(JSON.stringify(work.result()));
process.exit(0);
