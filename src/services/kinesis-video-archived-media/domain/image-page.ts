import type { Image } from '@aws-sdk/client-kinesis-video-archived-media';
import { MatroskaError } from '#media/matroska/matroska-error.ts';
import { readFrames } from '#media/matroska/read-frames.ts';
import { type MatroskaHeader, readHeader } from '#media/matroska/read-header.ts';
import { findStillTrack, planStillJob } from '#media/stills/plan-still-job.ts';
import type { PictureSettings, Still, StillJob } from '#media/stills/still-job.ts';
import {
  FragmentMissingError,
  type FragmentReader,
  type FragmentRecord,
  type TimestampKind,
} from '#services/kinesis-video/api.ts';
import { startOf } from './fragments-at.ts';

/** Bytes of the pictures of one answer. One that is larger goes alone. */
const PAGE_BYTES = 16 * 1024 ** 2;
/** Milliseconds after which a page ends where it is. */
const PAGE_MS = 15_000;

type Maxima = Pick<StillJob, 'maximumBytes' | 'maximumMs'>;

/** A moment of which a picture is wanted, and the fragment that holds it. */
export interface ImageMoment {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly fragment: FragmentRecord | undefined;
}

export interface ImageSource {
  readonly reader: FragmentReader;
  readonly by: TimestampKind;
  readonly picture: PictureSettings;
  decode(job: StillJob): Promise<readonly Still[]>;
}

/**
 * Makes the images of one page, at least one.
 *
 * @returns fewer than there are moments where they would be too many bytes, or take too long
 * @throws ServiceError as KMS answers; DecryptionError for damaged fragments
 */
export async function makeImages(moments: readonly ImageMoment[], source: ImageSource): Promise<Image[]> {
  const images: Image[] = [];
  const begin = performance.now();
  let maximumBytes = PAGE_BYTES;
  let maximumMs = PAGE_MS;
  while (images.length < moments.length && maximumBytes > 0 && maximumMs > 0) {
    const { fragment } = moments[images.length] ?? {};
    const next = moments.findIndex((moment, index) => index >= images.length && moment.fragment !== fragment);
    const group = moments.slice(images.length, next < 0 ? undefined : next).map(({ time }) => time);
    const made = await imagesOf(fragment, group, source, { maximumBytes, maximumMs });
    for (const { ImageContent } of made) maximumBytes -= (ImageContent?.length ?? 0) * (3 / 4);
    maximumMs = PAGE_MS - (performance.now() - begin);
    images.push(...made);
  }
  return images;
}

async function imagesOf(
  fragment: FragmentRecord | undefined,
  times: readonly number[],
  source: ImageSource,
  maxima: Maxima,
): Promise<Image[]> {
  const none = (Error: 'NO_MEDIA' | 'MEDIA_ERROR') => times.map((time) => ({ TimeStamp: new Date(time), Error }));
  if (fragment === undefined) return none('NO_MEDIA');
  let job: StillJob | undefined;
  try {
    job = await jobOf(fragment, times, source, maxima);
  } catch (error) {
    if (error instanceof FragmentMissingError) return none('NO_MEDIA');
    if (error instanceof MatroskaError) return none('MEDIA_ERROR');
    throw error;
  }
  if (job === undefined) return none('MEDIA_ERROR');
  const stills = await source.decode(job);
  return stills.map((still, index): Image => {
    const TimeStamp = new Date(times[index] ?? 0);
    if (still === undefined) return { TimeStamp, Error: 'MEDIA_ERROR' };
    const { buffer, byteOffset, byteLength } = still;
    return { TimeStamp, ImageContent: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
  });
}

/** `undefined` where the fragment has no video that can be decoded. */
async function jobOf(
  fragment: FragmentRecord,
  times: readonly number[],
  { reader, by, picture }: ImageSource,
  maxima: Maxima,
): Promise<StillJob | undefined> {
  const content = await reader.read(fragment);
  const { tracks, timecodeScale }: MatroskaHeader = readHeader(content.header);
  const track = findStillTrack(tracks);
  if (track === undefined) return undefined;
  const frames = readFrames(content.cluster, tracks, timecodeScale);
  // The frames' clock may be any: the fragment's own timestamp is that of its first frame.
  const first = frames.reduce((least, { timecodeMs }) => Math.min(least, timecodeMs), Number.POSITIVE_INFINITY);
  const wanted = times.map((time) => first + (time - startOf(fragment, by)));
  return planStillJob(track, frames, wanted, { picture, ...maxima });
}
