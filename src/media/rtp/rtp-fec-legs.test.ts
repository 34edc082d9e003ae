import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import {
  closingAfterEach,
  eventually,
  LegCollector,
  makePayloads,
  startDatagramTaker,
} from '#test/harness/leg-collector.ts';
import { startRelayGroup } from '#test/harness/relay-group.ts';
import { LegError } from '../live/leg-error.ts';
import { FecEncoder } from './fec-encoder.ts';
import { RtpFecOutput } from './rtp-fec-output.ts';
import { RtpFecSource } from './rtp-fec-source.ts';
import { RTP_HEADER_BYTES } from './rtp-packet.ts';

const closeLater = closingAfterEach();
const SENDER = 'ffmpeg';
const LOCAL = { address: '127.0.0.1', port: 0, allowed: ['127.0.0.0/8'] };

async function openSource(isOrdered = true) {
  const collector = new LegCollector();
  const source = new RtpFecSource(LOCAL, collector, collector.onEvent, { isOrdered });
  await source.open();
  closeLater(source);
  assert.ok(source.port);
  return { collector, source, port: source.port };
}

/** Three ports in a row of two, free a moment ago. */
async function startTakers() {
  const { source, port } = await openSource();
  await source.close();
  const [media, columns, rows] = [
    closeLater(await startDatagramTaker(port)),
    closeLater(await startDatagramTaker(port + 2)),
    closeLater(await startDatagramTaker(port + 4)),
  ];
  const close = async (): Promise<void> =>
    void (await Promise.all([media, columns, rows].map((taker) => taker.close())));
  return { port, media, columns, rows, close };
}

/** What ffmpeg sends of two seconds of film. */
async function captureFfmpeg(matrix: string) {
  const takers = await startTakers();
  const film = [
    '-re',
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=640x360:rate=25',
    '-t',
    '2',
    '-c:v',
    'mpeg2video',
    '-b:v',
    '4M',
  ];
  const muxer = ['-f', 'rtp_mpegts', '-fec', `prompeg=${matrix}`, `rtp://127.0.0.1:${takers.port}?pkt_size=1328`];
  const ffmpeg = spawn(SENDER, ['-v', 'error', ...film, ...muxer], { stdio: 'ignore' });
  const [status] = await once(ffmpeg, 'exit');
  assert.equal(status, 0);
  await delay(50);
  await takers.close();
  const [media, columns, rows] = [takers.media.datagrams, takers.columns.datagrams, takers.rows.datagrams];
  assert.ok(media.length > 300 && columns.length > 10 && rows.length > 50);
  return { media, columns, rows };
}

describe('RTP legs with FEC', () => {
  it('recover what is lost of the stream of ffmpeg', { skip: withoutFfmpeg }, async () => {
    const sent = await captureFfmpeg('l=5:d=20');
    const { collector, source, port } = await openSource();
    const sender = closeLater(await startDatagramTaker());
    let dropped = 0;
    // Its FEC comes with the media of the next matrix.
    const total = sent.media.length;
    for (const [index, datagram] of sent.media.entries()) {
      // Bursts as long as a row is, and single packets.
      const isLost = index > 0 && index < total - 250 && (index % 100 < 5 || index % 41 === 0);
      if (isLost) dropped++;
      else await sender.send(datagram, { port });
      await sendShare(sent.columns, index, total, (fec) => sender.send(fec, { port: port + 2 }));
      await sendShare(sent.rows, index, total, (fec) => sender.send(fec, { port: port + 4 }));
    }
    assert.ok(dropped > 15);
    await eventually('all came', () => collector.payloads.length === total);
    assert.ok(Buffer.concat(collector.payloads).equals(Buffer.concat(sent.media.map((one) => one.subarray(12)))));
    const { lost, recovered, fecRecovered } = source.statistics();
    // FEC that overtook its media may bring a packet that is on its way.
    assert.ok(lost === 0 && recovered >= dropped && fecRecovered === recovered);
    const sentFec = sent.columns.length + sent.rows.length;
    await eventually('all FEC came', () => source.statistics().fecPackets === sentFec);
    await source.close();
    await sender.close();
  });

  it('make the same FEC as ffmpeg', { skip: withoutFfmpeg }, async () => {
    const sent = await captureFfmpeg('l=10:d=10');
    const made: { readonly rows: Buffer[]; readonly columns: Buffer[] } = { rows: [], columns: [] };
    const encoder = new FecEncoder({ columns: 10, rows: 10 }, (packet, isRow) =>
      (isRow ? made.rows : made.columns).push(packet),
    );
    for (const packet of sent.media) encoder.add(packet);
    // All but the FEC stream's own RTP header, whose number and time are its own.
    const contentOf = (packet: Buffer): string => packet.toString('hex', RTP_HEADER_BYTES);
    for (const kind of ['rows', 'columns'] as const) {
      const common = Math.min(made[kind].length, sent[kind].length);
      assert.ok(common >= 10);
      for (let index = 0; index < common; index++) {
        const [own, other] = [made[kind][index], sent[kind][index]];
        assert.ok(own && other);
        assert.equal(contentOf(own), contentOf(other), `${kind} ${index}`);
        assert.deepEqual(own.subarray(0, 2), other.subarray(0, 2));
      }
    }
  });

  for (const isOrdered of [true, false]) {
    it(`carry a stream over a network that loses 3 %, ${isOrdered ? 'in order' : 'as it comes'}`, async () => {
      const { collector, source, port } = await openSource(isOrdered);
      const path = { loss: 0.03, reorder: 0.01 };
      const relay = closeLater(
        await startRelayGroup(
          port,
          new Map([
            [0, { ...path, seed: 11 }],
            [2, { ...path, seed: 12 }],
            [4, { ...path, seed: 13 }],
          ]),
        ),
      );
      const output = new RtpFecOutput({ host: '127.0.0.1', port: relay.port, smoothingMs: 0 }, () => undefined);
      await output.open();
      closeLater(output);
      const payloads = [...makePayloads(2000), ...makePayloads(300, 'the end')];
      for (const [index, payload] of payloads.entries()) {
        if (index === 2000) relay.change({ loss: 0, reorder: 0 });
        output.send(payload);
        if (index % 10 === 9) await delay(5);
      }
      const last = payloads.at(-1) ?? Buffer.alloc(0);
      await eventually('all came', () => collector.payloads.some((payload) => payload.equals(last)));
      await eventually('all is decided', () => {
        const { packets, lost } = source.statistics();
        return packets + lost === payloads.length;
      });
      const { packets, lost, recovered, fecPackets } = source.statistics();
      assert.equal(fecPackets > 400, true);
      // Both rows and columns of a few packets hit twice: nearly nothing stays lost of what random loss took.
      assert.ok(recovered >= 40 && lost <= 6, `${recovered} ${lost}`);
      assert.equal(new Set(collector.payloads.map((payload) => payload.toString('latin1'))).size, packets);
      const places = new Map(payloads.map((payload, index) => [payload.toString('latin1'), index]));
      const order = collector.payloads.map((payload) => places.get(payload.toString('latin1')) ?? -1);
      assert.ok(order.every((place) => place >= 0));
      if (isOrdered) assert.ok(order.every((place, index) => place > (order[index - 1] ?? -1)));
      assert.equal(output.statistics().packets, payloads.length);
      assert.equal(output.statistics().fecPackets, 230 + 220);
      await output.close();
      await relay.close();
      await source.close();
    });
  }

  it('need all three ports', async () => {
    const { source, port } = await openSource();
    await source.close();
    const taken = closeLater(await startDatagramTaker(port + 4));
    const blocked = new RtpFecSource({ ...LOCAL, port }, new LegCollector(), () => undefined, { isOrdered: true });
    await assert.rejects(blocked.open(), (error) => error instanceof LegError && error.code === 'port-in-use');
    const free = closeLater(await startDatagramTaker(port));
    await free.close();
    await taken.close();
  });
});

/** Sends of packets that run beside the media those whose time has come. */
async function sendShare(
  packets: readonly Buffer[],
  index: number,
  total: number,
  send: (packet: Buffer) => Promise<void>,
) {
  const [from, to] = [Math.floor((index / total) * packets.length), Math.floor(((index + 1) / total) * packets.length)];
  for (const packet of packets.slice(from, to)) await send(packet);
}
