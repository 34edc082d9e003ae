import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { afterEach } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { LegEvent, PacketSink } from '#media/live/leg.ts';

/** Keeps what a leg gives and tells. */
export class LegCollector implements PacketSink {
  readonly payloads: Buffer[] = [];
  readonly sequences: (number | undefined)[] = [];
  readonly events: LegEvent[] = [];
  readonly onEvent = (event: LegEvent): void => void this.events.push(event);

  packet(payload: Buffer, sequence?: number): void {
    this.payloads.push(payload);
    this.sequences.push(sequence);
  }
}

export interface DatagramTaker {
  readonly port: number;
  readonly datagrams: Buffer[];
  readonly senders: RemoteInfo[];
  send(datagram: Uint8Array, to: { readonly port: number }): Promise<void>;
  close(): Promise<void>;
}

/** A bound port of this machine that keeps what comes. */
export async function startDatagramTaker(port = 0, address = '127.0.0.1'): Promise<DatagramTaker> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 ** 2 });
  const datagrams: Buffer[] = [];
  const senders: RemoteInfo[] = [];
  socket.on('message', (datagram, from) => {
    datagrams.push(datagram);
    senders.push(from);
  });
  socket.bind(port, address);
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    datagrams,
    senders,
    send: (datagram, to) =>
      new Promise((resolve, reject) => {
        socket.send(datagram, to.port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
      }),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/**
 * @returns what notes things to be closed after the test, also where it fails: open sockets would keep the process
 */
export function closingAfterEach(): <Thing extends { close(): Promise<void> }>(thing: Thing) => Thing {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    // Those that the test closed itself refuse to be closed again.
    for (const thing of open.splice(0)) await thing.close().catch(() => undefined);
  });
  return (thing) => {
    open.push(thing);
    return thing;
  };
}

/** Waits until a condition holds, for ten seconds at most. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (holds()) return;
    await delay(10);
  }
  assert.fail(`never: ${what}`);
}

/** Payloads like those of a transport stream: of 7 packets, each one different from the others. */
export function makePayloads(count: number, seed = 'payload'): Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const digest = createHash('sha256').update(`${seed} ${index}`).digest();
    const payload = Buffer.alloc(7 * 188, digest);
    for (let packet = 0; packet < 7; packet++) payload[packet * 188] = 0x47;
    return payload;
  });
}
