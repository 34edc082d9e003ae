import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CreateJobCommand, type Input, type Output } from '@aws-sdk/client-mediaconvert';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { aac, h264, jobEnd, jobOf } from '#test/harness/media-job.ts';
import { assertColor, colorOf, makeImage } from '#test/harness/pixels.ts';

let account: MediaAccount;

before(async () => {
  account = await MediaAccount.start(1);
  const Body = makeImage('red@1.0', '40x40', 'png');
  await account.s3.send(new PutObjectCommand({ Bucket: 'source', Key: 'red.png', Body }));
});

after(() => account.stop());

async function run(Inputs: Input[], Outputs: Output[], name: string) {
  const FileGroupSettings = { Destination: `s3://outputs/${name}/film` };
  const group = { OutputGroupSettings: { Type: 'FILE_GROUP_SETTINGS', FileGroupSettings }, Outputs } as const;
  const request = jobOf(account.role, account.source, [{ ...group, Outputs }]);
  if (request.Settings !== undefined) request.Settings.Inputs = Inputs;
  const { Job: created } = await account.media.send(new CreateJobCommand(request));
  const job = await jobEnd(account.media, created?.Id);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
}

const film: Output = {
  NameModifier: '-a',
  ContainerSettings: { Container: 'MP4' },
  VideoDescription: { CodecSettings: h264(2_000_000) },
  AudioDescriptions: [aac],
};
const area = (x: number, y: number) => ({ x: x - 5, y: y - 5, width: 10, height: 10 });
const [RED, BLACK] = [
  [255, 0, 0],
  [0, 0, 0],
];

describe('inputs that are made', { skip: withoutFfmpeg }, () => {
  test('are a still picture in the middle of black, silent, and joined to other inputs', async () => {
    const VideoGenerator = {
      Duration: 1000,
      Width: 320,
      Height: 180,
      FramerateNumerator: 25,
      FramerateDenominator: 1,
      ImageInput: 's3://source/red.png',
    };
    const sound = { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' as const } };
    await run(
      [
        { VideoGenerator, TimecodeSource: 'ZEROBASED', AudioSelectors: sound },
        { FileInput: account.source, TimecodeSource: 'ZEROBASED', AudioSelectors: sound },
      ],
      [film],
      'joined',
    );
    const made = await account.download('joined/film-a.mp4');
    const [picture] = await probe(made);
    assert.deepEqual([picture?.['width'], picture?.['r_frame_rate']], [320, '25/1']);
    const { checksums, complaints } = await play(made, 'v');
    assert.ok(checksums.length >= 49 && checksums.length <= 51, `${checksums.length}`);
    assert.equal(complaints, '');
    assertColor(colorOf(made, 12, area(160, 90)), RED, 'the image');
    assertColor(colorOf(made, 12, area(100, 20)), RED, 'as large as fits');
    assertColor(colorOf(made, 12, area(40, 90)), BLACK, 'beside it');
    const other = colorOf(made, 40, area(160, 90));
    assert.ok(Math.abs(other[0] - 255) + other[1] + other[2] > 60, `the film behind it: ${other.join()}`);
  });

  test('are black, of 540 x 360 at 29.97 where nothing is said, with as many channels as were asked for', async () => {
    const wav: Output = {
      NameModifier: '-w',
      ContainerSettings: { Container: 'RAW' },
      AudioDescriptions: [{ CodecSettings: { Codec: 'FLAC', FlacSettings: { Channels: 0 } } }],
    };
    await run([{ VideoGenerator: { Duration: 1001, Channels: 6, SampleRate: 48_000 } }], [film, wav], 'black');
    const made = await account.download('black/film-a.mp4');
    const [picture] = await probe(made);
    assert.deepEqual([picture?.['width'], picture?.['height'], picture?.['r_frame_rate']], [540, 360, '30000/1001']);
    assert.equal((await play(made, 'v')).checksums.length, 30);
    assertColor(colorOf(made, 5, area(270, 180)), BLACK, 'the middle');
    const [sound] = await probe(await account.download('black/film-w.flac'));
    assert.equal(sound?.['channels'], 6);
  });

  test('are refused beside a file, and where they are said by halves', async () => {
    const wrong = { FileInput: account.source, VideoGenerator: { Width: 32 } };
    await assert.rejects(run([wrong], [film], 'wrong'), ({ message }: Error) => {
      assert.match(message, /\/inputs\/0\/fileInput: Is not allowed with videoGenerator/);
      assert.match(message, /duration is a required property/);
      assert.match(message, /height is a required property/);
      return true;
    });
  });
});
