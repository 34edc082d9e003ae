import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { StopFlowCommand } from '@aws-sdk/client-mediaconnect';
import { CofferHome, type RunningServer } from '../harness/coffer-home.ts';
import { numberedPackets, UdpTaker } from '../harness/live-flow.ts';
import { hexKey, LiveAccount } from '../harness/live-platform.ts';
import { freePorts, srtSender, until, withoutSrtTools } from '../harness/live-tools.ts';

const HERE = '127.0.0.1/32';

describe('live flows, when something dies', { skip: withoutSrtTools }, () => {
  let home: CofferHome;
  let server: RunningServer;
  let account: LiveAccount;

  beforeEach(async () => {
    home = await CofferHome.make();
    server = await home.start();
    account = await LiveAccount.create(await home.rootClientConfig());
  });
  afterEach(async () => {
    account.destroy();
    await home[Symbol.asyncDispose]();
  });

  async function flowTo(
    taker: UdpTaker,
  ): Promise<{ readonly flow: string; readonly port: number; readonly key: string }> {
    const port = await freePorts();
    const key = hexKey(32);
    const flow = await account.startedFlow({
      Name: 'survivor',
      Source: {
        Name: 'in',
        Protocol: 'zixi-push',
        IngestPort: port,
        WhitelistCidr: HERE,
        MaxLatency: 120,
        Decryption: await account.staticKey('aes256', key),
      },
      Outputs: [
        { Name: 'out', Protocol: 'udp' as never, Destination: '127.0.0.1', Port: taker.port, SmoothingLatency: 0 },
      ],
    });
    return { flow, port, key };
  }

  async function flows(taker: UdpTaker, port: number, key: string): Promise<void> {
    const before = taker.datagrams.length;
    await using sender = srtSender(`srt://127.0.0.1:${port}?mode=caller&latency=120&passphrase=${key}&pbkeylen=32`);
    void sender.feed(numberedPackets(7 * 2000), 2_000_000);
    await until('the stream', () => taker.datagrams.length > before + 50);
  }

  const workersOf = (pid: number): readonly number[] =>
    spawnSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter((line) => line.includes('live/worker-main'))
      .map((line) => Number.parseInt(line, 10));

  it('take the next sender within two seconds after their process was killed', async () => {
    await using taker = await UdpTaker.open();
    const { flow, port, key } = await flowTo(taker);
    await flows(taker, port, key);
    const [worker = 0] = workersOf(server.pid);
    process.kill(worker, 'SIGKILL');
    const begun = performance.now();
    await until('another process', () => workersOf(server.pid).some((pid) => pid !== worker), 2000);
    await using sender = srtSender(`srt://127.0.0.1:${port}?mode=caller&latency=120&passphrase=${key}&pbkeylen=32`);
    await until('its sender', async () => (await account.peers(flow)).has('in'), 4000);
    assert.ok(performance.now() - begun < 4000, 'SRT’s own handshake included');
    await sender.stop();
    await flows(taker, port, key);
    const { stdout } = await home.run(['events', '--source', 'aws.mediaconnect']);
    assert.match(stdout, /"detail-type":"MediaConnect/);
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`are there again after the server ended by ${signal}; those that were stopped are not`, async () => {
      await using taker = await UdpTaker.open();
      await using other = await UdpTaker.open();
      const { flow, port, key } = await flowTo(taker);
      const stopped = await flowTo(other);
      await account.client.send(new StopFlowCommand({ FlowArn: stopped.flow }));
      await until('the stop', async () => (await account.describe(stopped.flow)).flow.Status === 'STANDBY');
      const [worker = 0] = workersOf(server.pid);
      await server.end(signal);
      await until('the end of its process', () => !isAlive(worker), 5000);
      server = await home.start();
      account.destroy();
      const roleArn = account.roleArn;
      account = await LiveAccount.create(await home.rootClientConfig());
      account.roleArn = roleArn;
      await until('the flow', async () => (await account.describe(flow)).flow.Status === 'ACTIVE');
      await flows(taker, port, key);
      assert.equal((await account.describe(stopped.flow)).flow.Status, 'STANDBY');
    });
  }

  it('leave no key in a process’s arguments or environment', async () => {
    await using taker = await UdpTaker.open();
    const { key } = await flowTo(taker);
    for (const pid of [server.pid, ...workersOf(server.pid)]) {
      for (const name of ['cmdline', 'environ']) {
        assert.ok(!(await readFile(`/proc/${pid}/${name}`, 'latin1')).includes(key));
      }
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
