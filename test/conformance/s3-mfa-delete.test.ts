import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CreateVirtualMFADeviceCommand,
  DeactivateMFADeviceCommand,
  DeleteVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
  GetAccountSummaryCommand,
  IAMClient,
  ListMFADevicesCommand,
} from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  DeleteBucketLifecycleCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { totpCode } from '#services/iam/domain/totp.ts';
import { allowing, failsWith, makeUser } from '../harness/iam-people.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const Bucket = 'mfa-delete';
const Key = 'film';

let platform: TestPlatform;
let s3: S3Client;
let iam: IAMClient;

before(async () => {
  platform = await startTestPlatform();
  s3 = new S3Client(platform.clientConfig());
  iam = new IAMClient(platform.clientConfig());
});

after(async () => {
  for (const client of [s3, iam]) client.destroy();
  await platform.stop();
});

function fromBase32(text: string): Buffer {
  const bits = text
    .split('')
    .map((character) => BASE32.indexOf(character).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

test('with MFA delete, versions go and versioning changes by the code of the root user’s device alone', async () => {
  const { VirtualMFADevice: made } = await iam.send(
    new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'root-account-mfa-device' }),
  );
  const seed = fromBase32(Buffer.from(made?.Base32StringSeed ?? []).toString());
  const now = Math.floor(Date.now() / 30_000);
  const SerialNumber = made?.SerialNumber ?? '';
  assert.equal(SerialNumber, `arn:aws:iam::${platform.accountId}:mfa/root-account-mfa-device`);
  const [first, second] = [totpCode(seed, now - 2), totpCode(seed, now - 1)];
  const enabling = { SerialNumber, AuthenticationCode1: first, AuthenticationCode2: second };
  await iam.send(new EnableMFADeviceCommand({ ...enabling, UserName: platform.accountId }));
  const { MFADevices = [] } = await iam.send(new ListMFADevicesCommand({}));
  assert.deepEqual(
    MFADevices.map((device) => device.SerialNumber),
    [SerialNumber],
  );
  assert.equal((await iam.send(new GetAccountSummaryCommand({}))).SummaryMap?.AccountMFAEnabled, 1);
  await assert.rejects(
    iam.send(new DeleteVirtualMFADeviceCommand({ SerialNumber })),
    failsWith('DeleteConflictException'),
  );
  // Codes are good in the step before and after, too.
  const code = (steps: number): string => `${SerialNumber} ${totpCode(seed, now - 1 + steps)}`;

  await s3.send(new CreateBucketCommand({ Bucket }));
  const set = (Status: 'Enabled' | 'Suspended', MFADelete: 'Enabled' | 'Disabled', MFA?: string, client = s3) =>
    client.send(new PutBucketVersioningCommand({ Bucket, MFA, VersioningConfiguration: { Status, MFADelete } }));
  await assert.rejects(set('Enabled', 'Enabled'), failsWith('AccessDenied'));
  await assert.rejects(set('Enabled', 'Enabled', `${SerialNumber} 000000x`), failsWith('AccessDenied'));
  const admin = new S3Client(platform.clientConfig(await makeUser(iam, 'admin', allowing('*'))));
  await assert.rejects(set('Enabled', 'Enabled', code(1), admin), failsWith('AccessDenied'));
  // What rules remove bears no code: the two do not go together.
  const Filter = { Prefix: '' };
  const LifecycleConfiguration = { Rules: [{ Status: 'Enabled' as const, Filter, Expiration: { Days: 1 } }] };
  const ruled = new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration });
  await s3.send(ruled);
  await assert.rejects(set('Enabled', 'Enabled'), failsWith('InvalidBucketState'));
  await s3.send(new DeleteBucketLifecycleCommand({ Bucket }));
  await set('Enabled', 'Enabled', code(1));
  await assert.rejects(s3.send(ruled), failsWith('InvalidBucketState'));
  const { MFADelete } = await s3.send(new GetBucketVersioningCommand({ Bucket }));
  assert.equal(MFADelete, 'Enabled');

  const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'frames' }));
  const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  const removal = { Bucket, Key, VersionId };
  await assert.rejects(s3.send(new DeleteObjectCommand(removal)), failsWith('AccessDenied'));
  await assert.rejects(s3.send(new DeleteObjectCommand({ ...removal, MFA: code(1) })), failsWith('AccessDenied'));
  await assert.rejects(admin.send(new DeleteObjectCommand(removal)), failsWith('AccessDenied'));
  const Objects = [{ Key, VersionId: marker.VersionId }];
  await assert.rejects(s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } })), failsWith('AccessDenied'));
  await assert.rejects(set('Suspended', 'Enabled'), failsWith('AccessDenied'));
  await assert.rejects(set('Enabled', 'Disabled'), failsWith('AccessDenied'));
  await s3.send(new DeleteObjectCommand({ ...removal, MFA: code(2) }));
  const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
  assert.deepEqual([Versions.length, DeleteMarkers.length], [0, 1]);

  await iam.send(new DeactivateMFADeviceCommand({ SerialNumber }));
  await assert.rejects(set('Enabled', 'Disabled', code(3)), failsWith('AccessDenied'));
  await iam.send(new DeleteVirtualMFADeviceCommand({ SerialNumber }));
  admin.destroy();
});
