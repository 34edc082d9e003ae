import type { Image } from '@aws-sdk/client-kinesis-video-archived-media';
import { MatroskaError } from '#media/matroska/matroska-error.ts';
import { type Frame, readFrames } from '#media/matroska/read-frames.ts';
import { type MatroskaHeader, readHeader } from '#media/matroska/read-header.ts';
import { clusterTimecodeMs } from '#media/packaging/fragment-frames.ts';
import { findStillTrack, planStillJob } from '#media/stills/plan-still-job.ts';
import type { PictureSettings, Still, StillJob } from '#media/stills/still-job.ts';
import {
  FragmentMissingError,
  type FragmentReader,
  type FragmentRecord,
  type TimestampKind,
} from '#services/kinesis-video/api.ts';
import { type FragmentFound, startOf } from './fragments-at.ts';

/** Bytes of the pictures of one answer. One that is larger goes alone. */
const PAGE_BYTES = 16 * 1024 ** 2;
/** Milliseconds after which a page ends where it is. */
const PAGE_MS = 15_000;

type Maxima = Pick<StillJob, 'maximumBytes' | 'maximumMs'>;

/** A moment of which a picture is wanted, and the fragment that holds it. */
export interface ImageMoment {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly found: FragmentFound | undefined;
}

export interface ImageSource {
  readonly reader: FragmentReader;
  readonly by: TimestampKind;
  readonly picture: PictureSettings;
  /** The fragments that are decoded together with one, that one first. */
  findGroupOf(head: FragmentRecord): Promise<readonly FragmentRecord[]>;
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
    const head = moments[images.length]?.found?.head;
    const isOther = ({ found }: ImageMoment) => found?.head.number !== head?.number;
    const next = moments.findIndex((moment, index) => index >= images.length && isOther(moment));
    const together = moments.slice(images.length, next < 0 ? undefined : next);
    const made = await imagesOf(head, together, source, { maximumBytes, maximumMs });
    for (const { ImageContent } of made) maximumBytes -= (ImageContent?.length ?? 0) * (3 / 4);
    maximumMs = PAGE_MS - (performance.now() - begin);
    images.push(...made);
  }
  return images;
}

async function imagesOf(
  head: FragmentRecord | undefined,
  moments: readonly ImageMoment[],
  source: ImageSource,
  maxima: Maxima,
): Promise<Image[]> {
  const none = (Error: 'NO_MEDIA' | 'MEDIA_ERROR') => moments.map(({ time }) => ({ TimeStamp: new Date(time), Error }));
  if (head === undefined) return none('NO_MEDIA');
  let job: StillJob | undefined;
  try {
    job = await jobOf(head, moments, source, maxima);
  } catch (error) {
    if (error instanceof FragmentMissingError) return none('NO_MEDIA');
    if (error instanceof MatroskaError) return none('MEDIA_ERROR');
    throw error;
  }
  if (job === undefined) return none('MEDIA_ERROR');
  const stills = await source.decode(job);
  return stills.map((still, index): Image => {
    const TimeStamp = new Date(moments[index]?.time ?? 0);
    if (still === undefined) return { TimeStamp, Error: 'MEDIA_ERROR' };
    const { buffer, byteOffset, byteLength } = still;
    return { TimeStamp, ImageContent: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
  });
}

/** `undefined` where the fragments have no video that can be decoded. */
async function jobOf(
  head: FragmentRecord,
  moments: readonly ImageMoment[],
  source: ImageSource,
  maxima: Maxima,
): Promise<StillJob | undefined> {
  const { reader, by, picture } = source;
  const members = await source.findGroupOf(head);
  const { header, cluster } = await reader.read(head);
  const { tracks, timecodeScale }: MatroskaHeader = readHeader(header);
  const track = findStillTrack(tracks);
  if (track === undefined) return undefined;
  const frames: Frame[] = [];
  /** Where each fragment begins on the frames' clock, which may be any. */
  const begins = new Map<string, number>();
  for (const member of members) {
    const bytes = member === head ? cluster : (await reader.read(member)).cluster;
    frames.push(...readFrames(bytes, tracks, timecodeScale));
    begins.set(member.number, clusterTimecodeMs(bytes, timecodeScale));
  }
  let latest = Number.NEGATIVE_INFINITY;
  const wanted = moments.map(({ time, found }) => {
    const fragment = found?.fragment ?? head;
    const mediaTime = (begins.get(fragment.number) ?? 0) + (time - startOf(fragment, by));
    // Fragments may come nearer to each other than they were shown.
    latest = Math.max(latest, mediaTime);
    return latest;
  });
  return planStillJob(track, frames, wanted, { picture, ...maxima });
}
