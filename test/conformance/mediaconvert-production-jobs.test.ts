import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CreateJobCommand, type Job, type JobSettings } from '@aws-sdk/client-mediaconvert';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { probeMedia } from '#media/probe-media.ts';
import { validateHls } from '#test/harness/hls-validator.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { jobEnd } from '#test/harness/media-job.ts';
import { streamingLadder, watchedFolder } from '#test/harness/production-jobs.ts';

describe('jobs as media teams write them', () => {
  let account: MediaAccount;
  before(async () => {
    account = await MediaAccount.start(4);
  });
  after(() => account.stop());

  async function run(Settings: JobSettings): Promise<Job> {
    const request = {
      Role: account.role,
      Settings,
      AccelerationSettings: { Mode: 'PREFERRED' },
      StatusUpdateInterval: 'SECONDS_60',
      UserMetadata: { workflow: 'watch' },
      Priority: 0,
    } as const;
    const { Job: job } = await account.media.send(new CreateJobCommand(request));
    const end = await jobEnd(account.media, job?.Id, 120_000);
    assert.equal(end.Status, 'COMPLETE', String(end.ErrorMessage));
    return end;
  }

  async function keysBelow(Prefix: string): Promise<string[]> {
    const { Contents: listed = [] } = await account.s3.send(new ListObjectsV2Command({ Bucket: 'outputs', Prefix }));
    return listed.map(({ Key = '' }) => Key.slice(Prefix.length)).sort();
  }

  it('make a ladder with HE-AAC, every member spelt out', async () => {
    await run(streamingLadder(account.source, 's3://outputs/ladder/'));
    const names = await keysBelow('ladder/hls/');
    const stem = (size: string, rate: string) => `holiday_Ott_Hls_Ts_Avc_Aac_16x9_${size}p_${rate}Mbps_qvbr`;
    for (const [size, rate] of [
      ['160x90', '0.4'],
      ['320x180', '0.6'],
      ['480x270', '1.2'],
    ] as const) {
      assert.ok(names.includes(`${stem(size, rate)}.m3u8`), names.join());
      // The segment modifier is the time at which the segment was finished.
      assert.ok(names.some((name) => new RegExp(`^${stem(size, rate)}\\d{8}T\\d{6}_00001\\.ts$`).test(name)));
    }
    const main = (await account.download('ladder/hls/holiday.m3u8')).toString();
    assert.match(main, /CODECS="avc1\.100\.\d+,mp4a\.40\.5"/);
    assert.match(main, /CODECS="avc1\.100\.\d+,mp4a\.40\.2"/);
    const { faults } = await validateHls((key) => account.download(key), 'ladder/hls/holiday.m3u8');
    assert.deepEqual(faults, []);
  });

  it('cut a part out of an upload, for streaming, download and previews', async () => {
    await run(watchedFolder(account.source, 's3://outputs/watched/'));
    const { streams, durationSeconds = 0 } = await probeMedia(await account.download('watched/MP4/holiday.mp4'));
    assert.deepEqual(
      streams.map(({ codec }) => codec),
      ['h264', 'aac'],
    );
    assert.ok(Math.abs(durationSeconds - 2) < 0.1, String(durationSeconds));
    assert.deepEqual(await keysBelow('watched/Thumbnails/'), ['holiday_tn.0000000.jpg', 'holiday_tn.0000001.jpg']);
    assert.ok((await keysBelow('watched/HLS/')).includes('holiday.m3u8'));
  });
});
