import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateJobCommand,
  type CreateJobCommandInput,
  CreateJobTemplateCommand,
  CreatePresetCommand,
  CreateResourceShareCommand,
  GetJobCommand,
  type Job,
  MediaConvertClient,
} from '@aws-sdk/client-mediaconvert';
import { CreateBucketCommand, PutBucketPolicyCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { makeTestVideo } from '#media/test-video.ts';
import type { Finding, Grant } from '#services/mediaconvert/preflight/finding.ts';
import { CofferHome } from '../harness/coffer-home.ts';
import type { ClientConfig } from '../harness/platform.ts';

const TRUST_OF_ANOTHER = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
const policy = (...Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement });

describe('a preflight of a MediaConvert job', () => {
  let home: CofferHome;
  let config: ClientConfig;
  let iam: IAMClient;
  let s3: S3Client;
  let media: MediaConvertClient;
  let keys: { readonly input: string; readonly output: string };

  before(async () => {
    home = await CofferHome.make();
    await home.start();
    config = await home.rootClientConfig();
    iam = new IAMClient(config);
    s3 = new S3Client(config);
    media = new MediaConvertClient(config);
    const kms = new KMSClient(config);
    const createKey = async () => (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    keys = { input: await createKey(), output: await createKey() };
    kms.destroy();
    for (const Bucket of ['input', 'output']) await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(
      new PutObjectCommand({
        Bucket: 'input',
        Key: 'film.mp4',
        Body: await makeTestVideo({ seconds: 1, width: 320, height: 180 }),
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: keys.input,
      }),
    );
  });
  after(async () => {
    for (const client of [iam, s3, media]) client.destroy();
    await home[Symbol.asyncDispose]();
  });

  async function createRole(RoleName: string, trust: object = TRUST_OF_ANOTHER): Promise<string> {
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policy(trust) }));
    return Role?.Arn ?? '';
  }

  function job(Role: string): CreateJobCommandInput {
    return {
      Role,
      Settings: {
        Inputs: [
          { FileInput: 's3://input/film.mp4', AudioSelectors: { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' } } },
        ],
        OutputGroups: [
          {
            OutputGroupSettings: {
              Type: 'FILE_GROUP_SETTINGS',
              FileGroupSettings: {
                Destination: 's3://output/made/',
                DestinationSettings: {
                  S3Settings: {
                    Encryption: { EncryptionType: 'SERVER_SIDE_ENCRYPTION_KMS', KmsKeyArn: keys.output },
                  },
                },
              },
            },
            Outputs: [
              {
                ContainerSettings: { Container: 'MP4' },
                VideoDescription: {
                  CodecSettings: { Codec: 'H_264', H264Settings: { RateControlMode: 'QVBR', MaxBitrate: 500_000 } },
                },
              },
            ],
          },
        ],
      },
    };
  }

  async function preflight(request: object): Promise<readonly Finding[]> {
    const file = join(home.folder, 'job.json');
    await writeFile(file, JSON.stringify(request));
    const { code, stdout, stderr } = await home.run(['mediaconvert', 'preflight', file, '--json']);
    assert.equal(stderr, '');
    const findings = JSON.parse(stdout) as Finding[];
    assert.equal(code, findings.length === 0 ? 0 : 1);
    return findings;
  }

  async function endOf(Id: string | undefined): Promise<Job | undefined> {
    for (;;) {
      const { Job: found } = await media.send(new GetJobCommand({ Id: Id ?? '' }));
      if (found?.Status !== 'SUBMITTED' && found?.Status !== 'PROGRESSING') return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  it('names what is lacking with what would grant it, and with just that the job is done', async () => {
    const RoleName = 'beginner';
    const request = job(await createRole(RoleName));
    const granted: object[] = [];
    const actions: (readonly unknown[])[] = [];
    const apply = async ({ where, statement }: Grant): Promise<void> => {
      if (where.startsWith('the trust policy')) {
        await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: policy(statement) }));
        return;
      }
      granted.push(statement);
      const PolicyDocument = policy(...granted);
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'granted', PolicyDocument }));
    };
    for (let findings = await preflight(request); findings.length > 0; findings = await preflight(request)) {
      assert.ok(actions.length < 5, JSON.stringify(findings));
      actions.push(findings.flatMap(({ grants }) => grants.map(({ statement }) => statement['Action'])));
      for (const { grants } of findings) for (const grant of grants) await apply(grant);
    }
    assert.deepEqual(actions, [
      ['sts:AssumeRole'],
      ['s3:GetObject', 's3:PutObject'],
      ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:Decrypt'],
    ]);
    const { Job: created } = await media.send(new CreateJobCommand(request));
    const ended = await endOf(created?.Id);
    assert.equal(ended?.Status, 'COMPLETE', ended?.ErrorMessage ?? '');
  });

  it('takes job files as the wire writes them, too', async () => {
    const role = await createRole('lower-case');
    const lowerCased = JSON.parse(
      JSON.stringify(job(role)).replaceAll(
        /"([A-Z])(\w*)":/g,
        (_match, head: string, rest: string) => `"${head.toLowerCase()}${rest}":`,
      ),
    ) as object;
    const [finding] = await preflight(lowerCased);
    assert.equal(finding?.step, 'assuming the role');
  });

  it('looks into the template and the presets that a job names', async () => {
    const request = job(await createRole('templated'));
    const [group] = request.Settings?.OutputGroups ?? [];
    const [output] = group?.Outputs ?? [];
    await media.send(new CreatePresetCommand({ Name: 'small', Settings: output as never }));
    const Outputs = [{ Preset: 'small' }];
    await media.send(
      new CreateJobTemplateCommand({ Name: 'films', Settings: { OutputGroups: [{ ...group, Outputs }] } }),
    );
    const { Role, Settings } = request;
    const [finding] = await preflight({ Role, JobTemplate: 'films', Settings: { Inputs: Settings?.Inputs } });
    assert.equal(finding?.step, 'assuming the role');
    const file = join(home.folder, 'unknown.json');
    await writeFile(file, JSON.stringify({ Role, JobTemplate: 'none', Settings: {} }));
    const { code, stderr } = await home.run(['mediaconvert', 'preflight', file]);
    assert.notEqual(code, 0);
    assert.match(stderr, /The job template none does not exist/);
  });

  it('offers no statement where another one denies', async () => {
    const trust = { Effect: 'Allow', Principal: { Service: 'mediaconvert.amazonaws.com' }, Action: 'sts:AssumeRole' };
    const Role = await createRole('denied', trust);
    const all = { Effect: 'Allow', Action: '*', Resource: '*' };
    const put = { RoleName: 'denied', PolicyName: 'all', PolicyDocument: policy(all) };
    await iam.send(new PutRolePolicyCommand(put));
    assert.deepEqual(await preflight(job(Role)), []);
    const deny = {
      Effect: 'Deny',
      Principal: { AWS: Role },
      Action: 's3:PutObject',
      Resource: 'arn:aws:s3:::output/*',
    };
    await s3.send(new PutBucketPolicyCommand({ Bucket: 'output', Policy: policy(deny) }));
    const findings = await preflight(job(Role));
    assert.deepEqual(
      findings.map(({ step, grants }) => [step, grants]),
      [['writing s3://output/made/film*', []]],
    );
    assert.match(findings[0]?.problem ?? '', /explicit deny in a resource-based policy/);
  });

  it('asks with the encryption context that the job gives', async () => {
    const trust = { Effect: 'Allow', Principal: { Service: 'mediaconvert.amazonaws.com' }, Action: 'sts:AssumeRole' };
    const Role = await createRole('contextual', trust);
    const objects = { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: '*' };
    const use = { Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'] };
    const PolicyDocument = policy(
      objects,
      { ...use, Resource: keys.input },
      { ...use, Resource: keys.output, Condition: { StringEquals: { 'kms:EncryptionContext:film': 'one' } } },
    );
    await iam.send(new PutRolePolicyCommand({ RoleName: 'contextual', PolicyName: 'all', PolicyDocument }));
    const lacking = async (context: object): Promise<readonly unknown[]> => {
      const KmsEncryptionContext = Buffer.from(JSON.stringify(context)).toString('base64');
      const request = JSON.stringify(job(Role))
        .replace('s3://output/', 's3://contexts/')
        .replace('"KmsKeyArn"', `"KmsEncryptionContext":"${KmsEncryptionContext}","KmsKeyArn"`);
      const findings = await preflight(JSON.parse(request) as object);
      return findings.flatMap(({ grants }) => grants.map(({ statement }) => statement['Action']));
    };
    await s3.send(new CreateBucketCommand({ Bucket: 'contexts' }));
    assert.deepEqual(await lacking({ film: 'two' }), ['kms:GenerateDataKey', 'kms:Decrypt']);
    assert.deepEqual(await lacking({ film: 'one' }), []);
  });

  it('says what is wrong with a job that Coffer does not carry out', async () => {
    const request = job('arn:aws:iam::123456789012:role/beginner');
    const file = join(home.folder, 'odd.json');
    await writeFile(file, JSON.stringify({ ...request, Settings: { ...request.Settings, Odd: true } }));
    const { code, stderr } = await home.run(['mediaconvert', 'preflight', file]);
    assert.notEqual(code, 0);
    assert.match(stderr, /\/odd/i);
  });

  it('stands in the error of a job that lacked something', async () => {
    const trust = { Effect: 'Allow', Principal: { Service: 'mediaconvert.amazonaws.com' }, Action: 'sts:AssumeRole' };
    const { Job: created } = await media.send(new CreateJobCommand(job(await createRole('lacking', trust))));
    const ended = await endOf(created?.Id);
    assert.equal(ended?.Status, 'ERROR');
    assert.match(ended.ErrorMessage ?? '', /Missing: reading s3:\/\/input\/film\.mp4: .*"Action":"s3:GetObject"/);
    assert.match(ended.ErrorMessage ?? '', /writing s3:\/\/output\/made\/film\*: .*"Action":"s3:PutObject"/);
  });

  it('says once that there is no such role', async () => {
    const { Job: created } = await media.send(new CreateJobCommand(job('arn:aws:iam::123456789012:role/nobody')));
    const ended = await endOf(created?.Id);
    assert.equal(
      ended?.ErrorMessage,
      'Unable to assume the role [arn:aws:iam::123456789012:role/nobody]: [The role does not exist]',
    );
  });

  it('is one of the operator’s looks at a job; the other is a report on a job that its owner shares', async () => {
    const secret = 'c0ffee00c0ffee00c0ffee00c0ffee00';
    const request = job(await createRole('sharing'));
    const [group] = request.Settings?.OutputGroups ?? [];
    const { Job: created } = await media.send(
      new CreateJobCommand({
        ...request,
        UserMetadata: { token: secret },
        Settings: {
          Inputs: [{ FileInput: `https://example.invalid/film.mp4` }],
          OutputGroups: [
            {
              OutputGroupSettings: {
                Type: 'HLS_GROUP_SETTINGS',
                HlsGroupSettings: {
                  Destination: 's3://output/hls/',
                  SegmentLength: 2,
                  MinSegmentLength: 0,
                  Encryption: {
                    EncryptionMethod: 'AES128',
                    Type: 'STATIC_KEY',
                    ConstantInitializationVector: secret,
                    StaticKeyProvider: {
                      StaticKeyValue: secret,
                      Url: `https://someone:${secret}@keys.example.invalid/key?signature=${secret}`,
                    },
                  },
                },
              },
              Outputs: (group?.Outputs ?? []).map((output) => ({
                ...output,
                NameModifier: '_a',
                ContainerSettings: { Container: 'M3U8' },
              })),
            },
          ],
        },
      }),
    );
    const { Id = '' } = created ?? {};
    await endOf(Id);
    const refused = await home.run(['mediaconvert', 'support-bundle', Id]);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /is not shared/);
    await media.send(new CreateResourceShareCommand({ JobId: Id, SupportCaseId: 'case-17' }));
    const { code, stdout } = await home.run(['mediaconvert', 'support-bundle', created?.Arn ?? '']);
    assert.equal(code, 0);
    const report = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    assert.equal(stdout.includes(secret), false, stdout);
    assert.match(stdout, /@keys\.example\.invalid\/key/);
    assert.equal(report['status'], 'ERROR');
    assert.equal(report['errorCode'], 1434);
    assert.match(JSON.stringify(report['phases']), /PROBING/);
    assert.match(JSON.stringify(report['sharedFor']), /case-17/);
    assert.match(JSON.stringify(report['versions']), /"coffer":"\d.*"node":"26.*"nodeAv":"\d/);
  });
});
