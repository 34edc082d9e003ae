import type {
  AddOutputRequest,
  Encryption,
  EntitlementStatus,
  FailoverConfig,
  MediaStream,
  SetSourceRequest,
  VpcInterface,
} from '@aws-sdk/client-mediaconnect';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { MonitoringConfig } from '../api-types.ts';
import type { TagMap } from './tags.ts';

/** What is kept of a flow, as one JSON document. INVARIANT: it names secrets and roles, and holds no key. */
export interface FlowDocument {
  readonly availabilityZone: string;
  readonly sources: readonly SourceDocument[];
  readonly outputs: readonly OutputDocument[];
  readonly entitlements: readonly EntitlementDocument[];
  readonly failover: FailoverConfig | undefined;
  readonly vpcInterfaces: readonly VpcInterface[];
  readonly mediaStreams: readonly MediaStream[];
  readonly maintenance: MaintenanceDocument | undefined;
  readonly monitoring: MonitoringConfig;
  readonly tags: TagMap;
  /** Why the flow is in ERROR. */
  readonly errors: readonly string[];
}

/** The members of a request for a source, as far as they say what it is. */
export type SourceSettings = Readonly<
  Pick<
    SetSourceRequest,
    | 'Decryption'
    | 'Description'
    | 'EntitlementArn'
    | 'IngestPort'
    | 'MaxBitrate'
    | 'MaxLatency'
    | 'MinLatency'
    | 'Protocol'
    | 'SourceListenerAddress'
    | 'SourceListenerPort'
    | 'StreamId'
    | 'VpcInterfaceName'
    | 'WhitelistCidr'
  >
>;

export interface SourceDocument {
  readonly arn: string;
  readonly name: string;
  readonly settings: SourceSettings;
  readonly tags: TagMap;
}

export type OutputSettings = Readonly<
  Partial<
    Pick<
      AddOutputRequest,
      | 'CidrAllowList'
      | 'Description'
      | 'Destination'
      | 'Encryption'
      | 'MaxLatency'
      | 'MinLatency'
      | 'OutputStatus'
      | 'Port'
      | 'Protocol'
      | 'RemoteId'
      | 'SmoothingLatency'
      | 'StreamId'
      | 'VpcInterfaceAttachment'
    >
  >
>;

export interface OutputDocument {
  readonly arn: string;
  readonly name: string;
  readonly settings: OutputSettings;
  readonly tags: TagMap;
}

export interface EntitlementDocument {
  readonly arn: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly subscribers: readonly string[];
  readonly encryption: Encryption | undefined;
  readonly status: EntitlementStatus;
  readonly feePercent: number | undefined;
  /** On which the stream is handed out: chosen when the entitlement was granted. */
  readonly port: number;
  /** The ARN of the output by which the flow shows it. */
  readonly outputArn: string;
  readonly tags: TagMap;
}

export interface MaintenanceDocument {
  readonly day: string;
  /** `HH:00`, UTC. */
  readonly startHour: string;
  /** `YYYY-MM-DD`: a date that UpdateFlow asked for. It counts until it is past. */
  readonly scheduledDate?: string;
}

export type FlowState = 'STANDBY' | 'STARTING' | 'ACTIVE' | 'STOPPING' | 'ERROR';

/** A flow, as operations see it. */
export interface FlowRecord {
  /** Unique: the part that the ids of a flow and of all that belongs to it share. */
  readonly key: string;
  readonly arn: string;
  readonly account: AccountId;
  readonly region: Region;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly state: FlowState;
  readonly document: FlowDocument;
  /** True while the flow holds the subscription of the entitlement that its source names. */
  readonly isSubscribed: boolean;
}

/** The entitlement that the flow's source names. */
export function entitlementOf(document: FlowDocument): string | undefined {
  return document.sources[0]?.settings.EntitlementArn;
}
