import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CancelJobCommand,
  CreateJobCommand,
  DescribeEndpointsCommand,
  GetJobCommand,
  GetQueueCommand,
  ListJobsCommand,
  ListQueuesCommand,
  MediaConvertClient,
} from '@aws-sdk/client-mediaconvert';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { probeMedia } from '#media/probe-media.ts';
import { makeTestVideo } from '#media/test-video.ts';
import { hlsLadder, jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';
import { validateHls } from '#test/harness/hls-validator.ts';
import { startTestPlatform, type TestPlatform } from '#test/harness/platform.ts';

let platform: TestPlatform;
let iam: IAMClient;
let kms: KMSClient;
let s3: S3Client;
let mediaconvert: MediaConvertClient;
let keyArn: string;
let role: string;

const SOURCE = 's3://source/films/holiday.mp4';

/** A role that MediaConvert may assume, with these permissions. */
async function makeRole(name: string, statements: readonly object[], condition: object = {}): Promise<string> {
  const trust = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'mediaconvert.amazonaws.com' },
        Action: 'sts:AssumeRole',
        ...(Object.keys(condition).length > 0 && { Condition: condition }),
      },
    ],
  };
  const made = await iam.send(
    new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: JSON.stringify(trust) }),
  );
  const policy = { Version: '2012-10-17', Statement: statements };
  await iam.send(
    new PutRolePolicyCommand({ RoleName: name, PolicyName: 'media', PolicyDocument: JSON.stringify(policy) }),
  );
  return made.Role?.Arn ?? '';
}

let users = 0;

/** A user with these permissions; returns the access key. */
async function makeUser(statements: readonly object[]) {
  const UserName = `user-${++users}`;
  await iam.send(new CreateUserCommand({ UserName }));
  const document = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'all', PolicyDocument: document }));
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' };
}

const objects = { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject', 's3:ListBucket'], Resource: '*' };
const decrypt = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' };
const generate = { Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Encrypt'], Resource: '*' };

async function upload(key: string, bytes: Buffer): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: 'source', Key: key, Body: bytes }));
}

async function download(bucket: string, key: string): Promise<Buffer> {
  const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
}

before(async () => {
  platform = await startTestPlatform();
  const config = platform.clientConfig();
  iam = new IAMClient(config);
  kms = new KMSClient(config);
  s3 = new S3Client(config);
  mediaconvert = new MediaConvertClient(config);
  keyArn = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  for (const Bucket of ['source', 'outputs']) await s3.send(new CreateBucketCommand({ Bucket }));
  const rule = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: keyArn } };
  await s3.send(
    new PutBucketEncryptionCommand({ Bucket: 'source', ServerSideEncryptionConfiguration: { Rules: [rule] } }),
  );
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:PutObject',
        Resource: 'arn:aws:s3:::outputs/*',
        Condition: { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } },
      },
    ],
  };
  await s3.send(new PutBucketPolicyCommand({ Bucket: 'outputs', Policy: JSON.stringify(policy) }));
  await upload('films/holiday.mp4', await makeTestVideo({ seconds: 5, width: 640, height: 360 }));
  role = await makeRole('MediaConvertRole', [objects, decrypt, generate], {
    StringEquals: { 'aws:SourceAccount': platform.accountId },
    ArnLike: { 'aws:SourceArn': `arn:aws:mediaconvert:*:${platform.accountId}:queues/*` },
  });
});

after(async () => {
  for (const client of [iam, kms, s3, mediaconvert]) client.destroy();
  await platform.stop();
});

describe('an encrypted transcode', () => {
  test('writes MP4 and an HLS ladder under the customer key, into a bucket that refuses anything else', async () => {
    const request = jobOf(role, SOURCE, [
      mp4Group({ destination: 's3://outputs/mp4/', kmsKeyArn: keyArn }),
      hlsLadder({ destination: 's3://outputs/hls/film', kmsKeyArn: keyArn }),
    ]);
    const userMetadata = { title: 'Holiday' };
    const { Job: created } = await mediaconvert.send(
      new CreateJobCommand({ ...request, UserMetadata: userMetadata, Priority: 7, StatusUpdateInterval: 'SECONDS_10' }),
    );
    assert.match(created?.Id ?? '', /^\d{13}-[a-z0-9]{6}$/);
    assert.equal(created?.Arn, `arn:aws:mediaconvert:us-east-1:${platform.accountId}:jobs/${created?.Id}`);
    assert.equal(created?.Queue, `arn:aws:mediaconvert:us-east-1:${platform.accountId}:queues/Default`);
    assert.equal(created?.Status, 'SUBMITTED');
    assert.deepEqual(created?.UserMetadata, userMetadata);
    assert.deepEqual(created?.Settings, request.Settings);
    const job = await jobEnd(mediaconvert, created?.Id);
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
    assert.equal(job.JobPercentComplete, 100);
    assert.equal(job.Priority, 7);
    assert.deepEqual(job.OutputGroupDetails, [
      { OutputDetails: [{ DurationInMs: 5000, VideoDetails: { WidthInPx: 320, HeightInPx: 180 } }] },
      {
        OutputDetails: [
          { DurationInMs: 5000, VideoDetails: { WidthInPx: 320, HeightInPx: 180 } },
          { DurationInMs: 5000, VideoDetails: { WidthInPx: 160, HeightInPx: 90 } },
        ],
      },
    ]);
    const { SubmitTime: submitted, StartTime: started, FinishTime: finished } = job.Timing ?? {};
    assert.ok(submitted && started && finished && submitted <= started && started <= finished);

    const { Contents: listed = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'outputs' }));
    const keys = listed.map(({ Key }) => Key ?? '').sort();
    assert.deepEqual(keys, [
      'hls/film.m3u8',
      'hls/film_180.m3u8',
      'hls/film_180_00001.ts',
      'hls/film_180_00002.ts',
      'hls/film_180_00003.ts',
      'hls/film_90.m3u8',
      'hls/film_90_00001.ts',
      'hls/film_90_00002.ts',
      'hls/film_90_00003.ts',
      'mp4/holiday-180p.mp4',
    ]);
    for (const Key of keys) {
      const head = await s3.send(new HeadObjectCommand({ Bucket: 'outputs', Key }));
      assert.equal(head.ServerSideEncryption, 'aws:kms', Key);
      assert.equal(head.SSEKMSKeyId, keyArn, Key);
    }
    const mp4 = await probeMedia(await download('outputs', 'mp4/holiday-180p.mp4'));
    assert.deepEqual(
      mp4.streams.map(({ codec }) => codec),
      ['h264', 'aac'],
    );
    const main = (await download('outputs', 'hls/film.m3u8')).toString();
    assert.match(main, /RESOLUTION=320x180.*\nfilm_180\.m3u8\n.*RESOLUTION=160x90.*\nfilm_90\.m3u8\n/s);
    const { faults } = await validateHls((key) => download('outputs', key), 'hls/film.m3u8');
    assert.deepEqual(faults, []);
    const segment = await probeMedia(await download('outputs', 'hls/film_90_00002.ts'));
    assert.equal(segment.streams.length, 2);
  });

  test('makes an input of an output', async () => {
    const groups = [mp4Group({ destination: 's3://outputs/again', kmsKeyArn: keyArn })];
    const { Job: created } = await mediaconvert.send(
      new CreateJobCommand(jobOf(role, 's3://outputs/mp4/holiday-180p.mp4', groups)),
    );
    const job = await jobEnd(mediaconvert, created?.Id);
    assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
  });
});

describe('a job that may not', () => {
  async function end(roleArn: string, input = SOURCE) {
    const groups = [mp4Group({ destination: 's3://outputs/denied', kmsKeyArn: keyArn })];
    const { Job: created } = await mediaconvert.send(new CreateJobCommand(jobOf(roleArn, input, groups)));
    return jobEnd(mediaconvert, created?.Id);
  }

  test('write with the key ends in ERROR 1401 and says that kms:GenerateDataKey is missing', async () => {
    const job = await end(await makeRole('NoGenerate', [objects, decrypt]));
    assert.equal(job.Status, 'ERROR');
    assert.equal(job.ErrorCode, 1401);
    assert.match(job.ErrorMessage ?? '', /^Unable to write to output file \[s3:\/\/outputs\/denied-180p\.mp4\]/);
    assert.match(job.ErrorMessage ?? '', /kms:GenerateDataKey/);
  });

  test('read with the key ends in ERROR 1401 and says that kms:Decrypt is missing', async () => {
    const job = await end(await makeRole('NoDecrypt', [objects, generate]));
    assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1401]);
    assert.match(job.ErrorMessage ?? '', /^Unable to open input file \[s3:\/\/source\/films\/holiday\.mp4\]/);
    assert.match(job.ErrorMessage ?? '', /kms:Decrypt/);
  });

  test('use a disabled key ends in ERROR', async () => {
    await kms.send(new DisableKeyCommand({ KeyId: keyArn }));
    try {
      const job = await end(role);
      assert.equal(job.Status, 'ERROR');
      assert.match(job.ErrorMessage ?? '', /disabled/);
    } finally {
      await kms.send(new EnableKeyCommand({ KeyId: keyArn }));
    }
  });

  test('assume its role ends in ERROR 1434, and one that is not there in 1433', async () => {
    const foreign = await makeRole('OtherAccount', [objects], {
      StringEquals: { 'aws:SourceAccount': '999999999999' },
    });
    const job = await end(foreign);
    assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1434]);
    assert.match(job.ErrorMessage ?? '', /AssumeRole/);
    const absent = await end(`arn:aws:iam::${platform.accountId}:role/Absent`);
    assert.deepEqual([absent.Status, absent.ErrorCode], ['ERROR', 1433]);
    const missing = 'role/Absent]: [The role does not exist]';
    assert.ok(absent.ErrorMessage?.includes(missing));
    assert.doesNotMatch(absent.ErrorMessage ?? '', /trust policy/);
  });

  test('find its input ends in ERROR 1404', async () => {
    const job = await end(role, 's3://source/absent.mp4');
    assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1404]);
  });

  test('see whether its input is there ends in ERROR 1401, which says both', async () => {
    const blind = await makeRole('Blind', [
      { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: '*' },
    ]);
    const job = await end(blind, 's3://source/absent.mp4');
    assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1401]);
    const said = job.ErrorMessage?.match(/does not exist, or it may not be read: without s3:ListBucket/g);
    assert.equal(said?.length, 2);
  });
});

describe('broken input', () => {
  test('ends the job with a code that says so, and the next job runs', async () => {
    const film = await download('source', 'films/holiday.mp4');
    const cases: readonly (readonly [string, Buffer, number])[] = [
      ['empty.mp4', Buffer.alloc(0), 1010],
      ['text.mp4', Buffer.from('This is not a film.\n'.repeat(500)), 1010],
      ['truncated.mp4', film.subarray(0, film.length / 2), 1076],
    ];
    for (const [name, bytes, code] of cases) {
      await upload(name, bytes);
      const groups = [mp4Group({ destination: 's3://outputs/broken', kmsKeyArn: keyArn })];
      const { Job: created } = await mediaconvert.send(
        new CreateJobCommand(jobOf(role, `s3://source/${name}`, groups)),
      );
      const job = await jobEnd(mediaconvert, created?.Id);
      assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', code], `${name}: ${job.ErrorMessage}`);
    }
  });
});

describe('cancelling', () => {
  test('ends a running job within a second, and once only', async () => {
    await upload('long.mp4', await makeTestVideo({ seconds: 30, width: 640, height: 360 }));
    const groups = [mp4Group({ destination: 's3://outputs/cancelled', kmsKeyArn: keyArn })];
    const { Job: created } = await mediaconvert.send(new CreateJobCommand(jobOf(role, 's3://source/long.mp4', groups)));
    const Id = created?.Id;
    for (let phase = ''; phase !== 'TRANSCODING'; await sleep(50)) {
      const { Job: job } = await mediaconvert.send(new GetJobCommand({ Id }));
      assert.notEqual(job?.Status, 'ERROR', job?.ErrorMessage ?? '');
      phase = job?.CurrentPhase ?? '';
    }
    await mediaconvert.send(new CancelJobCommand({ Id }));
    const { Job: job } = await mediaconvert.send(new GetJobCommand({ Id }));
    assert.equal(job?.Status, 'CANCELED');
    assert.ok(job?.Timing?.FinishTime);
    await assert.rejects(mediaconvert.send(new CancelJobCommand({ Id })), { name: 'ConflictException' });
    await sleep(1000);
    await assert.rejects(s3.send(new HeadObjectCommand({ Bucket: 'outputs', Key: 'cancelled-180p.mp4' })));
  });

  test('an unknown job is a NotFoundException', async () => {
    const Id = '1500000000000-aaaaaa';
    await assert.rejects(mediaconvert.send(new CancelJobCommand({ Id })), { name: 'NotFoundException' });
    await assert.rejects(mediaconvert.send(new GetJobCommand({ Id })), { name: 'NotFoundException' });
  });
});

describe('CreateJob', () => {
  const groups = () => [mp4Group({ destination: 's3://outputs/x', kmsKeyArn: keyArn })];

  test('makes one job of the same token', async () => {
    const request = { ...jobOf(role, 's3://source/absent.mp4', groups()), ClientRequestToken: 'the-same' };
    const [first, second] = await Promise.all([
      mediaconvert.send(new CreateJobCommand(request)),
      mediaconvert.send(new CreateJobCommand(request)),
    ]);
    assert.equal(first.Job?.Id, second.Job?.Id);
    const third = await mediaconvert.send(new CreateJobCommand({ ...request, ClientRequestToken: 'another' }));
    assert.notEqual(third.Job?.Id, first.Job?.Id);
  });

  test('refuses what it does not carry out, by the JSON pointer to it', async () => {
    const [group] = groups();
    const [output] = group?.Outputs ?? [];
    const request = jobOf(role, SOURCE, [
      {
        ...group,
        Outputs: [
          {
            ...output,
            VideoDescription: { CodecSettings: { Codec: 'VP9', Vp9Settings: { RateControlMode: 'VBR' } } },
            CaptionDescriptions: [{ CaptionSelectorName: 'x', DestinationSettings: { DestinationType: 'TELETEXT' } }],
          },
        ],
      },
    ]);
    await assert.rejects(mediaconvert.send(new CreateJobCommand(request)), (error: Error) => {
      assert.equal(error.name, 'BadRequestException');
      const at = '/outputGroups/0/outputs/0';
      assert.ok(error.message.includes(`${at}/videoDescription/codecSettings/codec: `), error.message);
      assert.ok(error.message.includes(`${at}/videoDescription/codecSettings/vp9Settings: `), error.message);
      assert.ok(
        error.message.includes(`${at}/captionDescriptions/0/destinationSettings/destinationType: `),
        error.message,
      );
      return true;
    });
  });

  test('refuses templates, presets and queues that do not exist by name', async () => {
    const request = jobOf(role, SOURCE, groups());
    await assert.rejects(mediaconvert.send(new CreateJobCommand({ ...request, JobTemplate: 'mine' })), {
      name: 'NotFoundException',
      message: 'The job template mine does not exist.',
    });
    await assert.rejects(mediaconvert.send(new CreateJobCommand({ ...request, Queue: 'Fast' })), {
      name: 'NotFoundException',
    });
    const [group] = groups();
    const named = jobOf(role, SOURCE, [{ ...group, Outputs: [{ Preset: 'System-Unheard_Of' }] }]);
    await assert.rejects(mediaconvert.send(new CreateJobCommand(named)), {
      name: 'BadRequestException',
      message: /^\/outputGroups\/0\/outputs\/0\/preset: There is no preset System-Unheard_Of \| /,
    });
  });

  test('reports broken constraints as pointers too', async () => {
    const [group] = groups();
    const request = jobOf(role, SOURCE, [{ ...group, Outputs: [{ ...group?.Outputs?.[0], NameModifier: '' }] }]);
    const wrong = { ...request, Priority: 99 };
    await assert.rejects(mediaconvert.send(new CreateJobCommand(wrong)), {
      name: 'BadRequestException',
      message: /\/priority: Should be less than or equal to 50/,
    });
  });

  test('asks for iam:PassRole, and takes no role of another account', async () => {
    const request = jobOf('arn:aws:iam::999999999999:role/Theirs', SOURCE, groups());
    await assert.rejects(mediaconvert.send(new CreateJobCommand(request)), {
      name: 'AccessDeniedException',
      message: 'Cross-account pass role is not allowed.',
    });
  });

  test('takes no role from a user who may not pass it', async () => {
    const allow = (Action: string, Condition: object = {}) => ({ Effect: 'Allow', Action, Resource: '*', Condition });
    const passed = (service: string) => ({ StringEquals: { 'iam:PassedToService': service } });
    const create = async (...statements: object[]) => {
      const client = new MediaConvertClient(platform.clientConfig(await makeUser(statements)));
      try {
        return await client.send(new CreateJobCommand(jobOf(role, 's3://source/absent.mp4', groups())));
      } finally {
        client.destroy();
      }
    };
    const refusal = { name: 'AccessDeniedException', message: /not authorized to perform: iam:PassRole on resource: / };
    await assert.rejects(create(allow('mediaconvert:*')), refusal);
    const wrong = allow('iam:PassRole', passed('ec2.amazonaws.com'));
    await assert.rejects(create(allow('mediaconvert:*'), wrong), refusal);
    const right = allow('iam:PassRole', passed('mediaconvert.amazonaws.com'));
    await assert.rejects(create(right), { name: 'AccessDeniedException', message: /mediaconvert:CreateJob/ });
    assert.equal((await create(allow('mediaconvert:*'), right)).Job?.Status, 'SUBMITTED');
  });

  test('needs what it needs', async () => {
    await assert.rejects(mediaconvert.send(new CreateJobCommand({ Role: role, Settings: {} })), {
      name: 'BadRequestException',
      message: ': inputs is a required property | /outputGroups: Should have at least 1 items',
    });
  });
});

test('jobs are listed page by page, newest first, by status', async () => {
  const { Jobs: all = [] } = await mediaconvert.send(new ListJobsCommand({ MaxResults: 20 }));
  const seen: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await mediaconvert.send(new ListJobsCommand({ MaxResults: 3, ...(NextToken && { NextToken }) }));
    assert.ok((page.Jobs ?? []).length <= 3);
    seen.push(...(page.Jobs ?? []).map((job) => job.Id ?? ''));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  assert.deepEqual(
    seen.slice(0, all.length),
    all.map((job) => job.Id),
  );
  assert.deepEqual(seen, seen.toSorted().toReversed());
  const failed = await mediaconvert.send(new ListJobsCommand({ Status: 'ERROR', Order: 'ASCENDING', MaxResults: 2 }));
  assert.ok(failed.Jobs?.every((job) => job.Status === 'ERROR'));
  await assert.rejects(mediaconvert.send(new ListJobsCommand({ NextToken: 'nonsense' })), {
    name: 'BadRequestException',
  });
});

test('the Default queue is there', async () => {
  const { Queue: queue } = await mediaconvert.send(new GetQueueCommand({ Name: 'Default' }));
  assert.deepEqual([queue?.Name, queue?.Type, queue?.Status], ['Default', 'SYSTEM', 'ACTIVE']);
  const { Queues: queues } = await mediaconvert.send(new ListQueuesCommand({}));
  assert.deepEqual(
    queues?.map(({ Name }) => Name),
    ['Default'],
  );
  await assert.rejects(mediaconvert.send(new GetQueueCommand({ Name: 'Fast' })), { name: 'NotFoundException' });
  const { Endpoints: endpoints } = await mediaconvert.send(new DescribeEndpointsCommand({}));
  assert.deepEqual(endpoints, [{ Url: platform.endpoint }]);
});
