import type * as sdk from '@aws-sdk/client-mediaconnect';
import type { TagMap } from './domain/tags.ts';

/*
 * The SDK's types are of an older version of the API than the schemas (see docs/decisions and tools/generate-facts.ts):
 * here is what they lack.
 */

type State = 'ENABLED' | 'DISABLED';

/** As the type, with members that may be there and undefined. */
export type Loose<Shape> = { readonly [Member in keyof Shape]?: Shape[Member] | undefined };

/** What an update, or a request that makes something, says of encryption. */
export type GivenEncryption = Loose<sdk.UpdateEncryption>;

interface NewSourceMembers {
  readonly NdiSourceSettings?: object;
  readonly SourceTags?: TagMap;
  readonly RouterIntegrationState?: State;
  readonly RouterIntegrationTransitDecryption?: object;
}

interface NewOutputMembers {
  readonly NdiSpeedHqQuality?: number;
  readonly NdiProgramName?: string;
  readonly OutputTags?: TagMap;
  readonly RouterIntegrationState?: State;
  readonly RouterIntegrationTransitEncryption?: object;
}

export interface NewFlowMembers {
  readonly FlowSize?: 'MEDIUM' | 'LARGE' | 'LARGE_4X';
  readonly NdiConfig?: { readonly NdiState?: State };
  readonly EncodingConfig?: object;
}

interface Monitored {
  readonly State?: State;
  readonly ThresholdSeconds?: number;
}

export interface MonitoringConfig {
  readonly ThumbnailState?: State;
  readonly ContentQualityAnalysisState?: State;
  readonly AudioMonitoringSettings?: readonly { readonly SilentAudio?: Monitored }[];
  readonly VideoMonitoringSettings?: readonly {
    readonly BlackFrames?: Monitored;
    readonly FrozenFrames?: Monitored;
  }[];
}

export type SetSourceRequest = sdk.SetSourceRequest & NewSourceMembers;
export type AddOutputRequest = Partial<sdk.AddOutputRequest> & NewOutputMembers;
export type GrantEntitlementRequest = sdk.GrantEntitlementRequest & { readonly EntitlementTags?: TagMap };
export type AddMediaStreamRequest = sdk.AddMediaStreamRequest & { readonly MediaStreamTags?: TagMap };
export type VpcInterfaceRequest = sdk.VpcInterfaceRequest & { readonly VpcInterfaceTags?: TagMap };

export interface CreateFlowRequest extends NewFlowMembers {
  readonly Name: string | undefined;
  readonly AvailabilityZone?: string;
  readonly Entitlements?: readonly GrantEntitlementRequest[];
  readonly MediaStreams?: readonly AddMediaStreamRequest[];
  readonly Outputs?: readonly AddOutputRequest[];
  readonly Source?: SetSourceRequest;
  readonly Sources?: readonly SetSourceRequest[];
  readonly SourceFailoverConfig?: sdk.FailoverConfig;
  readonly VpcInterfaces?: readonly VpcInterfaceRequest[];
  readonly Maintenance?: sdk.AddMaintenance;
  readonly SourceMonitoringConfig?: MonitoringConfig;
  readonly FlowTags?: TagMap;
}

export interface UpdateFlowRequest extends NewFlowMembers {
  readonly FlowArn: string | undefined;
  readonly SourceFailoverConfig?: sdk.UpdateFailoverConfig;
  readonly Maintenance?: sdk.UpdateMaintenance;
  readonly SourceMonitoringConfig?: MonitoringConfig;
}

export type UpdateFlowSourceRequest = sdk.UpdateFlowSourceRequest & NewSourceMembers;
export type UpdateFlowOutputRequest = sdk.UpdateFlowOutputRequest & NewOutputMembers;

export type Flow = Omit<sdk.Flow, 'SourceMonitoringConfig'> & {
  readonly SourceMonitoringConfig?: MonitoringConfig;
  readonly FlowSize: 'MEDIUM';
};
export type Source = sdk.Source & { readonly PeerIpAddress?: string };
export type Output = sdk.Output & { readonly PeerIpAddress?: string };
