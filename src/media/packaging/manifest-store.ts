import { gzipSync } from 'node:zlib';
import type { HlsManifestSettings } from '../output-group.ts';
import type { PartSink } from './object-writer.ts';
import { ObjectWriter } from './object-writer.ts';

/** Stores an HLS manifest, behind everything that it names. */
export function putHlsManifest(
  sink: PartSink,
  { isManifestGzipped }: Pick<HlsManifestSettings, 'isManifestGzipped'>,
  key: string,
  text: string,
): void {
  const plain = Buffer.from(text);
  const contentType = 'application/vnd.apple.mpegurl';
  if (!isManifestGzipped) put(sink, { key, contentType, isManifest: true }, plain);
  else put(sink, { key, contentType, isManifest: true, contentEncoding: 'gzip' }, gzipSync(plain));
}

/** Stores an MPD, behind everything that it names. */
export function putDashManifest(sink: PartSink, key: string, text: string): void {
  put(sink, { key, contentType: 'application/dash+xml', isManifest: true }, Buffer.from(text));
}

/** Stores one of the manifests of Smooth Streaming, behind everything that it names. */
export function putSmoothManifest(sink: PartSink, key: string, text: string, encoding: 'utf-8' | 'utf-16'): void {
  const BYTE_ORDER_MARK = '\ufeff';
  const bytes = encoding === 'utf-16' ? Buffer.from(BYTE_ORDER_MARK + text, 'utf16le') : Buffer.from(text);
  put(sink, { key, contentType: key.endsWith('.ism') ? 'application/smil+xml' : 'text/xml', isManifest: true }, bytes);
}

function put(sink: PartSink, target: Parameters<PartSink['open']>[0], bytes: Uint8Array): void {
  const writer = new ObjectWriter(sink, target);
  writer.write(bytes);
  writer.end();
}
