import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { SourceLeg } from '#media/live/leg.ts';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { eventually } from '#test/harness/leg-collector.ts';
import { freePorts, LiveTool, srtSender, srtTaker, until, withoutSrtTools } from '#test/harness/live-tools.ts';
import { startLossyRelay } from '#test/harness/lossy-relay.ts';
import {
  encrypted,
  openCallerOutput,
  openCallerSource,
  openListenerOutput,
  openListenerSource,
  type OpenLeg,
  PASSPHRASE,
  reasons,
  sendAll,
  toPayloads,
} from '#test/harness/srt-legs.ts';
import { makeTransportStream } from '#test/harness/transport-stream.ts';

const RATE = 6_000_000;
const KEYS = [undefined, 16, 24, 32] as const;

const query = (keyBytes: 16 | 24 | 32 | undefined, passphrase = PASSPHRASE): string =>
  keyBytes === undefined ? '' : `&passphrase=${passphrase}&pbkeylen=${keyBytes}`;
const settings = (keyBytes: 16 | 24 | 32 | undefined) => (keyBytes === undefined ? {} : encrypted(keyBytes));
/** srt-live-transmit reads nothing but whole payloads from a pipe, and keeps the last bytes for a pipe to itself. */
const wholePayloads = (): Buffer => {
  const stream = makeTransportStream({ seconds: 2, videoRate: 2_000_000 });
  return stream.subarray(0, stream.length - (stream.length % 1316));
};
const PADDING = Array.from({ length: 8 }, () => Buffer.alloc(1316, 0x47));
const startsWith = ({ received }: LiveTool, stream: Buffer): boolean =>
  received.subarray(0, stream.length).equals(stream);
const begins = ({ collector }: OpenLeg<SourceLeg>, stream: Buffer): boolean =>
  Buffer.concat(collector.payloads).subarray(0, stream.length).equals(stream);
const each = async (check: (keyBytes: (typeof KEYS)[number]) => Promise<void>): Promise<void> => {
  await Promise.all(KEYS.map(check));
};

describe('with srt-live-transmit', { skip: withoutSrtTools || withoutFfmpeg }, () => {
  const stream = wholePayloads();
  const payloads = toPayloads(stream);
  const fed = Buffer.concat([stream, ...PADDING]);

  it('a listening source takes what a caller sends, under each key length and in the clear', () =>
    each(async (keyBytes) => {
      await using source = await openListenerSource(settings(keyBytes));
      await using sender = srtSender(`srt://127.0.0.1:${source.port}?mode=caller${query(keyBytes)}`);
      await eventually('a connection', () => source.leg.statistics().isConnected);
      await sender.feed(fed, RATE);
      await eventually('all packets', () => source.collector.payloads.length >= payloads.length);
      assert.ok(begins(source, stream));
      const { lost, dropped, keyBytes: used, bytes, roundTripMs } = source.leg.statistics();
      assert.deepEqual([lost, dropped, used], [0, 0, keyBytes ?? 0]);
      assert.ok(bytes >= stream.length);
      assert.ok(roundTripMs !== undefined && roundTripMs < 50);
    }));

  it('a calling source takes what a listener sends', () =>
    each(async (keyBytes) => {
      const port = await freePorts();
      await using sender = srtSender(`srt://127.0.0.1:${port}?mode=listener${query(keyBytes)}`);
      await using source = await openCallerSource(port, settings(keyBytes));
      await eventually('a connection', () => source.leg.statistics().isConnected);
      await sender.feed(fed, RATE);
      await eventually('all packets', () => source.collector.payloads.length >= payloads.length);
      assert.ok(begins(source, stream));
    }));

  it('a calling output gives a listener the stream', () =>
    each(async (keyBytes) => {
      const port = await freePorts();
      await using taker = srtTaker(`srt://127.0.0.1:${port}?mode=listener${query(keyBytes)}`);
      await using output = await openCallerOutput(port, settings(keyBytes));
      await eventually('a connection', () => output.leg.statistics().isConnected);
      await sendAll(output.leg, [...payloads, ...PADDING]);
      await until('all bytes', () => taker.received.length >= stream.length);
      assert.ok(startsWith(taker, stream));
      assert.equal(output.leg.statistics().packets, payloads.length + PADDING.length);
    }));

  it('a listening output gives all its callers the stream', () =>
    each(async (keyBytes) => {
      await using output = await openListenerOutput(settings(keyBytes));
      const address = `srt://127.0.0.1:${output.port}?mode=caller${query(keyBytes)}`;
      await using one = srtTaker(address);
      await using other = srtTaker(address);
      const joined = () => output.collector.events.filter(({ kind }) => kind === 'connected').length;
      await eventually('both connections', () => joined() === 2);
      await sendAll(output.leg, [...payloads, ...PADDING]);
      await until('all bytes', () => Math.min(one.received.length, other.received.length) >= stream.length);
      assert.ok(startsWith(one, stream) && startsWith(other, stream));
    }));

  it('a taker without a key length of its own takes that of the output', async () => {
    await using output = await openListenerOutput(encrypted(32));
    await using taker = srtTaker(`srt://127.0.0.1:${output.port}?mode=caller&passphrase=${PASSPHRASE}`);
    await eventually('a connection', () => output.leg.statistics().isConnected);
    assert.equal(output.leg.statistics().keyBytes, 32);
    await sendAll(output.leg, [...payloads.slice(0, 50), ...PADDING]);
    await until('the bytes', () => taker.received.length >= 50 * 1316);
  });

  it('keys are changed in mid-stream, by both sides, without a lost packet', async () => {
    const port = await freePorts();
    await using sender = srtSender(
      `srt://127.0.0.1:${port}?mode=listener&kmrefreshrate=100&kmpreannounce=40${query(16)}`,
    );
    await using source = await openCallerSource(port, encrypted());
    await using output = await openListenerOutput(encrypted(24), { packets: 100, announce: 50 });
    await using taker = srtTaker(`srt://127.0.0.1:${output.port}?mode=caller${query(24)}`);
    await eventually('connections', () => source.leg.statistics().isConnected && output.leg.statistics().isConnected);
    await Promise.all([sender.feed(fed, RATE), sendAll(output.leg, [...payloads, ...PADDING])]);
    await eventually('all packets', () => source.collector.payloads.length >= payloads.length);
    await until('all bytes', () => taker.received.length >= stream.length);
    assert.ok(begins(source, stream) && startsWith(taker, stream));
  });

  it('5 % loss and reordering on the path are made good, and counted', async () => {
    const bad = { loss: 0.05, reorder: 0.05, duplicate: 0.02, seed: 7 };
    await using source = await openListenerSource({ ...encrypted(16), latencyMs: 250 });
    await using output = await openListenerOutput({ ...encrypted(16), latencyMs: 250 });
    await using toSource = await startLossyRelay({ to: { host: '127.0.0.1', port: source.port }, ...bad });
    await using toOutput = await startLossyRelay({ to: { host: '127.0.0.1', port: output.port }, ...bad });
    await using sender = srtSender(`srt://127.0.0.1:${toSource.port}?mode=caller&latency=250${query(16)}`);
    await using taker = srtTaker(`srt://127.0.0.1:${toOutput.port}?mode=caller&latency=250${query(16)}`);
    await eventually('connections', () => source.leg.statistics().isConnected && output.leg.statistics().isConnected);
    await Promise.all([sender.feed(fed, RATE), sendAll(output.leg, [...payloads, ...PADDING])]);
    await eventually('all packets', () => source.collector.payloads.length >= payloads.length);
    await until('all bytes', () => taker.received.length >= stream.length);
    assert.ok(begins(source, stream) && startsWith(taker, stream));
    const { lost, recovered, arqRequests, arqRecovered } = source.leg.statistics();
    assert.equal(lost, 0);
    assert.ok(
      recovered > 5 && arqRecovered === recovered && arqRequests >= recovered,
      `${recovered} of ${arqRequests}`,
    );
    assert.ok(output.leg.statistics().retransmitted > 5);
  });

  it('a wrong passphrase, none, and one that is not expected are refused, and the sides say why', async () => {
    await using source = await openListenerSource(encrypted(16));
    await using open = await openListenerSource();
    const called = `srt://127.0.0.1:${source.port}?mode=caller`;
    await using wrong = srtSender(`${called}${query(16, 'wrong-horse-battery')}`);
    await using none = srtSender(called);
    await using unexpected = srtSender(`srt://127.0.0.1:${open.port}?mode=caller${query(16)}`);
    await eventually('refusals', () => reasons(source).length === 2 && reasons(open).length === 1);
    assert.deepEqual(reasons(source).toSorted(), ['no passphrase given, one is required', 'wrong passphrase']);
    assert.deepEqual(reasons(open), ['a passphrase given, none is expected']);
    await until('the words', () =>
      /Incorrect passphrase|BADSECRET/i.test(wrong.messages + none.messages + unexpected.messages),
    );
    assert.deepEqual(source.collector.payloads, []);
  });

  it('listeners of libsrt refuse a calling leg, which says why', async () => {
    const port = await freePorts();
    await using taker = srtTaker(`srt://127.0.0.1:${port}?mode=listener${query(16)}`);
    await using wrong = await openCallerOutput(port, encrypted(16, 'wrong-horse-battery'));
    await using none = await openCallerSource(port);
    await eventually(
      'refusals',
      () => reasons(wrong).length > 0 && reasons(none).some((reason) => /pass/.test(reason)),
    );
    assert.ok(reasons(wrong).includes('wrong passphrase'), reasons(wrong).join());
    assert.ok(reasons(none).includes('one side has a passphrase, the other none'), reasons(none).join());
    assert.equal(taker.received.length, 0);
  });

  it('a sender with a shorter key than the wanted one is refused', async () => {
    await using source = await openListenerSource(encrypted(32));
    await using sender = srtSender(`srt://127.0.0.1:${source.port}?mode=caller${query(16)}`);
    await eventually('a refusal', () => reasons(source).length === 1);
    assert.deepEqual(reasons(source), ['uses a 16-byte key, aes256 needs 32']);
    assert.equal(source.leg.statistics().isConnected, false);
    assert.equal(sender.received.length, 0);
  });

  it('a taker with another key length than that of the output changes its own', async () => {
    await using output = await openListenerOutput(encrypted(32));
    await using taker = srtTaker(`srt://127.0.0.1:${output.port}?mode=caller${query(24)}`);
    await eventually('a connection', () => output.leg.statistics().isConnected);
    assert.equal(output.leg.statistics().keyBytes, 32);
    assert.equal(taker.received.length, 0);
  });

  it('a caller with another stream id is refused, and one with the right id is taken', async () => {
    await using source = await openListenerSource({ streamId: 'camera-7' });
    const called = `srt://127.0.0.1:${source.port}?mode=caller&streamid=`;
    await using stranger = srtSender(`${called}camera-8`);
    await eventually('a refusal', () => reasons(source).length === 1);
    assert.deepEqual(reasons(source), ['another stream id']);
    await using sender = srtSender(`${called}camera-7`);
    await eventually('a connection', () => source.leg.statistics().isConnected);
    assert.notEqual(stranger.child.pid, sender.child.pid);
  });

  it('a sender that is killed and comes back is taken again', async () => {
    await using source = await openListenerSource(encrypted(16));
    const address = `srt://127.0.0.1:${source.port}?mode=caller${query(16)}`;
    const killed = srtSender(address);
    await eventually('a connection', () => source.leg.statistics().isConnected);
    await killed.feed(fed.subarray(0, 60 * 1316), RATE);
    await eventually('packets', () => source.collector.payloads.length >= 50);
    await killed.stop('SIGKILL');
    await eventually('the end', () => !source.leg.statistics().isConnected);
    assert.equal(source.leg.statistics().disconnections, 1);
    source.collector.payloads.length = 0;
    await using sender = srtSender(address);
    await eventually('a connection', () => source.leg.statistics().isConnected);
    await sender.feed(fed, RATE);
    await eventually('all packets', () => source.collector.payloads.length >= payloads.length);
    assert.ok(begins(source, stream));
  });
});

describe('with ffmpeg', { skip: withoutFfmpeg }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-srt-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const stream = wholePayloads();

  /** ffmpeg sends the stream at its own pace, and writes what it sends into a file. */
  const sendWithFfmpeg = async (address: string): Promise<Buffer> => {
    const [input, copy] = [join(folder, 'input.ts'), join(folder, `copy-${address.replaceAll(/\W/g, '')}.ts`)];
    writeFileSync(input, stream);
    const outputs = `[f=mpegts]${copy}|[f=mpegts]${address}`;
    const child = spawn('ffmpeg', ['-v', 'error', '-re', '-i', input, '-map', '0', '-c', 'copy', '-f', 'tee', outputs]);
    await new Promise((resolve) => child.once('exit', resolve));
    return readFileSync(copy);
  };

  it('a listening source takes what it sends', async () => {
    await using source = await openListenerSource(encrypted(32));
    const sent = await sendWithFfmpeg(`srt://127.0.0.1:${source.port}?mode=caller${query(32)}&pkt_size=1316`);
    await eventually('the end', () => source.leg.statistics().disconnections === 1);
    // What it has not sent when it ends, it does not send any more.
    await eventually('nearly all bytes', () => source.leg.statistics().bytes > sent.length * 0.9);
    await delay(200);
    const got = Buffer.concat(source.collector.payloads);
    assert.ok(sent.subarray(0, got.length).equals(got));
  });

  it('it takes what outputs give, listening and calling', async () => {
    await using listening = await openListenerOutput(encrypted(16));
    const take = (address: string) =>
      new LiveTool('ffmpeg', [
        '-v',
        'error',
        '-f',
        'data',
        '-i',
        address,
        '-map',
        '0',
        '-c',
        'copy',
        '-f',
        'data',
        'pipe:1',
      ]);
    await using caller = take(`srt://127.0.0.1:${listening.port}?mode=caller${query(16)}`);
    const port = await freePorts();
    await using listener = take(`srt://127.0.0.1:${port}?mode=listener${query(24)}`);
    await using calling = await openCallerOutput(port, encrypted(24));
    await eventually(
      'connections',
      () => listening.leg.statistics().isConnected && calling.leg.statistics().isConnected,
    );
    const payloads = [...toPayloads(stream), ...PADDING];
    await Promise.all([sendAll(listening.leg, payloads), sendAll(calling.leg, payloads)]);
    await until('all bytes', () => Math.min(caller.received.length, listener.received.length) >= stream.length);
    assert.ok(startsWith(caller, stream) && startsWith(listener, stream));
  });
});
