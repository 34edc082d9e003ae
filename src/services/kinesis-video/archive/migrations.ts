import { sql } from 'kysely';
import type { Migration } from '#storage/records.ts';

export const archiveMigrations: readonly Migration[] = [
  {
    name: 'kinesis-video-0002-archive',
    sealedTables: ['kinesis_video_ingest', 'kinesis_video_fragment'],
    async up(transaction) {
      await sql`CREATE TABLE kinesis_video_ingest (
        id TEXT PRIMARY KEY, stream TEXT NOT NULL, key_arn TEXT NOT NULL, data_key BLOB NOT NULL, header BLOB NOT NULL,
        created_at INTEGER NOT NULL, mac BLOB NOT NULL) STRICT`.execute(transaction);
      await sql`CREATE INDEX kinesis_video_ingest_stream ON kinesis_video_ingest (stream)`.execute(transaction);
      // A fragment never stands without the key that opens it.
      await sql`CREATE TABLE kinesis_video_fragment (
        stream TEXT NOT NULL, number TEXT NOT NULL, ingest TEXT NOT NULL REFERENCES kinesis_video_ingest (id),
        server_time INTEGER NOT NULL, producer_time INTEGER NOT NULL, length INTEGER NOT NULL, size INTEGER NOT NULL,
        cluster_size INTEGER NOT NULL, starts_with_keyframe INTEGER NOT NULL, is_kept INTEGER NOT NULL,
        segment_size INTEGER NOT NULL, blob TEXT, mac BLOB NOT NULL, PRIMARY KEY (stream, number)) STRICT, WITHOUT ROWID`.execute(
        transaction,
      );
      await sql`CREATE INDEX kinesis_video_fragment_server ON kinesis_video_fragment
        (stream, server_time, number)`.execute(transaction);
      await sql`CREATE INDEX kinesis_video_fragment_producer ON kinesis_video_fragment
        (stream, producer_time, number)`.execute(transaction);
      await sql`CREATE INDEX kinesis_video_fragment_ingest ON kinesis_video_fragment (ingest)`.execute(transaction);
      // What is not kept is found without looking at what is.
      await sql`CREATE INDEX kinesis_video_fragment_passing ON kinesis_video_fragment (stream, server_time)
        WHERE is_kept = 0`.execute(transaction);
      // Small ciphertexts, apart from the rows that listings read. Each has its own tag.
      await sql`CREATE TABLE kinesis_video_fragment_body (
        stream TEXT NOT NULL, number TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (stream, number)) STRICT`.execute(
        transaction,
      );
    },
  },
];
