import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CloudTrailClient, LookupEventsCommand, type LookupEventsCommandInput } from '@aws-sdk/client-cloudtrail';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
} from '@aws-sdk/client-kms';
import { CreateJobCommand, MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { jobEnd, jobOf, mp4Group } from '../harness/media-job.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { RawConnection, headOf } from '../harness/raw-connection.ts';
import { signHeader } from '../harness/sigv4-signer.ts';

interface TrailEvent {
  readonly eventName: string;
  readonly userIdentity: Readonly<Record<string, unknown>>;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly requestID: string;
  readonly requestParameters: Readonly<Record<string, unknown>> | null;
  readonly additionalEventData: Readonly<Record<string, unknown>>;
  readonly resources: readonly { readonly ARN: string }[];
  readonly sourceIPAddress: string;
  readonly userAgent: string;
}

describe('the audit log', () => {
  let platform: TestPlatform;
  let trail: CloudTrailClient;
  let root: { kms: KMSClient; s3: S3Client; iam: IAMClient; sts: STSClient };
  let user: { accessKeyId: string; secretAccessKey: string };
  let keyArn: string;
  let roleArn: string;
  /** Whatever must stand nowhere. */
  const secrets = new Map<string, Buffer>();

  before(async () => {
    platform = await startTestPlatform({ COFFER_ALLOW_INSECURE_SSE_C: '1' });
    const config = platform.clientConfig();
    trail = new CloudTrailClient(config);
    root = {
      kms: new KMSClient(config),
      s3: new S3Client(config),
      iam: new IAMClient(config),
      sts: new STSClient(config),
    };
    secrets.set('the root user’s secret', Buffer.from(config.credentials.secretAccessKey));
    await root.iam.send(new CreateUserCommand({ UserName: 'alice' }));
    const { AccessKey } = await root.iam.send(new CreateAccessKeyCommand({ UserName: 'alice' }));
    user = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
    secrets.set('a user’s secret', Buffer.from(user.secretAccessKey));
    const { KeyMetadata } = await root.kms.send(new CreateKeyCommand({}));
    keyArn = KeyMetadata?.Arn ?? '';
    const allow = (Action: string | string[], Resource: string) =>
      JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'Use', Effect: 'Allow', Action, Resource }] });
    await root.iam.send(
      new PutUserPolicyCommand({
        UserName: 'alice',
        PolicyName: 'uses-the-key',
        PolicyDocument: allow(['kms:Encrypt', 'kms:GenerateDataKey', 's3:PutObject', 'sts:AssumeRole'], '*'),
      }),
    );
    const trust = {
      Effect: 'Allow',
      Principal: { Service: 'mediaconvert.amazonaws.com', AWS: platform.accountId },
      Action: 'sts:AssumeRole',
    };
    const { Role } = await root.iam.send(
      new CreateRoleCommand({
        RoleName: 'media',
        AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trust] }),
      }),
    );
    roleArn = Role?.Arn ?? '';
    await root.iam.send(
      new PutRolePolicyCommand({ RoleName: 'media', PolicyName: 'reads', PolicyDocument: allow('s3:*', '*') }),
    );
    await root.s3.send(new CreateBucketCommand({ Bucket: 'audited' }));
  });
  after(async () => {
    trail.destroy();
    for (const client of Object.values(root)) client.destroy();
    await platform.stop();
  });

  async function lookUp(AttributeKey: 'EventName' | 'ResourceName' | 'Username', AttributeValue: string) {
    const events: TrailEvent[] = [];
    let input: LookupEventsCommandInput = { LookupAttributes: [{ AttributeKey, AttributeValue }] };
    for (;;) {
      const page = await trail.send(new LookupEventsCommand(input));
      for (const event of page.Events ?? []) events.push(JSON.parse(event.CloudTrailEvent ?? '{}') as TrailEvent);
      if (page.NextToken === undefined) return events;
      input = { ...input, NextToken: page.NextToken };
    }
  }

  async function onlyEvent(
    key: 'EventName' | 'ResourceName' | 'Username',
    value: string,
    name: string,
    isDenied = false,
  ) {
    const events = (await lookUp(key, value)).filter(
      (event) => event.eventName === name && (event.errorCode !== undefined) === isDenied,
    );
    assert.equal(events.length, 1, `${name}: ${JSON.stringify(events)}`);
    const [event] = events;
    assert.ok(event);
    return event;
  }

  it('says who did what with which key, and which statement allowed it', async () => {
    const kms = new KMSClient(platform.clientConfig(user));
    const plaintext = randomBytes(48);
    secrets.set('a plaintext', plaintext);
    await kms.send(new EncryptCommand({ KeyId: keyArn, Plaintext: plaintext, EncryptionContext: { film: 'one' } }));
    kms.destroy();
    const event = await onlyEvent('ResourceName', keyArn, 'Encrypt');
    assert.deepEqual(event.userIdentity, {
      type: 'IAMUser',
      principalId: event.userIdentity['principalId'],
      arn: `arn:aws:iam::${platform.accountId}:user/alice`,
      accountId: platform.accountId,
      accessKeyId: user.accessKeyId,
      userName: 'alice',
    });
    assert.deepEqual(
      event.resources.map((resource) => resource.ARN),
      [keyArn],
    );
    assert.match(String(event.additionalEventData['allowedBy']), /uses-the-key#Use/);
    assert.deepEqual(event.requestParameters, { keyId: keyArn, encryptionContext: { film: 'one' } });
    assert.equal(event.sourceIPAddress, '127.0.0.1');
    assert.match(event.userAgent, /aws-sdk-js/);
  });

  it('says who was refused what, and why', async () => {
    const sealed = await root.kms.send(new EncryptCommand({ KeyId: keyArn, Plaintext: Buffer.from('x') }));
    const kms = new KMSClient(platform.clientConfig(user));
    await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob })));
    kms.destroy();
    const event = await onlyEvent('Username', 'alice', 'Decrypt', true);
    assert.equal(event.errorCode, 'AccessDeniedException');
    assert.match(
      event.errorMessage ?? '',
      /user\/alice is not authorized to perform: kms:Decrypt on resource: .*key\//,
    );
    assert.deepEqual(
      event.resources.map((resource) => resource.ARN),
      [keyArn],
    );
    assert.equal(event.additionalEventData['allowedBy'], undefined);
  });

  it('shows the key’s use behind an upload as the uploader’s own, through S3', async () => {
    const s3 = new S3Client(platform.clientConfig(user));
    const place = { Bucket: 'audited', Key: 'film' };
    await s3.send(
      new PutObjectCommand({ ...place, Body: 'content', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn }),
    );
    await assert.rejects(s3.send(new GetObjectCommand(place)));
    s3.destroy();
    const put = await onlyEvent('Username', 'alice', 'PutObject');
    const use = await onlyEvent('ResourceName', keyArn, 'GenerateDataKey');
    assert.equal(use.userIdentity['userName'], 'alice');
    assert.match(String(use.userIdentity['invokedBy']), /^s3\./);
    assert.equal(use.additionalEventData['parentRequestID'], put.requestID);
    assert.deepEqual(
      put.resources.map((resource) => resource.ARN),
      ['arn:aws:s3:::audited/film', keyArn],
    );
    const refused = await onlyEvent('Username', 'alice', 'GetObject', true);
    assert.equal(refused.errorCode, 'AccessDenied');
  });

  it('shows every read under a bucket key by the read itself, and no dry runs', async () => {
    const s3 = new S3Client(platform.clientConfig());
    const place = { Bucket: 'audited', Key: 'under-a-bucket-key' };
    const encryption = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn, BucketKeyEnabled: true } as const;
    await s3.send(new PutObjectCommand({ ...place, Body: 'content', ...encryption }));
    for (let i = 0; i < 3; i++) await (await s3.send(new GetObjectCommand(place))).Body?.transformToByteArray();
    s3.destroy();
    const uses = await lookUp('ResourceName', keyArn);
    const reads = uses.filter((event) => event.eventName === 'GetObject' && event.userIdentity['type'] === 'Root');
    assert.equal(reads.length, 3);
    assert.ok(uses.every((event) => event.errorCode !== 'DryRunOperationException'));
  });

  it('shows what a session of a role did, and who began it', async () => {
    const sts = new STSClient(platform.clientConfig(user));
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'by-alice' }));
    sts.destroy();
    const session = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    secrets.set('a session’s secret', Buffer.from(session.secretAccessKey));
    secrets.set('a session token', Buffer.from(session.sessionToken));
    const kms = new KMSClient(platform.clientConfig(session));
    await assert.rejects(kms.send(new GenerateDataKeyCommand({ KeyId: keyArn, KeySpec: 'AES_256' })));
    kms.destroy();
    const assumed = await onlyEvent('EventName', 'AssumeRole', 'AssumeRole');
    assert.equal(assumed.userIdentity['userName'], 'alice');
    const event = await onlyEvent('Username', 'by-alice', 'GenerateDataKey', true);
    assert.equal(event.userIdentity['type'], 'AssumedRole');
    assert.equal(event.userIdentity['arn'], `arn:aws:sts::${platform.accountId}:assumed-role/media/by-alice`);
    const { sessionIssuer } = event.userIdentity['sessionContext'] as { sessionIssuer: Record<string, unknown> };
    assert.equal(sessionIssuer['arn'], roleArn);
  });

  it('shows that a media job acts as its role', async () => {
    const mediaconvert = new MediaConvertClient(platform.clientConfig());
    const request = jobOf(roleArn, 's3://audited/absent.mp4', [mp4Group({ destination: 's3://audited/out' })]);
    const { Job: job } = await mediaconvert.send(new CreateJobCommand(request));
    const ended = await jobEnd(mediaconvert, job?.Id ?? '');
    mediaconvert.destroy();
    assert.equal(ended.Status, 'ERROR');
    const assumptions = (await lookUp('EventName', 'AssumeRole')).filter(
      ({ userIdentity }) => userIdentity['type'] === 'AWSService',
    );
    assert.ok(assumptions.length > 0);
    assert.equal(assumptions[0]?.userIdentity['invokedBy'], 'mediaconvert.amazonaws.com');
    const events = await lookUp('ResourceName', 'arn:aws:s3:::audited/absent.mp4');
    assert.ok(events.length > 0);
    for (const { userIdentity } of events) {
      assert.equal(userIdentity['type'], 'AssumedRole');
      const { sessionIssuer } = userIdentity['sessionContext'] as { sessionIssuer: Record<string, unknown> };
      assert.equal(sessionIssuer['arn'], roleArn);
    }
  });

  it('holds no secret, nor does anything else on the disk', async () => {
    const dataKey = await root.kms.send(new GenerateDataKeyCommand({ KeyId: keyArn, KeySpec: 'AES_256' }));
    secrets.set('a data key', Buffer.from(dataKey.Plaintext ?? []));
    const customerKey = randomBytes(32);
    secrets.set('a customer’s key', customerKey);
    const content = randomBytes(5000);
    secrets.set('an object', content.subarray(0, 64));
    const place = { Bucket: 'audited', Key: 'secret', SSECustomerAlgorithm: 'AES256' };
    const key = { SSECustomerKey: customerKey.toString('base64') };
    await root.s3.send(new PutObjectCommand({ ...place, ...key, Body: content }));
    await root.s3.send(new GetObjectCommand({ ...place, ...key }));

    // Content keys in settings that are refused, in their form and not.
    const mediaconvert = new MediaConvertClient(platform.clientConfig());
    for (const contentKey of [randomBytes(16).toString('hex'), 'no-key-but-a-secret-password']) {
      secrets.set(`a content key ${contentKey.length}`, Buffer.from(contentKey));
      const group = mp4Group({ destination: 's3://audited/out' });
      const request = jobOf(roleArn, 's3://audited/absent.mp4', [
        {
          OutputGroupSettings: {
            Type: 'HLS_GROUP_SETTINGS',
            HlsGroupSettings: {
              Destination: 's3://audited/hls',
              Encryption: {
                EncryptionMethod: 'AES128',
                Type: 'STATIC_KEY',
                StaticKeyProvider: { StaticKeyValue: contentKey, Url: 'https://keys.example' },
              },
            },
          },
          Outputs: group.Outputs ?? [],
        },
      ]);
      await assert.rejects(mediaconvert.send(new CreateJobCommand(request)));
    }
    mediaconvert.destroy();

    // A secret in a body that can not be read must not be repeated in the error.
    const broken = randomBytes(24).toString('hex');
    secrets.set('a secret in broken JSON', Buffer.from(broken));
    const { credentials } = platform.clientConfig();
    for (const body of [`{"Plaintext":"${broken}`, `{"KeyId":"${keyArn}","Plaintext":"%${broken}"}`]) {
      const connection = await RawConnection.open(platform.endpoint);
      const request = signHeader(
        { method: 'POST', path: '/', headers: [['X-Amz-Target', 'TrentService.Encrypt']], body: Buffer.from(body) },
        { credentials, service: 'kms', host: new URL(platform.endpoint).host },
      );
      connection.write(Buffer.concat([Buffer.from(headOf(request)), request.body]));
      const response = await connection.read();
      assert.equal(response.status, 400);
      assert.ok(!response.text.includes(broken), response.text);
      connection.destroy();
    }
    // The log is written behind the answers; asking it waits for that.
    await lookUp('EventName', 'Encrypt');

    const files = filesIn(platform.dataFolder);
    assert.ok(files.some((file) => file.endsWith('records.db')));
    let searched = 0;
    for (const file of files) {
      const bytes = readFileSync(file);
      searched += bytes.length;
      for (const [what, secret] of secrets) {
        for (const [form, text] of formsOf(secret)) {
          assert.ok(!bytes.includes(text), `${what} is in ${file} (${form})`);
        }
      }
    }
    assert.ok(searched > 100_000, `${searched} bytes were searched`);
  });
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => statSync(path).isFile());
}

/** As it is, in hex, and in base64 at each of the three places where it may begin. */
function formsOf(secret: Buffer): (readonly [form: string, bytes: Buffer | string])[] {
  const shifted = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), secret]).toString('base64');
    // The characters at either end depend on what stands beside the secret.
    return [`base64 from ${offset}`, text.slice(4, -4)] as const;
  });
  return [['as it is', secret], ['hex', secret.toString('hex')], ...shifted];
}
