import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { callFlows, flowAddress, type FlowAnswer } from '../harness/flow-calls.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const ROLE = 'arn:aws:iam::123456789012:role/MediaConnectASM';
const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:key-a1B2c3';
const SUBSCRIBER = '210987654321';

const anybody = '0.0.0.0/0';
const rtp = { name: 'camera', protocol: 'rtp', ingestPort: 5000, whitelistCidr: anybody };
const srt = { ...rtp, protocol: 'srt-listener' };
const zixi = { name: 'camera', protocol: 'zixi-push', whitelistCidr: anybody };
const caller = {
  name: 'camera',
  protocol: 'srt-caller',
  sourceListenerAddress: 'venue.example',
  sourceListenerPort: 1,
};
const staticKey = { roleArn: ROLE, secretArn: SECRET, algorithm: 'aes256', keyType: 'static-key' };
const password = { roleArn: ROLE, secretArn: SECRET, keyType: 'srt-password' };
const taker = { name: 'taker', protocol: 'rtp', destination: '192.0.2.1', port: 6000 };
const listener = { name: 'taker', protocol: 'srt-listener', port: 6000, cidrAllowList: [anybody] };
const pull = { name: 'taker', protocol: 'zixi-pull', cidrAllowList: [anybody], remoteId: 'receiver' };
const entitlement = { name: 'partner', subscribers: [SUBSCRIBER] };
const failover = { state: 'ENABLED', failoverMode: 'FAILOVER' };

/** What is wrong with one member of a flow: the rest of the request, and what the refusal says. */
type Case = readonly [body: object, message: RegExp];

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'the flow itself': [
    [{ name: 'a b', source: rtp }, /Name must be 1 to 64 letters/],
    [{ name: 'a'.repeat(65), source: rtp }, /Name must be 1 to 64 letters/],
    [{ source: rtp }, /'name' failed to satisfy constraint: Member must not be null/],
    [{ name: 'a' }, /Source or Sources is required/],
    [{ name: 'a', sources: [] }, /Source or Sources is required/],
    [{ name: 'a', source: rtp, sources: [rtp] }, /Source or Sources, not both/],
    [{ name: 'a', sources: [rtp, { ...rtp, name: 'b', ingestPort: 5002 }] }, /second source only while/],
    [{ name: 'a', sources: [1, 2, 3].map((n) => ({ ...rtp, name: `s${n}` })) }, /at most 2 sources/],
    [
      { name: 'a', source: rtp, availabilityZone: 'eu-west-1a' },
      /AvailabilityZone must be one of the Region us-east-1/,
    ],
    [{ name: 'a', source: rtp, flowSize: 'LARGE' }, /FlowSize LARGE is not implemented/],
    [{ name: 'a', source: rtp, flowSize: 'LARGE_4X' }, /FlowSize LARGE_4X is not implemented/],
    [{ name: 'a', source: rtp, ndiConfig: { ndiState: 'ENABLED' } }, /NdiConfig is not implemented/],
    [{ name: 'a', source: rtp, encodingConfig: {} }, /EncodingConfig is not implemented/],
    [{ name: 'a', source: rtp, flowTags: { 'aws:a': 'b' } }, /must not begin with aws:/],
    [{ name: 'a', source: rtp, maintenance: { maintenanceDay: 'Monday', maintenanceStartHour: '13:30' } }, /full hour/],
    [{ name: 'a', source: rtp, maintenance: { maintenanceDay: 'Lundi', maintenanceStartHour: '13:00' } }, /enum value/],
    [
      { name: 'a', source: rtp, sourceMonitoringConfig: { contentQualityAnalysisState: 'ENABLED' } },
      /ContentQualityAnalysisState ENABLED is not implemented/,
    ],
    [
      {
        name: 'a',
        source: rtp,
        sourceMonitoringConfig: { videoMonitoringSettings: [{ blackFrames: { state: 'ENABLED' } }] },
      },
      /BlackFrames.State ENABLED is not implemented/,
    ],
    [
      {
        name: 'a',
        source: rtp,
        sourceMonitoringConfig: {
          audioMonitoringSettings: [{ silentAudio: { state: 'DISABLED', thresholdSeconds: 9 } }],
        },
      },
      /ThresholdSeconds must be from 10 to 60/,
    ],
  ],
  'the source': (
    [
      [{ ...rtp, protocol: undefined }, /Source camera: Protocol is required/],
      [{ ...rtp, protocol: 'smoke' }, /enum value set/],
      [{ ...rtp, protocol: 'cdi' }, /the protocol cdi is not implemented/],
      [{ ...rtp, protocol: 'st2110-jpegxs' }, /the protocol st2110-jpegxs is not implemented/],
      [{ ...rtp, protocol: 'fujitsu-qos' }, /the protocol fujitsu-qos is not implemented/],
      [{ ...rtp, protocol: 'ndi-speed-hq' }, /the protocol ndi-speed-hq is not implemented/],
      [{ ...zixi, protocol: 'zixi-pull' }, /zixi-pull is for outputs/],
      [{ ...rtp, name: 'a/b' }, /Source: Name must be/],
      [{ ...rtp, ingestPort: undefined }, /IngestPort is required/],
      [{ ...rtp, ingestPort: 1023 }, /IngestPort must be from 1024 to 65535/],
      [{ ...rtp, ingestPort: 65_536 }, /IngestPort must be from 1024 to 65535/],
      [{ ...rtp, protocol: 'rtp-fec', ingestPort: 65_532 }, /IngestPort must be from 1024 to 65531/],
      [{ ...rtp, protocol: 'rist', ingestPort: 65_535 }, /IngestPort must be from 1024 to 65534/],
      [{ ...rtp, protocol: 'rist', ingestPort: 5001 }, /must be even for RIST/],
      [{ ...srt, ingestPort: 2077 }, /must not be 2077, which is kept for Zixi/],
      [{ ...srt, ingestPort: 2088 }, /must not be 2088, which is kept for Zixi/],
      [{ ...rtp, whitelistCidr: undefined }, /WhitelistCidr is required: nobody may send who is not named/],
      [{ ...rtp, whitelistCidr: '10.0.0.0' }, /10\.0\.0\.0 is not a CIDR block/],
      [{ ...rtp, whitelistCidr: '10.0.0.0/33' }, /is not a CIDR block/],
      [{ ...rtp, whitelistCidr: '10.0.0/8' }, /is not a CIDR block/],
      [{ ...rtp, whitelistCidr: '2001:db8::/129' }, /is not a CIDR block/],
      [{ ...rtp, maxBitrate: 0 }, /MaxBitrate must be from 1/],
      [{ ...rtp, maxLatency: 100 }, /MaxLatency is not valid for the protocol rtp/],
      [{ ...rtp, minLatency: 100 }, /MinLatency is not valid for the protocol rtp/],
      [{ ...rtp, streamId: 'a' }, /StreamId is not valid for the protocol rtp/],
      [{ ...rtp, decryption: staticKey }, /Decryption is not valid for the protocol rtp/],
      [{ ...rtp, sourceListenerPort: 5000 }, /SourceListenerPort is not valid for the protocol rtp/],
      [{ ...rtp, maxSyncBuffer: 100 }, /MaxSyncBuffer is not implemented/],
      [{ ...rtp, senderControlPort: 100 }, /SenderControlPort is not implemented/],
      [{ ...rtp, senderIpAddress: '192.0.2.1' }, /SenderIpAddress is not implemented/],
      [{ ...rtp, vpcInterfaceName: 'none' }, /the flow has no VPC interface none/],
      [{ ...rtp, routerIntegrationState: 'ENABLED' }, /RouterIntegrationState ENABLED is not implemented/],
      [{ ...rtp, ndiSourceSettings: {} }, /NdiSourceSettings is not implemented/],
      [
        { ...rtp, mediaStreamSourceConfigurations: [{ encodingName: 'raw', mediaStreamName: 'a' }] },
        /MediaStreamSourceConfigurations is not implemented/,
      ],
      [
        { gatewayBridgeSource: { bridgeArn: 'arn:aws:mediaconnect:us-east-1:123456789012:bridge:1-a:b' } },
        /GatewayBridgeSource is not implemented/,
      ],
      [{ ...rtp, description: 'a'.repeat(1025) }, /Description has more than 1024/],
      [{ ...srt, minLatency: 99 }, /MinLatency must be from 100 to 15000/],
      [{ ...srt, minLatency: 15_001 }, /MinLatency must be from 100 to 15000/],
      [{ ...srt, streamId: 'a' }, /StreamId is not valid for the protocol srt-listener/],
      [{ ...rtp, protocol: 'rist', maxLatency: 0 }, /MaxLatency must be from 1 to 15000/],
      [{ ...zixi, maxLatency: 60_001 }, /MaxLatency must be from 0 to 60000/],
      [{ ...caller, sourceListenerAddress: undefined }, /SourceListenerAddress is required/],
      [{ ...caller, sourceListenerPort: undefined }, /SourceListenerPort is required/],
      [{ ...caller, sourceListenerPort: 70_000 }, /SourceListenerPort must be from 1 to 65535/],
      [{ ...caller, sourceListenerAddress: 'a b' }, /must be an IP address or a host name/],
      [{ ...caller, sourceListenerAddress: '10.0.0.256' }, /must be an IP address or a host name/],
      [{ ...caller, whitelistCidr: anybody }, /WhitelistCidr is not valid for the protocol srt-caller/],
      [{ ...caller, ingestPort: 5000 }, /IngestPort is not valid for the protocol srt-caller/],
      [{ ...caller, streamId: 'a'.repeat(513) }, /StreamId must be 1 to 512 bytes/],
      [
        { entitlementArn: 'arn:aws:mediaconnect:us-east-1:210987654321:entitlement:1-a:b' },
        /does not exist, or is not granted to this account/,
      ],
    ] satisfies Case[]
  ).map(([source, message]) => [{ name: 'a', source }, message] as const),
  'how the source is encrypted': (
    [
      [zixi, { ...staticKey, algorithm: undefined }, /Algorithm is required for static-key/],
      [zixi, { ...staticKey, algorithm: 'aes512' }, /enum value set/],
      [zixi, { ...staticKey, roleArn: undefined }, /Member must not be null/],
      [zixi, { ...staticKey, secretArn: undefined }, /SecretArn is required/],
      [zixi, { ...staticKey, roleArn: 'MediaConnectASM' }, /RoleArn must be the ARN of an IAM role/],
      [zixi, { ...staticKey, roleArn: ROLE.replace('role/', 'user/') }, /RoleArn must be the ARN of an IAM role/],
      [zixi, { ...staticKey, roleArn: ROLE.replace('1234', '9999') }, /must be of the flow's account, 123456789012/],
      [zixi, { ...staticKey, secretArn: 'key' }, /SecretArn must be the ARN of a secret/],
      [zixi, { ...staticKey, secretArn: SECRET.replace('1234', '9999') }, /must be of the flow's account/],
      [zixi, { ...staticKey, secretArn: SECRET.replace('us-east-1', 'eu-west-1') }, /must be in the flow's Region/],
      [zixi, password, /KeyType must be static-key here, not srt-password/],
      [srt, staticKey, /KeyType must be srt-password here, not static-key/],
      [srt, { ...password, keyType: undefined }, /must be srt-password here, not static-key \(the default\)/],
      [zixi, { ...staticKey, keyType: 'speke' }, /KeyType speke is not implemented/],
      [zixi, { ...staticKey, url: 'https://key.example' }, /Url is of SPEKE/],
      [
        zixi,
        { ...staticKey, constantInitializationVector: '0'.repeat(32) },
        /ConstantInitializationVector is of SPEKE/,
      ],
    ] satisfies (readonly [object, object, RegExp])[]
  ).map(([source, decryption, message]) => [{ name: 'a', source: { ...source, decryption } }, message] as const),
  'an output': (
    [
      [{ ...taker, protocol: undefined }, /Output taker: Protocol is required/],
      [{ ...taker, protocol: 'cdi' }, /the protocol cdi is not implemented/],
      [{ ...taker, name: 'ä' }, /Output: Name must be/],
      [{ ...taker, destination: undefined }, /Destination is required/],
      [{ ...taker, destination: 'http://a' }, /must be an IP address or a host name/],
      [{ ...taker, port: undefined }, /Port is required/],
      [{ ...taker, port: 0 }, /Port must be from 1 to 65535/],
      [{ ...taker, protocol: 'rist', port: 6001 }, /must be even for RIST/],
      [{ ...taker, smoothingLatency: 50 }, /SmoothingLatency \(unless it is 0\) must be from 100 to 1000/],
      [{ ...taker, minLatency: 200 }, /MinLatency is not valid for the protocol rtp/],
      [{ ...taker, cidrAllowList: [anybody] }, /CidrAllowList is not valid for the protocol rtp/],
      [{ ...taker, encryption: staticKey }, /Encryption is not valid for the protocol rtp/],
      [{ ...taker, senderControlPort: 5 }, /SenderControlPort is not implemented/],
      [{ ...taker, routerIntegrationState: 'ENABLED' }, /RouterIntegrationState ENABLED is not implemented/],
      [{ ...taker, ndiProgramName: 'a' }, /NdiProgramName is not implemented/],
      [{ ...taker, ndiSpeedHqQuality: 100 }, /NdiSpeedHqQuality is not implemented/],
      [{ ...taker, vpcInterfaceAttachment: { vpcInterfaceName: 'x' } }, /the flow has no VPC interface x/],
      [{ ...listener, cidrAllowList: undefined }, /CidrAllowList is required: nobody may take the stream/],
      [{ ...listener, cidrAllowList: [] }, /CidrAllowList is required: nobody may take the stream/],
      [{ ...listener, cidrAllowList: [anybody, 'x'] }, /x is not a CIDR block/],
      [{ ...listener, port: undefined }, /Port is required/],
      [{ ...listener, port: 80 }, /Port must be from 1024 to 65535/],
      [{ ...listener, port: 2088 }, /kept for Zixi/],
      [{ ...listener, destination: '192.0.2.1' }, /Destination is not valid for the protocol srt-listener/],
      [{ ...pull, remoteId: undefined }, /RemoteId is required/],
      [{ ...pull, encryption: password }, /KeyType must be static-key here/],
    ] satisfies Case[]
  ).map(([output, message]) => [{ name: 'a', source: rtp, outputs: [output] }, message] as const),
  'how things go together': [
    [{ name: 'a', source: rtp, outputs: [taker, { ...taker, port: 6002 }] }, /the name taker is there already/],
    [{ name: 'a', source: rtp, outputs: [taker, { ...taker, name: 'b' }] }, /sends to 192\.0\.2\.1 port 6000 already/],
    [
      {
        name: 'a',
        source: rtp,
        outputs: [
          { ...taker, protocol: 'rtp-fec' },
          { ...taker, name: 'b', port: 6004 },
        ],
      },
      /sends to 192\.0\.2\.1 port 6004 already/,
    ],
    [
      { name: 'a', source: { ...rtp, protocol: 'rtp-fec' }, outputs: [{ ...listener, port: 5004 }] },
      /UDP port 5004 is wanted by the source camera and by the output taker/,
    ],
    [
      { name: 'a', sources: [rtp, { ...srt, name: 'b', ingestPort: 5002 }], sourceFailoverConfig: failover },
      /must have the same protocol/,
    ],
    [
      { name: 'a', sources: [srt], sourceFailoverConfig: { state: 'ENABLED', failoverMode: 'MERGE' } },
      /MERGE needs sources of the protocol rtp, rtp-fec or rist/,
    ],
    [
      { name: 'a', source: rtp, sourceFailoverConfig: { state: 'ENABLED', failoverMode: 'MERGE', recoveryWindow: 99 } },
      /RecoveryWindow must be from 100 to 15000/,
    ],
    [
      { name: 'a', source: rtp, sourceFailoverConfig: { ...failover, recoveryWindow: 200 } },
      /RecoveryWindow is of the mode MERGE/,
    ],
    [
      { name: 'a', source: rtp, sourceFailoverConfig: { ...failover, sourcePriority: { primarySource: 'x' } } },
      /the flow has no source x/,
    ],
  ],
  'an entitlement': (
    [
      [{ ...entitlement, subscribers: undefined }, /Member must not be null/],
      [{ ...entitlement, subscribers: [] }, /Subscribers must be 1 to 50 account ids/],
      [{ ...entitlement, subscribers: ['me'] }, /me is not an account id/],
      [{ ...entitlement, subscribers: ['123456789012'] }, /is the flow's own account/],
      [{ ...entitlement, name: 'a'.repeat(65) }, /Name must be 1 to 64/],
      [{ ...entitlement, dataTransferSubscriberFeePercent: 101 }, /must be from 0 to 100/],
      [{ ...entitlement, encryption: password }, /KeyType must be static-key here/],
      [{ ...entitlement, encryption: { ...staticKey, keyType: 'speke' } }, /KeyType speke is not implemented/],
    ] satisfies Case[]
  ).map(([one, message]) => [{ name: 'a', source: rtp, entitlements: [one] }, message] as const),
  'what is only kept': [
    [
      {
        name: 'a',
        source: rtp,
        vpcInterfaces: [{ name: 'v', roleArn: ROLE, securityGroupIds: ['x'], subnetId: 'subnet-1' }],
      },
      /SecurityGroupIds must be ids of security groups/,
    ],
    [
      {
        name: 'a',
        source: rtp,
        vpcInterfaces: [{ name: 'v', roleArn: ROLE, securityGroupIds: ['sg-1'], subnetId: 'x' }],
      },
      /SubnetId must be the id of a subnet/,
    ],
    [
      {
        name: 'a',
        source: rtp,
        mediaStreams: [{ mediaStreamId: 1, mediaStreamName: 'v', mediaStreamType: 'video', clockRate: 48_000 }],
      },
      /ClockRate must be 90000 for video/,
    ],
    [
      {
        name: 'a',
        source: rtp,
        mediaStreams: [{ mediaStreamId: 1, mediaStreamName: 'v', mediaStreamType: 'audio', videoFormat: '1080p' }],
      },
      /VideoFormat is of video/,
    ],
  ],
};

describe('a flow is refused, with what is wrong, for', () => {
  let platform: TestPlatform;

  before(async () => {
    platform = await startTestPlatform({ COFFER_MEDIACONNECT_ADDRESS: flowAddress() });
  });
  after(() => platform.stop());

  const refused = (answer: FlowAnswer, message: RegExp, code = 'BadRequestException', status = 400): void => {
    const shown = JSON.stringify(answer.body);
    assert.deepEqual([answer.status, answer.code], [status, code], shown);
    assert.match((answer.body as { message: string }).message, message);
  };

  for (const [subject, cases] of Object.entries(CASES)) {
    it(subject, async () => {
      for (const [body, message] of cases) refused(await callFlows(platform, 'POST', '/flows', body), message);
      assert.deepEqual((await callFlows(platform, 'GET', '/flows')).body, { flows: [] }, 'something was left');
    });
  }

  it('quotas: outputs, entitlements and flows, with status 420', async () => {
    const outputs = Array.from({ length: 49 }, (_, n) => ({ ...taker, name: `o${n}`, port: 6000 + n }));
    const entitled = [entitlement, { ...entitlement, name: 'second' }];
    const tooMany = { name: 'a', source: rtp, outputs, entitlements: entitled };
    refused(await callFlows(platform, 'POST', '/flows', tooMany), /at most 50 outputs/, 'CreateFlow420Exception', 420);
    const { body } = await callFlows(platform, 'POST', '/flows', { ...tooMany, entitlements: [entitlement] });
    const { flowArn } = (body as { flow: { flowArn: string } }).flow;
    const path = `/flows/${flowArn}`;
    const one = { ...taker, name: 'one', port: 7000 };
    const adding = await callFlows(platform, 'POST', `${path}/outputs`, { outputs: [one] });
    refused(adding, /at most 50 outputs/, 'AddFlowOutputs420Exception', 420);
    const granting = await callFlows(platform, 'POST', `${path}/entitlements`, { entitlements: [entitled[1]] });
    refused(granting, /at most 50 outputs/, 'GrantFlowEntitlements420Exception', 420);
    for (let n = 1; n < 20; n++) {
      const source = { ...rtp, ingestPort: 8000 + n };
      assert.equal((await callFlows(platform, 'POST', '/flows', { name: `f${n}`, source })).status, 201);
    }
    const last = { name: 'last', source: { ...rtp, ingestPort: 9000 } };
    refused(await callFlows(platform, 'POST', '/flows', last), /at most 20 flows/, 'CreateFlow420Exception', 420);
  });
});
