import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import {
  CreateKeyCommand,
  EncryptCommand,
  KMSClient,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ClockedServer } from '../harness/clocked-server.ts';

const DAY = 86_400_000;
let server: ClockedServer;

before(async () => {
  server = await ClockedServer.start();
});
after(() => server.stop());

async function isInFiles(bytes: Uint8Array): Promise<boolean> {
  const names = ['records.db', 'records.db-wal'];
  const files = await Promise.all(names.map((name) => readFile(join(server.parts.folder, name))));
  return files.some((file) => file.includes(bytes));
}

it('leaves no sealed material of a destroyed key in any file, and tells which objects went with it', async () => {
  const kms = new KMSClient(server.clientConfig());
  const s3 = new S3Client(server.clientConfig());
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const KeyId = KeyMetadata?.KeyId ?? '';
  await kms.send(new RotateKeyOnDemandCommand({ KeyId }));
  await kms.send(new EncryptCommand({ KeyId, Plaintext: randomBytes(10) }));
  await s3.send(new CreateBucketCommand({ Bucket: 'films' }));
  const put = { Bucket: 'films', Body: 'x' } as const;
  const byKey = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId } as const;
  await s3.send(new PutObjectCommand({ ...put, ...byKey, Key: 'lost' }));
  await s3.send(new PutObjectCommand({ ...put, Key: 'kept' }));

  const { store } = server.parts.services.kms;
  const sealed = (await store.allMaterials()).filter((row) => row.key_id === KeyId).map((row) => row.sealed);
  assert.equal(sealed.length, 2);
  for (const bytes of sealed) assert.ok(await isInFiles(bytes));
  assert.deepEqual(await server.parts.verify(), []);

  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  kms.destroy();
  s3.destroy();
  server.parts.now += 6 * DAY;
  await server.parts.services.kmsJanitor.sweep();
  for (const bytes of sealed) assert.ok(await isInFiles(bytes));
  server.parts.now += 2 * DAY;
  await server.parts.services.kmsJanitor.sweep();
  for (const bytes of sealed) assert.ok(!(await isInFiles(bytes)));
  assert.deepEqual(await server.parts.verify(), [
    { what: 's3://films/lost', damage: 'not readable: its KMS key was destroyed' },
  ]);
});
