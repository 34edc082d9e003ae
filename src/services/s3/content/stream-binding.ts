/** The space of S3's blobs. */
export const BLOB_SPACE = 's3';

/** What a stream of ciphertext is: no other stream can take its place. */
export interface StreamBinding {
  readonly bucket: string;
  readonly key: string;
  readonly objectId: string;
  /** 0 for an object that was written whole. */
  readonly part: number;
  /** The part's own id; that of the object where it was written whole. */
  readonly partId: string;
}

/** The associated data of a stream. Frozen (docs/formats/s3-objects.md). */
export function associatedDataOf(binding: StreamBinding): Buffer {
  const { bucket, key, objectId, part, partId } = binding;
  return Buffer.from(JSON.stringify(['coffer/s3/stream/1', bucket, key, objectId, part, partId]));
}

/** The binding of a wrapped data key. Frozen. */
export function wrappingDataOf(bucket: string, key: string, objectId: string): Buffer {
  return Buffer.from(JSON.stringify(['coffer/s3/data-key/1', bucket, key, objectId]));
}
