import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { FlowSpec, OutputTransport, SourceTransport, SrtSettings } from '#media/live/flow-spec.ts';
import { FlowWorkers } from '#media/live/flow-workers.ts';
import { DEFAULT_STILLS_LIMITS, StillsPool } from '#media/stills/stills-pool.ts';
import { freePorts } from '#test/harness/live-tools.ts';
import type { Result } from '../result.ts';
import { Load } from './load.ts';
import type { StreamCounts } from './load-messages.ts';
import { processorSeconds, residentBytes } from './processor-time.ts';

const ADDRESS = '127.0.0.1';
const HERE = { address: ADDRESS, allowed: ['127.0.0.0/8'] };
const FLOWS = 20;
const FLOW_RATE = 10_000_000;
const FULL_SECONDS = 60;
const RELAY_SECONDS = 20;
/** What a connection needs to settle in. */
const SETTLE_MS = 3000;
const SRT_LATENCY_MS = 300;
const KEYS = { in: 'aes256-aes256-aes256-aes256', out: 'aes128-aes128' };
const IN: SrtSettings = { latencyMs: SRT_LATENCY_MS, encryption: { passphrase: KEYS.in, keyBytes: 32 } };
const OUT: SrtSettings = { latencyMs: SRT_LATENCY_MS, encryption: { passphrase: KEYS.out, keyBytes: 16 } };

/** Live flows: many at once, a fast one, what they cost beside srt-live-transmit, and what they delay. */
export async function benchLiveFlows(): Promise<Result[]> {
  const stills = new StillsPool({ ...DEFAULT_STILLS_LIMITS, workers: 1 });
  const results: Result[] = [];
  for (const bench of [benchMany, benchFast, benchCost, benchDelay, benchStart, benchStalled]) {
    const engine = new FlowWorkers(stills);
    try {
      results.push(...(await bench(engine)));
    } finally {
      await engine.close();
    }
  }
  stills.close();
  return results;
}

/** Where the streams go in and out of some relays. */
interface Ports {
  readonly input: number;
  readonly outputs: readonly number[];
}

async function choosePorts(count: number, outputs: number): Promise<readonly Ports[]> {
  const first = await freePorts(count * (outputs + 1));
  return Array.from({ length: count }, (_, index) => {
    const input = first + index * (outputs + 1);
    return { input, outputs: Array.from({ length: outputs }, (_unused, output) => input + 1 + output) };
  });
}

function srtFlow({ input, outputs }: Ports): FlowSpec {
  return {
    id: `flow-${input}`,
    keepsKeyFrame: false,
    sources: [
      { id: `source-${input}`, name: 'in', transport: { protocol: 'srt-listener', ...HERE, port: input, ...IN } },
    ],
    outputs: outputs.map((port) => ({
      id: `output-${port}`,
      name: 'out',
      transport: { protocol: 'srt-listener', ...HERE, port, ...OUT },
    })),
  };
}

const senderTo = (port: number): OutputTransport => ({ protocol: 'srt-caller', host: ADDRESS, port, ...IN });
const takerFrom = (port: number): SourceTransport => ({ protocol: 'srt-caller', host: ADDRESS, port, ...OUT });

interface Measured {
  readonly sent: number;
  readonly counts: readonly StreamCounts[];
  /** Of the processes that relayed. */
  readonly processorSeconds: number;
  readonly seconds: number;
}

/** Sends streams through relays that are there already. */
async function measure(
  senders: readonly OutputTransport[],
  takers: readonly SourceTransport[],
  bitRate: number,
  seconds: number,
  pids: () => readonly number[],
): Promise<Measured> {
  const [sender, taker] = [new Load(), new Load()];
  try {
    await sender.send(senders, bitRate);
    await taker.take(takers, 10);
    if (senders[0]?.protocol.startsWith('srt')) await sender.connected();
    if (takers[0]?.protocol.startsWith('srt')) await taker.connected();
    const used = () => pids().reduce((sum, pid) => sum + processorSeconds(pid), 0);
    await sender.begin();
    await delay(SETTLE_MS);
    await taker.count();
    const [before, began] = [used(), performance.now()];
    await delay(seconds * 1000);
    const [after, ended] = [used(), performance.now()];
    const sent = await sender.pause();
    await delay(SRT_LATENCY_MS * 2 + 1500);
    const counts = await taker.count();
    return {
      sent: sent.reduce((sum, count) => sum + count, 0),
      counts,
      processorSeconds: after - before,
      seconds: (ended - began) / 1000,
    };
  } finally {
    sender.stop();
    taker.stop();
  }
}

async function benchMany(engine: FlowWorkers): Promise<Result[]> {
  const ports = await choosePorts(FLOWS, 2);
  await Promise.all(ports.map((one) => engine.apply(srtFlow(one))));
  const takers = ports.flatMap(({ outputs }) => outputs.map(takerFrom));
  const senders = ports.map(({ input }) => senderTo(input));
  const measured = await measure(senders, takers, FLOW_RATE, FULL_SECONDS, () => engine.pids);
  const got = sum(measured.counts, ({ packets }) => packets);
  const expected = measured.sent * 2;
  const memory = engine.pids.reduce((all, pid) => all + residentBytes(pid), 0);
  return [
    {
      name: `${FLOWS} flows of 10 Mb/s, SRT AES-256 to 2 × SRT AES-128`,
      value: expected - got,
      unit: `packets lost of ${expected}`,
      target: 0,
      isAtMost: true,
      detail:
        `${sum(measured.counts, ({ lost }) => lost)} numbers left out; ` +
        `${share(measured)} of a core, ${(memory / FLOWS / 2 ** 20).toFixed(0)} MiB a flow`,
    },
  ];
}

async function benchFast(engine: FlowWorkers): Promise<Result[]> {
  const RATE = 200_000_000;
  const [input, output] = [await freePorts(), await freePorts()];
  await engine.apply({
    id: 'fast',
    keepsKeyFrame: false,
    sources: [{ id: 'in', name: 'in', transport: { protocol: 'udp', ...HERE, port: input } }],
    outputs: [{ id: 'out', name: 'out', transport: { protocol: 'udp', host: ADDRESS, port: output, smoothingMs: 0 } }],
  });
  const sender: OutputTransport = { protocol: 'udp', host: ADDRESS, port: input, smoothingMs: 0 };
  const taker: SourceTransport = { protocol: 'udp', ...HERE, port: output };
  const measured = await measure([sender], [taker], RATE, RELAY_SECONDS, () => engine.pids);
  const status = engine.status('fast');
  const received = status?.sources[0]?.statistics.packets ?? 0;
  return [
    {
      name: 'a UDP flow of 200 Mb/s',
      value: measured.sent - sum(measured.counts, ({ packets }) => packets),
      unit: `packets lost of ${measured.sent}`,
      target: 0,
      isAtMost: true,
      detail: `${measured.sent - received} of them before the flow; ${share(measured)} of a core`,
    },
  ];
}

/** The same relay, one in and one out, by Coffer and by as many srt-live-transmit. */
async function benchCost(engine: FlowWorkers): Promise<Result[]> {
  const ports = await choosePorts(FLOWS, 1);
  await Promise.all(ports.map((one) => engine.apply(srtFlow(one))));
  const senders = ports.map(({ input }) => senderTo(input));
  const takers = ports.flatMap(({ outputs }) => outputs.map(takerFrom));
  const ours = await measure(senders, takers, FLOW_RATE, RELAY_SECONDS, () => engine.pids);
  await Promise.all(ports.map(({ input }) => engine.stop(`flow-${input}`)));
  const relays = ports.map(({ input, outputs }) =>
    spawn(
      'srt-live-transmit',
      [
        '-q',
        '-chunk:1316',
        '-a:no',
        `srt://${ADDRESS}:${input}?mode=listener&passphrase=${KEYS.in}&pbkeylen=32&latency=${SRT_LATENCY_MS}`,
        `srt://${ADDRESS}:${outputs[0]}?mode=listener&passphrase=${KEYS.out}&pbkeylen=16&latency=${SRT_LATENCY_MS}`,
      ],
      { stdio: 'ignore' },
    ),
  );
  try {
    await delay(1000);
    const theirs = await measure(senders, takers, FLOW_RATE, RELAY_SECONDS, () => relays.map(({ pid }) => pid ?? 0));
    const costs = [ours, theirs].map((one) => one.processorSeconds / ((one.seconds * FLOW_RATE * FLOWS) / 1e6));
    const [cost = Number.NaN, other = Number.NaN] = costs;
    return [
      {
        name: 'processor time of an SRT relay',
        value: cost / other,
        unit: 'of srt-live-transmit’s',
        target: 1.5,
        isAtMost: true,
        detail: `${(cost * 1000).toFixed(2)} and ${(other * 1000).toFixed(2)} ms for a megabit; ${FLOWS} × 10 Mb/s each`,
      },
    ];
  } finally {
    for (const relay of relays) relay.kill('SIGKILL');
  }
}

async function benchDelay(engine: FlowWorkers): Promise<Result[]> {
  const [input, output] = [await freePorts(), await freePorts()];
  await engine.apply({
    id: 'udp',
    keepsKeyFrame: false,
    sources: [{ id: 'in', name: 'in', transport: { protocol: 'udp', ...HERE, port: input } }],
    outputs: [{ id: 'out', name: 'out', transport: { protocol: 'udp', host: ADDRESS, port: output, smoothingMs: 0 } }],
  });
  const udp = await measure(
    [{ protocol: 'udp', host: ADDRESS, port: input, smoothingMs: 0 }],
    [{ protocol: 'udp', ...HERE, port: output }],
    FLOW_RATE,
    RELAY_SECONDS,
    () => [],
  );
  const ports = await choosePorts(5, 1);
  await Promise.all(ports.map((one) => engine.apply(srtFlow(one))));
  const senders = ports.map((one) => senderTo(one.input));
  const takers = ports.flatMap((one) => one.outputs.map(takerFrom));
  const srt = await measure(senders, takers, FLOW_RATE, RELAY_SECONDS, () => []);
  const own = 2 * SRT_LATENCY_MS;
  return [
    {
      name: 'delay by a UDP flow, 99th percentile',
      value: percentile(udp.counts, 0.99),
      unit: 'ms',
      target: 20,
      isAtMost: true,
      detail: `median ${percentile(udp.counts, 0.5).toFixed(2)} ms, from sender to taker`,
    },
    {
      name: 'delay by an SRT flow, beyond SRT’s own',
      value: percentile(srt.counts, 0.99) - own,
      unit: 'ms, 99th percentile',
      target: 20,
      isAtMost: true,
      detail: `median ${(percentile(srt.counts, 0.5) - own).toFixed(2)} ms beyond 2 × ${SRT_LATENCY_MS} ms`,
    },
  ];
}

async function benchStart(engine: FlowWorkers): Promise<Result[]> {
  const ports = await choosePorts(10, 1);
  const times: number[] = [];
  for (const one of ports) {
    const began = performance.now();
    await engine.apply(srtFlow(one));
    times.push(performance.now() - began);
  }
  const [first = Number.NaN, ...others] = times;
  return [
    {
      name: 'start of a flow, its process included',
      value: first / 1000,
      unit: 's',
      target: 1,
      isAtMost: true,
      detail: `${Math.max(...others.slice(0, 6)).toFixed(0)} ms at most where a process runs already`,
    },
  ];
}

/** A taker that is stopped in mid-stream. */
async function benchStalled(engine: FlowWorkers): Promise<Result[]> {
  const [ports] = await choosePorts(1, 2);
  if (ports === undefined) throw new Error('There are no ports.');
  await engine.apply(srtFlow(ports));
  const [sender, reader, stalled] = [new Load(), new Load(), new Load()];
  try {
    await sender.send([senderTo(ports.input)], FLOW_RATE);
    await reader.take([takerFrom(ports.outputs[0] ?? 0)], 10);
    await stalled.take([takerFrom(ports.outputs[1] ?? 0)], 10);
    await Promise.all([sender.connected(), reader.connected(), stalled.connected()]);
    await sender.begin();
    await delay(SETTLE_MS);
    const memory = () => engine.pids.reduce((all, pid) => all + residentBytes(pid), 0);
    const before = memory();
    process.kill(stalled.pid, 'SIGSTOP');
    let most = before;
    for (let second = 0; second < 30; second++) {
      await delay(1000);
      most = Math.max(most, memory());
    }
    const [sent] = await sender.pause();
    await delay(2000);
    const [count] = await reader.count();
    return [
      {
        name: 'memory while a taker stalls',
        value: (most - before) / 2 ** 20,
        unit: 'MiB more',
        target: 64,
        isAtMost: true,
        detail: `30 s at 10 Mb/s; the other taker lost ${(sent ?? 0) - (count?.packets ?? 0)} of ${sent} packets`,
      },
    ];
  } finally {
    for (const load of [sender, reader, stalled]) load.stop();
  }
}

function share({ processorSeconds: used, seconds }: Measured): string {
  return (used / seconds).toFixed(2);
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((all, item) => all + value(item), 0);
}

function percentile(counts: readonly StreamCounts[], part: number): number {
  const sorted = counts.flatMap(({ latencies }) => latencies).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
}
