import type { InputSource, MediaLocation, S3Location } from './transcode-input.ts';

/** How messages and events name a file. The query of an address is left out: it may be what lets one in. */
export function uriOf(location: InputSource): string {
  if ('milliseconds' in location) return 'videoGenerator';
  if (!('url' in location)) return `s3://${location.bucket}/${location.key}`;
  const { origin, pathname } = new URL(location.url);
  return `${origin}${pathname}`;
}

/** @param uri `s3://bucket/key`, or an address of http or https, of which the rules of job settings were kept */
export function parseLocation(uri: string): MediaLocation {
  if (/^https?:/i.test(uri)) return { url: uri };
  return parseS3(uri);
}

/** @param uri `s3://bucket/key`; without a key of `s3://bucket`, it is empty */
export function parseS3(uri: string): S3Location {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri);
  return { bucket: match?.[1] ?? '', key: match?.[2] ?? '' };
}

/** The last part of its path, without the extension. */
export function baseNameOf(location: InputSource): string {
  if ('milliseconds' in location) return 'videoGenerator';
  const path = 'url' in location ? decoded(new URL(location.url).pathname) : location.key;
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
