import { Readable } from 'node:stream';
import {
  GetMediaForFragmentList$,
  type GetMediaForFragmentListInput,
  type GetMediaForFragmentListOutput,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { operation } from '#kernel/operation.ts';
import type { FragmentReader, FragmentRecord, StreamRecord } from '#services/kinesis-video/api.ts';
import type { ArchivedMediaContext } from '../context.ts';
import { failureChunk, fragmentTags } from '../domain/fragment-chunk.ts';
import { failureOf, FRAGMENT_NOT_FOUND } from '../domain/fragment-failure.ts';

/** What GetMedia answers too. */
const CONTENT_TYPE = 'video/webm';

export const getMediaForFragmentList = operation<
  ArchivedMediaContext,
  GetMediaForFragmentListInput,
  GetMediaForFragmentListOutput
>(GetMediaForFragmentList$, {
  isDataEvent: true,
  authorize: (input, call, { video }) => video.streams.access('kinesisvideo:GetMediaForFragmentList', input, call),
  async handle(input, call, context) {
    const { video, fragmentListConnections } = context;
    const stream = await video.streams.find(input, call);
    const leave = fragmentListConnections.enter(stream.id);
    const reader = video.archive.reader(stream, call.forward('kinesisvideo'));
    const payload = Readable.from(chunksOf(context, stream, reader, input.Fragments ?? []), { objectMode: false });
    payload.once('close', () => {
      reader.close();
      leave();
    });
    return {
      ContentType: CONTENT_TYPE,
      Payload: payload as unknown as NonNullable<GetMediaForFragmentListOutput['Payload']>,
    };
  },
});

/** The fragments in the order in which they are asked for, each a Matroska stream of its own. */
async function* chunksOf(
  { video, logger }: ArchivedMediaContext,
  stream: StreamRecord,
  reader: FragmentReader,
  numbers: readonly string[],
): AsyncGenerator<Uint8Array> {
  for (const number of numbers) {
    const record = await video.archive.find(stream, number);
    if (record === undefined) {
      yield failureChunk(number, FRAGMENT_NOT_FOUND);
      continue;
    }
    let isBegun = false;
    try {
      for await (const piece of mediaOf(reader, record)) {
        yield piece;
        isBegun = true;
      }
    } catch (error) {
      const failure = failureOf(error);
      if (failure.isUnforeseen)
        logger.error({ err: error, stream: stream.arn, number }, 'a fragment could not be read');
      // Half a fragment is out: only the end of the connection can say that it is none.
      if (isBegun) throw error;
      yield failureChunk(number, failure);
      if (failure.isFinal) return;
    }
  }
}

/** INVARIANT: nothing of a fragment goes out before its first piece was read and found genuine. */
async function* mediaOf(reader: FragmentReader, record: FragmentRecord): AsyncGenerator<Uint8Array> {
  const header = await reader.readHeader(record);
  let isFirst = true;
  for await (const piece of reader.stream(record)) {
    if (isFirst) yield Buffer.concat([header, fragmentTags(record)]);
    isFirst = false;
    yield piece;
  }
}
