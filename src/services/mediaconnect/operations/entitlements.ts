import type {
  GrantFlowEntitlementsResponse,
  ListEntitlementsRequest,
  ListEntitlementsResponse,
  RevokeFlowEntitlementRequest,
  RevokeFlowEntitlementResponse,
  UpdateFlowEntitlementRequest,
  UpdateFlowEntitlementResponse,
} from '@aws-sdk/client-mediaconnect';
import { operation } from '#kernel/operation.ts';
import type { GrantEntitlementRequest, Loose } from '../api-types.ts';
import type { MediaConnectContext } from '../context.ts';
import { checkEntitlement, mergedEncryption } from '../domain/entitlement-rules.ts';
import type { FlowDocument } from '../domain/flow-document.ts';
import { entitlementView } from '../domain/flow-view.ts';
import { decodePageToken, encodePageToken } from '../domain/page-token.ts';
import { isFilled } from '../domain/source-rules.ts';
import { badRequest, notFound, quotaExceeded } from '../errors.ts';
import { accountOfCaller, futureArn } from '../flows.ts';
import {
  GrantFlowEntitlements$,
  ListEntitlements$,
  RevokeFlowEntitlement$,
  UpdateFlowEntitlement$,
} from '../generated/schemas.ts';
import { MAX_OUTPUTS } from './create-flow.ts';
import { addAll, newEntitlement } from './new-parts.ts';
import { passChangedRole, passRoles, rolesOf } from './pass-role.ts';
import { tagRequests } from './tag-requests.ts';

const DEFAULT_PAGE = 1000;

interface GrantFlowEntitlementsRequest {
  readonly FlowArn: string | undefined;
  readonly Entitlements: readonly GrantEntitlementRequest[] | undefined;
}

/** Each entitlement is an output of the flow, too. */
export const grantFlowEntitlements = operation<
  MediaConnectContext,
  GrantFlowEntitlementsRequest,
  Loose<GrantFlowEntitlementsResponse>
>(GrantFlowEntitlements$, {
  async authorize({ FlowArn, Entitlements = [] }, call, { flows }) {
    const parts = Entitlements.map(({ Name, EntitlementTags = {} }) => ({
      arn: futureArn('entitlement', call, Name ?? '*'),
      tags: EntitlementTags,
    }));
    return [
      ...(await flows.access('GrantFlowEntitlements', FlowArn, call, parts)),
      ...tagRequests(parts),
      ...passRoles(rolesOf(Entitlements.map(({ Encryption }) => Encryption)), FlowArn),
    ];
  },
  async handle({ FlowArn, Entitlements = [] }, call, { lifecycle }) {
    if (!isFilled(Entitlements)) throw badRequest('Entitlements must have at least one entitlement.');
    const flow = await lifecycle.change(FlowArn, call, (document, draft) => {
      if (document.outputs.length + document.entitlements.length + Entitlements.length > MAX_OUTPUTS) {
        throw quotaExceeded(
          'GrantFlowEntitlements',
          `A flow has at most ${MAX_OUTPUTS} outputs and entitlements together.`,
        );
      }
      return {
        ...document,
        entitlements: addAll(document.entitlements, Entitlements, (one, others) => newEntitlement(one, others, draft)),
      };
    });
    const added = flow.document.entitlements.slice(-Entitlements.length);
    for (const { arn } of added) call.audit.resources.add(arn);
    return { FlowArn: flow.arn, Entitlements: added.map(entitlementView) };
  },
});

export const updateFlowEntitlement = operation<
  MediaConnectContext,
  Loose<UpdateFlowEntitlementRequest>,
  Loose<UpdateFlowEntitlementResponse>
>(UpdateFlowEntitlement$, {
  async authorize({ FlowArn, EntitlementArn = '', Encryption }, call, { flows }) {
    return [
      ...(await flows.access('UpdateFlowEntitlement', FlowArn, call, [{ arn: EntitlementArn }])),
      ...(await passChangedRole(Encryption, FlowArn, () => flows.roleOf(FlowArn, EntitlementArn, call))),
    ];
  },
  async handle(input, call, { lifecycle }) {
    const { FlowArn, EntitlementArn } = input;
    const flow = await lifecycle.change(FlowArn, call, (document, draft) => {
      const before = requireEntitlement(document, EntitlementArn);
      const settings = checkEntitlement(
        {
          description: input.Description ?? before.description,
          subscribers: input.Subscribers ?? before.subscribers,
          encryption: mergedEncryption(before.encryption, input.Encryption),
          status: input.EntitlementStatus ?? before.status,
          feePercent: before.feePercent,
        },
        draft,
        `Entitlement ${before.name}`,
      );
      return {
        ...document,
        entitlements: document.entitlements.map((one) => (one.arn === EntitlementArn ? { ...one, ...settings } : one)),
      };
    });
    return { FlowArn, Entitlement: entitlementView(requireEntitlement(flow.document, EntitlementArn)) };
  },
});

/** Who took the stream by it has it no longer, at once. */
export const revokeFlowEntitlement = operation<
  MediaConnectContext,
  RevokeFlowEntitlementRequest,
  Loose<RevokeFlowEntitlementResponse>
>(RevokeFlowEntitlement$, {
  authorize: ({ FlowArn, EntitlementArn = '' }, call, { flows }) =>
    flows.access('RevokeFlowEntitlement', FlowArn, call, [{ arn: EntitlementArn }]),
  async handle({ FlowArn, EntitlementArn }, call, { lifecycle }) {
    await lifecycle.change(FlowArn, call, (document) => {
      requireEntitlement(document, EntitlementArn);
      return { ...document, entitlements: document.entitlements.filter(({ arn }) => arn !== EntitlementArn) };
    });
    return { FlowArn, EntitlementArn };
  },
});

/** What was granted to the caller's account, from every Region: a flow of any Region can take it. */
export const listEntitlements = operation<MediaConnectContext, ListEntitlementsRequest, ListEntitlementsResponse>(
  ListEntitlements$,
  {
    authorize: () => [{ action: 'mediaconnect:ListEntitlements', resource: '*' }],
    async handle({ MaxResults, NextToken }, call, { directory }) {
      const limit = MaxResults ?? DEFAULT_PAGE;
      const after = decodePageToken(NextToken, 'string')?.value ?? '';
      const found = await directory.list(accountOfCaller(call.caller), after, limit + 1);
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        Entitlements: page.map(({ arn, name, feePercent }) => ({
          EntitlementArn: arn,
          EntitlementName: name,
          ...(feePercent !== undefined && { DataTransferSubscriberFeePercent: feePercent }),
        })),
        ...(found.length > limit && last !== undefined && { NextToken: encodePageToken({ value: last.arn, id: '' }) }),
      };
    },
  },
);

/** @throws ServiceError NotFoundException */
function requireEntitlement({ entitlements }: FlowDocument, arn: string | undefined) {
  const entitlement = entitlements.find((one) => one.arn === arn);
  if (entitlement === undefined) throw notFound('The flow has no such entitlement.');
  return entitlement;
}
