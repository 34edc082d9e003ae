import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CreateJobCommand,
  type CreateJobRequest,
  CreateJobTemplateCommand,
  CreatePresetCommand,
  CreateQueueCommand,
  DeleteJobTemplateCommand,
  DeletePresetCommand,
  GetJobTemplateCommand,
  GetPresetCommand,
  type JobSettings,
  ListJobTemplatesCommand,
  ListPresetsCommand,
  type ListPresetsCommandInput,
  type PresetSettings,
  UpdateJobTemplateCommand,
  UpdatePresetCommand,
} from '@aws-sdk/client-mediaconvert';
import { probeMedia } from '#media/probe-media.ts';
import { MediaAccount } from '../harness/media-account.ts';
import { aac, h264, jobEnd } from '../harness/media-job.ts';

const SMALL: PresetSettings = {
  ContainerSettings: { Container: 'MP4', Mp4Settings: { MoovPlacement: 'PROGRESSIVE_DOWNLOAD' } },
  VideoDescription: { Width: 160, Height: 90, CodecSettings: h264(200_000) },
  AudioDescriptions: [aac],
};

describe('MediaConvert’s job templates and presets', () => {
  let account: MediaAccount;

  before(async () => {
    account = await MediaAccount.start(0.3);
  });
  after(() => account.stop());

  const arnOf = (resource: string) => `arn:aws:mediaconvert:us-east-1:${account.platform.accountId}:${resource}`;
  const fileGroup = (Destination: string) => ({
    Type: 'FILE_GROUP_SETTINGS' as const,
    FileGroupSettings: { Destination },
  });

  /** Runs a job to its end. */
  async function run(request: Partial<CreateJobRequest>) {
    const { Job } = await account.media.send(
      new CreateJobCommand({ Role: account.role, Settings: undefined, ...request }),
    );
    const end = await jobEnd(account.media, Job?.Id);
    assert.equal(end.Status, 'COMPLETE', end.ErrorMessage ?? '');
    return end;
  }

  const settingsOf = (groups: JobSettings['OutputGroups']): JobSettings => ({
    Inputs: [{ FileInput: account.source }],
    OutputGroups: groups,
  });

  it('are kept, told, changed and deleted', async () => {
    const { media } = account;
    const Category = 'small';
    const made = await media.send(
      new CreatePresetCommand({
        Name: 'tiny',
        Description: 'For a watch',
        Category,
        Settings: SMALL,
        Tags: { a: 'b' },
      }),
    );
    assert.deepEqual([made.Preset?.Arn, made.Preset?.Type], [arnOf('presets/tiny'), 'CUSTOM']);
    const { Preset } = await media.send(new GetPresetCommand({ Name: 'tiny' }));
    assert.deepEqual(Preset, made.Preset);
    assert.deepEqual(Preset?.Settings, SMALL);
    const changed = await media.send(
      new UpdatePresetCommand({
        Name: 'tiny',
        Category: 'large',
        Settings: { ContainerSettings: { Container: 'MOV' } },
      }),
    );
    assert.deepEqual(changed.Preset?.Settings, { ContainerSettings: { Container: 'MOV' } });
    assert.deepEqual([changed.Preset?.Category, changed.Preset?.Description], ['large', 'For a watch']);
    await assert.rejects(media.send(new CreatePresetCommand({ Name: 'tiny', Settings: {} })), {
      name: 'ConflictException',
    });
    await media.send(new DeletePresetCommand({ Name: 'tiny' }));
    await assert.rejects(media.send(new GetPresetCommand({ Name: 'tiny' })), {
      name: 'NotFoundException',
      message: 'The preset tiny does not exist.',
    });

    const facts = {
      Name: 'web',
      Category,
      Queue: 'Default',
      Priority: 5,
      StatusUpdateInterval: 'SECONDS_30',
      AccelerationSettings: { Mode: 'PREFERRED' },
      Settings: { OutputGroups: [{ Outputs: [{ Preset: 'tiny' }] }] },
    } as const;
    const template = await media.send(
      new CreateJobTemplateCommand({ ...facts, Settings: { OutputGroups: [{ Outputs: [{ Preset: 'tiny' }] }] } }),
    );
    const { JobTemplate: told } = await media.send(new GetJobTemplateCommand({ Name: arnOf('jobTemplates/web') }));
    assert.deepEqual(told, template.JobTemplate);
    for (const [name, value] of Object.entries(facts)) assert.deepEqual(told?.[name as keyof typeof told], value, name);
    const renewed = await media.send(new UpdateJobTemplateCommand({ Name: 'web', Priority: -5 }));
    assert.deepEqual([renewed.JobTemplate?.Priority, renewed.JobTemplate?.Queue], [-5, 'Default']);
    await media.send(new DeleteJobTemplateCommand({ Name: 'web' }));
    await assert.rejects(media.send(new DeleteJobTemplateCommand({ Name: 'web' })), { name: 'NotFoundException' });
  });

  it('are listed by name, by age and by category, page by page; AWS’s own apart', async () => {
    const { media } = account;
    for (const [Name, Category] of [
      ['c', 'odd'],
      ['a', 'odd'],
      ['b', 'even'],
    ] as const) {
      await media.send(new CreatePresetCommand({ Name, Category, Settings: {} }));
      await media.send(new CreateJobTemplateCommand({ Name, Category, Settings: {} }));
    }
    const names = async (input: ListPresetsCommandInput) =>
      (await media.send(new ListPresetsCommand(input))).Presets?.map(({ Name }) => Name);
    assert.deepEqual(await names({}), ['a', 'b', 'c']);
    assert.deepEqual(await names({ Order: 'DESCENDING' }), ['c', 'b', 'a']);
    assert.deepEqual(await names({ ListBy: 'CREATION_DATE', Order: 'ASCENDING' }), ['c', 'a', 'b']);
    assert.deepEqual(await names({ Category: 'odd' }), ['a', 'c']);
    const first = await media.send(new ListJobTemplatesCommand({ MaxResults: 2 }));
    const second = await media.send(new ListJobTemplatesCommand({ MaxResults: 2, NextToken: first.NextToken }));
    const pages = [first, second].map(({ JobTemplates }) => JobTemplates?.map(({ Name }) => Name));
    assert.deepEqual(pages, [['a', 'b'], ['c']]);
    assert.equal(second.NextToken, undefined);
    const own = await names({ ListBy: 'SYSTEM', Category: 'OTT-HLS' });
    assert.ok(own?.includes('System-Ott_Hls_Ts_Avc_Aac_16x9_1280x720p_30Hz_5.0Mbps'), String(own));
    const { JobTemplates } = await media.send(new ListJobTemplatesCommand({ ListBy: 'SYSTEM' }));
    assert.ok(JobTemplates?.every(({ Type }) => Type === 'SYSTEM'));
    for (const Name of ['a', 'b', 'c']) await media.send(new DeletePresetCommand({ Name }));
  });

  it('make a job together: the job over its template, its outputs over their presets', async () => {
    const { media } = account;
    await media.send(new CreateQueueCommand({ Name: 'web' }));
    await media.send(new CreatePresetCommand({ Name: 'small', Settings: SMALL }));
    await media.send(
      new CreateJobTemplateCommand({
        Name: 'films',
        Queue: 'web',
        Priority: 9,
        StatusUpdateInterval: 'SECONDS_12',
        Settings: {
          Inputs: [{ AudioSelectors: { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' } } }],
          OutputGroups: [
            {
              Name: 'Files',
              OutputGroupSettings: { Type: 'FILE_GROUP_SETTINGS' },
              Outputs: [
                { NameModifier: '-a', Preset: 'small' },
                { NameModifier: '-b', Preset: arnOf('presets/small') },
              ],
            },
          ],
        },
      }),
    );
    const end = await run({
      JobTemplate: 'films',
      Priority: -3,
      Settings: {
        Inputs: [{ FileInput: account.source }],
        OutputGroups: [
          {
            OutputGroupSettings: fileGroup('s3://outputs/films/'),
            Outputs: [{}, { VideoDescription: { Width: 80, Height: 46 } }],
          },
        ],
      },
    });
    assert.deepEqual([end.Queue, end.Priority, end.StatusUpdateInterval], [arnOf('queues/web'), -3, 'SECONDS_12']);
    assert.equal(end.JobTemplate, arnOf('jobTemplates/films'));
    const [group] = end.Settings?.OutputGroups ?? [];
    assert.deepEqual(group?.Outputs, [
      { NameModifier: '-a', Preset: 'small' },
      { NameModifier: '-b', Preset: arnOf('presets/small'), VideoDescription: { Width: 80, Height: 46 } },
    ]);
    assert.deepEqual(end.Settings?.Inputs, [
      { FileInput: account.source, AudioSelectors: { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' } } },
    ]);
    const sizes = [];
    for (const key of ['films/holiday-a.mp4', 'films/holiday-b.mp4']) {
      const { streams } = await probeMedia(await account.download(key));
      sizes.push([streams[0]?.codec, streams[0]?.width, streams[0]?.height, streams[1]?.codec]);
    }
    assert.deepEqual(sizes, [
      ['h264', 160, 90, 'aac'],
      ['h264', 80, 46, 'aac'],
    ]);
  });

  it('have what AWS’s own presets say in their names', async () => {
    const Preset = 'System-Generic_Hd_Mp4_Avc_Aac_16x9_1280x720p_24Hz_4.5Mbps';
    const hls = 'System-Ott_Hls_Ts_Avc_Aac_16x9_480x270p_15Hz_0.4Mbps';
    await run({
      Settings: settingsOf([
        { OutputGroupSettings: fileGroup('s3://outputs/system'), Outputs: [{ Preset, NameModifier: '-hd' }] },
        {
          OutputGroupSettings: {
            Type: 'HLS_GROUP_SETTINGS',
            HlsGroupSettings: { Destination: 's3://outputs/hls/film', SegmentLength: 10, MinSegmentLength: 0 },
          },
          Outputs: [{ Preset: hls, NameModifier: '_270p' }],
        },
      ]),
    });
    const { streams } = await probeMedia(await account.download('system-hd.mp4'));
    const [video, audio] = streams;
    assert.deepEqual([video?.width, video?.height, video?.framerate], [1280, 720, { num: 24, den: 1 }]);
    assert.deepEqual([audio?.codec, audio?.sampleRate, audio?.channels], ['aac', 48_000, 2]);
    const segment = await probeMedia(await account.download('hls/film_270p_00001.ts'));
    assert.deepEqual([segment.streams[0]?.width, segment.streams[0]?.framerate], [480, { num: 15, den: 1 }]);
    const told = await account.media.send(new GetPresetCommand({ Name: Preset }));
    assert.equal(told.Preset?.Settings?.VideoDescription?.CodecSettings?.H264Settings?.Bitrate, 4_500_000);
    await assert.rejects(account.media.send(new DeletePresetCommand({ Name: Preset })), {
      name: 'BadRequestException',
    });
    await assert.rejects(account.media.send(new CreatePresetCommand({ Name: 'System-Mine', Settings: {} })), {
      name: 'BadRequestException',
    });
  });

  it('make the job that AWS’s HLS template makes, with a destination over it', async () => {
    const end = await run({
      JobTemplate: 'System-Ott_Hls_Ts_Avc_Aac',
      Settings: settingsOf([
        {
          OutputGroupSettings: {
            Type: 'HLS_GROUP_SETTINGS',
            HlsGroupSettings: { Destination: 's3://outputs/template/' },
          },
        },
      ]),
    });
    assert.equal(end.OutputGroupDetails?.[0]?.OutputDetails?.length, 8);
    const main = (await account.download('template/holiday.m3u8')).toString();
    assert.match(main, /RESOLUTION=1920x1080/);
    assert.match(main, /holiday_Ott_Hls_Ts_Avc_Aac_16x9_480x270p_15Hz_400Kbps\.m3u8/);
  });

  it('are told apart from those that do not exist, and refuse settings that no job carries out', async () => {
    const unknown = settingsOf([{ OutputGroupSettings: fileGroup('s3://outputs/'), Outputs: [{ Preset: 'absent' }] }]);
    await assert.rejects(run({ Settings: unknown }), {
      name: 'BadRequestException',
      message: /^\/outputGroups\/0\/outputs\/0\/preset: There is no preset absent/,
    });
    await assert.rejects(run({ JobTemplate: 'absent', Settings: unknown }), { name: 'NotFoundException' });
    const Settings = { ...SMALL, VideoDescription: { ...SMALL.VideoDescription, AfdSignaling: 'AUTO' as const } };
    await assert.rejects(account.media.send(new CreatePresetCommand({ Name: 'odd', Settings })), {
      name: 'BadRequestException',
      message: /^\/videoDescription\/afdSignaling: /,
    });
    await assert.rejects(account.media.send(new GetPresetCommand({ Name: 'odd' })), { name: 'NotFoundException' });
    const Outputs = [{ ...Settings, NameModifier: '-odd' }];
    const odd = { OutputGroups: [{ OutputGroupSettings: { Type: 'FILE_GROUP_SETTINGS' as const }, Outputs }] };
    const refusal = {
      name: 'BadRequestException',
      message: /\/outputGroups\/0\/outputs\/0\/videoDescription\/afdSignaling: /,
    };
    await assert.rejects(account.media.send(new CreateJobTemplateCommand({ Name: 'odd', Settings: odd })), refusal);
    // What is left to the job is not missed: inputs, destinations, selectors.
    const plain = { OutputGroups: [{ ...odd.OutputGroups[0], Outputs: [{ ...SMALL, NameModifier: '-plain' }] }] };
    await account.media.send(new CreateJobTemplateCommand({ Name: 'plain', Settings: plain }));
    await assert.rejects(account.media.send(new UpdateJobTemplateCommand({ Name: 'plain', Settings: odd })), refusal);
  });
});
