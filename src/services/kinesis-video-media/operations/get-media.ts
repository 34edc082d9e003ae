import { Readable } from 'node:stream';
import { GetMedia$, type GetMediaInput } from '@aws-sdk/client-kinesis-video-media';
import { operation } from '#kernel/operation.ts';
import type { KinesisVideoMediaContext } from '../context.ts';
import { invalidArgument } from '../errors.ts';
import { mediaChunks } from '../get-media/media-chunks.ts';
import { startPositionOf } from '../get-media/start-position.ts';

/** The SDK's output is the client's view of the body; the server gives the stream itself. */
interface GetMediaOutput {
  readonly ContentType: string;
  readonly Payload: Readable;
}

/** Bytes on their way to a consumer, at most, beside those of the socket. */
const BUFFERED = 1024 * 1024;

export const getMedia = operation<KinesisVideoMediaContext, GetMediaInput, GetMediaOutput>(GetMedia$, {
  exchange: 'live',
  isDataEvent: true,
  authorize: (input, call, { video }) => video.streams.access('kinesisvideo:GetMedia', input, call),
  async handle(input, call, { video, logger }) {
    const stream = await video.streams.find(input, call);
    call.audit.resources.add(stream.arn);
    if (input.StartSelector === undefined) throw invalidArgument('StartSelector is required.');
    const chunks = mediaChunks({
      archive: video.archive,
      findStream: () => video.streams.find({ StreamARN: stream.arn }, call),
      stream,
      authority: call.forward('kinesisvideo'),
      start: await startPositionOf(video.archive, stream, input.StartSelector),
      logger,
      signal: call.signal,
    });
    const Payload = Readable.from(chunks, { objectMode: false, highWaterMark: BUFFERED });
    return { ContentType: 'video/webm', Payload };
  },
});
