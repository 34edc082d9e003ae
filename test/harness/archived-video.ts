import assert from 'node:assert/strict';
import { CreateStreamCommand, type CreateStreamInput, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import { ElementCursor } from '#media/matroska/element-cursor.ts';
import { ELEMENT } from '#media/matroska/element-ids.ts';
import { parseTags } from '#media/matroska/tags.ts';
import { MediaProducer } from './media-producer.ts';
import type { TestPlatform } from './platform.ts';

/** A stream that keeps its media for a day. @returns its ARN */
export async function createStream(platform: TestPlatform, StreamName: string, more: Partial<CreateStreamInput> = {}) {
  const client = new KinesisVideoClient(platform.clientConfig());
  const { StreamARN } = await client.send(new CreateStreamCommand({ StreamName, DataRetentionInHours: 24, ...more }));
  client.destroy();
  assert.ok(StreamARN);
  return StreamARN;
}

/**
 * Puts fragments into a stream by PutMedia, as root unless others' credentials are given.
 *
 * @returns their numbers, once they are kept
 */
export async function putFragments(
  platform: Pick<TestPlatform, 'endpoint' | 'clientConfig'>,
  stream: string,
  header: Buffer,
  clusters: readonly Buffer[],
  { credentials = platform.clientConfig().credentials, kept = 'PERSISTED' } = {},
): Promise<string[]> {
  const producer = await MediaProducer.open({ endpoint: platform.endpoint, credentials, stream });
  producer.send(header);
  const numbers: string[] = [];
  for (const cluster of clusters) producer.send(cluster);
  producer.end();
  for (const _ of clusters) numbers.push((await producer.ack(kept)).FragmentNumber ?? '');
  await producer.ended();
  producer.destroy();
  return numbers;
}

/** One Matroska stream of those that GetMediaForFragmentList strings together. */
export interface MediaChunk {
  readonly bytes: Buffer;
  readonly tags: Readonly<Record<string, string>>;
  /** The Cluster element, where there is one. */
  readonly cluster: Buffer | undefined;
}

const EBML = Buffer.from('1a45dfa3', 'hex');

export function chunksOf(payload: Buffer): MediaChunk[] {
  const chunks: MediaChunk[] = [];
  for (let begin = 0; begin < payload.length; ) {
    const next = payload.indexOf(EBML, begin + EBML.length);
    const bytes = payload.subarray(begin, next < 0 ? undefined : next);
    chunks.push(chunkOf(bytes));
    begin += bytes.length;
  }
  return chunks;
}

function chunkOf(bytes: Buffer): MediaChunk {
  const outer = new ElementCursor(bytes);
  assert.ok(outer.next() && outer.next(true));
  const elements = outer.children();
  const tags: Record<string, string> = {};
  let cluster: Buffer | undefined;
  while (elements.next()) {
    if (elements.id === ELEMENT.cluster) cluster = bytes.subarray(elements.start, elements.dataEnd);
    if (elements.id !== ELEMENT.tags) continue;
    for (const { name, value } of parseTags(elements.children()).general) tags[name] = value;
  }
  return { bytes, tags, cluster };
}
