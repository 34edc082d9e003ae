import type { Entitlement, ListedFlow, Transport } from '@aws-sdk/client-mediaconnect';
import type { FlowStatus } from '#media/live/flow-engine.ts';
import type { Flow, Output, Source } from '../api-types.ts';
import {
  type EntitlementDocument,
  entitlementOf,
  type FlowRecord,
  type FlowState,
  type OutputDocument,
  type SourceDocument,
} from './flow-document.ts';
import { maintenanceView } from './maintenance.ts';
import { listens } from './output-rules.ts';
import { isCarried, isZixi } from './protocols.ts';
import { withoutAbsent } from './source-rules.ts';

/** What a flow's record does not say of it. */
export interface ViewParts {
  readonly status: FlowState | 'UPDATING';
  /** The address on which flows listen, and from which they send. */
  readonly address: string;
  /** Of a flow that runs. */
  readonly live: FlowStatus | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type Place = Pick<ViewParts, 'address' | 'live'>;

export function flowView(flow: FlowRecord, parts: ViewParts): Flow {
  const { arn, name, document } = flow;
  const sources = document.sources.map((source) => sourceView(source, parts));
  const [source] = sources;
  const { failover, maintenance, vpcInterfaces, mediaStreams } = document;
  return {
    FlowArn: arn,
    Name: name,
    AvailabilityZone: document.availabilityZone,
    Status: parts.status,
    EgressIp: parts.address,
    Source: source,
    Sources: sources,
    Outputs: outputViews(flow, parts),
    Entitlements: document.entitlements.map(entitlementView),
    FlowSize: 'MEDIUM',
    SourceMonitoringConfig: document.monitoring,
    ...(failover !== undefined && { SourceFailoverConfig: failover }),
    ...(maintenance !== undefined && { Maintenance: maintenanceView(maintenance, parts.now) }),
    ...(vpcInterfaces.length > 0 && { VpcInterfaces: [...vpcInterfaces] }),
    ...(mediaStreams.length > 0 && { MediaStreams: [...mediaStreams] }),
  };
}

export function listedFlow(
  { arn, name, document }: FlowRecord,
  { status, now }: Pick<ViewParts, 'status' | 'now'>,
): ListedFlow {
  return {
    FlowArn: arn,
    Name: name,
    Description: '',
    AvailabilityZone: document.availabilityZone,
    SourceType: entitlementOf(document) === undefined ? 'OWNED' : 'ENTITLED',
    Status: status,
    ...(document.maintenance !== undefined && { Maintenance: maintenanceView(document.maintenance, now) }),
  };
}

export function sourceView({ arn, name, settings }: SourceDocument, { address, live }: Place): Source {
  const { Protocol, IngestPort } = settings;
  const peer = addressOf(live?.sources.find(({ id }) => id === arn)?.statistics.peer);
  return withoutAbsent({
    SourceArn: arn,
    Name: name,
    Description: settings.Description,
    Decryption: settings.Decryption,
    EntitlementArn: settings.EntitlementArn,
    VpcInterfaceName: settings.VpcInterfaceName,
    WhitelistCidr: settings.WhitelistCidr,
    IngestPort,
    IngestIp: IngestPort === undefined ? undefined : address,
    PeerIpAddress: peer ?? settings.SourceListenerAddress,
    Transport:
      Protocol &&
      transport({
        Protocol,
        MaxBitrate: settings.MaxBitrate,
        MaxLatency: settings.MaxLatency,
        MinLatency: settings.MinLatency,
        StreamId: settings.StreamId,
        SourceListenerAddress: settings.SourceListenerAddress,
        SourceListenerPort: settings.SourceListenerPort,
      }),
  }) as Source;
}

/** A flow's own outputs, and those of its entitlements. */
function outputViews({ document }: FlowRecord, place: Place): Output[] {
  return [
    ...document.outputs.map((output) => outputView(output, place)),
    ...document.entitlements.map((entitlement) => entitlementOutput(entitlement, place)),
  ];
}

export function outputView({ arn, name, settings }: OutputDocument, { address, live }: Place): Output {
  const { Protocol = 'rtp' } = settings;
  const isListening = isCarried(Protocol) && listens(Protocol);
  const report = live?.outputs.find(({ id }) => id === arn);
  // AWS: of outputs that dial it is the destination, of those that listen whoever has come.
  const peer = isListening ? undefined : settings.Destination;
  return withoutAbsent({
    OutputArn: arn,
    Name: name,
    Description: settings.Description,
    Destination: settings.Destination,
    Port: settings.Port,
    Encryption: settings.Encryption,
    VpcInterfaceAttachment: settings.VpcInterfaceAttachment,
    OutputStatus: settings.OutputStatus,
    ListenerAddress: isListening ? address : undefined,
    PeerIpAddress: report === undefined ? undefined : (addressOf(report.statistics.peer) ?? peer),
    Transport: transport({
      Protocol,
      CidrAllowList: settings.CidrAllowList,
      MaxLatency: settings.MaxLatency,
      MinLatency: settings.MinLatency,
      SmoothingLatency: settings.SmoothingLatency,
      RemoteId: settings.RemoteId,
      // AWS: the stream id of Zixi is the output's name unless another is given.
      StreamId: settings.StreamId ?? (isCarried(Protocol) && isZixi(Protocol) ? name : undefined),
    }),
  }) as Output;
}

/** The output by which AWS shows an entitlement; here it says where the stream can be taken, too. */
function entitlementOutput(entitlement: EntitlementDocument, { address, live }: Place): Output {
  const { arn, name, outputArn, port, encryption, status, feePercent } = entitlement;
  const report = live?.outputs.find(({ id }) => id === arn);
  return withoutAbsent({
    OutputArn: outputArn,
    Name: name,
    EntitlementArn: arn,
    Encryption: encryption,
    OutputStatus: status,
    DataTransferSubscriberFeePercent: feePercent,
    // Without encryption it is handed out inside this machine alone.
    ListenerAddress: encryption === undefined ? undefined : address,
    Port: port,
    PeerIpAddress: report && addressOf(report.statistics.peer),
  }) as Output;
}

export function entitlementView(entitlement: EntitlementDocument): Entitlement {
  return withoutAbsent({
    EntitlementArn: entitlement.arn,
    Name: entitlement.name,
    Description: entitlement.description,
    Subscribers: [...entitlement.subscribers],
    Encryption: entitlement.encryption,
    EntitlementStatus: entitlement.status,
    DataTransferSubscriberFeePercent: entitlement.feePercent,
  }) as Entitlement;
}

function transport(members: { readonly [Member in keyof Transport]?: Transport[Member] | undefined }): Transport {
  return withoutAbsent(members) as Transport;
}

/** The address in `address:port`. */
function addressOf(peer: string | undefined): string | undefined {
  return peer?.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}
