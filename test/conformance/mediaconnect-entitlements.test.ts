import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import {
  AddFlowOutputsCommand,
  CreateFlowCommand,
  type CreateFlowRequest,
  DeleteFlowCommand,
  type Encryption,
  GrantFlowEntitlementsCommand,
  ListEntitlementsCommand,
  ListFlowsCommand,
  MediaConnectClient,
  paginateListEntitlements,
  RemoveFlowOutputCommand,
  RevokeFlowEntitlementCommand,
  StartFlowCommand,
  StopFlowCommand,
  UpdateFlowEntitlementCommand,
  UpdateFlowOutputCommand,
  UpdateFlowSourceCommand,
} from '@aws-sdk/client-mediaconnect';
import { createAccounts, type TestAccount } from '../harness/accounts.ts';
import { flowAddress } from '../harness/flow-calls.ts';
import { LiveAccount } from '../harness/live-platform.ts';
import { describeFlow, flowBecomes, refusedWith, rtpFlow } from '../harness/mediaconnect.ts';
import { type ClientConfig, startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const REMOTE = 'arn:aws:mediaconnect:eu-west-1:999999999999:entitlement:1-aaaaaaaaaaaaaaaa-bbbbbbbbbbbb:away';
const KEY = randomBytes(32).toString('hex');

describe('entitlements', () => {
  let platform: TestPlatform;
  let folder: string;
  let partners: readonly TestAccount[];
  let owner: LiveAccount;
  let partner: LiveAccount;
  let other: LiveAccount;
  let port = 5000;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coffer-remote-'));
    const list = join(folder, 'remote.json');
    await writeFile(list, JSON.stringify([remote(['123456789012'])]));
    platform = await startTestPlatform({
      COFFER_MEDIACONNECT_ADDRESS: flowAddress(),
      COFFER_REMOTE_ENTITLEMENTS: list,
    });
    partners = await createAccounts(platform, 2);
    owner = await LiveAccount.create(platform.clientConfig());
    partner = await LiveAccount.create(configOf(partners[0]));
    other = await LiveAccount.create(configOf(partners[1]));
  });
  after(async () => {
    for (const account of [owner, partner, other]) account.destroy();
    await platform.stop();
    await rm(folder, { recursive: true });
  });
  afterEach(async () => {
    for (const { client } of [partner, other, owner]) {
      const { Flows = [] } = await client.send(new ListFlowsCommand({}));
      for (const { FlowArn = '', Status } of Flows) {
        if (Status === 'ACTIVE') await stop(client, FlowArn);
        await client.send(new DeleteFlowCommand({ FlowArn }));
      }
    }
  });

  function remote(subscribers: readonly string[]): object {
    return { entitlementArn: REMOTE, entitlementName: 'away', subscribers, address: '127.0.0.1', port: 9 };
  }

  function configOf(account: TestAccount | undefined, region = 'us-east-1'): ClientConfig {
    assert.ok(account);
    return platform.clientConfig(account, region);
  }

  function idOf(index: number): string {
    return partners[index]?.accountId ?? '';
  }

  async function create(client: MediaConnectClient, request: CreateFlowRequest): Promise<string> {
    const { Flow } = await client.send(new CreateFlowCommand(request));
    return Flow?.FlowArn ?? '';
  }

  async function start(client: MediaConnectClient, FlowArn: string): Promise<void> {
    await client.send(new StartFlowCommand({ FlowArn }));
    const { flow, errors } = await flowBecomes(client, FlowArn, (seen) => seen.flow.Status !== 'STARTING');
    assert.equal(flow.Status, 'ACTIVE', errors.join());
  }

  async function stop(client: MediaConnectClient, FlowArn: string): Promise<void> {
    await client.send(new StopFlowCommand({ FlowArn }));
    await flowBecomes(client, FlowArn, ({ flow }) => flow.Status === 'STANDBY');
  }

  async function grant(FlowArn: string, encryption?: Encryption, subscribers = [idOf(0)]): Promise<string> {
    const { Entitlements } = await owner.client.send(
      new GrantFlowEntitlementsCommand({
        FlowArn,
        Entitlements: [
          { Name: 'partner', Subscribers: subscribers, ...(encryption !== undefined && { Encryption: encryption }) },
        ],
      }),
    );
    return Entitlements?.[0]?.EntitlementArn ?? '';
  }

  const entitled = (EntitlementArn: string, Decryption?: Encryption): CreateFlowRequest => ({
    Name: 'taken',
    Source: { Name: 'from-partner', EntitlementArn, ...(Decryption !== undefined && { Decryption }) },
  });
  const isDelivering = ({ errors }: { readonly errors: readonly string[] }) =>
    !errors.some((error) => error.includes('is not delivering'));

  it('are granted, told to their subscribers in pages, and shown as outputs', async () => {
    const flow = await create(owner.client, rtpFlow('origin', port++));
    const { Entitlements = [] } = await owner.client.send(
      new GrantFlowEntitlementsCommand({
        FlowArn: flow,
        Entitlements: [
          { Name: 'a', Subscribers: [idOf(0), idOf(1)], DataTransferSubscriberFeePercent: 30, Description: 'first' },
          { Name: 'b', Subscribers: [idOf(0)], EntitlementStatus: 'DISABLED' },
          { Subscribers: [idOf(0)], Encryption: await owner.staticKey('aes256', KEY) },
        ],
      }),
    );
    assert.deepEqual(
      Entitlements.map(({ Name, EntitlementStatus, Subscribers }) => [Name, EntitlementStatus, Subscribers?.length]),
      [
        ['a', 'ENABLED', 2],
        ['b', 'DISABLED', 1],
        ['entitlement-1', 'ENABLED', 1],
      ],
    );
    assert.match(
      Entitlements[0]?.EntitlementArn ?? '',
      /^arn:aws:mediaconnect:us-east-1:123456789012:entitlement:1-\S+:a$/,
    );
    const pages = [];
    for await (const page of paginateListEntitlements({ client: partner.client, pageSize: 2 }, {})) {
      pages.push(page.Entitlements ?? []);
    }
    assert.deepEqual(
      pages.map((page) => page.length),
      [2, 1],
    );
    assert.deepEqual(
      new Set(pages.flat().map(({ EntitlementName }) => EntitlementName)),
      new Set(['a', 'b', 'entitlement-1']),
    );
    assert.equal(
      pages.flat().find(({ EntitlementName }) => EntitlementName === 'a')?.DataTransferSubscriberFeePercent,
      30,
    );
    const listOf = async ({ client }: LiveAccount) =>
      (await client.send(new ListEntitlementsCommand({}))).Entitlements ?? [];
    assert.deepEqual(
      (await listOf(other)).map(({ EntitlementName }) => EntitlementName),
      ['a'],
    );
    assert.deepEqual(await listOf(owner), [{ EntitlementArn: REMOTE, EntitlementName: 'away' }]);
    const { flow: described } = await describeFlow(owner.client, flow);
    assert.deepEqual(described.Entitlements, Entitlements);
    const [open, , closed] = described.Outputs ?? [];
    assert.equal(described.Outputs?.length, 3);
    assert.deepEqual([open?.EntitlementArn, open?.ListenerAddress], [Entitlements[0]?.EntitlementArn, undefined]);
    assert.deepEqual(
      [closed?.EntitlementArn, closed?.ListenerAddress, closed?.Port],
      [Entitlements[2]?.EntitlementArn, described.EgressIp, 20_002],
    );
    const OutputArn = closed?.OutputArn;
    const remove = owner.client.send(new RemoveFlowOutputCommand({ FlowArn: flow, OutputArn }));
    await assert.rejects(remove, refusedWith('BadRequestException', /removed with RevokeFlowEntitlement/));
    const update = owner.client.send(new UpdateFlowOutputCommand({ FlowArn: flow, OutputArn, Port: 5 }));
    await assert.rejects(update, refusedWith('BadRequestException', /changed with UpdateFlowEntitlement/));
  });

  it('are for those who are named, and serve one flow', async () => {
    const flow = await create(owner.client, rtpFlow('origin', port++));
    const arn = await grant(flow, undefined, [idOf(0)]);
    const ungranted = refusedWith('BadRequestException', /does not exist, or is not granted to this account/);
    await assert.rejects(create(other.client, entitled(arn)), ungranted);
    await assert.rejects(create(owner.client, entitled(arn)), ungranted);
    const taken = await create(partner.client, entitled(arn));
    const { flow: described } = await describeFlow(partner.client, taken);
    assert.deepEqual(described.Source, { ...described.Source, EntitlementArn: arn, Name: 'from-partner' });
    const { Flows } = await partner.client.send(new ListFlowsCommand({}));
    assert.equal(Flows?.[0]?.SourceType, 'ENTITLED');
    const used = refusedWith('BadRequestException', /serves another flow already/);
    await assert.rejects(create(partner.client, entitled(arn)), used);
    const toRtp = new UpdateFlowSourceCommand({
      FlowArn: taken,
      SourceArn: described.Source?.SourceArn,
      Protocol: 'rtp',
    });
    await assert.rejects(
      partner.client.send(toRtp),
      refusedWith('BadRequestException', /of an entitlement or has a protocol/),
    );
    await partner.client.send(new DeleteFlowCommand({ FlowArn: taken }));
    await create(partner.client, entitled(arn));
  });

  for (const [kind, isEncrypted] of [
    ['with a static key, of which the subscriber has a copy', true],
    ['without encryption', false],
  ] as const) {
    it(`deliver to another account and Region ${kind}, until they are disabled or revoked`, async () => {
      const flow = await create(owner.client, rtpFlow('origin', port++));
      await start(owner.client, flow);
      const encryption = isEncrypted ? await owner.staticKey('aes256', KEY) : undefined;
      const arn = await grant(flow, encryption);
      const away = await LiveAccount.create(configOf(partners[0], 'eu-west-1'));
      const taken = await create(
        away.client,
        entitled(arn, isEncrypted ? await away.staticKey('aes256', KEY) : undefined),
      );
      await start(away.client, taken);
      await flowBecomes(away.client, taken, isDelivering);
      const update = (change: object) =>
        owner.client.send(new UpdateFlowEntitlementCommand({ FlowArn: flow, EntitlementArn: arn, ...change }));
      await update({ EntitlementStatus: 'DISABLED' });
      const disabled = await flowBecomes(away.client, taken, (seen) => !isDelivering(seen));
      assert.match(disabled.errors.join(), /its originator has disabled it/);
      await update({ EntitlementStatus: 'ENABLED' });
      await flowBecomes(away.client, taken, isDelivering);
      await stop(owner.client, flow);
      const dry = await flowBecomes(away.client, taken, (seen) => !isDelivering(seen));
      assert.match(dry.errors.join(), /its originator's flow does not run/);
      await start(owner.client, flow);
      await flowBecomes(away.client, taken, isDelivering);

      await update({ Subscribers: [idOf(1)] });
      const ungranted = await describeFlow(away.client, taken);
      assert.equal(ungranted.flow.Status, 'ACTIVE');
      assert.match(ungranted.errors.join(), /is not granted to this account, or not any more/);
      // It is free for the other subscriber now, and not for the first any more.
      const second = await create(
        other.client,
        entitled(arn, isEncrypted ? await other.staticKey('aes256', KEY) : undefined),
      );
      await start(other.client, second);
      await flowBecomes(other.client, second, isDelivering);
      await update({ Subscribers: [idOf(0), idOf(1)] });
      assert.match((await describeFlow(away.client, taken)).errors.join(), /serves another flow already/);
      await stop(other.client, second);
      await other.client.send(new DeleteFlowCommand({ FlowArn: second }));
      await update({ Subscribers: [idOf(0)] });
      await flowBecomes(away.client, taken, (seen) => seen.errors.every((error) => !error.includes('entitlement')));

      await owner.client.send(new RevokeFlowEntitlementCommand({ FlowArn: flow, EntitlementArn: arn }));
      const revoked = await describeFlow(away.client, taken);
      assert.match(revoked.errors.join(), /is not granted to this account, or not any more/);
      assert.deepEqual((await describeFlow(owner.client, flow)).flow.Outputs, []);
      await stop(away.client, taken);
      await away.client.send(new StartFlowCommand({ FlowArn: taken }));
      const failed = await flowBecomes(away.client, taken, (seen) => seen.flow.Status !== 'STARTING');
      assert.equal(failed.flow.Status, 'ERROR');
      await away.client.send(new DeleteFlowCommand({ FlowArn: taken }));
      away.destroy();
    });
  }

  it('do not deliver to who has another key, or none', async () => {
    const flow = await create(owner.client, rtpFlow('origin', port++));
    const arn = await grant(flow, await owner.staticKey('aes256', KEY));
    await start(owner.client, flow);
    const without = await create(partner.client, entitled(arn));
    await partner.client.send(new StartFlowCommand({ FlowArn: without }));
    const failed = await flowBecomes(partner.client, without, (seen) => seen.flow.Status !== 'STARTING');
    assert.match(failed.errors.join(), /is encrypted: its source needs Decryption/);
    await partner.client.send(new DeleteFlowCommand({ FlowArn: without }));
    const wrong = await create(
      partner.client,
      entitled(arn, await partner.staticKey('aes256', randomBytes(32).toString('hex'))),
    );
    await start(partner.client, wrong);
    const seen = await describeFlow(partner.client, wrong);
    assert.match(seen.errors.join(), /is not delivering: there is no connection/);
    // The key of a running flow is changed by pointing it to another secret.
    const { SecretArn } = await partner.staticKey('aes256', KEY);
    const SourceArn = seen.flow.Source?.SourceArn;
    await partner.client.send(new UpdateFlowSourceCommand({ FlowArn: wrong, SourceArn, Decryption: { SecretArn } }));
    await flowBecomes(partner.client, wrong, isDelivering);
  });

  it('of other installations are listed and subscribed to, with a key', async () => {
    const plain = await create(owner.client, entitled(REMOTE));
    await owner.client.send(new StartFlowCommand({ FlowArn: plain }));
    const failed = await flowBecomes(owner.client, plain, ({ flow }) => flow.Status !== 'STARTING');
    assert.match(failed.errors.join(), /is encrypted: its source needs Decryption/);
    await owner.client.send(new DeleteFlowCommand({ FlowArn: plain }));
    const keyed = await create(owner.client, entitled(REMOTE, await owner.staticKey('aes128', KEY.slice(0, 32))));
    await start(owner.client, keyed);
    assert.match((await describeFlow(owner.client, keyed)).errors.join(), /is not delivering: there is no connection/);
    await owner.client.send(
      new AddFlowOutputsCommand({
        FlowArn: keyed,
        Outputs: [{ Name: 'on', Protocol: 'udp', Destination: '127.0.0.1', Port: 6000 }],
      }),
    );
    await assert.rejects(create(partner.client, entitled(REMOTE)), refusedWith('BadRequestException', /not granted/));
  });
});
