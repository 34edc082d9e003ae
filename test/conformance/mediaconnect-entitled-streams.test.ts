import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  GrantFlowEntitlementsCommand,
  ListEntitlementsCommand,
  RevokeFlowEntitlementCommand,
  UpdateFlowEntitlementCommand,
} from '@aws-sdk/client-mediaconnect';
import { createAccounts } from '../harness/accounts.ts';
import { numberedPackets, UdpSender, UdpTaker } from '../harness/live-flow.ts';
import { hexKey, LiveAccount, LivePlatform } from '../harness/live-platform.ts';
import { freePorts, until } from '../harness/live-tools.ts';

const HERE = '127.0.0.1/32';
const KEY = hexKey(16);

/** Sends numbered packets to a port until it is disposed of. */
class EndlessSender implements AsyncDisposable {
  readonly #sender = new UdpSender();
  readonly #timer: NodeJS.Timeout;

  constructor(port: number) {
    const packets = numberedPackets(7);
    this.#timer = setInterval(() => void this.#sender.send(port, packets).catch(() => undefined), 10);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#sender[Symbol.asyncDispose]();
  }
}

async function originatorFlow(account: LiveAccount): Promise<{ readonly flow: string; readonly port: number }> {
  const port = await freePorts();
  const flow = await account.startedFlow({
    Name: 'origin',
    Source: { Name: 'in', Protocol: 'udp' as never, IngestPort: port, WhitelistCidr: HERE },
    Outputs: [],
  });
  return { flow, port };
}

async function grant(account: LiveAccount, FlowArn: string, subscriber: string, isEncrypted = true): Promise<string> {
  const { Entitlements } = await account.client.send(
    new GrantFlowEntitlementsCommand({
      FlowArn,
      Entitlements: [
        {
          Name: `for-${subscriber}`,
          Subscribers: [subscriber],
          ...(isEncrypted && { Encryption: await account.staticKey('aes128', KEY) }),
        },
      ],
    }),
  );
  return Entitlements?.[0]?.EntitlementArn ?? '';
}

async function subscriberFlow(account: LiveAccount, EntitlementArn: string, taker: UdpTaker, key: string | undefined) {
  return account.startedFlow({
    Name: 'subscription',
    Source: {
      Name: 'entitled',
      EntitlementArn,
      ...(key !== undefined && { Decryption: await account.staticKey('aes128', key) }),
    },
    Outputs: [
      { Name: 'out', Protocol: 'udp' as never, Destination: '127.0.0.1', Port: taker.port, SmoothingLatency: 0 },
    ],
  });
}

const flows = async (taker: UdpTaker): Promise<void> => {
  const before = taker.datagrams.length;
  await until('the stream', () => taker.datagrams.length > before + 20);
};
const rests = async (taker: UdpTaker): Promise<void> => {
  let last = -1;
  await until('silence', async () => {
    const isSilent = last === taker.datagrams.length;
    last = taker.datagrams.length;
    if (!isSilent) await new Promise((resolve) => setTimeout(resolve, 300));
    return isSilent;
  });
};

describe('entitlements', () => {
  let live: LivePlatform;
  let owner: LiveAccount;
  let ownerId: string;
  let partner: LiveAccount;
  let partnerId: string;

  before(async () => {
    live = await LivePlatform.start();
    owner = live.account;
    ownerId = live.platform.accountId;
    const [account] = await createAccounts(live.platform, 1);
    assert.ok(account);
    partnerId = account.accountId;
    partner = await LiveAccount.create(live.platform.clientConfig(account, 'eu-west-1'));
  });
  after(async () => {
    partner.destroy();
    await live[Symbol.asyncDispose]();
  });

  it('carry a stream to another account in another Region, under the key that both have', async () => {
    const { flow, port } = await originatorFlow(owner);
    const entitlement = await grant(owner, flow, partnerId);
    const { Entitlements } = await partner.client.send(new ListEntitlementsCommand({}));
    assert.deepEqual(
      Entitlements?.map(({ EntitlementArn }) => EntitlementArn),
      [entitlement],
    );
    await using taker = await UdpTaker.open();
    await using _sender = new EndlessSender(port);
    await subscriberFlow(partner, entitlement, taker, KEY);
    await flows(taker);
    assert.ok(taker.datagrams.every((datagram) => datagram.equals(numberedPackets(7))));
    const { flow: origin } = await owner.describe(flow);
    assert.deepEqual(
      origin.Outputs?.map(({ EntitlementArn }) => EntitlementArn),
      [entitlement],
    );

    const EntitlementStatus = (status: 'ENABLED' | 'DISABLED') =>
      owner.client.send(
        new UpdateFlowEntitlementCommand({ FlowArn: flow, EntitlementArn: entitlement, EntitlementStatus: status }),
      );
    await EntitlementStatus('DISABLED');
    await rests(taker);
    await EntitlementStatus('ENABLED');
    await flows(taker);
    await owner.client.send(new RevokeFlowEntitlementCommand({ FlowArn: flow, EntitlementArn: entitlement }));
    await rests(taker);
    assert.deepEqual((await owner.describe(flow)).flow.Outputs, []);
  });

  it('give nothing to a subscriber with another key, who is told', async () => {
    const { flow, port } = await originatorFlow(owner);
    const entitlement = await grant(owner, flow, partnerId);
    await using taker = await UdpTaker.open();
    await using _sender = new EndlessSender(port);
    const subscription = await subscriberFlow(partner, entitlement, taker, hexKey(16));
    await until('the message', async () => (await partner.describe(subscription)).errors.length > 0);
    assert.equal(taker.datagrams.length, 0);
  });

  it('may go without a key within an account’s installation', async () => {
    const { flow, port } = await originatorFlow(partner);
    const entitlement = await grant(partner, flow, ownerId, false);
    await using taker = await UdpTaker.open();
    await using _sender = new EndlessSender(port);
    await subscriberFlow(owner, entitlement, taker, undefined);
    await flows(taker);
  });

  it('reach another installation, whose operator lists them', async () => {
    const { flow, port } = await originatorFlow(owner);
    const folder = await mkdtemp(join(tmpdir(), 'coffer-remote-'));
    const subscriber = '444455556666';
    const entitlement = await grant(owner, flow, subscriber);
    const { flow: origin } = await owner.describe(flow);
    const output = origin.Outputs?.find(({ EntitlementArn }) => EntitlementArn === entitlement);
    assert.ok(output?.Port, 'the entitlement tells its port');
    const file = join(folder, 'entitlements.json');
    const remote = {
      entitlementArn: entitlement,
      entitlementName: `for-${subscriber}`,
      subscribers: [subscriber],
      address: '127.0.0.1',
      port: output.Port,
    };
    await writeFile(file, JSON.stringify([remote]));
    await using other = await LivePlatform.start({ COFFER_REMOTE_ENTITLEMENTS: file, COFFER_ACCOUNT_ID: subscriber });
    await using taker = await UdpTaker.open();
    await using _sender = new EndlessSender(port);
    await subscriberFlow(other.account, entitlement, taker, KEY);
    await flows(taker);
    await rm(folder, { recursive: true });
  });
});
