import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RootKey } from '#crypto/root-key.ts';
import type { Caller } from '#kernel/caller.ts';
import type { Authority } from '#kernel/door.ts';
import { type AccountId, asRegion } from '#kernel/ids.ts';
import { silentLogger } from '#kernel/logger.ts';
import type { FragmentRecord, StreamRecord } from '#services/kinesis-video/api.ts';
import type { KinesisVideoContext } from '#services/kinesis-video/context.ts';
import { FolderBlobs } from '#storage/folder/folder-blobs.ts';
import { ROW_SEAL_PURPOSE } from '#storage/row-seal.ts';
import { SqliteRecords } from '#storage/sqlite/sqlite-records.ts';
import { allMigrations, composeServices, type Services } from '../../bin/compose-services.ts';
import { readConfig } from '../../bin/config.ts';
import { type Damage, runChecks } from '../../bin/verify.ts';

const HOUR_MS = 3_600_000;

/** All services wired together as in the platform, without a socket, on a clock that the test turns. */
export class ArchiveParts {
  readonly folder: string;
  /** Milliseconds since the epoch. */
  now = Date.now();
  services!: Services;
  account!: AccountId;
  readonly #rootKey = new RootKey(randomBytes(32));
  #records!: SqliteRecords;

  readonly #environment: NodeJS.ProcessEnv;

  private constructor(folder: string, environment: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.#environment = environment;
  }

  static async start(environment: NodeJS.ProcessEnv = {}): Promise<ArchiveParts> {
    const parts = new ArchiveParts(await mkdtemp(join(tmpdir(), 'coffer-archive-')), environment);
    await parts.open();
    const [account] = await parts.services.iam.accounts.create([{}]);
    if (account === undefined) throw new Error('There is no account.');
    parts.account = account.accountId;
    return parts;
  }

  /** Makes everything anew on the same folder, as a process that starts does. */
  async open(): Promise<void> {
    const rowSealKey = this.#rootKey.deriveKey(ROW_SEAL_PURPOSE);
    this.#records = await SqliteRecords.open(join(this.folder, 'records.db'), allMigrations, rowSealKey);
    const blobs = await FolderBlobs.open(join(this.folder, 'blobs'));
    const config = readConfig({}, { ...this.#environment, COFFER_DATA: this.folder });
    const clock = { now: () => this.now };
    this.services = composeServices(config, this.#rootKey, this.#records, blobs, silentLogger, clock);
  }

  /** Lets go of the folder. What is due in the background stays undone. */
  async close(): Promise<void> {
    await this.video.janitor.stop();
    await this.services.log.close();
    await this.#records.close();
  }

  async stop(): Promise<void> {
    await this.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  get video(): KinesisVideoContext {
    return this.services.kinesisVideo;
  }

  /** Root's, as it reaches the archive. */
  get authority(): Authority {
    const accountId = this.account;
    const caller: Caller = {
      type: 'root',
      accountId,
      arn: `arn:aws:iam::${accountId}:root`,
      principalId: accountId,
    };
    const region = asRegion('us-east-1');
    return { caller, region, via: [`kinesisvideo.${region}.amazonaws.com`] };
  }

  passHours(hours: number): void {
    this.now += hours * HOUR_MS;
  }

  /** An operation of the control plane, by root. */
  call(operation: string, input: object): Promise<unknown> {
    return this.services.gateway.invoke('kinesis-video', operation, input, { ...this.authority, via: [] });
  }

  /** An operation of KMS, by root. */
  kms(operation: string, input: object): Promise<unknown> {
    return this.services.gateway.invoke('kms', operation, input, { ...this.authority, via: [] });
  }

  async createStream(StreamName: string, DataRetentionInHours: number): Promise<StreamRecord> {
    await this.call('CreateStream', { StreamName, DataRetentionInHours });
    return await this.stream(StreamName);
  }

  stream(StreamName: string): Promise<StreamRecord> {
    return this.video.streams.find({ StreamName }, this.authority);
  }

  /** Stores fragments of given sizes by one connection. */
  async put(StreamName: string, sizes: readonly number[]): Promise<readonly FragmentRecord[]> {
    const stream = await this.stream(StreamName);
    const ingest = this.video.archive.connect(stream);
    try {
      await ingest.open(this.authority, Buffer.from('header'));
      const written: FragmentRecord[] = [];
      for (const size of sizes) {
        written.push(
          await ingest.write({
            ...ingest.begin(),
            producerTimestamp: this.now,
            lengthMs: 1000,
            cluster: [randomBytes(size)],
            tags: [],
            startsWithKeyframe: true,
            isKept: stream.retentionHours > 0,
          }),
        );
      }
      return written;
    } finally {
      await ingest.close();
    }
  }

  /** Everything that lies in the folder of video: how many rows and blobs. */
  async stored(): Promise<{
    readonly fragments: number;
    readonly keys: number;
    readonly bodies: number;
    readonly blobs: number;
  }> {
    const { records, blobs } = this.video;
    const count = async (table: 'kinesis_video_fragment' | 'kinesis_video_ingest' | 'kinesis_video_fragment_body') =>
      (await records.readUnchecked.selectFrom(table).select('stream').execute()).length;
    let blobCount = 0;
    for await (const _ of blobs.list('kinesis-video')) blobCount++;
    return {
      fragments: await count('kinesis_video_fragment'),
      keys: await count('kinesis_video_ingest'),
      bodies: await count('kinesis_video_fragment_body'),
      blobs: blobCount,
    };
  }

  /** What `coffer verify` finds. */
  async verify(): Promise<readonly Damage[]> {
    const found: Damage[] = [];
    for await (const reply of runChecks(this.services.checks)) {
      if (reply.type === 'item' && 'damage' in (reply.value as Damage)) found.push(reply.value as Damage);
    }
    return found;
  }
}
