import type {
  DeleteFlowRequest,
  DeleteFlowResponse,
  StartFlowRequest,
  StartFlowResponse,
  StopFlowRequest,
  StopFlowResponse,
} from '@aws-sdk/client-mediaconnect';
import { operation } from '#kernel/operation.ts';
import type { Loose } from '../api-types.ts';
import type { MediaConnectContext } from '../context.ts';
import { DeleteFlow$, StartFlow$, StopFlow$ } from '../generated/schemas.ts';

/** Answers at once; whether the flow runs then, DescribeFlow says. */
export const startFlow = operation<MediaConnectContext, StartFlowRequest, Loose<StartFlowResponse>>(StartFlow$, {
  authorize: ({ FlowArn }, call, { flows }) => flows.access('StartFlow', FlowArn, call),
  async handle({ FlowArn }, call, { lifecycle }) {
    const flow = await lifecycle.start(FlowArn, call);
    return { FlowArn: flow.arn, Status: flow.state };
  },
});

export const stopFlow = operation<MediaConnectContext, StopFlowRequest, Loose<StopFlowResponse>>(StopFlow$, {
  authorize: ({ FlowArn }, call, { flows }) => flows.access('StopFlow', FlowArn, call),
  async handle({ FlowArn }, call, { lifecycle }) {
    const flow = await lifecycle.stop(FlowArn, call);
    return { FlowArn: flow.arn, Status: flow.state };
  },
});

export const deleteFlow = operation<MediaConnectContext, DeleteFlowRequest, Loose<DeleteFlowResponse>>(DeleteFlow$, {
  authorize: ({ FlowArn }, call, { flows }) => flows.access('DeleteFlow', FlowArn, call),
  async handle({ FlowArn }, call, { lifecycle }) {
    await lifecycle.remove(FlowArn, call);
    return { FlowArn, Status: 'DELETING' };
  },
});
