import { DecryptionError } from '#crypto/decryption-error.ts';
import { openStream } from '#crypto/streaming-aead.ts';
import { BlobMissingError } from '#storage/blobs.ts';
import { encryptionContextOf } from '../archive/data-keys.ts';
import type { FragmentRow, IngestRow } from '../archive/fragment-store.ts';
import {
  BLOB_SPACE,
  fragmentAssociatedData,
  HEADER_SEGMENT_SIZE,
  headerAssociatedData,
  openBlob,
  openBody,
} from '../archive/sealed-fragment.ts';
import type { KinesisVideoContext } from '../context.ts';
import { recordOf, type StreamRecord } from '../domain/stream-record.ts';
import { allFragments, findBody, findIngest, ingestsOf, isFragmentThere } from './archive-walk.ts';

/** One thing that does not read back as it was written. */
export interface VideoDamage {
  /** A stream's ARN, and which connection or fragment of it. */
  readonly what: string;
  readonly damage: string;
}

/**
 * Opens a KMS ciphertext on the operator's own authority: who holds the root key holds every key under it.
 *
 * @throws when it does not open
 */
export type OperatorDecrypt = (request: {
  readonly CiphertextBlob: Uint8Array;
  readonly KeyId: string;
  readonly EncryptionContext: Readonly<Record<string, string>>;
}) => Promise<Uint8Array>;

interface Verification {
  readonly video: KinesisVideoContext;
  readonly decrypt: OperatorDecrypt;
}

/**
 * Reads every stream's record, every connection's header and every fragment, and checks all tags.
 *
 * @returns `undefined` for each thing that is sound
 */
export async function* verifyKinesisVideo(
  video: KinesisVideoContext,
  decrypt: OperatorDecrypt,
  startedAt: number,
): AsyncGenerator<VideoDamage | undefined> {
  const verification = { video, decrypt };
  const streams = new Map<string, StreamRecord>();
  for (const row of await video.store.allUnchecked()) {
    yield await find(`stream ${row.id}`, async () => {
      streams.set(row.id, recordOf(row));
    });
  }
  for (const stream of streams.values()) {
    for await (const ingest of ingestsOf(video.records, stream.id)) {
      const what = `${stream.arn} connection ${ingest.id}`;
      const damage = await find(what, () => checkHeader(verification, stream, ingest));
      const isThere = damage === undefined || (await findIngest(video.records, ingest.id)) !== undefined;
      if (isThere) yield damage;
    }
  }
  const inUse = new Set<string>();
  const keys = new LastKey(verification);
  for await (const row of allFragments(video.records)) {
    if (row.blob !== null) inUse.add(row.blob);
    const stream = streams.get(row.stream);
    const what = `${stream?.arn ?? `stream ${row.stream}`} fragment ${row.number}`;
    const damage = await find(what, () => checkFragment(verification, stream, row, keys));
    // What expired while it was being read is not damaged.
    const isThere = damage === undefined || (await isFragmentThere(video.records, row));
    if (isThere) yield damage;
  }
  for await (const { id, writtenAt } of video.blobs.list(BLOB_SPACE)) {
    if (!inUse.has(id) && writtenAt < startedAt) yield { what: `blob ${id}`, damage: 'no record names it' };
  }
}

async function find(what: string, check: () => Promise<void>): Promise<VideoDamage | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (error instanceof BlobMissingError) return { what, damage: `its blob ${error.id} is missing` };
    if (error instanceof DecryptionError) return { what, damage: 'its content or its key does not open' };
    if (error instanceof SyntaxError) return { what, damage: 'its record cannot be read' };
    throw error;
  }
}

async function checkHeader(verification: Verification, stream: StreamRecord, ingest: IngestRow): Promise<void> {
  const dataKey = await openDataKey(verification, stream, ingest);
  try {
    const binding = { account: stream.account, streamId: stream.id, ingestId: ingest.id };
    openStream(dataKey, headerAssociatedData(binding), HEADER_SEGMENT_SIZE, ingest.header);
  } finally {
    dataKey.fill(0);
  }
}

async function checkFragment(
  { video }: Verification,
  stream: StreamRecord | undefined,
  row: FragmentRow,
  keys: LastKey,
): Promise<void> {
  if (stream === undefined) throw new DecryptionError();
  const { account, id: streamId } = stream;
  const { number, ingest: ingestId, size, segment_size: segmentSize } = row;
  const dataKey = await keys.of(stream, ingestId);
  const associatedData = fragmentAssociatedData({ account, streamId, ingestId, number });
  let length = 0;
  if (row.blob === null) {
    const body = await findBody(video.records, row);
    if (body === undefined) throw new DecryptionError();
    length = openBody(dataKey, associatedData, segmentSize, body).length;
  } else {
    const segments = openBlob(video.blobs, row.blob, dataKey, associatedData, segmentSize, size);
    for await (const segment of segments) length += segment.length;
  }
  if (length !== size) throw new DecryptionError();
}

async function openDataKey({ decrypt }: Verification, stream: StreamRecord, ingest: IngestRow): Promise<Buffer> {
  const plaintext = await decrypt({
    CiphertextBlob: ingest.data_key,
    KeyId: ingest.key_arn,
    EncryptionContext: encryptionContextOf(stream),
  });
  if (plaintext.length !== 32) throw new DecryptionError();
  return Buffer.from(plaintext);
}

/** Fragments that follow one another mostly came by one connection. */
class LastKey {
  readonly #verification: Verification;
  #ingestId: string | undefined;
  #dataKey: Buffer = Buffer.alloc(0);

  constructor(verification: Verification) {
    this.#verification = verification;
  }

  async of(stream: StreamRecord, ingestId: string): Promise<Buffer> {
    if (this.#ingestId === ingestId) return this.#dataKey;
    const ingest = await findIngest(this.#verification.video.records, ingestId);
    if (ingest === undefined || ingest.stream !== stream.id) throw new DecryptionError();
    const dataKey = await openDataKey(this.#verification, stream, ingest);
    this.#dataKey.fill(0);
    this.#ingestId = ingestId;
    this.#dataKey = dataKey;
    return dataKey;
  }
}
