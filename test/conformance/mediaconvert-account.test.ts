import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import {
  AssociateCertificateCommand,
  CreateJobCommand,
  type CreateJobRequest,
  CreateJobTemplateCommand,
  CreatePresetCommand,
  CreateQueueCommand,
  CreateResourceShareCommand,
  DeletePolicyCommand,
  DisassociateCertificateCommand,
  GetJobCommand,
  GetJobsQueryResultsCommand,
  GetPolicyCommand,
  GetQueueCommand,
  type JobsQueryFilter,
  ListTagsForResourceCommand,
  ListVersionsCommand,
  MediaConvertClient,
  PutPolicyCommand,
  SearchJobsCommand,
  StartJobsQueryCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-mediaconvert';
import { jobEnd, jobOf, mp4Group } from '../harness/media-job.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

describe('a MediaConvert account', () => {
  let platform: TestPlatform;
  let client: MediaConvertClient;
  let role: string;
  let users = 0;

  before(async () => {
    platform = await startTestPlatform();
    client = new MediaConvertClient(platform.clientConfig());
    // There is no such role: a job ends as soon as it begins.
    role = `arn:aws:iam::${platform.accountId}:role/Absent`;
  });
  after(async () => {
    client.destroy();
    await platform.stop();
  });

  const arnOf = (resource: string) => `arn:aws:mediaconvert:us-east-1:${platform.accountId}:${resource}`;

  async function submit(input: string, more: Partial<CreateJobRequest> = {}, by = client): Promise<string> {
    const request = jobOf(role, input, [mp4Group({ destination: 's3://outputs/' })]);
    const { Job } = await by.send(new CreateJobCommand({ ...request, ...more }));
    return Job?.Id ?? '';
  }

  /** Calls as a user who may do these things alone. */
  async function as<Result>(statements: readonly object[], call: (user: MediaConvertClient) => Promise<Result>) {
    const UserName = `user-${++users}`;
    const iam = new IAMClient(platform.clientConfig());
    await iam.send(new CreateUserCommand({ UserName }));
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statements });
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'all', PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    iam.destroy();
    const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {};
    const user = new MediaConvertClient(platform.clientConfig({ accessKeyId, secretAccessKey }));
    return call(user).finally(() => user.destroy());
  }
  const allow = (Action: string | string[], Resource: string | string[] = '*', Condition: object = {}) => ({
    Effect: 'Allow',
    Action,
    Resource,
    Condition,
  });

  it('allows inputs from everywhere until its policy says otherwise', async () => {
    const all = { S3Inputs: 'ALLOWED', HttpsInputs: 'ALLOWED', HttpInputs: 'ALLOWED' };
    assert.deepEqual((await client.send(new GetPolicyCommand({}))).Policy, all);
    const put = await client.send(new PutPolicyCommand({ Policy: { S3Inputs: 'DISALLOWED' } }));
    assert.deepEqual(put.Policy, { ...all, S3Inputs: 'DISALLOWED' });
    assert.deepEqual((await client.send(new GetPolicyCommand({}))).Policy, put.Policy);
    await assert.rejects(submit('s3://source/film.mp4'), {
      name: 'BadRequestException',
      message:
        'You specified an input location that your policy disallows. Specify an allowed input location and resubmit your job.',
    });
    const elsewhere = new MediaConvertClient(platform.clientConfig(undefined, 'eu-west-1'));
    assert.deepEqual((await elsewhere.send(new GetPolicyCommand({}))).Policy, all);
    elsewhere.destroy();
    await client.send(new PutPolicyCommand({ Policy: { HttpInputs: 'DISALLOWED' } }));
    await assert.rejects(submit('http://example.com/film.mp4'), {
      message: /^You specified an input location that your policy disallows\./,
    });
    await client.send(new DeletePolicyCommand({}));
    assert.deepEqual((await client.send(new GetPolicyCommand({}))).Policy, all);
    assert.equal((await jobEnd(client, await submit('s3://source/film.mp4'))).Status, 'ERROR');
  });

  it('can have it demanded by IAM that a policy forbids HTTP inputs', async () => {
    const noHttp = { Bool: { 'mediaconvert:HttpInputsAllowed': 'false' } };
    const pass = allow('iam:PassRole', role);
    const rights = [pass, allow('mediaconvert:CreateJob', '*', noHttp)];
    const refused = { name: 'AccessDeniedException' };
    await assert.rejects(
      as(rights, (user) => submit('s3://source/film.mp4', {}, user)),
      refused,
    );
    await client.send(new PutPolicyCommand({ Policy: { HttpInputs: 'DISALLOWED' } }));
    assert.notEqual(await as(rights, (user) => submit('s3://source/film.mp4', {}, user)), '');
    await client.send(new DeletePolicyCommand({}));
  });

  it('has tags on jobs, queues, templates and presets, by which IAM decides', async () => {
    await client.send(new CreateQueueCommand({ Name: 'tagged', Tags: { team: 'blue' } }));
    await client.send(new CreateJobTemplateCommand({ Name: 'tagged', Settings: {}, Tags: { team: 'red' } }));
    await client.send(new CreatePresetCommand({ Name: 'a tagged one', Settings: {} }));
    const job = await submit('s3://source/film.mp4', { Tags: { team: 'green' } });
    const tagsOf = async (resource: string) => {
      const { ResourceTags } = await client.send(new ListTagsForResourceCommand({ Arn: arnOf(resource) }));
      assert.equal(ResourceTags?.Arn, arnOf(resource));
      return ResourceTags?.Tags;
    };
    assert.deepEqual(await tagsOf('queues/tagged'), { team: 'blue' });
    for (const resource of ['queues/tagged', 'jobTemplates/tagged', 'presets/a tagged one', `jobs/${job}`]) {
      const Arn = arnOf(resource);
      await client.send(new TagResourceCommand({ Arn, Tags: { team: 'gold', cost: '7' } }));
      assert.deepEqual(await tagsOf(resource), { team: 'gold', cost: '7' });
      await client.send(new UntagResourceCommand({ Arn, TagKeys: ['cost', 'absent'] }));
      assert.deepEqual(await tagsOf(resource), { team: 'gold' });
    }
    for (const resource of ['queues/absent', 'jobs/1', 'flows/x']) {
      await assert.rejects(tagsOf(resource), { name: 'NotFoundException' });
    }
    const Arn = arnOf('queues/tagged');
    await assert.rejects(client.send(new TagResourceCommand({ Arn, Tags: { 'aws:x': 'y' } })), {
      name: 'BadRequestException',
    });
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`key-${index}`, 'x']));
    await assert.rejects(client.send(new TagResourceCommand({ Arn, Tags: many })), { name: 'BadRequestException' });

    const gold = [allow('mediaconvert:GetQueue', '*', { StringEquals: { 'aws:ResourceTag/team': 'gold' } })];
    await as(gold, (user) => user.send(new GetQueueCommand({ Name: 'tagged' })));
    await assert.rejects(
      as(gold, (user) => user.send(new GetQueueCommand({ Name: 'Default' }))),
      { name: 'AccessDeniedException' },
    );
    const blueOnly = allow('mediaconvert:*', '*', { StringEquals: { 'aws:RequestTag/team': 'blue' } });
    const make = (team: string) =>
      as([blueOnly], (user) => user.send(new CreateQueueCommand({ Name: `made-${team}`, Tags: { team } })));
    await make('blue');
    await assert.rejects(make('red'), { name: 'AccessDeniedException' });
    const withoutTagging = [allow('mediaconvert:CreateQueue')];
    await assert.rejects(
      as(withoutTagging, (user) => user.send(new CreateQueueCommand({ Name: 'x', Tags: { a: 'b' } }))),
      { name: 'AccessDeniedException', message: /mediaconvert:TagResource/ },
    );
  });

  it('asks for the right to use the queue, the template and the presets of a job', async () => {
    await client.send(new CreateQueueCommand({ Name: 'mine' }));
    await client.send(new CreatePresetCommand({ Name: 'allowed', Settings: {} }));
    const Outputs = [{ Preset: 'allowed' }];
    await client.send(new CreateJobTemplateCommand({ Name: 'mine', Settings: { OutputGroups: [{ Outputs }] } }));
    const pass = allow('iam:PassRole', role);
    const resources = [arnOf('queues/mine'), arnOf('jobTemplates/mine'), arnOf('presets/allow*')];
    const request = { Role: role, Settings: {}, JobTemplate: 'mine', Queue: 'mine' };
    const create = (granted: readonly string[]) =>
      as([pass, allow('mediaconvert:CreateJob', [...granted])], (user) => user.send(new CreateJobCommand(request)));
    for (const missing of resources) {
      const granted = resources.filter((resource) => resource !== missing);
      await assert.rejects(create(granted), { name: 'AccessDeniedException' }, missing);
    }
    // Allowed, and only then looked at.
    await assert.rejects(create(resources), { name: 'BadRequestException' });

    // As in AWS's guide: the right to make templates is given for the queue and the presets that they name.
    const template = { Name: 'another', Queue: 'mine', Settings: { OutputGroups: [{ Outputs }] } };
    const save = (granted: readonly string[]) =>
      as([allow('mediaconvert:CreateJobTemplate', [...granted])], (user) =>
        user.send(new CreateJobTemplateCommand(template)),
      );
    await assert.rejects(save([arnOf('queues/mine')]), { name: 'AccessDeniedException', message: /presets\/allowed/ });
    await assert.rejects(save([arnOf('presets/*')]), { name: 'AccessDeniedException', message: /queues\/mine/ });
    await save([arnOf('queues/mine'), arnOf('presets/allow*')]);
    // And AWS's basic policy for users names all of MediaConvert's ARNs.
    const basic = [allow('mediaconvert:*', 'arn:aws:mediaconvert:*:*:*')];
    await as(basic, (user) => user.send(new GetPolicyCommand({})));
    await as(basic, (user) => user.send(new ListVersionsCommand({})));
  });

  it('searches its jobs, and queries them', async () => {
    await client.send(new CreateQueueCommand({ Name: 'archive' }));
    const ids: string[] = [];
    for (const [input, Queue] of [
      ['s3://library/a/one.mp4', 'archive'],
      ['s3://library/a/two.mp4', 'archive'],
      ['s3://library/b/three.mp4', 'Default'],
    ] as const) {
      const id = await submit(input, { Queue, JobEngineVersion: '2024-01-01' });
      await jobEnd(client, id);
      ids.push(id);
    }
    const search = async (input: ConstructorParameters<typeof SearchJobsCommand>[0] & object) => {
      const { Jobs = [] } = await client.send(new SearchJobsCommand(input));
      return Jobs.map(({ Id }) => ids.indexOf(Id ?? ''));
    };
    assert.deepEqual(await search({ InputFile: 's3://library/' }), [2, 1, 0]);
    assert.deepEqual(await search({ InputFile: 'library/a', Order: 'ASCENDING' }), [0, 1]);
    assert.deepEqual(await search({ InputFile: 'library', Queue: arnOf('queues/archive') }), [1, 0]);
    assert.deepEqual(await search({ InputFile: 'library', Status: 'COMPLETE' }), []);
    const first = await client.send(new SearchJobsCommand({ InputFile: 'library', MaxResults: 2 }));
    const { NextToken } = first;
    const second = await client.send(new SearchJobsCommand({ InputFile: 'library', MaxResults: 2, NextToken }));
    const pages = [first, second].map(({ Jobs = [] }) => Jobs.map(({ Id }) => ids.indexOf(Id ?? '')));
    assert.deepEqual([pages, second.NextToken], [[[2, 1], [0]], undefined]);
    await assert.rejects(search({ InputFile: 'x'.repeat(301) }), { name: 'BadRequestException' });

    const query = async (FilterList: JobsQueryFilter[]) => {
      const { Id } = await client.send(new StartJobsQueryCommand({ FilterList, Order: 'ASCENDING' }));
      const { Status, Jobs = [] } = await client.send(new GetJobsQueryResultsCommand({ Id }));
      assert.equal(Status, 'COMPLETE');
      return Jobs.map((job) => ids.indexOf(job.Id ?? '')).filter((index) => index >= 0);
    };
    const library: JobsQueryFilter = { Key: 'fileInput', Values: ['one.mp4', 'three.mp4'] };
    assert.deepEqual(await query([library]), [0, 2]);
    assert.deepEqual(await query([library, { Key: 'queue', Values: ['archive'] }]), [0]);
    assert.deepEqual(await query([{ Key: 'status', Values: ['ERROR', 'COMPLETE'] }]), [0, 1, 2]);
    assert.deepEqual(await query([library, { Key: 'videoCodec', Values: ['H_265'] }]), []);
    assert.deepEqual(await query([library, { Key: 'videoCodec', Values: ['H_264'] }]), [0, 2]);
    assert.deepEqual(await query([{ Key: 'audioCodec', Values: ['AAC'] }]), [0, 1, 2]);
    assert.deepEqual(await query([{ Key: 'errorCode', Values: ['1433'] }]), [0, 1, 2]);
    assert.deepEqual(await query([{ Key: 'jobEngineVersionRequested', Values: ['2024-01-01'] }]), [0, 1, 2]);
    await assert.rejects(query([{ Key: 'status' }]), { name: 'BadRequestException' });
    await assert.rejects(client.send(new GetJobsQueryResultsCommand({ Id: 'absent' })), { name: 'NotFoundException' });
  });

  it('keeps what a job says of itself', async () => {
    const { Versions } = await client.send(new ListVersionsCommand({}));
    const facts = {
      UserMetadata: { title: 'Holiday' },
      BillingTagsSource: 'QUEUE',
      StatusUpdateInterval: 'SECONDS_600',
      SimulateReservedQueue: 'ENABLED',
      AccelerationSettings: { Mode: 'PREFERRED' },
      ClientRequestToken: 'a-token',
    } as const;
    const id = await submit('s3://source/film.mp4', { ...facts, JobEngineVersion: '2023-05-05' });
    const { Job } = await client.send(new GetJobCommand({ Id: id }));
    for (const [name, value] of Object.entries(facts)) assert.deepEqual(Job?.[name as keyof typeof Job], value, name);
    assert.equal(Job?.AccelerationStatus, 'NOT_ACCELERATED');
    assert.deepEqual(
      [Job?.JobEngineVersionRequested, Job?.JobEngineVersionUsed],
      ['2023-05-05', Versions?.[0]?.Version],
    );
    const again = await submit('s3://source/other.mp4', { ClientRequestToken: 'a-token' });
    assert.equal(again, id);
    await assert.rejects(submit('s3://source/film.mp4', { JobEngineVersion: 'newest' }), {
      name: 'BadRequestException',
      message: /^\/jobEngineVersion: /,
    });
    await assert.rejects(submit('s3://source/film.mp4', { ClientRequestToken: 'x'.repeat(65) }), {
      message: /^\/clientRequestToken: /,
    });
  });

  it('associates certificates of its own', async () => {
    const Arn = `arn:aws:acm:us-east-1:${platform.accountId}:certificate/11111111-2222-3333-4444-555555555555`;
    const { $metadata: made } = await client.send(new AssociateCertificateCommand({ Arn }));
    assert.equal(made.httpStatusCode, 201);
    await client.send(new AssociateCertificateCommand({ Arn }));
    const { $metadata: gone } = await client.send(new DisassociateCertificateCommand({ Arn }));
    assert.equal(gone.httpStatusCode, 202);
    await assert.rejects(client.send(new DisassociateCertificateCommand({ Arn })), { name: 'NotFoundException' });
    const foreign = Arn.replace(platform.accountId, '999999999999');
    await assert.rejects(client.send(new AssociateCertificateCommand({ Arn: foreign })), {
      name: 'BadRequestException',
    });
  });

  it('shares a job for a support case once, and says so with the job', async () => {
    const JobId = await submit('s3://source/film.mp4');
    const share = (input: { JobId: string; SupportCaseId: string }, by = client) =>
      by.send(new CreateResourceShareCommand(input));
    const shown = async () => (await client.send(new GetJobCommand({ Id: JobId }))).Job;
    assert.equal((await shown())?.ShareStatus, 'NOT_SHARED');
    const { $metadata } = await share({ JobId, SupportCaseId: 'case-1' });
    assert.equal($metadata.httpStatusCode, 202);
    const shared = await shown();
    assert.equal(shared?.ShareStatus, 'SHARED');
    assert.match(shared.LastShareDetails ?? '', /case-1 at 20/);
    await share({ JobId: arnOf(`jobs/${JobId}`), SupportCaseId: 'case-1' });
    assert.equal((await shown())?.LastShareDetails, shared.LastShareDetails);
    await share({ JobId, SupportCaseId: 'case-2' });
    assert.match((await shown())?.LastShareDetails ?? '', /case-2/);

    await assert.rejects(share({ JobId: 'x', SupportCaseId: 'y' }), { name: 'NotFoundException' });
    await assert.rejects(share({ JobId, SupportCaseId: 'a\nb' }), { name: 'BadRequestException' });
    await assert.rejects(share({ JobId } as never), {
      name: 'BadRequestException',
      message: ': supportCaseId is a required property',
    });
    const mine = allow('mediaconvert:CreateResourceShare', arnOf(`jobs/${JobId}`));
    await as([mine], (user) => share({ JobId, SupportCaseId: 'case-1' }, user));
    const others = allow('mediaconvert:CreateResourceShare', arnOf('jobs/other'));
    await assert.rejects(
      as([others], (user) => share({ JobId, SupportCaseId: 'case-1' }, user)),
      { name: 'AccessDeniedException' },
    );
    for (let count = 3; count <= 20; count++) await share({ JobId, SupportCaseId: `case-${count}` });
    await assert.rejects(share({ JobId, SupportCaseId: 'case-21' }), { name: 'ServiceQuotaExceededException' });
  });
});
