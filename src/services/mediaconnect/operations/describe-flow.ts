import type {
  DescribeFlowRequest,
  DescribeFlowResponse,
  ListFlowsRequest,
  ListFlowsResponse,
} from '@aws-sdk/client-mediaconnect';
import { operation } from '#kernel/operation.ts';
import type { Loose } from '../api-types.ts';
import type { MediaConnectContext } from '../context.ts';
import { flowView, listedFlow } from '../domain/flow-view.ts';
import { decodePageToken, encodePageToken } from '../domain/page-token.ts';
import { accountOfCaller } from '../flows.ts';
import { DescribeFlow$, ListFlows$ } from '../generated/schemas.ts';

const DEFAULT_PAGE = 1000;

export const describeFlow = operation<MediaConnectContext, DescribeFlowRequest, Loose<DescribeFlowResponse>>(
  DescribeFlow$,
  {
    authorize: ({ FlowArn }, call, { flows }) => flows.access('DescribeFlow', FlowArn, call),
    async handle({ FlowArn }, call, { flows, health, viewOf }) {
      const flow = await flows.find(FlowArn, call);
      const errors = await health.errorsOf(flow);
      return {
        Flow: flowView(flow, viewOf(flow)) as DescribeFlowResponse['Flow'],
        ...(errors.length > 0 && { Messages: { Errors: [...errors] } }),
      };
    },
  },
);

/** In the order in which the flows were made. */
export const listFlows = operation<MediaConnectContext, ListFlowsRequest, ListFlowsResponse>(ListFlows$, {
  authorize: () => [{ action: 'mediaconnect:ListFlows', resource: '*' }],
  async handle({ MaxResults, NextToken }, call, { store, viewOf }) {
    const limit = MaxResults ?? DEFAULT_PAGE;
    const after = decodePageToken(NextToken, 'number');
    const found = await store.list(accountOfCaller(call.caller), call.region, { after, limit: limit + 1 });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      Flows: page.map((flow) => listedFlow(flow, viewOf(flow))),
      ...(found.length > limit &&
        last !== undefined && { NextToken: encodePageToken({ value: last.createdAt, id: last.key }) }),
    };
  },
});
