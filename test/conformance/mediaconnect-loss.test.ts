import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { SetSourceRequest } from '@aws-sdk/client-mediaconnect';
import { withoutFfmpeg } from '../harness/ffmpeg-media.ts';
import { UdpSender, UdpTaker } from '../harness/live-flow.ts';
import { hexKey, LivePlatform } from '../harness/live-platform.ts';
import { freePorts, LiveTool, srtSender, until, withoutRistTools, withoutSrtTools } from '../harness/live-tools.ts';
import { type LossyRelay, startLossyRelay } from '../harness/lossy-relay.ts';
import { makeTransportStream } from '../harness/transport-stream.ts';

const BIT_RATE = 3_000_000;
const BAD = { loss: 0.05, reorder: 0.02, seed: 7 };
const HERE = '127.0.0.1/32';

describe('live flows over a path that loses and reorders', {
  skip: withoutFfmpeg || withoutSrtTools || withoutRistTools,
}, () => {
  let live: LivePlatform;
  let stream: Buffer;

  before(async () => {
    live = await LivePlatform.start({ COFFER_METRICS_PORT: '0' });
    const whole = makeTransportStream({ seconds: 6, videoRate: 2_000_000 });
    stream = whole.subarray(0, Math.floor(whole.length / 1316) * 1316);
  });
  after(() => live[Symbol.asyncDispose]());

  /** What `/metrics` says of a flow's source. */
  async function metric(flow: string, name: string): Promise<number> {
    const text = await (await fetch(live.platform.server.metricsAddress ?? '')).text();
    const line = text
      .split('\n')
      .find((one) => one.startsWith(`coffer_mediaconnect_source_${name}{flow_arn="${flow}"`));
    return Number(line?.split(' ').at(-1));
  }

  /** A flow from a source to a UDP taker, which is in perfect health. */
  async function flowFrom(source: SetSourceRequest, taker: UdpTaker): Promise<string> {
    const { Name } = source;
    const Outputs = [
      { Name: 'out', Protocol: 'udp' as never, Destination: '127.0.0.1', Port: taker.port, SmoothingLatency: 0 },
    ];
    return live.account.startedFlow({ Name, Source: source, Outputs });
  }

  const heals = async (flow: string, taker: UdpTaker, relay: LossyRelay) => {
    // The sender's last datagrams may come in no time; what came is without a gap.
    await until('the stream', () => taker.bytes.length > stream.length * 0.9);
    await until('the counters', async () => (await metric(flow, 'recovered_packets_total')) > 10);
    const got = taker.bytes;
    const begin = stream.indexOf(got.subarray(0, 1316));
    assert.ok(begin >= 0);
    assert.ok(stream.subarray(begin, begin + got.length).equals(got), `${got.length} bytes from ${begin}`);
    assert.equal(await metric(flow, 'not_recovered_packets_total'), 0);
    assert.equal(await metric(flow, 'continuity_counter_total'), 0);
    assert.ok(relay.counts.lost > 20, `${relay.counts.lost}`);
  };

  it('are made whole again by SRT', async () => {
    await using taker = await UdpTaker.open();
    const port = await freePorts();
    const key = hexKey(32);
    const flow = await flowFrom(
      {
        Name: 'srt',
        Protocol: 'zixi-push',
        IngestPort: port,
        WhitelistCidr: HERE,
        MaxLatency: 400,
        Decryption: await live.account.staticKey('aes256', key),
      },
      taker,
    );
    const relay = await startLossyRelay({ to: { host: '127.0.0.1', port } });
    try {
      await using sender = srtSender(
        `srt://127.0.0.1:${relay.port}?mode=caller&latency=400&passphrase=${key}&pbkeylen=32`,
      );
      await until('the sender', async () => (await live.account.peers(flow)).has('srt'));
      relay.change(BAD);
      await sender.feed(stream, BIT_RATE);
      await heals(flow, taker, relay);
      assert.ok((await metric(flow, 'arq_recovered_total')) > 10);
      assert.ok((await metric(flow, 'round_trip_time')) > 0);
    } finally {
      await relay.close();
    }
  });

  it('are made whole again by RIST', async () => {
    await using taker = await UdpTaker.open();
    const port = await freePorts(2);
    const flow = await flowFrom(
      { Name: 'rist', Protocol: 'rist', IngestPort: port, WhitelistCidr: HERE, MaxLatency: 500 },
      taker,
    );
    const outside = await freePorts(2);
    const relays = await Promise.all(
      [0, 1].map((add) =>
        startLossyRelay({ to: { host: '127.0.0.1', port: port + add }, port: outside + add, ...BAD }),
      ),
    );
    const input = await freePorts();
    await using _sender = new LiveTool('ristsender', [
      '-p',
      '0',
      '-b',
      '500',
      '-i',
      `udp://127.0.0.1:${input}`,
      '-o',
      `rist://127.0.0.1:${outside}`,
    ]);
    try {
      await using feeder = new UdpSender();
      await new Promise((resolve) => setTimeout(resolve, 500));
      await feeder.feed(input, stream, { everyMs: 3 });
      await heals(flow, taker, relays[0] as LossyRelay);
      assert.ok((await metric(flow, 'arq_requests_total')) > 10);
    } finally {
      await Promise.all(relays.map((relay) => relay.close()));
    }
  });

  it('are made whole again by FEC, as far as it goes', async () => {
    await using taker = await UdpTaker.open();
    const port = await freePorts(5);
    const flow = await flowFrom({ Name: 'fec', Protocol: 'rtp-fec', IngestPort: port, WhitelistCidr: HERE }, taker);
    const outside = await freePorts(5);
    // FEC of 5 by 10 can mend nearly all of that, also where FEC packets are lost themselves.
    const relays = await Promise.all(
      [0, 2, 4].map((add) =>
        startLossyRelay({
          to: { host: '127.0.0.1', port: port + add },
          port: outside + add,
          loss: 0.05,
          reorder: 0.02,
          seed: 3 + add,
        }),
      ),
    );
    try {
      await using sender = new LiveTool('ffmpeg', [
        ...'-v error -re -f lavfi -i testsrc2=size=320x180:rate=25:duration=6'.split(' '),
        ...`-c:v libx264 -preset ultrafast -b:v 2M -muxrate ${BIT_RATE}`.split(' '),
        ...`-f rtp_mpegts -fec prompeg=l=5:d=10 rtp://127.0.0.1:${outside}?pkt_size=1316`.split(' '),
      ]);
      await until('the end', () => sender.child.exitCode !== null, 20_000);
      await until('the counters', async () => (await metric(flow, 'fec_recovered_total')) > 5);
      const [recovered, lost] = [
        await metric(flow, 'fec_recovered_total'),
        await metric(flow, 'not_recovered_packets_total'),
      ];
      assert.ok(recovered > 5 * lost, `${recovered} recovered, ${lost} lost`);
      assert.ok((await metric(flow, 'fec_packets_total')) > 100);
    } finally {
      await Promise.all(relays.map((relay) => relay.close()));
    }
  });
});
