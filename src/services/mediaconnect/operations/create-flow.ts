import type { CreateFlowResponse } from '@aws-sdk/client-mediaconnect';
import { operation } from '#kernel/operation.ts';
import type {
  AddOutputRequest,
  CreateFlowRequest,
  GrantEntitlementRequest,
  Loose,
  SetSourceRequest,
} from '../api-types.ts';
import type { MediaConnectContext } from '../context.ts';
import type { EntitlementDocument, FlowDocument, OutputDocument, SourceDocument } from '../domain/flow-document.ts';
import {
  checkFailover,
  checkMonitoring,
  checkZone,
  MAX_SOURCES,
  refuseUnknownFlowMembers,
} from '../domain/flow-rules.ts';
import { flowView } from '../domain/flow-view.ts';
import { checkMaintenance } from '../domain/maintenance.ts';
import { withMediaStreams } from '../domain/media-stream-rules.ts';
import { isFilled } from '../domain/source-rules.ts';
import { checkTags, type TagMap } from '../domain/tags.ts';
import { checkName } from '../domain/value-rules.ts';
import { withVpcInterfaces } from '../domain/vpc-interface-rules.ts';
import { badRequest, quotaExceeded } from '../errors.ts';
import type { FlowDraft } from '../flow-draft.ts';
import { accountOfCaller, futureArn } from '../flows.ts';
import { CreateFlow$ } from '../generated/schemas.ts';
import { checkGranted } from './check-granted.ts';
import { addAll, newEntitlement, newOutput, newSource } from './new-parts.ts';
import { passRoles, rolesOf } from './pass-role.ts';
import { tagRequests } from './tag-requests.ts';

/** Outputs of a flow, those of its entitlements among them. */
export const MAX_OUTPUTS = 50;
const MAX_NAME = 64;

/** A flow does not start by itself. Two flows may have the same name. */
export const createFlow = operation<MediaConnectContext, CreateFlowRequest, Loose<CreateFlowResponse>>(CreateFlow$, {
  authorize(input, call) {
    const name = input.Name ?? '';
    const flow = futureArn('flow', call, name);
    const tagged: readonly { readonly arn: string; readonly tags: TagMap }[] = [
      { arn: flow, tags: input.FlowTags ?? {} },
      ...sourcesOf(input).map(({ Name = '*', SourceTags: tags = {} }) => ({
        arn: futureArn('source', call, Name),
        tags,
      })),
      ...(input.Outputs ?? []).map(({ Name = '*', OutputTags: tags = {} }) => ({
        arn: futureArn('output', call, Name),
        tags,
      })),
      ...(input.Entitlements ?? []).map(({ Name = '*', EntitlementTags: tags = {} }) => ({
        arn: futureArn('entitlement', call, Name),
        tags,
      })),
    ];
    return [
      { action: 'mediaconnect:CreateFlow', resource: flow, requestTags: input.FlowTags ?? {} },
      ...tagRequests(tagged),
      ...passRoles(
        [
          ...rolesOf(sourcesOf(input).map(({ Decryption }) => Decryption)),
          ...rolesOf((input.Outputs ?? []).map(({ Encryption }) => Encryption)),
          ...rolesOf((input.Entitlements ?? []).map(({ Encryption }) => Encryption)),
          ...(input.VpcInterfaces ?? []).map(({ RoleArn }) => RoleArn),
        ],
        flow,
      ),
    ];
  },
  async handle(input, call, { flows, directory, viewOf }) {
    const name = checkName(input.Name ?? '', MAX_NAME, 'Name');
    refuseUnknownFlowMembers(input);
    if (input.Source !== undefined && isFilled(input.Sources)) throw badRequest('Give Source or Sources, not both.');
    if (sourcesOf(input).length === 0) throw badRequest('Source or Sources is required.');
    if (sourcesOf(input).length > MAX_SOURCES) throw badRequest(`A flow has at most ${MAX_SOURCES} sources.`);
    if ((input.Outputs ?? []).length + (input.Entitlements ?? []).length > MAX_OUTPUTS) {
      throw quotaExceeded(
        'CreateFlow',
        `A flow has at most ${MAX_OUTPUTS} outputs, those of its entitlements included.`,
      );
    }
    const account = accountOfCaller(call.caller);
    for (const { EntitlementArn } of sourcesOf(input)) await checkGranted(directory, EntitlementArn, account);
    const flow = await flows.create(call, name, (draft) => documentOf(input, draft));
    call.audit.resources.add(flow.arn);
    return { Flow: flowView(flow, viewOf(flow)) as CreateFlowResponse['Flow'] };
  },
});

function sourcesOf({ Source, Sources = [] }: CreateFlowRequest) {
  return Source === undefined ? Sources : [Source];
}

function documentOf(input: CreateFlowRequest, draft: FlowDraft): FlowDocument {
  const vpcInterfaces = withVpcInterfaces([], input.VpcInterfaces ?? [], draft);
  return {
    availabilityZone: checkZone(input.AvailabilityZone, draft.region),
    sources: addAll<SetSourceRequest, SourceDocument>([], sourcesOf(input), (one, sources) =>
      newSource(one, { vpcInterfaces, sources }, draft),
    ),
    outputs: addAll<AddOutputRequest, OutputDocument>([], input.Outputs ?? [], (one, outputs) =>
      newOutput(one, { vpcInterfaces, outputs }, draft),
    ),
    entitlements: addAll<GrantEntitlementRequest, EntitlementDocument>([], input.Entitlements ?? [], (one, others) =>
      newEntitlement(one, others, draft),
    ),
    failover: input.SourceFailoverConfig && checkFailover(input.SourceFailoverConfig),
    vpcInterfaces,
    mediaStreams: withMediaStreams([], input.MediaStreams ?? []),
    maintenance: input.Maintenance && checkMaintenance(undefined, input.Maintenance, draft.now),
    monitoring: checkMonitoring(input.SourceMonitoringConfig ?? { ThumbnailState: 'DISABLED' }),
    tags: checkTags(input.FlowTags),
    errors: [],
  };
}
