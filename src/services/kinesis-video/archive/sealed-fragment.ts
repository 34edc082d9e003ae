import { openStream, SegmentOpener, SegmentSealer, sealStream, STREAM_HEADER_LENGTH } from '#crypto/streaming-aead.ts';
import { DecryptionError } from '#crypto/decryption-error.ts';
import type { BlobReader, Blobs } from '#storage/blobs.ts';
import { releaseBuffer } from '#kernel/release-buffer.ts';

/** The space of the service's blobs. */
export const BLOB_SPACE = 'kinesis-video';
/** A ciphertext of a plaintext up to this size lies in the database: one commit instead of two synced files. */
const INLINE_LIMIT = 64 * 1024;
/** Bytes of ciphertext in a segment; each record says its own. */
export const SEGMENT_SIZE = 1024 * 1024;
/** A header is one segment: no producer sends more than 1 MiB before its first Cluster. Frozen. */
export const HEADER_SEGMENT_SIZE = 2 * 1024 * 1024;

/** Where a stream of ciphertext belongs: no other can take its place. */
export interface FragmentBinding {
  readonly account: string;
  readonly streamId: string;
  readonly ingestId: string;
  readonly number: string;
}

/** The associated data of a fragment. Frozen (docs/formats/fragment.md). */
export function fragmentAssociatedData({ account, streamId, ingestId, number }: FragmentBinding): Buffer {
  return Buffer.from(JSON.stringify(['coffer/kinesis-video/fragment/1', account, streamId, ingestId, number]));
}

/** The associated data of a connection's header. Frozen. */
export function headerAssociatedData({ account, streamId, ingestId }: Omit<FragmentBinding, 'number'>): Buffer {
  return Buffer.from(JSON.stringify(['coffer/kinesis-video/header/1', account, streamId, ingestId]));
}

/** What became of a plaintext: the ciphertext itself, or the blob that it lies in and that is durable. */
export type SealedFragment = { readonly body: Buffer } | { readonly blob: string };

/** Encrypts a fragment into storage. When it is rejected, nothing is left. */
export async function sealFragment(
  blobs: Blobs,
  dataKey: Buffer,
  associatedData: Buffer,
  pieces: readonly Uint8Array[],
  size: number,
): Promise<SealedFragment> {
  if (size <= INLINE_LIMIT) return { body: sealStream(dataKey, associatedData, SEGMENT_SIZE, pieces) };
  const writer = await blobs.create(BLOB_SPACE);
  try {
    const sealer = new SegmentSealer(dataKey, associatedData, SEGMENT_SIZE);
    await writer.write([sealer.header]);
    for (const { segment, isLast } of segmentsOf(pieces, size, sealer)) {
      const sealed = sealer.seal(segment, isLast);
      await writer.write(sealed);
      for (const piece of sealed) releaseBuffer(piece);
    }
    await writer.commit();
    return { blob: writer.id };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** Groups pieces into segments without copying them. */
function* segmentsOf(
  pieces: readonly Uint8Array[],
  size: number,
  { firstCapacity, capacity }: SegmentSealer,
): Generator<{ readonly segment: readonly Uint8Array[]; readonly isLast: boolean }> {
  let left = size;
  let room = Math.min(left, firstCapacity);
  let segment: Uint8Array[] = [];
  for (const piece of pieces) {
    for (let offset = 0; offset < piece.length; ) {
      const part = piece.subarray(offset, offset + room);
      segment.push(part);
      offset += part.length;
      room -= part.length;
      left -= part.length;
      if (room > 0) continue;
      yield { segment, isLast: left === 0 };
      segment = [];
      room = Math.min(left, capacity);
    }
  }
}

/** Decrypts what lies in the database. @throws DecryptionError */
export function openBody(dataKey: Buffer, associatedData: Buffer, segmentSize: number, body: Uint8Array): Buffer {
  return openStream(dataKey, associatedData, segmentSize, body);
}

/**
 * Decrypts a blob segment by segment; the next one is read while the last one is being used.
 *
 * INVARIANT: nothing leaves before its tag has been checked.
 *
 * @param size bytes of plaintext, as the record says
 * @throws DecryptionError, BlobMissingError
 */
export async function* openBlob(
  blobs: Blobs,
  blob: string,
  dataKey: Buffer,
  associatedData: Buffer,
  segmentSize: number,
  size: number,
): AsyncGenerator<Buffer> {
  const reader = await blobs.open(blob);
  let next: Promise<Buffer> | undefined;
  try {
    // The stream's header comes with its first segment.
    const first = await readExactly(reader, 0, Math.min(segmentSize, reader.size));
    const opener = new SegmentOpener(dataKey, associatedData, segmentSize, headerOf(first), reader.size);
    // A stream of another length cannot be the one that the record names.
    if (opener.plaintextLength !== size) throw new DecryptionError();
    for (let index = 0; index < opener.count; index++) {
      const ciphertext = await (next ?? first);
      next = index + 1 < opener.count ? readSegment(reader, opener, index + 1) : undefined;
      // Its failure is told when its turn comes.
      next?.catch(() => {});
      const plaintext = opener.open(index, index === 0 ? ciphertext.subarray(STREAM_HEADER_LENGTH) : ciphertext);
      releaseBuffer(ciphertext);
      yield plaintext;
    }
  } finally {
    await next?.catch(() => {});
    await reader.close();
  }
}

function headerOf(first: Buffer): Buffer {
  return Buffer.from(first.subarray(0, STREAM_HEADER_LENGTH));
}

function readSegment(reader: BlobReader, opener: SegmentOpener, index: number): Promise<Buffer> {
  const { start, end } = opener.ciphertextRange(index);
  return readExactly(reader, start, end);
}

async function readExactly(reader: BlobReader, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(end - start);
  if ((await reader.read(bytes, start)) !== bytes.length) throw new DecryptionError();
  return bytes;
}
