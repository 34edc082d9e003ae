import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  closingAfterEach,
  eventually,
  LegCollector,
  makePayloads,
  startDatagramTaker,
} from '#test/harness/leg-collector.ts';
import { startRelayGroup } from '#test/harness/relay-group.ts';
import { RtpFecOutput } from './rtp-fec-output.ts';
import { RtpFecSource } from './rtp-fec-source.ts';
import { RTP_HEADER_BYTES } from './rtp-packet.ts';

const closeLater = closingAfterEach();
const LAUNCHER = 'gst-launch-1.0';
const INSPECTOR = 'gst-inspect-1.0';
const DECODER = 'rtpst2022-1-fecdec';
const hasDecoder = (): boolean => spawnSync(INSPECTOR, [DECODER]).status === 0;

/** GStreamer with its FEC decoder before a UDP port; the packets stay RTP. */
function startDecoder(port: number, toPort: number) {
  const rtp = 'application/x-rtp';
  const media = `${rtp},media=video,payload=33,clock-rate=90000,encoding-name=MP2T`;
  const pipeline = [
    `${DECODER} name=fec size-time=1000000000`,
    `udpsrc address=127.0.0.1 port=${port} caps=${media} ! queue ! fec.sink`,
    `udpsrc address=127.0.0.1 port=${port + 2} caps=${rtp},payload=96 ! queue ! fec.fec_0`,
    `udpsrc address=127.0.0.1 port=${port + 4} caps=${rtp},payload=96 ! queue ! fec.fec_1`,
    `fec.src ! udpsink host=127.0.0.1 port=${toPort} sync=false`,
  ].flatMap((part) => part.split(' '));
  const child = spawn(LAUNCHER, ['-q', ...pipeline], { stdio: 'ignore' });
  return {
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

it('GStreamer recovers what is lost of a stream with our FEC', { skip: !hasDecoder() && `no ${DECODER}` }, async () => {
  const free = new LegCollector();
  const listen = { address: '127.0.0.1', port: 0, allowed: [] };
  const source = new RtpFecSource(listen, free, () => undefined, { isOrdered: true });
  await source.open();
  closeLater(source);
  const port = source.port ?? 0;
  await source.close();
  const outlet = closeLater(await startDatagramTaker());
  const decoder = closeLater(startDecoder(port, outlet.port));
  const relay = closeLater(
    await startRelayGroup(
      port,
      new Map([
        [0, { seed: 21 }],
        [2, {}],
        [4, {}],
      ]),
    ),
  );
  const output = new RtpFecOutput({ host: '127.0.0.1', port: relay.port, smoothingMs: 0 }, () => undefined);
  await output.open();
  closeLater(output);
  const probe = Buffer.from('probe');
  await eventually('it runs', () => {
    output.send(probe);
    return outlet.datagrams.length > 0;
  });
  const payloads = makePayloads(1500);
  for (const [index, payload] of payloads.entries()) {
    if (index === 20) relay.relays[0]?.change({ loss: 0.03 });
    if (index === 1200) relay.relays[0]?.change({ loss: 0 });
    output.send(payload);
    if (index % 10 === 9) await delay(6);
  }
  const came = (): Set<string> => new Set(outlet.datagrams.map((one) => one.toString('latin1', RTP_HEADER_BYTES)));
  await eventually('all came', () => came().size === payloads.length + 1);
  const expected = new Set([probe, ...payloads].map((payload) => payload.toString('latin1')));
  assert.deepEqual(came().difference(expected).size, 0);
  assert.ok((relay.relays[0]?.counts.lost ?? 0) > 20);
  await decoder.close();
  await output.close();
  await relay.close();
  await outlet.close();
});
