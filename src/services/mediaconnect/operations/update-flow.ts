import type { UpdateFlowResponse } from '@aws-sdk/client-mediaconnect';
import { isDeepStrictEqual } from 'node:util';
import { operation } from '#kernel/operation.ts';
import type { Loose, UpdateFlowRequest } from '../api-types.ts';
import type { MediaConnectContext } from '../context.ts';
import { checkFailover, checkMonitoring, refuseUnknownFlowMembers } from '../domain/flow-rules.ts';
import { flowView } from '../domain/flow-view.ts';
import { checkMaintenance } from '../domain/maintenance.ts';
import type { FlowDocument } from '../domain/flow-document.ts';
import { withoutAbsent } from '../domain/source-rules.ts';
import type { FlowDraft } from '../flow-draft.ts';
import { UpdateFlow$ } from '../generated/schemas.ts';

export const updateFlow = operation<MediaConnectContext, UpdateFlowRequest, Loose<UpdateFlowResponse>>(UpdateFlow$, {
  authorize: ({ FlowArn }, call, { flows }) => flows.access('UpdateFlow', FlowArn, call),
  async handle(input, call, { lifecycle, viewOf }) {
    refuseUnknownFlowMembers(input);
    const touchesMedia = input.SourceFailoverConfig !== undefined || input.SourceMonitoringConfig !== undefined;
    const change = (document: FlowDocument, draft: FlowDraft) => changed(document, input, draft);
    const flow = await lifecycle.change(input.FlowArn, call, change, touchesMedia);
    return { Flow: flowView(flow, viewOf(flow)) as NonNullable<UpdateFlowResponse['Flow']> };
  },
});

function changed(document: FlowDocument, input: UpdateFlowRequest, draft: FlowDraft): FlowDocument {
  const { SourceFailoverConfig, Maintenance, SourceMonitoringConfig } = input;
  return {
    ...document,
    ...(SourceFailoverConfig !== undefined && { failover: mergedFailover(document, SourceFailoverConfig) }),
    ...(Maintenance !== undefined && { maintenance: checkMaintenance(document.maintenance, Maintenance, draft.now) }),
    ...(SourceMonitoringConfig !== undefined && {
      monitoring: checkMonitoring({ ...document.monitoring, ...withoutAbsent(SourceMonitoringConfig) }),
    }),
  };
}

/** What belongs to the other mode goes with it. */
function mergedFailover(
  { failover }: FlowDocument,
  update: NonNullable<UpdateFlowRequest['SourceFailoverConfig']>,
): FlowDocument['failover'] {
  const mode = update.FailoverMode ?? failover?.FailoverMode;
  const isOtherMode = failover !== undefined && !isDeepStrictEqual(mode, failover.FailoverMode);
  const kept = isOtherMode ? { State: failover.State } : failover;
  return checkFailover(withoutAbsent({ ...kept, ...withoutAbsent(update) }) as Parameters<typeof checkFailover>[0]);
}
