import { GetImages$, type GetImagesInput, type GetImagesOutput } from '@aws-sdk/client-kinesis-video-archived-media';
import { type Call, operation } from '#kernel/operation.ts';
import { FFmpegUnavailableError } from '#media/stills/ffmpeg-unavailable-error.ts';
import { StillsBusyError } from '#media/stills/stills-pool.ts';
import type { FragmentRecord, StreamRecord } from '#services/kinesis-video/api.ts';
import type { ArchivedMediaContext } from '../context.ts';
import { findGroup } from '../domain/fragment-group.ts';
import { fragmentsAt } from '../domain/fragments-at.ts';
import { type ImageMoment, makeImages } from '../domain/image-page.ts';
import { type ImageRequest, readImageRequest } from '../domain/image-request.ts';
import { clientLimitExceeded, ffmpegUnavailable, invalidArgument, noDataRetention, refusedByKms } from '../errors.ts';

export const getImages = operation<ArchivedMediaContext, GetImagesInput, GetImagesOutput>(GetImages$, {
  isDataEvent: true,
  authorize: (input, call, { video }) => video.streams.access('kinesisvideo:GetImages', input, call),
  async handle(input, call, context) {
    const { video, imageTokens } = context;
    const stream = await video.streams.find(input, call);
    const request = readImageRequest(input);
    if (stream.retentionHours === 0) throw noDataRetention();
    const fingerprint = JSON.stringify({ ...request, page: 0 });
    const state = input.NextToken === undefined ? undefined : imageTokens.read(stream.id, input.NextToken);
    if (state !== undefined && state.request !== fingerprint) {
      throw invalidArgument('NextToken belongs to another request.');
    }
    const index = state?.index ?? 0;
    const length = Math.min(request.page, request.count - index);
    const times = Array.from({ length }, (_, step) => request.start + (index + step) * request.intervalMs);
    const found = await fragmentsAt(video.archive, stream, request.by, times);
    const moments = times.map((time, step) => ({ time, found: found[step] }));
    const Images = await imagesFor(moments, request, stream, call, context);
    const next = index + Images.length;
    if (next >= request.count) return { Images };
    return { Images, NextToken: imageTokens.write(stream.id, { request: fingerprint, index: next }) };
  },
});

async function imagesFor(
  moments: readonly ImageMoment[],
  { by, picture }: ImageRequest,
  stream: StreamRecord,
  call: Call,
  { video, stills }: ArchivedMediaContext,
) {
  const reader = video.archive.reader(stream, call.forward('kinesisvideo'));
  try {
    // Taken before anything is read: so many requests hold fragments in memory, and no more.
    using worker = await stills.lease(stream.account, call.signal);
    // By the server's time a connection's fragments stand together.
    const order = { by: 'server' } as const;
    const findGroupOf = async (head: FragmentRecord) => (await findGroup(video.archive, stream, order, head)).members;
    return await makeImages(moments, { reader, by, picture, findGroupOf, decode: (job) => worker.decode(job) });
  } catch (error) {
    if (error instanceof StillsBusyError) throw clientLimitExceeded(error.message);
    if (error instanceof FFmpegUnavailableError) throw ffmpegUnavailable(error.message);
    throw refusedByKms(error) ?? error;
  } finally {
    reader.close();
  }
}
