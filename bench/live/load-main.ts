import { createOutput, createSource } from '#media/live/open-legs.ts';
import type { OutputLeg, SourceLeg } from '#media/live/leg.ts';
import type { FromLoad, StreamCounts, ToLoad } from './load-messages.ts';
import { readMarker, StreamMaker } from './marked-stream.ts';

/** A process that sends many live streams at their rates, or takes them and looks at every packet. */

const PACE_MS = 1;
const DATAGRAM_BITS = 1316 * 8;

interface Sending {
  readonly leg: OutputLeg;
  readonly maker: StreamMaker;
  readonly packetsOfOneMs: number;
  due: number;
}

const outputs: Sending[] = [];
const sources: SourceLeg[] = [];
const counts: StreamCounts[] = [];
let pacer: NodeJS.Timeout | undefined;
let pacedAt = 0;

function send(message: FromLoad): void {
  process.send?.(message);
}

async function openOutputs(message: Extract<ToLoad, { kind: 'send' }>): Promise<void> {
  for (const transport of message.outputs) {
    const leg = createOutput(transport, () => undefined);
    await leg.open();
    const packetsOfOneMs = message.bitRate / DATAGRAM_BITS / 1000;
    outputs.push({ leg, maker: new StreamMaker(), packetsOfOneMs, due: Math.random() });
  }
}

async function openSources(message: Extract<ToLoad, { kind: 'take' }>): Promise<void> {
  for (const transport of message.sources) {
    const count: StreamCounts = { packets: 0, lost: 0, late: 0, latencies: [] };
    counts.push(count);
    let next: number | undefined;
    const sink = {
      packet(payload: Buffer): void {
        const marker = readMarker(payload);
        if (marker === undefined) return;
        count.packets += 1;
        if (next !== undefined && marker.number > next) count.lost += marker.number - next;
        if (next !== undefined && marker.number < next) count.late += 1;
        else next = marker.number + 1;
        if (count.packets % message.sampleEvery === 0) count.latencies.push(marker.age);
      },
    };
    const leg = createSource(transport, sink, () => undefined, true);
    await leg.open();
    sources.push(leg);
  }
}

function pace(): void {
  const now = performance.now();
  const elapsed = now - pacedAt;
  pacedAt = now;
  for (const output of outputs) {
    output.due += elapsed * output.packetsOfOneMs;
    for (; output.due >= 1; output.due -= 1) output.leg.send(output.maker.next());
  }
}

async function work(message: ToLoad): Promise<void> {
  switch (message.kind) {
    case 'send':
      await openOutputs(message);
      send({ kind: 'ready' });
      return;
    case 'take':
      await openSources(message);
      send({ kind: 'ready' });
      return;
    case 'connected': {
      const legs = [...outputs.map(({ leg }) => leg), ...sources];
      while (!legs.every((leg) => leg.statistics().isConnected))
        await new Promise((resolve) => setTimeout(resolve, 50));
      send({ kind: 'ready' });
      return;
    }
    case 'begin':
      pacedAt = performance.now();
      pacer = setInterval(pace, PACE_MS);
      send({ kind: 'ready' });
      return;
    case 'pause':
      clearInterval(pacer);
      send({ kind: 'sent', packets: outputs.map(({ maker }) => maker.count) });
      return;
    case 'count':
      send({ kind: 'counts', counts });
      for (const count of counts) count.latencies = [];
  }
}

process.on('message', (message: ToLoad) => void work(message));
process.on('disconnect', () => process.exit());
