import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  AddFlowMediaStreamsCommand,
  AddFlowOutputsCommand,
  AddFlowVpcInterfacesCommand,
  CreateFlowCommand,
  MediaConnectClient,
  RemoveFlowMediaStreamCommand,
  RemoveFlowOutputCommand,
  RemoveFlowVpcInterfaceCommand,
  UpdateFlowCommand,
  UpdateFlowMediaStreamCommand,
} from '@aws-sdk/client-mediaconnect';
import { callFlows, flowAddress } from '../harness/flow-calls.ts';
import { describeFlow, refusedWith, rtpFlow } from '../harness/mediaconnect.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const gone = refusedWith('NotFoundException', undefined, 404);
const badRequest = (message: RegExp) => refusedWith('BadRequestException', message);

describe('what is kept of a flow and told', () => {
  let platform: TestPlatform;
  let client: MediaConnectClient;
  let flow: string;
  let port = 5000;

  before(async () => {
    platform = await startTestPlatform({ COFFER_MEDIACONNECT_ADDRESS: flowAddress() });
    client = new MediaConnectClient(platform.clientConfig());
  });
  beforeEach(async () => {
    const { Flow } = await client.send(new CreateFlowCommand(rtpFlow('kept', port++)));
    flow = Flow?.FlowArn ?? '';
  });
  after(async () => {
    client.destroy();
    await platform.stop();
  });

  it('VPC interfaces, to which sources and outputs can be attached', async () => {
    const inside = {
      Name: 'inside',
      RoleArn: `arn:aws:iam::${platform.accountId}:role/Vpc`,
      SecurityGroupIds: ['sg-0123456789abcdef0'],
      SubnetId: 'subnet-0123456789abcdef0',
    };
    const add = (...VpcInterfaces: (typeof inside & { NetworkInterfaceType?: 'ena' | 'efa' })[]) =>
      client.send(new AddFlowVpcInterfacesCommand({ FlowArn: flow, VpcInterfaces }));
    const { VpcInterfaces } = await add(inside);
    const kept = { ...inside, NetworkInterfaceType: 'ena', NetworkInterfaceIds: [] };
    assert.deepEqual(VpcInterfaces, [kept]);
    await assert.rejects(add(inside), badRequest(/the name is there already/));
    await add({ ...inside, Name: 'second' }, { ...inside, Name: 'fast', NetworkInterfaceType: 'efa' });
    await assert.rejects(add({ ...inside, Name: 'third' }), badRequest(/at most 2 VPC interface\(s\) of the type ena/));
    const attached = { Name: 'o', Protocol: 'rtp', Destination: '10.0.0.1', Port: 6000 } as const;
    const { Outputs } = await client.send(
      new AddFlowOutputsCommand({
        FlowArn: flow,
        Outputs: [{ ...attached, VpcInterfaceAttachment: { VpcInterfaceName: 'inside' } }],
      }),
    );
    assert.deepEqual(Outputs?.[0]?.VpcInterfaceAttachment, { VpcInterfaceName: 'inside' });
    const remove = () => client.send(new RemoveFlowVpcInterfaceCommand({ FlowArn: flow, VpcInterfaceName: 'inside' }));
    await assert.rejects(remove(), badRequest(/is used by o/));
    await client.send(new RemoveFlowOutputCommand({ FlowArn: flow, OutputArn: Outputs?.[0]?.OutputArn }));
    assert.deepEqual((await remove()).NonDeletedNetworkInterfaceIds, []);
    await assert.rejects(remove(), gone);
    const { flow: described } = await describeFlow(client, flow);
    assert.deepEqual(
      described.VpcInterfaces?.map(({ Name }) => Name),
      ['second', 'fast'],
    );
  });

  it('media streams, with the format that AWS would assign', async () => {
    const { MediaStreams } = await client.send(
      new AddFlowMediaStreamsCommand({
        FlowArn: flow,
        MediaStreams: [
          {
            MediaStreamId: 1,
            MediaStreamName: 'picture',
            MediaStreamType: 'video',
            VideoFormat: '1080p',
            Attributes: { Fmtp: { ExactFramerate: '60000/1001', Par: '1:1', ScanMode: 'progressive', Range: 'FULL' } },
          },
          {
            MediaStreamId: 2,
            MediaStreamName: 'sound',
            MediaStreamType: 'audio',
            ClockRate: 96_000,
            Attributes: { Fmtp: { ChannelOrder: 'SMPTE2110.(ST)' }, Lang: 'en' },
          },
        ],
      }),
    );
    assert.deepEqual(
      MediaStreams?.map(({ Fmt, ClockRate }) => [Fmt, ClockRate]),
      [
        [96, 90_000],
        [97, 96_000],
      ],
    );
    const again = { MediaStreamId: 2, MediaStreamName: 'other', MediaStreamType: 'audio' as const };
    const twice = client.send(new AddFlowMediaStreamsCommand({ FlowArn: flow, MediaStreams: [again] }));
    await assert.rejects(twice, badRequest(/MediaStreamId 2 is there already/));
    const update = (change: object) =>
      client.send(new UpdateFlowMediaStreamCommand({ FlowArn: flow, MediaStreamName: 'sound', ...change }));
    const { MediaStream } = await update({ Description: 'main', ClockRate: 48_000 });
    assert.deepEqual(MediaStream, { ...MediaStreams?.[1], Description: 'main', ClockRate: 48_000 });
    await assert.rejects(update({ ClockRate: 44_100 }), badRequest(/ClockRate must be 48000 or 96000/));
    await assert.rejects(update({ VideoFormat: '720p' }), badRequest(/VideoFormat is of video/));
    const fmtp = { Attributes: { Fmtp: { Colorimetry: 'BT709' } } };
    await assert.rejects(update(fmtp), badRequest(/Colorimetry is of video/));
    await client.send(new RemoveFlowMediaStreamCommand({ FlowArn: flow, MediaStreamName: 'picture' }));
    const removed = client.send(new RemoveFlowMediaStreamCommand({ FlowArn: flow, MediaStreamName: 'picture' }));
    await assert.rejects(removed, gone);
    assert.deepEqual((await describeFlow(client, flow)).flow.MediaStreams, [MediaStream]);
  });

  it('a maintenance window, with the next date on which it begins', async () => {
    const update = (Maintenance: object) => client.send(new UpdateFlowCommand({ FlowArn: flow, Maintenance }));
    await assert.rejects(update({ MaintenanceStartHour: '13:00' }), badRequest(/MaintenanceDay is required/));
    const { Flow } = await update({ MaintenanceDay: 'Monday', MaintenanceStartHour: '13:00' });
    const { MaintenanceScheduledDate = '', ...window } = Flow?.Maintenance ?? {};
    assert.deepEqual(window, { MaintenanceDay: 'Monday', MaintenanceStartHour: '13:00' });
    const next = new Date(`${MaintenanceScheduledDate}T13:00:00Z`);
    assert.equal(next.getUTCDay(), 1);
    assert.ok(next.getTime() > Date.now() && next.getTime() <= Date.now() + 7 * 86_400_000, MaintenanceScheduledDate);
    const inTenDays = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
    const moved = await update({ MaintenanceScheduledDate: inTenDays });
    assert.equal(moved.Flow?.Maintenance?.MaintenanceScheduledDate, inTenDays);
    for (const date of ['tomorrow', '2030-02-31', '2020-01-01', '2999-01-01']) {
      await assert.rejects(update({ MaintenanceScheduledDate: date }), badRequest(/MaintenanceScheduledDate must be/));
    }
    await assert.rejects(update({ MaintenanceStartHour: '24:00' }), badRequest(/full hour/));
  });

  it('how the source is to be monitored, as far as it is', async () => {
    const monitoring = {
      thumbnailState: 'ENABLED',
      contentQualityAnalysisState: 'DISABLED',
      audioMonitoringSettings: [{ silentAudio: { state: 'DISABLED', thresholdSeconds: 30 } }],
      videoMonitoringSettings: [{ blackFrames: { state: 'DISABLED' }, frozenFrames: { state: 'DISABLED' } }],
    };
    const put = (sourceMonitoringConfig: object) =>
      callFlows(platform, 'PUT', `/flows/${flow}`, { sourceMonitoringConfig, flowSize: 'MEDIUM' });
    const told = async () => {
      const { body } = await callFlows(platform, 'GET', `/flows/${flow}`);
      return (body as { flow: { sourceMonitoringConfig: object } }).flow.sourceMonitoringConfig;
    };
    assert.deepEqual(await told(), { thumbnailState: 'DISABLED' });
    assert.equal((await put(monitoring)).status, 202);
    assert.deepEqual(await told(), monitoring);
    const frozen = { videoMonitoringSettings: [{ frozenFrames: { state: 'ENABLED' } }] };
    assert.equal((await put(frozen)).status, 400);
    assert.deepEqual(await told(), monitoring);
  });
});
