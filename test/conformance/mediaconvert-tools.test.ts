import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { MediaAccount } from '../harness/media-account.ts';
import { jobEnd } from '../harness/media-job.ts';

const run = promisify(execFile);
const hasCli = spawnSync('aws', ['--version']).status === 0;

interface Answer {
  readonly Queue: { readonly Arn: string; readonly Status: string };
  readonly Queues: readonly { readonly Name: string }[];
  readonly Job: { readonly Id: string; readonly Arn: string };
  readonly Jobs: readonly { readonly Id: string }[];
  readonly JobTemplate: { readonly Arn: string };
  readonly Policy: object;
  readonly ResourceTags: { readonly Tags: object };
  readonly ProbeResults: readonly { readonly Container: { readonly Format: string } }[];
  readonly Presets: readonly { readonly Name: string }[];
}

describe('MediaConvert with the AWS CLI', { skip: hasCli ? false : 'the AWS CLI is not installed' }, () => {
  let account: MediaAccount;
  let folder: string;

  before(async () => {
    account = await MediaAccount.start(2);
    folder = await mkdtemp(join(tmpdir(), 'coffer-cli-'));
  });
  after(async () => {
    await account.stop();
    await rm(folder, { recursive: true });
  });

  async function aws(...args: readonly string[]): Promise<Answer> {
    const { credentials } = account.platform.clientConfig();
    const { stdout } = await run('aws', ['mediaconvert', ...args, '--output', 'json'], {
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        AWS_ENDPOINT_URL: account.platform.endpoint,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
      },
    });
    return (stdout === '' ? {} : JSON.parse(stdout)) as Answer;
  }

  async function json(name: string, content: object): Promise<string> {
    await writeFile(join(folder, name), JSON.stringify(content));
    return `file://${join(folder, name)}`;
  }

  it('a queue, a template with one of AWS’s presets, a job under it, and what there is to ask', async () => {
    const { Queue } = await aws('create-queue', '--name', 'shows', '--status', 'PAUSED', '--tags', 'team=blue');
    assert.equal((await aws('update-queue', '--name', 'shows', '--status', 'ACTIVE')).Queue.Status, 'ACTIVE');
    const { Queues } = await aws('list-queues', '--list-by', 'NAME');
    assert.deepEqual(
      Queues.map(({ Name }) => Name),
      ['Default', 'shows'],
    );

    const Preset = 'System-Generic_Sd_Mp4_Avc_Aac_4x3_640x480p_24Hz_1.5Mbps';
    const listed = await aws('list-presets', '--list-by', 'SYSTEM', '--category', 'GENERIC');
    assert.ok(listed.Presets.some(({ Name }) => Name === Preset));
    const group = {
      Name: 'File Group',
      OutputGroupSettings: { Type: 'FILE_GROUP_SETTINGS', FileGroupSettings: {} },
      Outputs: [{ Preset, Extension: 'mp4', NameModifier: '_480p' }],
    };
    const template = await json('template.json', {
      Name: 'shows',
      Queue: Queue.Arn,
      Settings: { OutputGroups: [group] },
    });
    const { JobTemplate } = await aws('create-job-template', '--cli-input-json', template);
    const settings = await json('settings.json', {
      Inputs: [{ FileInput: account.source }],
      OutputGroups: [{ OutputGroupSettings: { FileGroupSettings: { Destination: 's3://outputs/cli/' } } }],
    });
    const submit = ['create-job', '--role', account.role, '--job-template', JobTemplate.Arn, '--settings', settings];
    const { Job } = await aws(...submit, '--tags', 'show=news');
    const end = await jobEnd(account.media, Job.Id);
    assert.equal(end.Status, 'COMPLETE', end.ErrorMessage ?? '');
    assert.ok((await account.download('cli/holiday_480p.mp4')).length > 1000);

    const found = await aws('search-jobs', '--input-file', 'holiday', '--queue', 'shows', '--status', 'COMPLETE');
    assert.deepEqual(
      found.Jobs.map(({ Id }) => Id),
      [Job.Id],
    );
    const { ResourceTags } = await aws('list-tags-for-resource', '--arn', Job.Arn);
    assert.deepEqual(ResourceTags.Tags, { show: 'news' });
    const files = JSON.stringify([{ FileUrl: account.source }]);
    const { ProbeResults } = await aws('probe', '--input-files', files);
    assert.equal(ProbeResults[0]?.Container.Format, 'mp4');

    // As AWS's guide has it: "How to allow or disallow input location types".
    const allowed = { S3Inputs: 'ALLOWED', HttpsInputs: 'ALLOWED', HttpInputs: 'DISALLOWED' };
    await aws('put-policy', '--policy', JSON.stringify(allowed));
    assert.deepEqual((await aws('get-policy')).Policy, allowed);
    await aws('put-policy', '--policy', '{"S3Inputs":"DISALLOWED"}');
    await assert.rejects(aws(...submit), /You specified an input location that your policy disallows/);
    await aws('delete-policy');
    await aws('delete-job-template', '--name', 'shows');
    await aws('delete-queue', '--name', 'shows');
    await assert.rejects(aws('delete-queue', '--name', 'Default'), /BadRequestException/);
  });
});
