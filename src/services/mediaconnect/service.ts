import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { MediaConnectContext } from './context.ts';
import { mediaConnectErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import * as schemas from './generated/schemas.ts';
import { createFlow } from './operations/create-flow.ts';
import { describeFlow, listFlows } from './operations/describe-flow.ts';
import {
  grantFlowEntitlements,
  listEntitlements,
  revokeFlowEntitlement,
  updateFlowEntitlement,
} from './operations/entitlements.ts';
import { deleteFlow, startFlow, stopFlow } from './operations/flow-state.ts';
import { addFlowMediaStreams, removeFlowMediaStream, updateFlowMediaStream } from './operations/media-streams.ts';
import { addFlowOutputs, removeFlowOutput, updateFlowOutput } from './operations/outputs.ts';
import { describeFlowSourceMetadata, describeFlowSourceThumbnail } from './operations/source-view.ts';
import { addFlowSources, removeFlowSource, updateFlowSource } from './operations/sources.ts';
import { listTagsForResource, tagResource, untagResource } from './operations/tags.ts';
import { updateFlow } from './operations/update-flow.ts';
import { addFlowVpcInterfaces, removeFlowVpcInterface } from './operations/vpc-interfaces.ts';

export function mediaConnectService(context: MediaConnectContext): Service<MediaConnectContext> {
  return {
    name: 'mediaconnect',
    eventSource: 'mediaconnect.amazonaws.com',
    signingNames: ['mediaconnect'],
    protocol: 'restJson1',
    schemas: operationSchemasOf(schemas),
    operations: [
      createFlow,
      describeFlow,
      listFlows,
      startFlow,
      stopFlow,
      deleteFlow,
      addFlowOutputs,
      updateFlowOutput,
      removeFlowOutput,
      updateFlow,
      addFlowSources,
      updateFlowSource,
      removeFlowSource,
      grantFlowEntitlements,
      updateFlowEntitlement,
      revokeFlowEntitlement,
      listEntitlements,
      addFlowVpcInterfaces,
      removeFlowVpcInterface,
      addFlowMediaStreams,
      updateFlowMediaStream,
      removeFlowMediaStream,
      describeFlowSourceMetadata,
      describeFlowSourceThumbnail,
      tagResource,
      untagResource,
      listTagsForResource,
    ],
    context,
    constraints,
    errors: mediaConnectErrors,
  };
}
