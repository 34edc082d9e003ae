import { Readable } from 'node:stream';
import { GetClip$, type GetClipInput, type GetClipOutput } from '@aws-sdk/client-kinesis-video-archived-media';
import { operation } from '#kernel/operation.ts';
import { PackagingError } from '#media/packaging/packaging-error.ts';
import { FragmentMissingError } from '#services/kinesis-video/api.ts';
import type { ArchivedMediaContext } from '../context.ts';
import { clipFragments } from '../domain/clip-fragments.ts';
import { ClipWriter } from '../domain/clip-writer.ts';
import { ConsumerReader } from '../domain/consumer-reader.ts';
import { noDataRetention, resourceNotFound } from '../errors.ts';
import { mediaError } from '../sessions/playable-tracks.ts';
import { kindOf, timestampRange } from '../sessions/session-range.ts';

export const getClip = operation<ArchivedMediaContext, GetClipInput, GetClipOutput>(GetClip$, {
  isDataEvent: true,
  authorize: (input, call, { video }) => video.streams.access('kinesisvideo:GetClip', input, call),
  async handle(input, call, { video, budget }) {
    const { FragmentSelectorType, TimestampRange } = input.ClipFragmentSelector ?? {};
    const selection = timestampRange(kindOf(FragmentSelectorType), TimestampRange ?? {}, call.now);
    const stream = await video.streams.find(input, call);
    if (stream.retentionHours === 0) throw noDataRetention();
    const fragments = await clipFragments(video.archive, stream, selection);
    if (fragments.length === 0) throw resourceNotFound('No fragments found in the stream for the clip request.');
    const reader = new ConsumerReader(video.archive.reader(stream, call.forward('kinesisvideo')));
    const writer = new ClipWriter(fragments, reader, budget, call.signal);
    try {
      const { head, mediaBytes } = await writer.index();
      call.reply.headers['content-length'] = String(head.length + mediaBytes);
      const payload = Readable.from(clipPieces(head, writer), { objectMode: false });
      payload.once('close', () => reader.close());
      return { ContentType: 'video/mp4', Payload: payload as unknown as NonNullable<GetClipOutput['Payload']> };
    } catch (error) {
      reader.close();
      if (error instanceof PackagingError) throw mediaError(error);
      if (error instanceof FragmentMissingError) throw resourceNotFound(error.message);
      throw error;
    }
  },
});

async function* clipPieces(head: Buffer, writer: ClipWriter): AsyncGenerator<Buffer> {
  yield head;
  yield* writer.media();
}
