import type {
  AddFlowSourcesResponse,
  RemoveFlowSourceRequest,
  RemoveFlowSourceResponse,
  UpdateFlowSourceResponse,
} from '@aws-sdk/client-mediaconnect';
import { operation } from '#kernel/operation.ts';
import type { Loose, SetSourceRequest, UpdateFlowSourceRequest } from '../api-types.ts';
import type { MediaConnectContext } from '../context.ts';
import type { FlowDocument } from '../domain/flow-document.ts';
import { sourceView } from '../domain/flow-view.ts';
import { checkSource, isFilled, mergedSource, refuseUnknownSourceMembers } from '../domain/source-rules.ts';
import { badRequest, notFound } from '../errors.ts';
import { accountOfCaller, futureArn } from '../flows.ts';
import { AddFlowSources$, RemoveFlowSource$, UpdateFlowSource$ } from '../generated/schemas.ts';
import { checkGranted } from './check-granted.ts';
import { addAll, newSource, placeOf, sourceSettings } from './new-parts.ts';
import { passChangedRole, passRoles, rolesOf } from './pass-role.ts';
import { tagRequests } from './tag-requests.ts';

interface AddFlowSourcesRequest {
  readonly FlowArn: string | undefined;
  readonly Sources: readonly SetSourceRequest[] | undefined;
}

/** A second source needs source failover. */
export const addFlowSources = operation<MediaConnectContext, AddFlowSourcesRequest, Loose<AddFlowSourcesResponse>>(
  AddFlowSources$,
  {
    async authorize({ FlowArn, Sources = [] }, call, { flows }) {
      const parts = Sources.map(({ Name, SourceTags = {} }) => ({
        arn: futureArn('source', call, Name ?? '*'),
        tags: SourceTags,
      }));
      return [
        ...(await flows.access('AddFlowSources', FlowArn, call, parts)),
        ...tagRequests(parts),
        ...passRoles(rolesOf(Sources.map(({ Decryption }) => Decryption)), FlowArn),
      ];
    },
    async handle({ FlowArn, Sources = [] }, call, { lifecycle, viewOf }) {
      if (!isFilled(Sources)) throw badRequest('Sources must have at least one source.');
      const flow = await lifecycle.change(FlowArn, call, (document, draft) => ({
        ...document,
        sources: addAll(document.sources, Sources, (one, sources) => newSource(one, { ...document, sources }, draft)),
      }));
      const added = flow.document.sources.slice(-Sources.length);
      for (const { arn } of added) call.audit.resources.add(arn);
      return { FlowArn: flow.arn, Sources: added.map((source) => sourceView(source, viewOf(flow))) };
    },
  },
);

export const updateFlowSource = operation<
  MediaConnectContext,
  UpdateFlowSourceRequest,
  Loose<UpdateFlowSourceResponse>
>(UpdateFlowSource$, {
  async authorize({ FlowArn, SourceArn = '', Decryption }, call, { flows }) {
    return [
      ...(await flows.access('UpdateFlowSource', FlowArn, call, [{ arn: SourceArn }])),
      ...(await passChangedRole(Decryption, FlowArn, () => flows.roleOf(FlowArn, SourceArn, call))),
    ];
  },
  async handle(input, call, { lifecycle, directory, viewOf }) {
    const { FlowArn, SourceArn, EntitlementArn } = input;
    await checkGranted(directory, EntitlementArn, accountOfCaller(call.caller));
    const flow = await lifecycle.change(FlowArn, call, (document, draft) => {
      const source = requireSource(document, SourceArn);
      const what = `Source ${source.name}`;
      refuseUnknownSourceMembers(input, what);
      const isEntitled = source.settings.EntitlementArn !== undefined;
      if (isEntitled !== (EntitlementArn !== undefined || (isEntitled && input.Protocol === undefined))) {
        throw badRequest(`${what}: a source is of an entitlement or has a protocol. Make another flow for the other.`);
      }
      const merged = mergedSource(source.settings, sourceSettings(input as Parameters<typeof sourceSettings>[0]));
      const settings = checkSource(merged, { ...placeOf(document, draft), what });
      return {
        ...document,
        sources: document.sources.map((one) => (one.arn === SourceArn ? { ...one, settings } : one)),
      };
    });
    return { FlowArn, Source: sourceView(requireSource(flow.document, SourceArn), viewOf(flow)) };
  },
});

/** The last source cannot be removed. */
export const removeFlowSource = operation<
  MediaConnectContext,
  RemoveFlowSourceRequest,
  Loose<RemoveFlowSourceResponse>
>(RemoveFlowSource$, {
  authorize: ({ FlowArn, SourceArn = '' }, call, { flows }) =>
    flows.access('RemoveFlowSource', FlowArn, call, [{ arn: SourceArn }]),
  async handle({ FlowArn, SourceArn }, call, { lifecycle }) {
    await lifecycle.change(FlowArn, call, (document) => {
      const { name } = requireSource(document, SourceArn);
      if (document.failover?.SourcePriority?.PrimarySource === name) {
        throw badRequest(`Source ${name} is the primary source: choose another with UpdateFlow before.`);
      }
      return { ...document, sources: document.sources.filter(({ arn }) => arn !== SourceArn) };
    });
    return { FlowArn, SourceArn };
  },
});

/** @throws ServiceError NotFoundException */
function requireSource({ sources }: FlowDocument, arn: string | undefined) {
  const source = sources.find((one) => one.arn === arn);
  if (source === undefined) throw notFound('The flow has no such source.');
  return source;
}
