import type { AddOutputRequest, GrantEntitlementRequest, SetSourceRequest } from '../api-types.ts';
import { checkEntitlement } from '../domain/entitlement-rules.ts';
import type {
  EntitlementDocument,
  FlowDocument,
  OutputDocument,
  OutputSettings,
  SourceDocument,
  SourceSettings,
} from '../domain/flow-document.ts';
import { checkOutput, refuseUnknownOutputMembers } from '../domain/output-rules.ts';
import { checkSource, refuseUnknownSourceMembers, withoutAbsent } from '../domain/source-rules.ts';
import { checkTags } from '../domain/tags.ts';
import { checkName } from '../domain/value-rules.ts';
import type { FlowDraft } from '../flow-draft.ts';

type Interfaces = Pick<FlowDocument, 'vpcInterfaces'>;

/** @throws ServiceError BadRequestException */
export function newSource(
  given: SetSourceRequest,
  flow: Interfaces & { readonly sources: readonly SourceDocument[] },
  draft: FlowDraft,
): SourceDocument {
  const name = checkName(given.Name ?? freeName('source', flow.sources), 128, 'Source: Name');
  const what = `Source ${name}`;
  refuseUnknownSourceMembers(given, what);
  return {
    arn: draft.arnFor('source', name),
    name,
    settings: checkSource(sourceSettings(given), { ...placeOf(flow, draft), what }),
    tags: checkTags(given.SourceTags),
  };
}

/** @throws ServiceError BadRequestException */
export function newOutput(
  given: AddOutputRequest,
  flow: Interfaces & { readonly outputs: readonly OutputDocument[] },
  draft: FlowDraft,
): OutputDocument {
  const name = checkName(given.Name ?? freeName('output', flow.outputs), 128, 'Output: Name');
  const what = `Output ${name}`;
  refuseUnknownOutputMembers(given, what);
  return {
    arn: draft.arnFor('output', name),
    name,
    settings: checkOutput(outputSettings(given), { ...placeOf(flow, draft), what }),
    tags: checkTags(given.OutputTags),
  };
}

/** @throws ServiceError BadRequestException */
export function newEntitlement(
  given: GrantEntitlementRequest,
  others: readonly EntitlementDocument[],
  draft: FlowDraft,
): EntitlementDocument {
  const name = checkName(given.Name ?? freeName('entitlement', others), 64, 'Entitlement: Name');
  const settings = {
    description: given.Description,
    subscribers: given.Subscribers ?? [],
    encryption: given.Encryption,
    status: given.EntitlementStatus ?? 'ENABLED',
    feePercent: given.DataTransferSubscriberFeePercent,
  };
  return {
    arn: draft.arnFor('entitlement', name),
    name,
    ...checkEntitlement(settings, draft, `Entitlement ${name}`),
    // Chosen when all others are known.
    port: 0,
    outputArn: draft.arnFor('output', name),
    tags: checkTags(given.EntitlementTags),
  };
}

/** Adds several, each of which sees those before it. */
export function addAll<Given, Part>(
  before: readonly Part[],
  given: readonly Given[],
  make: (one: Given, others: readonly Part[]) => Part,
): Part[] {
  const parts = [...before];
  for (const one of given) parts.push(make(one, parts));
  return parts;
}

export function placeOf({ vpcInterfaces }: Interfaces, { account, region }: FlowDraft) {
  return { account, region, vpcInterfaces: vpcInterfaces.map(({ Name = '' }) => Name) };
}

export function sourceSettings(
  given: Omit<SetSourceRequest, 'Decryption'> & Pick<SourceSettings, 'Decryption'>,
): SourceSettings {
  return withoutAbsent({
    Decryption: given.Decryption,
    Description: given.Description,
    EntitlementArn: given.EntitlementArn,
    IngestPort: given.IngestPort,
    MaxBitrate: given.MaxBitrate,
    MaxLatency: given.MaxLatency,
    MinLatency: given.MinLatency,
    Protocol: given.Protocol,
    SourceListenerAddress: given.SourceListenerAddress,
    SourceListenerPort: given.SourceListenerPort,
    StreamId: given.StreamId,
    VpcInterfaceName: given.VpcInterfaceName,
    WhitelistCidr: given.WhitelistCidr,
  }) as SourceSettings;
}

export function outputSettings(
  given: Omit<AddOutputRequest, 'Encryption'> & Pick<OutputSettings, 'Encryption'>,
): OutputSettings {
  return withoutAbsent({
    CidrAllowList: given.CidrAllowList,
    Description: given.Description,
    Destination: given.Destination,
    Encryption: given.Encryption,
    MaxLatency: given.MaxLatency,
    MinLatency: given.MinLatency,
    OutputStatus: given.OutputStatus,
    Port: given.Port,
    Protocol: given.Protocol,
    RemoteId: given.RemoteId,
    SmoothingLatency: given.SmoothingLatency,
    StreamId: given.StreamId,
    VpcInterfaceAttachment: given.VpcInterfaceAttachment,
  }) as OutputSettings;
}

function freeName(kind: string, others: readonly { readonly name: string }[]): string {
  for (let number = 1; ; number++) {
    const name = `${kind}-${number}`;
    if (!others.some((other) => other.name === name)) return name;
  }
}
