import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CreateJobCommand, type Input, MediaConvertClient, type OutputGroup } from '@aws-sdk/client-mediaconvert';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { aac, jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';
import { makeMediaRole, OBJECTS } from '#test/harness/media-role.ts';
import { startTestPlatform, type TestPlatform } from '#test/harness/platform.ts';
import { decodeSound, ffmpegBytes, makeToneFilm, toneLevel } from '#test/harness/tones.ts';

let platform: TestPlatform;
let s3: S3Client;
let mediaconvert: MediaConvertClient;
let role: string;

before(async () => {
  if (withoutFfmpeg !== false) return;
  platform = await startTestPlatform();
  const config = platform.clientConfig();
  s3 = new S3Client(config);
  mediaconvert = new MediaConvertClient(config);
  for (const Bucket of ['source', 'outputs']) await s3.send(new CreateBucketCommand({ Bucket }));
  role = await makeMediaRole(config, 'Media', [OBJECTS, { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' }]);
  const store = (Key: string, Body: Buffer) => s3.send(new PutObjectCommand({ Bucket: 'source', Key, Body }));
  await store('film.mkv', makeToneFilm({ seconds: 2, tracks: [[440], [880]], languages: ['eng', 'deu'] }));
  await store('beside.wav', ffmpegBytes(['-f', 'lavfi', '-i', 'sine=2500:d=3', '-f', 'wav', 'pipe:1']));
});

after(async () => {
  mediaconvert?.destroy();
  s3?.destroy();
  await platform?.stop();
});

const input: Input = {
  FileInput: 's3://source/film.mkv',
  AudioSelectors: {
    English: { Tracks: [1], DefaultSelection: 'DEFAULT' },
    German: { LanguageCode: 'DEU' },
    Beside: { ExternalAudioFileInput: 's3://source/beside.wav' },
    Both: {
      Tracks: [1, 2],
      RemixSettings: {
        ChannelsIn: 2,
        ChannelsOut: 2,
        ChannelMapping: { OutputChannels: [{ InputChannels: [-60, 0] }, { InputChannels: [0, -60] }] },
      },
    },
  },
  AudioSelectorGroups: { Languages: { AudioSelectorNames: ['German', 'English'] } },
};

async function objectOf(Key: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'outputs', Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

describe('sounds of a job', { skip: withoutFfmpeg }, () => {
  test('come from tracks, languages, groups and other files, mixed and at their loudness', async () => {
    const [film] = mp4Group({ destination: 's3://outputs/film' }).Outputs ?? [];
    const group: OutputGroup = {
      ...mp4Group({ destination: 's3://outputs/film' }),
      Outputs: [
        {
          ...film,
          NameModifier: '-a',
          AudioDescriptions: [
            { ...aac, AudioSourceName: 'Languages' },
            {
              AudioSourceName: 'Both',
              CodecSettings: { Codec: 'EAC3', Eac3Settings: { CodingMode: 'CODING_MODE_2_0', Bitrate: 192_000 } },
            },
            {
              AudioSourceName: 'Beside',
              CodecSettings: { Codec: 'AC3', Ac3Settings: { CodingMode: 'CODING_MODE_AUTO', Bitrate: 96_000 } },
              AudioNormalizationSettings: { Algorithm: 'ITU_BS_1770_3', TargetLkfs: -30, LoudnessLogging: 'LOG' },
            },
          ],
        },
      ],
    };
    const { Settings, ...request } = jobOf(role, '', [group]);
    const command = new CreateJobCommand({ ...request, Settings: { ...Settings, Inputs: [input] } });
    const { Job: job } = await mediaconvert.send(command);
    const end = await jobEnd(mediaconvert, job?.Id);
    assert.equal(end.Status, 'COMPLETE', end.ErrorMessage ?? '');
    const file = await objectOf('film-a.mp4');
    const heard = (track: number, channels: number) => {
      const sound = decodeSound(file, channels, track);
      return sound.samples.map((_, channel) =>
        [440, 880, 2500].filter((hertz) => toneLevel(sound, channel, hertz) > 0.02),
      );
    };
    assert.deepEqual(heard(0, 2), [[880], [880]]);
    assert.deepEqual(heard(1, 2), [[440], [440]]);
    assert.deepEqual(heard(2, 2), [[880], [440]]);
    assert.deepEqual(heard(3, 1), [[2500]]);
    const log = (await objectOf('film-a_loudness.csv')).toString().split('\r\n');
    assert.equal(log.length, 3, 'one row');
    assert.match(log[1] ?? '', /^4,.*,-30\.00,/);
  });

  test('of a group are refused where an output holds one', async () => {
    const group: OutputGroup = {
      ...mp4Group({ destination: 's3://outputs/one' }),
      Outputs: [
        {
          ContainerSettings: { Container: 'RAW' },
          AudioDescriptions: [{ AudioSourceName: 'Languages', CodecSettings: { Codec: 'WAV', WavSettings: {} } }],
        },
      ],
    };
    const { Settings, ...request } = jobOf(role, '', [group]);
    const command = new CreateJobCommand({ ...request, Settings: { ...Settings, Inputs: [input] } });
    await assert.rejects(
      mediaconvert.send(command),
      /audioDescriptions\/0\/audioSourceName: The group has 2 selectors/,
    );
  });
});
