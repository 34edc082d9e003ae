import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import {
  KinesisVideoArchivedMediaClient,
  ListFragmentsCommand,
  type ListFragmentsOutput,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { loadRootKeyFile } from '#crypto/root-key-file.ts';
import { fragmentNumber } from '#services/kinesis-video/archive/fragment-number.ts';
import type { FragmentRow } from '#services/kinesis-video/archive/fragment-store.ts';
import type { KinesisVideoTables } from '#services/kinesis-video/context.ts';
import { ROW_SEAL_PURPOSE } from '#storage/row-seal.ts';
import { SqliteRecords } from '#storage/sqlite/sqlite-records.ts';
import { allMigrations } from '../bin/compose-services.ts';
import { startCoffer } from './processes.ts';
import { median, type Result } from './result.ts';

const FRAGMENTS = 1_000_000;
const FRAGMENT_MS = 2000;
const ROWS_OF_ONE_INSERT = 500;
const PAGE = 1000;
const PAGES = 100;
const RETENTION_HOURS = 1000;
const STREAM = 'listed';

/** A page of ListFragments in a stream of a million: at the beginning of any range, and from a token on. */
export async function benchKinesisVideoList(): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-bench-'));
  try {
    const first = await startCoffer(folder);
    const { credentials } = first;
    const control = new KinesisVideoClient({ endpoint: first.endpoint, region: 'us-east-1', credentials });
    await control.send(new CreateStreamCommand({ StreamName: STREAM, DataRetentionInHours: RETENTION_HOURS }));
    control.destroy();
    await first.stop();
    const begin = await fill(folder);
    const coffer = await startCoffer(folder);
    const client = new KinesisVideoArchivedMediaClient({ endpoint: coffer.endpoint, region: 'us-east-1', credentials });
    try {
      // Nothing is warm yet: not the process, not its part of the database.
      await measure(client, begin, 10);
      return resultOf(await measure(client, begin, PAGES));
    } finally {
      client.destroy();
      await coffer.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Writes the fragments' records into the data folder, sealed as the server seals them; nothing is behind them.
 *
 * @returns when the first of them came
 */
async function fill(folder: string): Promise<number> {
  const rootKey = await loadRootKeyFile(join(folder, 'root.key'));
  const file = join(folder, 'data', 'records.db');
  const opened = await SqliteRecords.open(file, allMigrations, rootKey.deriveKey(ROW_SEAL_PURPOSE));
  const records = opened.of<KinesisVideoTables>();
  const { id: stream } = await records.read.selectFrom('kinesis_video_stream').select('id').executeTakeFirstOrThrow();
  const begin = Date.now() - FRAGMENTS * FRAGMENT_MS;
  const ingest = { id: 'bench', stream, key_arn: '', data_key: randomBytes(16), header: randomBytes(16) };
  await records.write((transaction) =>
    transaction
      .insertInto('kinesis_video_ingest')
      .values({ ...ingest, created_at: begin })
      .execute(),
  );
  for (let done = 0; done < FRAGMENTS; done += ROWS_OF_ONE_INSERT) {
    const rows = Array.from({ length: ROWS_OF_ONE_INSERT }, (_, index) => rowAt(stream, begin, done + index));
    await records.write((transaction) => transaction.insertInto('kinesis_video_fragment').values(rows).execute());
  }
  await opened.close();
  return begin;
}

function rowAt(stream: string, begin: number, index: number): FragmentRow {
  const time = begin + index * FRAGMENT_MS;
  return {
    stream,
    number: fragmentNumber(time, randomBytes(12)),
    ingest: 'bench',
    server_time: time,
    producer_time: time - randomInt(1000),
    length: FRAGMENT_MS,
    size: 1_000_000,
    cluster_size: 1_000_000,
    starts_with_keyframe: 1,
    is_kept: 1,
    segment_size: 65_536,
    blob: null,
  };
}

/** Milliseconds of pages as a client sees them: half at random places, half from the token of the page before. */
async function measure(client: KinesisVideoArchivedMediaClient, begin: number, pages: number): Promise<number[]> {
  const times: number[] = [];
  let NextToken: string | undefined;
  for (let page = 0; page < pages; page++) {
    const FragmentSelectorType = page % 4 < 2 ? 'SERVER_TIMESTAMP' : 'PRODUCER_TIMESTAMP';
    const range = {
      StartTimestamp: new Date(begin + randomInt((FRAGMENTS - 3 * PAGE) * FRAGMENT_MS)),
      EndTimestamp: new Date(),
    };
    const command = new ListFragmentsCommand({
      StreamName: STREAM,
      MaxResults: PAGE,
      ...(NextToken === undefined
        ? { FragmentSelector: { FragmentSelectorType, TimestampRange: range } }
        : { NextToken }),
    });
    const started = performance.now();
    const answer: ListFragmentsOutput = await client.send(command);
    times.push(performance.now() - started);
    if (answer.Fragments?.length !== PAGE) throw new Error(`A page has ${answer.Fragments?.length} fragments.`);
    NextToken = page % 2 === 0 ? answer.NextToken : undefined;
  }
  return times;
}

function resultOf(times: readonly number[]): Result {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1);
  return {
    name: `ListFragments, ${PAGE} of a million`,
    value: median(times),
    unit: 'ms a page',
    target: 20,
    isAtMost: true,
    detail: `least ${at(0)}, 95th percentile ${at(0.95)}, most ${at(1)} ms`,
  };
}
