import { hkdfSync } from 'node:crypto';
import { pipeline, type Readable, Transform } from 'node:stream';
import { counterStream } from '#crypto/counter-stream.ts';

/**
 * The inner layer of objects that are encrypted twice (`aws:kms:dsse`): AES-256 in counter mode under a key of each stream's
 * own. The outer layer, which every object has, brings the tags. Frozen (docs/formats/s3-objects.md).
 */
const PURPOSE = 'coffer/s3/dsse/1';

/** One stream of an object's content, in order. */
export interface InnerStream {
  /** Of the part, or of the object that was written whole. */
  readonly id: string;
  /** Bytes. */
  readonly size: number;
}

/** The layers' keys in a data key: 32 bytes of the outer one, and 32 of the inner one where there is one. */
export function layersOf(dataKey: Buffer): { readonly outer: Buffer; readonly inner: Buffer | undefined } {
  return { outer: dataKey.subarray(0, 32), inner: dataKey.length > 32 ? dataKey.subarray(32) : undefined };
}

/** What of a write request a data key says. */
export function writeLayers(dataKey: Buffer, streamId: string) {
  const { outer, inner } = layersOf(dataKey);
  if (inner === undefined) return { dataKey: outer };
  const cipher = streamCipher(inner, streamId, 0);
  return { dataKey: outer, firstLayer: (chunk: Uint8Array): Uint8Array => cipher.update(chunk) };
}

/** Opens the inner layer of a whole stream. */
export function openInner(ciphertext: Buffer, inner: Buffer, streamId: string): Buffer {
  return streamCipher(inner, streamId, 0).update(ciphertext);
}

/**
 * Opens the inner layer of a range of an object.
 *
 * @param start where in the object `source` begins
 * @param inner is taken over, and overwritten at the end
 */
export function innerReader(source: Readable, streams: readonly InnerStream[], inner: Buffer, start: number): Readable {
  const rest = [...streams];
  let offset = start;
  while (rest[0] !== undefined && offset >= rest[0].size) offset -= rest.shift()?.size ?? 0;
  let cipher = rest[0] && streamCipher(inner, rest[0].id, offset);
  const open = (chunk: Buffer): Buffer => {
    const opened: Buffer[] = [];
    for (let at = 0; at < chunk.length; ) {
      const stream = rest[0];
      if (stream === undefined || cipher === undefined) throw new RangeError('There is more than the streams hold.');
      const piece = chunk.subarray(at, at + stream.size - offset);
      opened.push(cipher.update(piece));
      at += piece.length;
      offset += piece.length;
      if (offset < stream.size) continue;
      rest.shift();
      offset = 0;
      cipher = rest[0] && streamCipher(inner, rest[0].id, 0);
    }
    return opened.length === 1 && opened[0] !== undefined ? opened[0] : Buffer.concat(opened);
  };
  const reader = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      try {
        callback(null, open(chunk));
      } catch (error) {
        callback(error as Error);
      }
    },
  });
  pipeline(source, reader, () => inner.fill(0));
  return reader;
}

function streamCipher(inner: Buffer, streamId: string, offset: number) {
  const key = Buffer.from(hkdfSync('sha256', inner, streamId, PURPOSE, 32));
  const cipher = counterStream(key, offset);
  key.fill(0);
  return cipher;
}
