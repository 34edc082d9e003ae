import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateAliasCommand, CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListPartsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { silentLogger } from '#kernel/logger.ts';
import { Administration } from '../../bin/administration.ts';
import { readConfig } from '../../bin/config.ts';
import { Platform } from '../../bin/platform.ts';
import { Server } from '../../bin/server.ts';
import type { Damage } from '../../bin/verify.ts';
import { clientConfig } from '../harness/coffer-home.ts';
import {
  allTables,
  changed,
  cellsOf,
  changeCell,
  swapCells,
  withDatabase,
  flipBit,
} from '../harness/database-damage.ts';
import { filesUnder } from '../harness/files-under.ts';

const BUCKET = 'damaged-by-the-test';
const VERSIONED = 'damaged-versions';
const ROOT = { id: 'AKIATESTROOT00000000', secret: 'secret/of/the/root/user/of/this/test+000' };
const CUSTOMER_KEY = randomBytes(32);
const CUSTOMER = {
  SSECustomerAlgorithm: 'AES256',
  SSECustomerKey: CUSTOMER_KEY.toString('base64'),
  SSECustomerKeyMD5: createHash('md5').update(CUSTOMER_KEY).digest('base64'),
};

/** The list of migrations, and the index by which the sealed events of the audit log are looked up. */
const UNSEALED = new Set(['migration', 'cloudtrail_term']);

type Outcome = 'right' | 'refused' | 'WRONG';

/** A piece of stored data, and how to read it back. */
interface Stored {
  readonly name: string;
  readonly read: (endpoint: string) => Promise<boolean>;
}

/**
 * An installation with one of everything that is stored encrypted, whose server is stopped. Each case damages a file
 * or a row, and looks at what is read then and at what `coffer verify` says.
 */
describe('damage to stored data', () => {
  let folder: string;
  let environment: NodeJS.ProcessEnv;
  let database: string;
  const stored: Stored[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coffer-damage-'));
    environment = {
      COFFER_DATA: join(folder, 'data'),
      COFFER_PORT: '0',
      COFFER_ROOT_KEY_FILE: join(folder, 'root.key'),
      COFFER_ROOT_ACCESS_KEY_ID: ROOT.id,
      COFFER_ROOT_SECRET_ACCESS_KEY: ROOT.secret,
      COFFER_LOG_LEVEL: 'silent',
      COFFER_ALLOW_INSECURE_SSE_C: '1',
    };
    database = join(folder, 'data', 'records.db');
    await withServer((endpoint) => furnish(endpoint));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function withServer<Result>(work: (endpoint: string) => Promise<Result>): Promise<Result> {
    const server = await Server.start(readConfig({}, environment), environment, silentLogger);
    try {
      return await work(server.endpoint);
    } finally {
      await server.stop();
    }
  }

  /** As `coffer verify` does while no server runs. */
  async function verify(): Promise<Damage[]> {
    const platform = await Platform.open(readConfig({}, environment), environment, silentLogger);
    const found: Damage[] = [];
    try {
      for await (const reply of new Administration(platform).run({ command: 'verify' })) {
        if (reply.type === 'item' && 'damage' in (reply.value as Damage)) found.push(reply.value as Damage);
      }
    } finally {
      await platform.close();
    }
    return found;
  }

  async function readAll(): Promise<Map<string, Outcome>> {
    return withServer(async (endpoint) => {
      const outcomes = new Map<string, Outcome>();
      for (const { name, read } of stored) {
        const outcome = await read(endpoint).then(
          (isRight) => (isRight ? 'right' : 'WRONG'),
          () => 'refused' as const,
        );
        outcomes.set(name, outcome);
      }
      return outcomes;
    });
  }

  /** What is read and found while something is damaged. Nothing may be read wrongly, and it must be found. */
  async function examine(what: string): Promise<{ refused: string[]; found: Damage[] }> {
    const found = await verify();
    const outcomes = await readAll();
    const named = (outcome: Outcome) => [...outcomes].filter(([, other]) => other === outcome).map(([name]) => name);
    assert.deepEqual(named('WRONG'), [], `${what}: nothing is served that is not what was stored`);
    return { refused: named('refused'), found };
  }

  async function furnish(endpoint: string): Promise<void> {
    const root = clientConfig(endpoint, ROOT.id, ROOT.secret);
    const iam = new IAMClient(root);
    const kms = new KMSClient(root);
    const s3 = new S3Client(root);

    const Tags = [{ Key: 'team', Value: 'films' }];
    await iam.send(new CreateUserCommand({ UserName: 'ann', Tags }));
    const Statement = [{ Effect: 'Allow', Action: 'sts:*', Resource: '*' }];
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await iam.send(new PutUserPolicyCommand({ UserName: 'ann', PolicyName: 'p', PolicyDocument }));
    const { Policy: managed } = await iam.send(new CreatePolicyCommand({ PolicyName: 'q', PolicyDocument }));
    await iam.send(new AttachUserPolicyCommand({ UserName: 'ann', PolicyArn: managed?.Arn }));
    await iam.send(new CreateGroupCommand({ GroupName: 'team' }));
    await iam.send(new AddUserToGroupCommand({ GroupName: 'team', UserName: 'ann' }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }));
    const { AccessKeyId: id = '', SecretAccessKey: secret = '' } = AccessKey ?? {};
    stored.push({
      name: `access key ${id}`,
      async read(at) {
        const sts = new STSClient(clientConfig(at, id, secret));
        const { Arn } = await sts.send(new GetCallerIdentityCommand({})).finally(() => sts.destroy());
        return Arn === 'arn:aws:iam::123456789012:user/ann';
      },
    });

    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/kept', TargetKeyId: KeyMetadata?.KeyId }));
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('kept') }),
    );
    stored.push({
      name: `KMS key ${KeyMetadata?.KeyId}`,
      async read(at) {
        const client = new KMSClient(clientConfig(at, ROOT.id, ROOT.secret));
        const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob })).finally(() => client.destroy());
        return Buffer.from(Plaintext ?? []).toString() === 'kept';
      },
    });

    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const owner = { AWS: 'arn:aws:iam::123456789012:root' };
    const allow = { Effect: 'Allow', Principal: owner, Action: 's3:*', Resource: `arn:aws:s3:::${BUCKET}/*` };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [allow] });
    await s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy }));
    const byKey = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyMetadata?.Arn } as const;
    const kinds: [string, number, object, object][] = [
      ['small', 1000, {}, {}],
      ['small-kms', 1000, byKey, {}],
      ['small-kms-2', 1000, byKey, {}],
      ['small-bucket-key', 1000, { ...byKey, BucketKeyEnabled: true }, {}],
      ['small-customer', 1000, CUSTOMER, CUSTOMER],
      ['empty', 0, {}, {}],
      ['large', 400_000, {}, {}],
      ['large-2', 400_000, {}, {}],
      ['large-kms', 400_000, byKey, {}],
      ['large-customer', 400_000, CUSTOMER, CUSTOMER],
    ];
    for (const [Key, size, how, toRead] of kinds) {
      const content = randomBytes(size);
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: content, ...how }));
      stored.push(objectToRead(Key, content, toRead));
    }

    const parts = [randomBytes(5 * 1024 * 1024), randomBytes(300_000)];
    for (const Key of ['of-parts', 'unfinished']) {
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, ...byKey }));
      const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
      for (const [index, Body] of parts.entries()) {
        const PartNumber = index + 1;
        const { ETag } = await s3.send(new UploadPartCommand({ Bucket: BUCKET, Key, UploadId, PartNumber, Body }));
        Parts.push({ PartNumber, ETag });
      }
      if (Key === 'unfinished') {
        stored.push({
          name: `s3://${BUCKET}/unfinished`,
          async read(at) {
            const client = new S3Client(clientConfig(at, ROOT.id, ROOT.secret));
            const answer = await client
              .send(new ListPartsCommand({ Bucket: BUCKET, Key, UploadId }))
              .finally(() => client.destroy());
            return answer.Parts?.map((part) => part.ETag).join() === Parts.map((part) => part.ETag).join();
          },
        });
        break;
      }
      const MultipartUpload = { Parts };
      await s3.send(new CompleteMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId, MultipartUpload }));
      stored.push(objectToRead(Key, Buffer.concat(parts), {}));
    }

    await s3.send(new CreateBucketCommand({ Bucket: VERSIONED }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: VERSIONED, VersioningConfiguration }));
    const [older, newer] = [randomBytes(1000), randomBytes(1000)];
    const first = await s3.send(new PutObjectCommand({ Bucket: VERSIONED, Key: 'film', Body: older }));
    await s3.send(new PutObjectCommand({ Bucket: VERSIONED, Key: 'film', Body: newer }));
    const VersionId = first.VersionId ?? '';
    const version = objectToRead('film', older, { VersionId }, VERSIONED);
    stored.push(objectToRead('film', newer, {}, VERSIONED), {
      ...version,
      name: `${version.name} (version ${VersionId})`,
    });
    for (const client of [iam, kms, s3]) client.destroy();
  }

  function objectToRead(key: string, content: Buffer, how: object, bucket = BUCKET): Stored {
    return {
      name: `s3://${bucket}/${key}`,
      async read(at) {
        const client = new S3Client(clientConfig(at, ROOT.id, ROOT.secret));
        try {
          const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...how }));
          return Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content);
        } finally {
          client.destroy();
        }
      },
    };
  }

  /** Puts the database back after the work. */
  async function onCopy(work: () => Promise<void>): Promise<void> {
    const kept = join(folder, 'kept.db');
    await copyFile(database, kept);
    try {
      await work();
    } finally {
      await rm(`${database}-wal`, { force: true });
      await rm(`${database}-shm`, { force: true });
      await copyFile(kept, database);
    }
  }

  it('is none to begin with', async () => {
    assert.deepEqual(await examine('sound'), { refused: [], found: [] });
  });

  it('in any sealed key, secret or content is an error on read, and found', async () => {
    const sealed: [string, string][] = [
      ['iam_access_key', 'sealed'],
      ['kms_material', 'sealed'],
      ['s3_master_key', 'sealed'],
      ['s3_object', 'body'],
      ['s3_version', 'body'],
    ];
    for (const [table, column] of sealed) {
      const cells = cellsOf(database, table, `"${column}" IS NOT NULL`).filter((cell) => cell.column === column);
      assert.ok(cells.length > 0, table);
      for (const cell of cells) {
        await onCopy(async () => {
          changeCell(database, cell);
          const what = `${table}.${column} of row ${cell.rowid}`;
          const { refused, found } = await examine(what);
          assert.notDeepEqual(found, [], `${what} is found`);
          assert.notDeepEqual(refused, [], `${what} is not read`);
        });
      }
    }
  });

  it('in any column of an S3 record is an error on read, and found', async () => {
    const all = stored.map(({ name }) => name).filter((name) => name.startsWith('s3:') && !name.endsWith('unfinished'));
    const versions = all.filter((name) => name.includes(' (version '));
    const objects = all.filter((name) => !versions.includes(name));
    const unfinished = `s3://${BUCKET}/unfinished`;
    const tables: [string, string[], string[]][] = [
      ['s3_object', objects, ['id', 'size', 'etag', 'modified_at', 'facts', 'mac']],
      ['s3_object', [`s3://${BUCKET}/of-parts`], ['parts']],
      ['s3_version', versions, ['rank', 'id', 'size', 'etag', 'modified_at', 'facts', 'mac']],
      ['s3_bucket', [`s3://${BUCKET}`], ['account', 'region', 'created_at', 'policy', 'mac']],
      ['s3_bucket', [`s3://${VERSIONED}`], ['settings']],
      ['s3_upload', [unfinished], ['object_id', 'initiated_at', 'facts', 'mac']],
      ['s3_part', [unfinished], ['facts', 'modified_at', 'mac']],
    ];
    for (const [table, names, columns] of tables) {
      for (const column of columns) {
        await onCopy(async () => {
          for (const cell of cellsOf(database, table, `"${column}" IS NOT NULL`)) {
            if (cell.column === column) changeCell(database, cell);
          }
          const { refused, found } = await examine(`${table}.${column}`);
          const named = new Set(found.map(({ what }) => what.replace(/ \(part \d+ of an upload\)$/, '')));
          for (const name of names) assert.ok(named.has(name), `${table}.${column}: ${name} is found`);
          if (table !== 's3_part' && table !== 's3_upload') {
            const isInside = (name: string) => names.some((bucket) => name.startsWith(`${bucket}/`));
            const expected = table === 's3_bucket' ? objects.filter(isInside) : names;
            assert.deepEqual(
              expected.filter((name) => !refused.includes(name)),
              [],
              `${table}.${column} is not read`,
            );
          }
        });
      }
    }
    assert.deepEqual(await examine('restored'), { refused: [], found: [] }, 'no start has removed what was in use');
  });

  it('in any column of any other record is found, and nothing is served that is not what was stored', async () => {
    const cells = withDatabase(database, allTables).flatMap((table) => {
      const [row] = withDatabase(database, (open) => open.prepare(`SELECT * FROM "${table}" LIMIT 1`).all());
      return row === undefined || table.startsWith('s3_') || UNSEALED.has(table) ? [] : [{ table, row }];
    });
    assert.ok(cells.length >= 12, `${cells.length} tables`);
    for (let index = 0; index < 20; index++) {
      const damaged: string[] = [];
      await onCopy(async () => {
        for (const { table, row } of cells) {
          const column = Object.keys(row)[index];
          const value = column === undefined ? null : row[column];
          if (column === undefined || value === null || value === undefined || value === '') continue;
          const where = Object.keys(row).map((name) => `"${name}" IS ?`);
          withDatabase(database, (open) =>
            open
              .prepare(`UPDATE "${table}" SET "${column}" = ? WHERE ${where.join(' AND ')}`)
              .run(changed(value), ...Object.values(row)),
          );
          damaged.push(table);
        }
        if (damaged.length === 0) return;
        const { found } = await examine(`column ${index} of ${damaged.join()}`);
        for (const table of damaged) {
          assert.ok(
            found.some(({ what }) => what.includes(table)),
            `${table} is named: ${JSON.stringify(found)}`,
          );
        }
      });
    }
    assert.deepEqual(await examine('restored'), { refused: [], found: [] });
  });

  it('leaves an object that can be replaced, and then nothing of what it was', async () => {
    const blobs = join(folder, 'data', 'blobs');
    const before = await filesUnder(blobs);
    const kept = new Map(await Promise.all(before.map(async (file) => [file, await readFile(file)] as const)));
    await onCopy(async () => {
      for (const key of ['large', 'large-kms']) {
        const [cell] = cellsOf(database, 's3_object', `key = '${key}'`).filter(({ column }) => column === 'facts');
        assert.ok(cell);
        withDatabase(database, (open) => {
          open.prepare('UPDATE s3_object SET facts = substr(facts, 2) WHERE rowid = ?').run(cell.rowid);
        });
      }
      await withServer(async (endpoint) => {
        const s3 = new S3Client(clientConfig(endpoint, ROOT.id, ROOT.secret));
        for (const Key of ['large', 'large-kms']) {
          // A policy may ask for its tags, which nobody can believe any longer: it is not deleted as it is.
          await assert.rejects(s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key })));
          await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'new' }));
        }
        await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'large' }));
        s3.destroy();
      });
      // The next start finds what the deleted records had named.
      await withServer(async () => {
        for (let wait = 0; wait < 100 && (await filesUnder(blobs)).length > before.length - 2; wait++) await delay(20);
      });
      assert.equal((await filesUnder(blobs)).length, before.length - 2);
      assert.deepEqual(await verify(), []);
    });
    for (const [file, content] of kept) await writeFile(file, content, { mode: 0o600 });
    assert.deepEqual(await examine('restored'), { refused: [], found: [] });
  });

  it('by two records that change places is an error on read, and found', async () => {
    const swaps: [string, string, string, string, number][] = [
      ['s3_object', `key='small'`, `key='empty'`, 'body', 1],
      ['s3_object', `key='small-kms'`, `key='small-kms-2'`, 'body', 2],
      ['s3_object', `key='small-kms'`, `key='small-kms-2'`, 'id, size, etag, modified_at, facts, mac, body', 2],
      ['iam_access_key', `id='${ROOT.id}'`, `id<>'${ROOT.id}'`, 'sealed', 1],
    ];
    for (const [table, first, second, columns, atLeast] of swaps) {
      await onCopy(async () => {
        swapCells(database, table, first, second, columns.split(', '));
        const { found } = await examine(`${table} ${columns}`);
        assert.ok(found.length >= atLeast, JSON.stringify(found));
      });
    }
  });

  it('in any blob file is an error on read, and found by its object’s name', async () => {
    const files = await filesUnder(join(folder, 'data', 'blobs'));
    const contents = new Map(await Promise.all(files.map(async (file) => [file, await readFile(file)] as const)));
    const objects = ['large', 'large-2', 'large-kms', 'large-customer', 'of-parts'].map(
      (key) => `s3://${BUCKET}/${key}`,
    );
    const unfinished = [1, 2].map((number) => `s3://${BUCKET}/unfinished (part ${number} of an upload)`);
    assert.equal(files.length, objects.length + 3, 'a blob for each, and for each part');

    const anywhere = (length: number) => randomBytes(4).readUInt32LE() % length;
    const others = new Map(files.map((file, index) => [file, contents.get(files[(index + 1) % files.length] ?? '')]));
    const damages: [string, (file: string, content: Buffer) => Promise<void>][] = [
      ['flipped in its first bit', (file, content) => writeFile(file, flipBit(content, 0))],
      ['flipped in its last byte', (file, content) => writeFile(file, flipBit(content, content.length - 1))],
      ['flipped somewhere', (file, content) => writeFile(file, flipBit(content, anywhere(content.length)))],
      ['cut by one byte', (file, content) => truncate(file, content.length - 1)],
      ['cut somewhere', (file, content) => truncate(file, anywhere(content.length))],
      ['cut to nothing', (file) => truncate(file, 0)],
      ['longer by one byte', (file, content) => writeFile(file, Buffer.concat([content, randomBytes(1)]))],
      ['exchanged for another', (file) => writeFile(file, others.get(file) ?? '')],
      ['missing', (file) => rm(file)],
    ];
    for (const [damage, inflict] of damages) {
      try {
        for (const [file, content] of contents) await inflict(file, content);
        const { refused, found } = await examine(damage);
        assert.deepEqual(refused.toSorted(), objects.toSorted(), damage);
        assert.deepEqual(found.map(({ what }) => what).toSorted(), [...objects, ...unfinished].toSorted(), damage);
        if (damage === 'missing') for (const { damage: what } of found) assert.match(what, /is missing/);
      } finally {
        for (const [file, content] of contents) await writeFile(file, content, { mode: 0o600 });
      }
    }
    assert.deepEqual(await examine('restored'), { refused: [], found: [] });
  });
});
