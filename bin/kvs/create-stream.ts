import { CreateStreamCommand, DescribeStreamCommand, ResourceInUseException } from '@aws-sdk/client-kinesis-video';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError } from '../config.ts';
import type { KvsTarget } from './kvs-target.ts';

/** What a new stream is made with. */
export interface NewStream {
  readonly retentionHours: number;
  readonly kmsKey: string | undefined;
  /** As FFmpeg calls them. */
  readonly codecs: readonly string[];
}

const MEDIA_TYPES: Readonly<Record<string, string>> = { h264: 'video/h264', hevc: 'video/h265', aac: 'audio/aac' };
const PATIENCE_MS = 60_000;
const POLL_MS = 200;

/** Makes the stream if there is none, and waits until it can be used. Returns false when it was there already. */
export async function createStreamIfMissing(target: KvsTarget, facts: NewStream): Promise<boolean> {
  const { stream, client } = target;
  if (!('StreamName' in stream)) throw new ConfigError('--create needs the name of the stream, not its ARN.');
  const types = facts.codecs.map((codec) => MEDIA_TYPES[codec]);
  const input = {
    ...stream,
    DataRetentionInHours: facts.retentionHours,
    ...(types.every((type) => type !== undefined) && { MediaType: types.join(',') }),
    ...(facts.kmsKey !== undefined && { KmsKeyId: facts.kmsKey }),
  };
  try {
    await client.send(new CreateStreamCommand(input));
  } catch (error) {
    if (error instanceof ResourceInUseException) return false;
    throw error;
  }
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await delay(POLL_MS)) {
    const { StreamInfo } = await client.send(new DescribeStreamCommand(stream));
    if (StreamInfo?.Status === 'ACTIVE') return true;
  }
  throw new ConfigError('The new stream did not become active.');
}
