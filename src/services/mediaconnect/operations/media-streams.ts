import type {
  AddFlowMediaStreamsResponse,
  RemoveFlowMediaStreamRequest,
  RemoveFlowMediaStreamResponse,
  UpdateFlowMediaStreamRequest,
  UpdateFlowMediaStreamResponse,
} from '@aws-sdk/client-mediaconnect';
import { operation } from '#kernel/operation.ts';
import type { AddMediaStreamRequest, Loose } from '../api-types.ts';
import type { MediaConnectContext } from '../context.ts';
import type { FlowDocument } from '../domain/flow-document.ts';
import { checkMediaStream, withMediaStreams } from '../domain/media-stream-rules.ts';
import { isFilled, withoutAbsent } from '../domain/source-rules.ts';
import { badRequest, notFound } from '../errors.ts';
import { AddFlowMediaStreams$, RemoveFlowMediaStream$, UpdateFlowMediaStream$ } from '../generated/schemas.ts';

interface AddFlowMediaStreamsRequest {
  readonly FlowArn: string | undefined;
  readonly MediaStreams: readonly AddMediaStreamRequest[] | undefined;
}

/** They are kept and told; no protocol here carries them. */
export const addFlowMediaStreams = operation<
  MediaConnectContext,
  AddFlowMediaStreamsRequest,
  Loose<AddFlowMediaStreamsResponse>
>(AddFlowMediaStreams$, {
  authorize: ({ FlowArn }, call, { flows }) => flows.access('AddFlowMediaStreams', FlowArn, call),
  async handle({ FlowArn, MediaStreams = [] }, call, { lifecycle }) {
    if (!isFilled(MediaStreams)) throw badRequest('MediaStreams must have at least one stream.');
    const flow = await lifecycle.change(
      FlowArn,
      call,
      (document) => ({ ...document, mediaStreams: withMediaStreams(document.mediaStreams, MediaStreams) }),
      false,
    );
    return { FlowArn: flow.arn, MediaStreams: flow.document.mediaStreams.slice(-MediaStreams.length) };
  },
});

export const updateFlowMediaStream = operation<
  MediaConnectContext,
  UpdateFlowMediaStreamRequest,
  Loose<UpdateFlowMediaStreamResponse>
>(UpdateFlowMediaStream$, {
  authorize: ({ FlowArn }, call, { flows }) => flows.access('UpdateFlowMediaStream', FlowArn, call),
  async handle({ FlowArn, MediaStreamName, ...update }, call, { lifecycle }) {
    const flow = await lifecycle.change(
      FlowArn,
      call,
      (document) => {
        const before = requireMediaStream(document, MediaStreamName);
        const isOtherType = update.MediaStreamType !== undefined && update.MediaStreamType !== before.MediaStreamType;
        const { ClockRate: _, VideoFormat: __, ...rest } = before;
        const after = checkMediaStream({ ...(isOtherType ? rest : before), ...withoutAbsent(update) });
        return { ...document, mediaStreams: document.mediaStreams.map((one) => (one === before ? after : one)) };
      },
      false,
    );
    return { FlowArn, MediaStream: requireMediaStream(flow.document, MediaStreamName) };
  },
});

export const removeFlowMediaStream = operation<
  MediaConnectContext,
  RemoveFlowMediaStreamRequest,
  Loose<RemoveFlowMediaStreamResponse>
>(RemoveFlowMediaStream$, {
  authorize: ({ FlowArn }, call, { flows }) => flows.access('RemoveFlowMediaStream', FlowArn, call),
  async handle({ FlowArn, MediaStreamName }, call, { lifecycle }) {
    await lifecycle.change(
      FlowArn,
      call,
      (document) => {
        const removed = requireMediaStream(document, MediaStreamName);
        return { ...document, mediaStreams: document.mediaStreams.filter((one) => one !== removed) };
      },
      false,
    );
    return { FlowArn, MediaStreamName };
  },
});

/** @throws ServiceError NotFoundException */
function requireMediaStream({ mediaStreams }: FlowDocument, name: string | undefined) {
  const stream = mediaStreams.find(({ MediaStreamName }) => MediaStreamName === name);
  if (stream === undefined) throw notFound('The flow has no such media stream.');
  return stream;
}
