import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, before, describe, it } from 'node:test';
import {
  AddFlowOutputsCommand,
  AddFlowSourcesCommand,
  CreateFlowCommand,
  type CreateFlowRequest,
  DeleteFlowCommand,
  DescribeFlowCommand,
  DescribeFlowSourceMetadataCommand,
  DescribeFlowSourceThumbnailCommand,
  ListFlowsCommand,
  MediaConnectClient,
  paginateListFlows,
  RemoveFlowOutputCommand,
  RemoveFlowSourceCommand,
  StartFlowCommand,
  StopFlowCommand,
  UpdateFlowCommand,
  UpdateFlowOutputCommand,
  UpdateFlowSourceCommand,
  waitUntilFlowActive,
  waitUntilFlowDeleted,
  waitUntilFlowStandby,
} from '@aws-sdk/client-mediaconnect';
import { flowAddress } from '../harness/flow-calls.ts';
import { describeFlow, flowBecomes, PATIENCE, refusedWith, rtpFlow } from '../harness/mediaconnect.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

describe('flows', () => {
  const address = flowAddress();
  let platform: TestPlatform;
  let client: MediaConnectClient;

  before(async () => {
    platform = await startTestPlatform({ COFFER_MEDIACONNECT_ADDRESS: address });
    client = new MediaConnectClient(platform.clientConfig());
  });
  after(async () => {
    client.destroy();
    await platform.stop();
  });

  async function create(request: CreateFlowRequest): Promise<string> {
    const { Flow } = await client.send(new CreateFlowCommand(request));
    return Flow?.FlowArn ?? '';
  }

  async function start(FlowArn: string): Promise<void> {
    assert.equal((await client.send(new StartFlowCommand({ FlowArn }))).Status, 'STARTING');
    await flowBecomes(client, FlowArn, ({ flow }) => flow.Status === 'ACTIVE');
  }

  async function stop(FlowArn: string): Promise<void> {
    assert.equal((await client.send(new StopFlowCommand({ FlowArn }))).Status, 'STOPPING');
    await flowBecomes(client, FlowArn, ({ flow }) => flow.Status === 'STANDBY');
  }

  async function remove(FlowArn: string): Promise<void> {
    assert.equal((await client.send(new DeleteFlowCommand({ FlowArn }))).Status, 'DELETING');
  }

  it('are made in STANDBY, start, stop and go, as the waiters see it', async () => {
    const arn = await create(
      rtpFlow('life', 5000, {
        Outputs: [{ Name: 'taker', Protocol: 'rtp', Destination: '127.0.0.1', Port: 6000, SmoothingLatency: 100 }],
      }),
    );
    assert.match(arn, /^arn:aws:mediaconnect:us-east-1:123456789012:flow:1-[A-Za-z0-9]{16}-[A-Za-z0-9]{12}:life$/);
    const { flow, errors } = await describeFlow(client, arn);
    assert.equal(flow.Status, 'STANDBY');
    assert.deepEqual(errors, []);
    assert.equal(flow.EgressIp, address);
    assert.equal(flow.AvailabilityZone, 'us-east-1a');
    assert.deepEqual(flow.Source, flow.Sources?.[0]);
    assert.equal(flow.Source?.IngestIp, address);
    assert.equal(flow.Source?.IngestPort, 5000);
    assert.deepEqual(flow.Source?.Transport, { Protocol: 'rtp' });
    const [output] = flow.Outputs ?? [];
    assert.match(output?.OutputArn ?? '', /:output:1-[A-Za-z0-9-]+:taker$/);
    assert.equal(output?.OutputStatus, 'ENABLED');
    assert.deepEqual(output?.Transport, { Protocol: 'rtp', SmoothingLatency: 100 });
    assert.deepEqual(flow.Entitlements, []);

    await assert.rejects(
      client.send(new StopFlowCommand({ FlowArn: arn })),
      refusedWith('BadRequestException', /STANDBY/),
    );
    assert.equal((await client.send(new StartFlowCommand({ FlowArn: arn }))).Status, 'STARTING');
    await waitUntilFlowActive({ client, ...PATIENCE }, { FlowArn: arn });
    const running = await describeFlow(client, arn);
    assert.equal(running.flow.Status, 'ACTIVE');
    assert.deepEqual(running.errors, ['Source camera is not connected.']);
    await assert.rejects(
      client.send(new StartFlowCommand({ FlowArn: arn })),
      refusedWith('BadRequestException', /ACTIVE/),
    );
    await assert.rejects(
      client.send(new DeleteFlowCommand({ FlowArn: arn })),
      refusedWith('BadRequestException', /Stop it/),
    );
    assert.equal((await client.send(new StopFlowCommand({ FlowArn: arn }))).Status, 'STOPPING');
    await waitUntilFlowStandby({ client, ...PATIENCE }, { FlowArn: arn });
    assert.deepEqual((await describeFlow(client, arn)).errors, []);
    await start(arn);
    await stop(arn);
    await remove(arn);
    await waitUntilFlowDeleted({ client, ...PATIENCE }, { FlowArn: arn });
    const gone = refusedWith('NotFoundException', undefined, 404);
    await assert.rejects(client.send(new DescribeFlowCommand({ FlowArn: arn })), gone);
    await assert.rejects(client.send(new StartFlowCommand({ FlowArn: arn })), gone);
    await assert.rejects(client.send(new DeleteFlowCommand({ FlowArn: arn })), gone);
  });

  it('are found by their whole ARN only, and in their Region', async () => {
    const arn = await create(rtpFlow('whole', 5700));
    const gone = refusedWith('NotFoundException', undefined, 404);
    for (const wrong of [arn.replace(/:whole$/, ':other'), arn.replace(/-[A-Za-z0-9]{12}:/, '-AAAAAAAAAAAA:')]) {
      await assert.rejects(client.send(new DescribeFlowCommand({ FlowArn: wrong })), gone);
      await assert.rejects(client.send(new UpdateFlowCommand({ FlowArn: wrong })), gone);
      await assert.rejects(client.send(new DeleteFlowCommand({ FlowArn: wrong })), gone);
    }
    const elsewhere = new MediaConnectClient(platform.clientConfig(undefined, 'eu-west-1'));
    await assert.rejects(elsewhere.send(new DescribeFlowCommand({ FlowArn: arn })), gone);
    assert.deepEqual((await elsewhere.send(new ListFlowsCommand({}))).Flows, []);
    elsewhere.destroy();
    await remove(arn);
  });

  it('are listed in pages, in the order in which they were made', async () => {
    const names = ['zebra', 'ape', 'cat', 'dog', 'ape'];
    const arns = [];
    for (const [index, name] of names.entries()) arns.push(await create(rtpFlow(name, 5800 + 2 * index)));
    const pages = [];
    for await (const page of paginateListFlows({ client, pageSize: 2 }, {})) pages.push(page.Flows ?? []);
    assert.deepEqual(
      pages.map((page) => page.length),
      [2, 2, 1],
    );
    assert.deepEqual(
      pages.flat().map(({ Name }) => Name),
      names,
    );
    assert.deepEqual(
      pages.flat().map(({ FlowArn }) => FlowArn),
      arns,
    );
    assert.deepEqual(
      [...new Set(pages.flat().map(({ SourceType, Status }) => `${SourceType} ${Status}`))],
      ['OWNED STANDBY'],
    );
    const badToken = client.send(new ListFlowsCommand({ NextToken: 'nonsense' }));
    await assert.rejects(badToken, refusedWith('BadRequestException', /NextToken/));
    await assert.rejects(client.send(new ListFlowsCommand({ MaxResults: 1001 })), refusedWith('BadRequestException'));
    for (const arn of arns) await remove(arn);
  });

  it('that run are changed as they run, and what the machine refuses is not kept', async () => {
    const arn = await create(rtpFlow('changed', 5100));
    await start(arn);
    const { Outputs = [] } = await client.send(
      new AddFlowOutputsCommand({
        FlowArn: arn,
        Outputs: [
          { Name: 'one', Protocol: 'srt-listener', Port: 6100, CidrAllowList: ['127.0.0.0/8'], MinLatency: 200 },
          { Protocol: 'udp', Destination: 'localhost', Port: 6102 },
        ],
      }),
    );
    assert.deepEqual(
      Outputs.map(({ Name }) => Name),
      ['one', 'output-1'],
    );
    assert.equal(Outputs[0]?.ListenerAddress, address);
    const isFree = (port: number) =>
      new Promise<boolean>((resolve) => {
        const socket = createSocket('udp4');
        socket.on('error', () => resolve(false));
        socket.bind({ port, address, exclusive: true }, () => socket.close(() => resolve(true)));
      });
    assert.equal(await isFree(6100), false, 'the new output listens');
    const OutputArn = Outputs[0]?.OutputArn ?? '';
    const { Output } = await client.send(
      new UpdateFlowOutputCommand({ FlowArn: arn, OutputArn, Port: 6104, Description: 'moved' }),
    );
    assert.deepEqual([Output?.Port, Output?.Description, Output?.Transport?.MinLatency], [6104, 'moved', 200]);
    assert.equal(await isFree(6100), true);
    assert.equal(await isFree(6104), false);
    await client.send(new UpdateFlowOutputCommand({ FlowArn: arn, OutputArn, OutputStatus: 'DISABLED' }));
    assert.equal(await isFree(6104), true);
    await client.send(new UpdateFlowOutputCommand({ FlowArn: arn, OutputArn, OutputStatus: 'ENABLED' }));
    assert.equal(await isFree(6104), false);

    // Somebody else on the machine has the port that the source is to move to.
    const squatter = createSocket('udp4');
    await new Promise<void>((resolve) => squatter.bind({ port: 5050, address, exclusive: true }, resolve));
    const before = await describeFlow(client, arn);
    const SourceArn = before.flow.Source?.SourceArn ?? '';
    const move = new UpdateFlowSourceCommand({ FlowArn: arn, SourceArn, IngestPort: 5050 });
    await assert.rejects(client.send(move), refusedWith('BadRequestException', /5050: the port is in use/));
    assert.deepEqual((await describeFlow(client, arn)).flow.Source, before.flow.Source);
    assert.equal(await isFree(5100), false, 'the flow goes on as it was');
    const other = await create(rtpFlow('other', 5050));
    await client.send(new StartFlowCommand({ FlowArn: other }));
    const failed = await flowBecomes(client, other, ({ flow }) => flow.Status !== 'STARTING');
    assert.equal(failed.flow.Status, 'ERROR');
    assert.match(failed.errors[0] ?? '', /5050: the port is in use/);
    squatter.close();
    await start(other);
    await stop(other);
    await remove(other);
    const moved = await client.send(new UpdateFlowSourceCommand({ FlowArn: arn, SourceArn, IngestPort: 5050 }));
    assert.equal(moved.Source?.IngestPort, 5050);

    await client.send(new RemoveFlowOutputCommand({ FlowArn: arn, OutputArn }));
    assert.equal(await isFree(6104), true);
    const twice = client.send(new RemoveFlowOutputCommand({ FlowArn: arn, OutputArn }));
    await assert.rejects(twice, refusedWith('NotFoundException', /no such output/, 404));
    await stop(arn);
    await remove(arn);
  });

  it('share the ports of one address: a use by another flow is told, if it is the caller’s own', async () => {
    const first = await create(rtpFlow('first', 5600));
    const wanted = new RegExp(`UDP port 5601.*source camera of the flow first \\(${first}\\)`);
    await client.send(
      new UpdateFlowSourceCommand({
        FlowArn: first,
        SourceArn: (await describeFlow(client, first)).flow.Source?.SourceArn,
        Protocol: 'rist',
      }),
    );
    await assert.rejects(create(rtpFlow('second', 5601)), refusedWith('BadRequestException', wanted));
    const zixi = { Protocol: 'zixi-push', WhitelistCidr: '127.0.0.0/8' } as const;
    const arns = [];
    for (let n = 0; n < 12; n++) arns.push(await create({ Name: `z${n}`, Source: zixi }));
    const ports = await Promise.all(arns.map(async (arn) => (await describeFlow(client, arn)).flow.Source?.IngestPort));
    assert.deepEqual(ports, [2088, 2090, 2091, 2092, 2093, 2094, 2095, 2096, 2097, 2098, 2099, 20_000]);
    const pull = { Protocol: 'zixi-pull' as const, CidrAllowList: ['127.0.0.0/8'], RemoteId: 'r' };
    const added = await client.send(
      new AddFlowOutputsCommand({
        FlowArn: first,
        Outputs: [
          { ...pull, Name: 'p' },
          { ...pull, Name: 'q' },
        ],
      }),
    );
    assert.deepEqual(
      added.Outputs?.map(({ Port }) => Port),
      [2077, 20_001],
    );
    assert.equal(added.Outputs?.[0]?.Transport?.StreamId, 'p', 'the stream id of Zixi is the name unless one is given');
    await remove(first);
    arns.push(await create(rtpFlow('second', 5601)));
    for (const arn of arns) await remove(arn);
  });

  it('are changed by twenty callers at once, one after the other', async () => {
    const arn = await create(rtpFlow('busy', 5200));
    await start(arn);
    const adding = Array.from({ length: 20 }, (_, n) =>
      client.send(
        new AddFlowOutputsCommand({
          FlowArn: arn,
          Outputs: [{ Name: `o${n}`, Protocol: 'udp', Destination: '127.0.0.1', Port: 6200 + n }],
        }),
      ),
    );
    await Promise.all(adding);
    const { flow } = await describeFlow(client, arn);
    assert.equal(flow.Status, 'ACTIVE');
    assert.equal(new Set(flow.Outputs?.map(({ Name }) => Name)).size, 20);
    const sameName = Array.from({ length: 5 }, (_, n) =>
      client.send(
        new AddFlowOutputsCommand({
          FlowArn: arn,
          Outputs: [{ Name: 'same', Protocol: 'udp', Destination: '127.0.0.1', Port: 6300 + n }],
        }),
      ),
    );
    const results = await Promise.allSettled(sameName);
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    await stop(arn);
    await remove(arn);
  });

  it('end as the last call says when starts, stops and changes race', async () => {
    const arn = await create(rtpFlow('raced', 5300));
    for (let round = 0; round < 5; round++) {
      await client.send(new StartFlowCommand({ FlowArn: arn }));
      const results = await Promise.allSettled([
        client.send(new StartFlowCommand({ FlowArn: arn })),
        client.send(new StopFlowCommand({ FlowArn: arn })),
        client.send(new UpdateFlowCommand({ FlowArn: arn, SourceMonitoringConfig: { ThumbnailState: 'ENABLED' } })),
        client.send(new DeleteFlowCommand({ FlowArn: arn })),
      ]);
      assert.deepEqual(
        results.map(({ status }) => status),
        ['rejected', 'fulfilled', 'fulfilled', 'rejected'],
      );
      await flowBecomes(client, arn, ({ flow }) => flow.Status === 'STANDBY');
    }
    await start(arn);
    await stop(arn);
    await remove(arn);
  });

  it('are never more than the quota, however many are asked for at once', async () => {
    const asked = Array.from({ length: 24 }, (_, n) => create(rtpFlow('many', 7000 + n)));
    const results = await Promise.allSettled(asked);
    const made = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
    assert.equal(made.length, 20);
    assert.equal(((await client.send(new ListFlowsCommand({}))).Flows ?? []).length, 20);
    // The ports of those that were refused are free.
    for (const arn of made) await remove(arn);
    for (let n = 0; n < 24; n++) await remove(await create(rtpFlow('again', 7000 + n)));
  });

  it('take a second source only with failover, and keep the last one', async () => {
    const arn = await create(rtpFlow('two', 5400));
    const { flow } = await describeFlow(client, arn);
    const second = { Name: 'backup', Protocol: 'rtp', IngestPort: 5402, WhitelistCidr: '127.0.0.0/8' } as const;
    const add = () => client.send(new AddFlowSourcesCommand({ FlowArn: arn, Sources: [second] }));
    await assert.rejects(add(), refusedWith('BadRequestException', /second source only while/));
    const alone = client.send(new RemoveFlowSourceCommand({ FlowArn: arn, SourceArn: flow.Source?.SourceArn }));
    await assert.rejects(alone, refusedWith('BadRequestException', /at least one source/));
    const primary = { PrimarySource: 'camera' };
    const failover = { State: 'ENABLED', FailoverMode: 'FAILOVER', SourcePriority: primary } as const;
    await client.send(new UpdateFlowCommand({ FlowArn: arn, SourceFailoverConfig: failover }));
    await start(arn);
    await add();
    const both = await describeFlow(client, arn);
    assert.deepEqual(
      both.flow.Sources?.map(({ Name }) => Name),
      ['camera', 'backup'],
    );
    assert.deepEqual(both.flow.SourceFailoverConfig, failover);
    const off = client.send(new UpdateFlowCommand({ FlowArn: arn, SourceFailoverConfig: { State: 'DISABLED' } }));
    await assert.rejects(off, refusedWith('BadRequestException', /second source only while/));
    const merge = { FailoverMode: 'MERGE', RecoveryWindow: 500 } as const;
    const updated = await client.send(new UpdateFlowCommand({ FlowArn: arn, SourceFailoverConfig: merge }));
    assert.deepEqual(updated.Flow?.SourceFailoverConfig, { State: 'ENABLED', ...merge });
    await client.send(new RemoveFlowSourceCommand({ FlowArn: arn, SourceArn: flow.Source?.SourceArn }));
    assert.deepEqual((await describeFlow(client, arn)).flow.Source?.Name, 'backup');
    await stop(arn);
    await remove(arn);
  });

  it('say why they have no metadata and no thumbnail', async () => {
    const arn = await create(rtpFlow('dark', 5500));
    const thumbnail = () => client.send(new DescribeFlowSourceThumbnailCommand({ FlowArn: arn }));
    const metadata = () => client.send(new DescribeFlowSourceMetadataCommand({ FlowArn: arn }));
    await assert.rejects(thumbnail(), refusedWith('BadRequestException', /Thumbnails are disabled/));
    await client.send(new UpdateFlowCommand({ FlowArn: arn, SourceMonitoringConfig: { ThumbnailState: 'ENABLED' } }));
    assert.equal((await thumbnail()).ThumbnailDetails?.ThumbnailMessages?.[0]?.Code, 'FLOW_NOT_ACTIVE');
    assert.equal((await metadata()).Messages?.[0]?.Code, 'FLOW_NOT_ACTIVE');
    await start(arn);
    const { ThumbnailDetails } = await thumbnail();
    assert.equal(ThumbnailDetails?.Thumbnail, undefined);
    assert.equal(ThumbnailDetails?.ThumbnailMessages?.[0]?.Message, 'Source camera is not connected.');
    const { Messages, TransportMediaInfo } = await metadata();
    assert.equal(TransportMediaInfo, undefined);
    assert.deepEqual(
      Messages?.map(({ Code, Message }) => [Code, Message]),
      [['NO_PROGRAMS', 'Source camera is not connected.']],
    );
    await stop(arn);
    await remove(arn);
  });
});
