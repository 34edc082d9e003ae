import type {
  DescribeFlowSourceMetadataRequest,
  DescribeFlowSourceMetadataResponse,
  DescribeFlowSourceThumbnailRequest,
  DescribeFlowSourceThumbnailResponse,
  MessageDetail,
  TransportStreamProgram,
} from '@aws-sdk/client-mediaconnect';
import { operation } from '#kernel/operation.ts';
import { FFmpegUnavailableError } from '#media/stills/ffmpeg-unavailable-error.ts';
import type { ElementaryStreamInfo, ProgramInfo } from '#media/live/stream-report.ts';
import type { Loose } from '../api-types.ts';
import type { MediaConnectContext } from '../context.ts';
import type { FlowRecord } from '../domain/flow-document.ts';
import { withoutAbsent } from '../domain/source-rules.ts';
import { badRequest } from '../errors.ts';
import { DescribeFlowSourceMetadata$, DescribeFlowSourceThumbnail$ } from '../generated/schemas.ts';

/** What the transport stream that the flow takes tells of itself. */
export const describeFlowSourceMetadata = operation<
  MediaConnectContext,
  DescribeFlowSourceMetadataRequest,
  Loose<DescribeFlowSourceMetadataResponse>
>(DescribeFlowSourceMetadata$, {
  authorize: ({ FlowArn }, call, { flows }) => flows.access('DescribeFlowSourceMetadata', FlowArn, call),
  async handle({ FlowArn }, call, { flows, runner, health }) {
    const flow = await flows.find(FlowArn, call);
    const status = flow.state === 'ACTIVE' ? runner.status(flow) : undefined;
    const programs = status?.programs ?? [];
    const messages: MessageDetail[] = [];
    if (flow.state !== 'ACTIVE') messages.push(messageOf('FLOW_NOT_ACTIVE', 'The flow is not active.', flow));
    else if (programs.length === 0) {
      const [first = 'No program was found in the source yet.'] = await health.errorsOf(flow);
      messages.push(messageOf('NO_PROGRAMS', first, flow));
    }
    return {
      FlowArn,
      Messages: messages,
      ...(status !== undefined && { Timestamp: new Date(status.at) }),
      ...(programs.length > 0 && { TransportMediaInfo: { Programs: programs.map(programView) } }),
    };
  },
});

/** A picture of the newest key frame. */
export const describeFlowSourceThumbnail = operation<
  MediaConnectContext,
  DescribeFlowSourceThumbnailRequest,
  DescribeFlowSourceThumbnailResponse
>(DescribeFlowSourceThumbnail$, {
  authorize: ({ FlowArn }, call, { flows }) => flows.access('DescribeFlowSourceThumbnail', FlowArn, call),
  async handle({ FlowArn }, call, { flows, runner, health }) {
    const flow = await flows.find(FlowArn, call);
    if (flow.document.monitoring.ThumbnailState !== 'ENABLED') {
      throw badRequest('Thumbnails are disabled: UpdateFlow with SourceMonitoringConfig.ThumbnailState ENABLED.');
    }
    const details = { FlowArn: flow.arn, ThumbnailMessages: [] };
    const without = (code: string, message: string) => ({
      ThumbnailDetails: { ...details, ThumbnailMessages: [messageOf(code, message, flow)] },
    });
    if (flow.state !== 'ACTIVE') return without('FLOW_NOT_ACTIVE', 'The flow is not active.');
    try {
      const thumbnail = await runner.thumbnail(flow);
      if (thumbnail === undefined) {
        const [first = 'No picture could be made of the source yet.'] = await health.errorsOf(flow);
        return without('NO_PICTURE', first);
      }
      return {
        ThumbnailDetails: {
          ...details,
          Thumbnail: Buffer.from(thumbnail.picture).toString('base64'),
          Timestamp: new Date(thumbnail.at),
        },
      };
    } catch (error) {
      if (!(error instanceof FFmpegUnavailableError)) throw error;
      return without('THUMBNAILS_UNAVAILABLE', error.message);
    }
  },
});

function messageOf(Code: string, Message: string, { name }: FlowRecord): MessageDetail {
  return { Code, Message, ResourceName: name };
}

function programView({ programNumber, programPid, pcrPid, programName, streams }: ProgramInfo): TransportStreamProgram {
  return {
    ProgramNumber: programNumber,
    ProgramPid: programPid,
    PcrPid: pcrPid,
    ...(programName !== undefined && { ProgramName: programName }),
    Streams: streams.map(streamView),
  };
}

function streamView(stream: ElementaryStreamInfo): NonNullable<TransportStreamProgram['Streams']>[number] {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(stream.frameResolution ?? '') ?? [];
  return withoutAbsent({
    Pid: stream.pid,
    StreamType: STREAM_TYPES[stream.kind],
    Codec: stream.codec,
    FrameRate: stream.frameRate,
    FrameResolution: width === undefined ? undefined : { FrameWidth: Number(width), FrameHeight: Number(height) },
    Channels: stream.channels,
    SampleRate: stream.sampleRate,
    SampleSize: stream.sampleSize,
  }) as NonNullable<TransportStreamProgram['Streams']>[number];
}

const STREAM_TYPES = { video: 'Video', audio: 'Audio', data: 'Data' } as const;
