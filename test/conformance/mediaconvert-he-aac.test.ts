import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type AacSettings, CreateJobCommand, type Output, type OutputGroup } from '@aws-sdk/client-mediaconvert';
import { BrowserPlayers, playerFiles, withoutPlayers } from '#test/harness/browser-players.ts';
import { ContentHost } from '#test/harness/content-host.ts';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { dashGroup, hlsLadder, jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';
import { sampleAesGroup, smoothGroup, withSound } from '#test/harness/sound-jobs.ts';

const SECONDS = 4;

function sound(settings: Partial<AacSettings> = {}) {
  const common = { CodingMode: 'CODING_MODE_2_0', SampleRate: 48_000, Bitrate: 64_000, CodecProfile: 'HEV1' } as const;
  const CodecSettings = { Codec: 'AAC' as const, AacSettings: { ...common, ...settings } };
  return { AudioSourceName: 'Audio Selector 1', CodecSettings };
}

/** A page that plays a file without any player. */
const FILE_PAGE = `<!doctype html><video muted autoplay></video><script>
  window.faults = [];
  const video = document.querySelector('video');
  video.onerror = () => faults.push(video.error.message);
  video.src = JSON.parse(decodeURIComponent(location.hash.slice(1))).url;
</script>`;

describe('HE-AAC', { skip: withoutFfmpeg }, () => {
  let account: MediaAccount;
  /** Serves what jobs wrote, and a key. */
  let host: ContentHost;

  before(async () => {
    account = await MediaAccount.start(SECONDS);
    const pages = new Map([...playerFiles(), ['/file.html', Buffer.from(FILE_PAGE)]]);
    host = await ContentHost.start(account.s3, 'outputs', pages);
    const dash = dashGroup({ destination: 's3://outputs/dash/film' });
    // The sound is one of AWS's presets.
    const preset = { NameModifier: '_sound', Preset: 'System-Ott_Dash_Mp4_Aac_He_96Kbps' };
    const outputs: Output[] = (dash.Outputs ?? []).map((one) => (one.AudioDescriptions === undefined ? one : preset));
    const named = (group: OutputGroup): OutputGroup => ({
      ...group,
      Outputs: (group.Outputs ?? []).map((one) => ({ ...one, NameModifier: '-tv' })),
    });
    const file = named(mp4Group({ destination: 's3://outputs/file/film' }));
    const raw = {
      NameModifier: '-raw',
      ContainerSettings: { Container: 'RAW' as const },
      AudioDescriptions: [sound()],
    };
    const mono = { CodingMode: 'CODING_MODE_1_0', SampleRate: 44_100, Bitrate: 32_000 } as const;
    const groups: OutputGroup[] = [
      withSound(hlsLadder({ destination: 's3://outputs/hls/film' }), sound()),
      { ...dash, Outputs: outputs },
      withSound({ ...file, Outputs: [...(file.Outputs ?? []), raw] }, sound()),
      withSound(named(mp4Group({ destination: 's3://outputs/mono/film' })), sound(mono)),
      withSound(await sampleAesGroup(account, host), sound()),
      withSound(smoothGroup(), sound()),
    ];
    const job = jobOf(account.role, account.source, groups);
    const { Job: created } = await account.media.send(new CreateJobCommand(job));
    const { Status: status, ErrorMessage: message } = await jobEnd(account.media, created?.Id, 120_000);
    assert.equal(status, 'COMPLETE', message ?? '');
  });
  after(async () => {
    host?.stop();
    await account?.stop();
  });

  /** ffprobe's and ffmpeg's view of a file's sound. */
  async function heard(key: string) {
    const bytes = await account.download(key);
    const stream = (await probe(bytes)).find((one) => one['codec_type'] === 'audio');
    const { complaints } = await play(bytes, 'a');
    assert.equal(complaints.replace(/^\[\w+ @ \w+\] Estimating duration.*\n/gm, ''), '');
    assert.equal(stream?.['codec_name'], 'aac');
    assert.equal(stream?.['profile'], 'HE-AAC');
    return { bytes, stream };
  }

  it('is in MP4 files as long as the film, in stereo and in mono', async () => {
    const { stream } = await heard('file/film-tv.mp4');
    assert.deepEqual([stream?.['sample_rate'], stream?.['channels']], ['48000', 2]);
    assert.ok(Math.abs(Number(stream?.['duration']) - SECONDS) < 0.05, String(stream?.['duration']));
    const { stream: mono } = await heard('mono/film-tv.mp4');
    // Of one channel, ffmpeg makes two alike: parametric stereo might follow.
    assert.equal(mono?.['sample_rate'], '44100');
    assert.ok(Math.abs(Number(mono?.['duration']) - SECONDS) < 0.05, String(mono?.['duration']));
  });

  it('is in a file without a container, under headers of its core', async () => {
    const { bytes, stream } = await heard('file/film-raw.aac');
    assert.deepEqual([stream?.['sample_rate'], stream?.['channels']], ['48000', 2]);
    // LC at 24 kHz.
    assert.deepEqual([(bytes[2] ?? 0) >> 6, ((bytes[2] ?? 0) >> 2) & 15], [1, 6]);
  });

  it('is in HLS segments, and in their manifest’s CODECS', async () => {
    const { stream } = await heard('hls/film_180_00001.ts');
    assert.deepEqual([stream?.['sample_rate'], stream?.['channels']], ['48000', 2]);
    // A player may begin with any segment.
    await heard('hls/film_180_00002.ts');
    assert.match((await account.download('hls/film.m3u8')).toString(), /CODECS="avc1\.[0-9a-f.]+,mp4a\.40\.5"/);
  });

  it('is in DASH by AWS’s own preset', async () => {
    const { stream } = await heard('dash/film_sound.mp4');
    assert.deepEqual([stream?.['sample_rate'], stream?.['channels']], ['48000', 2]);
    const manifest = (await account.download('dash/film.mpd')).toString();
    assert.match(manifest, /codecs="mp4a\.40\.5"/);
    assert.match(manifest, /audioSamplingRate="48000"/);
  });

  it('is named as such in Smooth Streaming', async () => {
    const { stream } = await heard('smooth/film_180.ismv');
    assert.deepEqual([stream?.['sample_rate'], stream?.['channels']], ['48000', 2]);
    const manifest = (await account.download('smooth/film.ismc')).toString();
    assert.match(manifest, /FourCC="AACH"[^>]*SamplingRate="48000"|SamplingRate="48000"[^>]*FourCC="AACH"/);
  });

  it('plays in a browser', { skip: withoutPlayers }, async () => {
    const players = await BrowserPlayers.start();
    try {
      for (const [page, manifest] of [
        ['file.html', 'file/film-tv.mp4'],
        ['dash.html', 'dash/film.mpd'],
        ['hls.html', 'hls/film.m3u8'],
        ['hls.html', 'samples/film.m3u8'],
      ] as const) {
        const url = `${host.address}/content/${manifest}`;
        const seen = await players.watch(`${host.address}/${page}`, { url }, 2);
        assert.deepEqual(seen.fatal, [], manifest);
        assert.ok(seen.hasSound, manifest);
      }
    } finally {
      await players.stop();
    }
  });

  const refusals = [
    ['5.1', { CodingMode: 'CODING_MODE_5_1' }, /aacSettings\/codingMode: .*with codecProfile HEV1/],
    ['16 kHz', { SampleRate: 16_000 }, /aacSettings\/sampleRate: .*with codecProfile HEV1/],
    ['14 kbit/s', { Bitrate: 14_000 }, /aacSettings\/bitrate: Should be between 16000 and 128000 for HEV1/],
    ['a quality', { RateControlMode: 'VBR', Bitrate: undefined }, /aacSettings\/rateControlMode: .*HEV1/],
  ] as const;
  for (const [what, settings, expected] of refusals) {
    it(`of ${what} is refused`, async () => {
      const group = withSound(mp4Group({ destination: 's3://outputs/refused/film' }), sound(settings));
      await assert.rejects(
        account.media.send(new CreateJobCommand(jobOf(account.role, account.source, [group]))),
        expected,
      );
    });
  }
});
