import type { OutputTransport, SourceTransport, SrtSettings } from '#media/live/flow-spec.ts';
import type { OutputLeg } from '#media/live/leg.ts';
import { SrtCallerOutput } from '#media/srt/srt-caller-output.ts';
import { SrtCallerSource } from '#media/srt/srt-caller-source.ts';
import { SrtListenerOutput } from '#media/srt/srt-listener-output.ts';
import { SrtListenerSource } from '#media/srt/srt-listener-source.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { LegCollector } from './leg-collector.ts';

export const PASSPHRASE = 'correct-horse-battery';
const ALLOWED = ['127.0.0.1/32'];

type Settings = Partial<SrtSettings>;
type ListenerTransport = Extract<SourceTransport & OutputTransport, { protocol: 'srt-listener' }>;
type CallerTransport = Extract<SourceTransport & OutputTransport, { protocol: 'srt-caller' }>;

export function encrypted(keyBytes?: 16 | 24 | 32, passphrase = PASSPHRASE): Settings {
  return { encryption: { passphrase, ...(keyBytes !== undefined && { keyBytes }) } };
}

export function listenerTransport(
  settings: Settings & { port?: number; allowed?: readonly string[] } = {},
): ListenerTransport {
  return { protocol: 'srt-listener', address: '127.0.0.1', port: 0, allowed: ALLOWED, latencyMs: 120, ...settings };
}

function callerTransport(port: number, settings: Settings = {}): CallerTransport {
  return { protocol: 'srt-caller', host: '127.0.0.1', port, latencyMs: 120, ...settings };
}

/** A leg that is open, what it tells, and what it gives when it is a source. */
export interface OpenLeg<LegType> extends AsyncDisposable {
  readonly leg: LegType;
  readonly collector: LegCollector;
  readonly port: number;
}

async function open<
  LegType extends { open(): Promise<void>; close(): Promise<void>; readonly port: number | undefined },
>(leg: LegType, collector: LegCollector): Promise<OpenLeg<LegType>> {
  await leg.open();
  return { leg, collector, port: leg.port ?? 0, [Symbol.asyncDispose]: () => leg.close() };
}

export function openListenerSource(
  settings: Parameters<typeof listenerTransport>[0] = {},
): Promise<OpenLeg<SrtListenerSource>> {
  const collector = new LegCollector();
  return open(new SrtListenerSource(listenerTransport(settings), collector, collector.onEvent), collector);
}

export function openCallerSource(port: number, settings: Settings = {}): Promise<OpenLeg<SrtCallerSource>> {
  const collector = new LegCollector();
  return open(new SrtCallerSource(callerTransport(port, settings), collector, collector.onEvent), collector);
}

export function openListenerOutput(
  settings: Parameters<typeof listenerTransport>[0] = {},
  refresh?: ConstructorParameters<typeof SrtListenerOutput>[2],
): Promise<OpenLeg<SrtListenerOutput>> {
  const collector = new LegCollector();
  return open(new SrtListenerOutput(listenerTransport(settings), collector.onEvent, refresh), collector);
}

export function openCallerOutput(
  port: number,
  settings: Settings = {},
  refresh?: ConstructorParameters<typeof SrtCallerOutput>[2],
): Promise<OpenLeg<SrtCallerOutput>> {
  const collector = new LegCollector();
  return open(new SrtCallerOutput(callerTransport(port, settings), collector.onEvent, refresh), collector);
}

/** Gives the payloads to a leg, about a thousand in a second. */
export async function sendAll(leg: OutputLeg, payloads: readonly Buffer[]): Promise<void> {
  for (const [index, payload] of payloads.entries()) {
    leg.send(payload);
    if (index % 10 === 9) await delay(10);
  }
}

/** Bytes in payloads of 1316. */
export function toPayloads(bytes: Buffer): Buffer[] {
  const count = Math.ceil(bytes.length / 1316);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * 1316, (index + 1) * 1316));
}

export const reasons = ({ collector }: OpenLeg<unknown>): string[] =>
  collector.events.flatMap((event) => (event.kind === 'refused' ? [event.reason] : []));
