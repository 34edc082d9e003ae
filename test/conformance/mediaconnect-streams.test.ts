import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  AddFlowOutputsCommand,
  type AddOutputRequest,
  DescribeFlowSourceMetadataCommand,
  DescribeFlowSourceThumbnailCommand,
  RemoveFlowOutputCommand,
  type SetSourceRequest,
  StopFlowCommand,
  waitUntilFlowStandby,
} from '@aws-sdk/client-mediaconnect';
import { withoutFfmpeg } from '../harness/ffmpeg-media.ts';
import { hexKey, type LiveAccount, LivePlatform } from '../harness/live-platform.ts';
import { freePorts, LiveTool, srtSender, srtTaker, until, withoutSrtTools } from '../harness/live-tools.ts';
import { makeTransportStream } from '../harness/transport-stream.ts';

const BIT_RATE = 2_000_000;
const LATENCY = 120;
const HERE = '127.0.0.1/32';

describe('live flows over SRT', { skip: withoutFfmpeg || withoutSrtTools }, () => {
  let live: LivePlatform;
  let account: LiveAccount;
  let stream: Buffer;

  before(async () => {
    live = await LivePlatform.start();
    account = live.account;
    const whole = makeTransportStream({ seconds: 4, videoRate: 1_500_000, muxRate: BIT_RATE });
    stream = whole.subarray(0, Math.floor(whole.length / 1316) * 1316);
  });
  after(() => live[Symbol.asyncDispose]());

  async function zixiSource(IngestPort: number, key: string): Promise<SetSourceRequest> {
    const Decryption = await account.staticKey('aes256', key);
    return { Name: 'venue', Protocol: 'zixi-push', IngestPort, WhitelistCidr: HERE, MaxLatency: LATENCY, Decryption };
  }

  async function zixiOutput(
    Name: string,
    Port: number,
    algorithm: 'aes128' | 'aes192',
    key: string,
  ): Promise<AddOutputRequest> {
    const Encryption = await account.staticKey(algorithm, key);
    return {
      Name,
      Protocol: 'zixi-pull',
      Port,
      CidrAllowList: [HERE],
      RemoteId: Name,
      StreamId: Name,
      MaxLatency: LATENCY,
      Encryption,
    };
  }

  const to = (port: number, query: string) => `srt://127.0.0.1:${port}?mode=caller&latency=${LATENCY}&${query}`;
  /** What a taker has got when it has got all but what it still holds in its own buffer, and is then ended. */
  const allOf = async (tool: LiveTool, bytes: Buffer, signal: NodeJS.Signals = 'SIGINT'): Promise<Buffer> => {
    const HELD = 8192;
    await until('the stream', () => tool.received.length >= bytes.length * 0.75 - HELD);
    await until('the end', async () => {
      const { length } = tool.received;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return tool.received.length === length;
    });
    await tool.stop(signal);
    return tool.received;
  };

  it('go from one sender to two takers, each under its own key, byte for byte', async () => {
    const [input, one, two] = [await freePorts(), await freePorts(), await freePorts()];
    const [venueKey, firstKey, secondKey] = [hexKey(32), hexKey(16), hexKey(24)];
    const flow = await account.startedFlow({
      Name: 'two-takers',
      Source: await zixiSource(input, venueKey),
      Outputs: [
        await zixiOutput('first', one, 'aes128', firstKey),
        await zixiOutput('second', two, 'aes192', secondKey),
      ],
    });
    await using first = srtTaker(to(one, `passphrase=${firstKey}&pbkeylen=16&streamid=first`));
    await using second = srtTaker(to(two, `passphrase=${secondKey}&pbkeylen=24&streamid=second`));
    await until('both takers', async () => (await account.peers(flow)).size === 2);
    await using sender = srtSender(to(input, `passphrase=${venueKey}&pbkeylen=32`));
    // srt-live-transmit keeps the last datagrams for itself until more come.
    await sender.feed(Buffer.concat([stream, stream.subarray(0, 20 * 1316)]), BIT_RATE);
    const [got, other] = await Promise.all([allOf(first, stream), allOf(second, stream)]);
    // And it leaves out what it is fed before it is connected.
    const begin = stream.indexOf(got.subarray(0, 1316));
    assert.ok(begin >= 0 && begin < stream.length / 4, `${begin}`);
    const length = stream.length - begin;
    for (const bytes of [got, other]) {
      assert.ok(bytes.subarray(0, length).equals(stream.subarray(begin)), `${bytes.length} of ${length}`);
    }
  });

  it('come from ffmpeg and go to ffmpeg, as ffmpeg wrote them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coffer-live-'));
    try {
      const [input, output] = [await freePorts(), await freePorts()];
      const password = 'a-long-and-winding-pass-phrase';
      const flow = await account.startedFlow({
        Name: 'from-ffmpeg',
        Source: {
          Name: 'in',
          Protocol: 'srt-listener',
          IngestPort: input,
          WhitelistCidr: HERE,
          MinLatency: LATENCY,
          Decryption: await account.srtPassword(password),
        },
        Outputs: [
          {
            Name: 'out',
            Protocol: 'srt-listener',
            Port: output,
            CidrAllowList: [HERE],
            MinLatency: LATENCY,
            Encryption: await account.srtPassword('another-pass-phrase'),
          },
        ],
      });
      const query = `mode=caller&latency=${LATENCY * 1000}`;
      await using taker = new LiveTool('ffmpeg', [
        ...'-v error -f data -i'.split(' '),
        `srt://127.0.0.1:${output}?${query}&passphrase=another-pass-phrase`,
        ...'-map 0 -c copy -f data pipe:1'.split(' '),
      ]);
      await until('the taker', async () => (await account.peers(flow)).has('out'));
      const file = join(folder, 'sent.ts');
      const target = `srt://127.0.0.1:${input}?${query}&passphrase=${password}&pkt_size=1316`;
      await using sender = new LiveTool('ffmpeg', [
        ...'-v error -re -f lavfi -i testsrc2=size=320x180:rate=25:duration=4'.split(' '),
        ...'-c:v libx264 -preset ultrafast -g 25 -map 0 -f tee'.split(' '),
        `[f=mpegts]${file}|[f=mpegts]${target.replaceAll('\\', '\\\\').replaceAll(':', '\\:')}`,
      ]);
      await until('the sender’s end', () => sender.child.exitCode !== null, 20_000);
      assert.equal(sender.child.exitCode, 0, sender.messages);
      const sent = await readFile(file);
      const got = await allOf(taker, sent, 'SIGKILL');
      // What it has not sent yet when it ends is lost with ffmpeg; nothing else may be.
      assert.ok(sent.subarray(0, got.length).equals(got), `${got.length} of ${sent.length} bytes`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('refuse senders with a wrong key, without a key, and with a shorter one', async () => {
    const input = await freePorts();
    const key = hexKey(32);
    const flow = await account.startedFlow({ Name: 'strict', Source: await zixiSource(input, key), Outputs: [] });
    const refused = async (query: string) => {
      await using sender = srtSender(to(input, query));
      await sender.feed(stream.subarray(0, 1316 * 300), BIT_RATE);
      assert.equal((await account.peers(flow)).get('venue'), undefined, query);
    };
    await refused(`passphrase=${hexKey(32)}&pbkeylen=32`);
    await refused('');
    await refused(`passphrase=${key}&pbkeylen=16`);
    await using sender = srtSender(to(input, `passphrase=${key}&pbkeylen=32`));
    await sender.feed(stream.subarray(0, 1316 * 100), BIT_RATE);
    await until('the right one', async () => (await account.peers(flow)).get('venue') === '127.0.0.1');
  });

  it('go on when the sender vanishes and comes back, and with outputs that come and go', async () => {
    const [input, one, two] = [await freePorts(), await freePorts(), await freePorts()];
    const key = hexKey(32);
    const output = await zixiOutput('stays', one, 'aes128', hexKey(16));
    const flow = await account.startedFlow({
      Name: 'resilient',
      Source: await zixiSource(input, key),
      Outputs: [output],
    });
    const lateKey = hexKey(16);
    const { Outputs } = await account.client.send(
      new AddFlowOutputsCommand({ FlowArn: flow, Outputs: [await zixiOutput('late', two, 'aes128', lateKey)] }),
    );
    await using taker = srtTaker(to(two, `passphrase=${lateKey}&pbkeylen=16&streamid=late`));
    for (let round = 0; round < 2; round++) {
      const before = taker.received.length;
      await using sender = srtSender(to(input, `passphrase=${key}&pbkeylen=32`));
      await sender.feed(stream, BIT_RATE * 2);
      await until('the stream', () => taker.received.length > before + stream.length / 2);
      await sender.stop('SIGKILL');
      await until('the end of the connection', async () => {
        const { errors } = await account.describe(flow);
        return errors.some((error) => error.includes('venue'));
      });
    }
    await account.client.send(new RemoveFlowOutputCommand({ FlowArn: flow, OutputArn: Outputs?.[0]?.OutputArn }));
    assert.deepEqual(
      (await account.describe(flow)).flow.Outputs?.map(({ Name }) => Name),
      ['stays'],
    );
  });

  it('tell what is in the stream, and show it', async () => {
    const input = await freePorts();
    const key = hexKey(32);
    const flow = await account.startedFlow({
      Name: 'watched',
      Source: await zixiSource(input, key),
      Outputs: [],
      SourceMonitoringConfig: { ThumbnailState: 'ENABLED' },
    });
    const metadata = async () =>
      (await account.client.send(new DescribeFlowSourceMetadataCommand({ FlowArn: flow }))).TransportMediaInfo
        ?.Programs;
    assert.deepEqual((await metadata()) ?? [], []);
    await using sender = srtSender(to(input, `passphrase=${key}&pbkeylen=32`));
    await sender.feed(stream, BIT_RATE);
    await until('the program', async () => ((await metadata())?.[0]?.Streams?.length ?? 0) === 2);
    const [picture, sound] = (await metadata())?.[0]?.Streams ?? [];
    assert.deepEqual(
      [picture?.StreamType, picture?.Codec, picture?.FrameRate, picture?.FrameResolution],
      ['Video', 'H.264', '25', { FrameWidth: 320, FrameHeight: 180 }],
    );
    assert.deepEqual(
      [sound?.StreamType, sound?.Codec, sound?.Channels, sound?.SampleRate],
      ['Audio', 'AAC', 2, 48_000],
    );
    const { ThumbnailDetails } = await account.client.send(new DescribeFlowSourceThumbnailCommand({ FlowArn: flow }));
    const jpeg = Buffer.from(ThumbnailDetails?.Thumbnail ?? '', 'base64');
    assert.equal(jpeg.readUInt16BE(0), 0xffd8);
    assert.ok(Math.abs((ThumbnailDetails?.Timestamp?.getTime() ?? 0) - Date.now()) < 60_000);
  });

  it('free their ports when they are stopped, and start again', async () => {
    const input = await freePorts();
    const key = hexKey(32);
    const source = await zixiSource(input, key);
    const flow = await account.startedFlow({ Name: 'again', Source: source, Outputs: [] });
    await account.client.send(new StopFlowCommand({ FlowArn: flow }));
    await waitUntilFlowStandby(
      { client: account.client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 },
      { FlowArn: flow },
    );
    await account.start(flow);
    await using sender = srtSender(to(input, `passphrase=${key}&pbkeylen=32`));
    await sender.feed(stream.subarray(0, 1316 * 100), BIT_RATE);
    await until('the sender', async () => (await account.peers(flow)).has('venue'));
  });
});
