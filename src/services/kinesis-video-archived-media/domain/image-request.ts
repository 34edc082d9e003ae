import type { GetImagesInput } from '@aws-sdk/client-kinesis-video-archived-media';
import type { PictureSettings } from '#media/stills/still-job.ts';
import { invalidArgument } from '../errors.ts';

const LONGEST_RANGE_MS = 300_000;
const SHORTEST_INTERVAL_MS = 200;
/** AWS documents no default: this is Coffer's own choice. */
const DEFAULT_INTERVAL_MS = 3000;
const DEFAULT_QUALITY = 80;
/** Larger pages are cut to this. */
const LARGEST_PAGE = 25;

/** What GetImages is asked for. */
export interface ImageRequest {
  readonly by: 'server' | 'producer';
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly intervalMs: number;
  /** How many images the whole range has. */
  readonly count: number;
  readonly page: number;
  readonly picture: PictureSettings;
}

/**
 * Source: "GetImages" in the API reference. It speaks of a ValidationException and an IllegalArgumentException, which
 * the operation does not have: both are InvalidArgumentException here.
 *
 * @throws ServiceError InvalidArgumentException
 */
export function readImageRequest(input: GetImagesInput): ImageRequest {
  const start = input.StartTimestamp?.getTime() ?? Number.NaN;
  const end = input.EndTimestamp?.getTime() ?? Number.NaN;
  if (!(start <= end)) throw invalidArgument('StartTimestamp is later than EndTimestamp.');
  if (end - start > LONGEST_RANGE_MS) {
    throw invalidArgument('EndTimestamp is more than 300 seconds later than StartTimestamp.');
  }
  const intervalMs = input.SamplingInterval ?? DEFAULT_INTERVAL_MS;
  if (intervalMs < SHORTEST_INTERVAL_MS) {
    throw invalidArgument(`SamplingInterval is at least ${SHORTEST_INTERVAL_MS} milliseconds.`);
  }
  return {
    by: input.ImageSelectorType === 'SERVER_TIMESTAMP' ? 'server' : 'producer',
    start,
    intervalMs,
    count: Math.floor((end - start) / intervalMs) + 1,
    page: Math.min(input.MaxResults ?? LARGEST_PAGE, LARGEST_PAGE),
    picture: readPicture(input),
  };
}

function readPicture(input: GetImagesInput): PictureSettings {
  const { WidthPixels: width, HeightPixels: height } = input;
  if (width !== undefined && height === undefined) {
    throw invalidArgument('WidthPixels goes with HeightPixels only.');
  }
  return {
    format: input.Format === 'PNG' ? 'PNG' : 'JPEG',
    quality: readQuality(input),
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
  };
}

function readQuality(input: GetImagesInput): number {
  const text = input.FormatConfig?.JPEGQuality;
  if (text === undefined) return DEFAULT_QUALITY;
  if (input.Format !== 'JPEG') throw invalidArgument('JPEGQuality goes with the format JPEG only.');
  const quality = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (quality >= 1 && quality <= 100) return quality;
  throw invalidArgument('JPEGQuality is a whole number from 1 to 100.');
}

/** What a token of GetImages says: for which request it was given, and with which of its images that goes on. */
export interface ImageState {
  readonly request: string;
  readonly index: number;
}
