import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { type AacSettings, CreateJobCommand, type OutputGroup } from '@aws-sdk/client-mediaconvert';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { BrowserPlayers, playerFiles, withoutPlayers } from '#test/harness/browser-players.ts';
import { ContentHost } from '#test/harness/content-host.ts';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { cmafGroup, dashGroup, hlsLadder, jobEnd, jobOf, mp4Group } from '#test/harness/media-job.ts';
import { sampleAesGroup, smoothGroup, withSound } from '#test/harness/sound-jobs.ts';

const SECONDS = 4;
const SOURCE = 's3://source/films/stereo.mkv';

/** A film whose sound is a low tone on the left and a higher one on the right. */
function stereoFilm(): Buffer {
  const tones = `aevalsrc=0.3*sin(880*PI*t)|0.3*sin(6000*PI*t):s=48000:d=${SECONDS}`;
  const picture = `testsrc2=size=320x180:rate=25:duration=${SECONDS}`;
  const inputs = ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', tones];
  const codecs = ['-c:v', 'libx264', '-preset', 'veryfast', '-c:a', 'pcm_s16le', '-f', 'matroska', 'pipe:1'];
  const { status, stdout, stderr } = spawnSync('ffmpeg', ['-v', 'error', ...inputs, ...codecs]);
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

function sound(settings: Partial<AacSettings> = {}) {
  const common = { CodingMode: 'CODING_MODE_2_0', SampleRate: 48_000, Bitrate: 32_000, CodecProfile: 'HEV2' } as const;
  const CodecSettings = { Codec: 'AAC' as const, AacSettings: { ...common, ...settings } };
  return { AudioSourceName: 'Audio Selector 1', CodecSettings };
}

/** Decibels of both tones in both channels: low and high on the left, low and high on the right. */
type Levels = readonly [number, number, number, number];

function levelsOf(left: Float32Array, right: Float32Array, sampleRate: number): Levels {
  const level = (samples: Float32Array, hz: number): number => {
    let [re, im] = [0, 0];
    const [from, count] = [Math.round(sampleRate), Math.round(sampleRate)];
    for (let index = 0; index < count; index++) {
      const angle = (2 * Math.PI * hz * index) / sampleRate;
      re += (samples[from + index] ?? 0) * Math.cos(angle);
      im += (samples[from + index] ?? 0) * Math.sin(angle);
    }
    return 20 * Math.log10((2 * Math.hypot(re, im)) / count + 1e-6);
  };
  return [level(left, 440), level(left, 3000), level(right, 440), level(right, 3000)];
}

/** Each tone is as loud as it was, where it was, and much fainter on the other side. */
function assertSides(levels: Levels, what: string): void {
  const [lowLeft, highLeft, lowRight, highRight] = levels;
  const was = 20 * Math.log10(0.3);
  const told = `${what}: ${levels.map((level) => level.toFixed(1)).join(' ')}`;
  assert.ok(Math.abs(lowLeft - was) < 2 && Math.abs(highRight - was) < 2, told);
  assert.ok(lowRight < lowLeft - 18 && highLeft < highRight - 18, told);
}

/** A page that decodes a file's sound and tells its form and its samples' levels as a fault. */
const SOUND_PAGE = `<!doctype html><video></video><script>
  window.faults = [];
  const levelsOf = ${levelsOf.toString()};
  (async () => {
    const { url } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
    const bytes = await (await fetch(url)).arrayBuffer();
    const buffer = await new OfflineAudioContext(2, 1, 48000).decodeAudioData(bytes);
    const channels = Array.from({ length: buffer.numberOfChannels }, (_, index) => buffer.getChannelData(index));
    const { sampleRate, duration } = buffer;
    const levels = channels.length === 2 ? levelsOf(...channels, sampleRate) : [];
    faults.push(JSON.stringify({ channels: channels.length, sampleRate, duration, levels }));
  })().catch((error) => faults.push(JSON.stringify({ error: String(error) })));
</script>`;

describe('HE-AAC v2', { skip: withoutFfmpeg }, () => {
  let account: MediaAccount;
  /** Serves what jobs wrote, and a key. */
  let host: ContentHost;

  before(async () => {
    account = await MediaAccount.start(SECONDS);
    await account.s3.send(new PutObjectCommand({ Bucket: 'source', Key: 'films/stereo.mkv', Body: stereoFilm() }));
    const pages = new Map([...playerFiles(), ['/sound.html', Buffer.from(SOUND_PAGE)]]);
    host = await ContentHost.start(account.s3, 'outputs', pages);
    const [file] = mp4Group({ destination: '' }).Outputs ?? [];
    const alone = (NameModifier: string, settings?: Partial<AacSettings>) => ({
      NameModifier,
      ContainerSettings: { Container: 'RAW' as const },
      AudioDescriptions: [sound(settings)],
    });
    const files: OutputGroup = {
      ...mp4Group({ destination: 's3://outputs/file/film' }),
      Outputs: [
        { ...file, NameModifier: '-tv' },
        { ...file, NameModifier: '-ts', ContainerSettings: { Container: 'M2TS' } },
        alone('-raw'),
        alone('-loas', { RawFormat: 'LATM_LOAS' }),
        alone('-least', { Bitrate: 20_000 }),
        alone('-most', { Bitrate: 64_000, SampleRate: 44_100 }),
        alone('-low', { Bitrate: 12_000, SampleRate: 32_000 }),
        alone('-lowest', { Bitrate: 8000, SampleRate: 24_000 }),
      ],
    };
    const groups: OutputGroup[] = [
      withSound(files, sound()),
      withSound(hlsLadder({ destination: 's3://outputs/hls/film' }), sound()),
      withSound(dashGroup({ destination: 's3://outputs/dash/film' }), sound()),
      withSound(cmafGroup({ destination: 's3://outputs/cmaf/film' }), sound()),
      withSound(await sampleAesGroup(account, host), sound()),
      withSound(smoothGroup(), sound()),
    ];
    // An output of sound alone keeps its own settings.
    for (const [index, output] of (groups[0]?.Outputs ?? []).entries()) {
      const own = files.Outputs?.[index];
      if (own?.ContainerSettings?.Container === 'RAW') output.AudioDescriptions = own.AudioDescriptions ?? [];
    }
    const { Job: created } = await account.media.send(new CreateJobCommand(jobOf(account.role, SOURCE, groups)));
    const { Status: status, ErrorMessage: message } = await jobEnd(account.media, created?.Id, 120_000);
    assert.equal(status, 'COMPLETE', message ?? '');
  });
  after(async () => {
    host?.stop();
    await account?.stop();
  });

  /** ffprobe's view of a file's sound; ffmpeg finds both tones on their sides. */
  async function heard(bytes: Buffer, what: string) {
    const stream = (await probe(bytes)).find((one) => one['codec_type'] === 'audio');
    const { complaints } = await play(bytes, 'a');
    assert.equal(complaints.replace(/^\[\w+ @ \w+\] Estimating duration.*\n/gm, ''), '', what);
    assert.equal(stream?.['profile'], 'HE-AACv2', what);
    assert.equal(stream['channels'], 2, what);
    const sampleRate = Number(stream['sample_rate']);
    const args = ['-v', 'error', '-i', 'pipe:0', '-map', '0:a', '-f', 'f32le', 'pipe:1'];
    const { stdout } = spawnSync('ffmpeg', args, { input: bytes, maxBuffer: 64 * 1024 * 1024 });
    const count = Math.floor(stdout.length / 8);
    const side = (at: number): Float32Array =>
      Float32Array.from({ length: count }, (_, index) => stdout.readFloatLE((2 * index + at) * 4));
    return { stream, sampleRate, count, levels: levelsOf(side(0), side(1), sampleRate) };
  }

  it('is in MP4 files as long as the film, with each tone on its side', async () => {
    const bytes = await account.download('file/film-tv.mp4');
    const { stream, sampleRate, levels } = await heard(bytes, 'MP4');
    assert.equal(sampleRate, 48_000);
    assert.ok(Math.abs(Number(stream['duration']) - SECONDS) < 0.05, String(stream['duration']));
    assertSides(levels, 'MP4');
    // The configuration says that parametric stereo is there: object type 29, and a core of one channel at 24 kHz.
    assert.ok(bytes.includes(Buffer.from('eb098800', 'hex')));
  });

  it('is in transport streams, bare frames and LOAS', async () => {
    for (const name of ['film-ts.m2ts', 'film-raw.aac', 'film-loas.aac', 'film-least.aac']) {
      const { sampleRate, count, levels } = await heard(await account.download(`file/${name}`), name);
      assert.equal(sampleRate, 48_000, name);
      assert.ok(Math.abs(count / 48_000 - SECONDS) < 0.2, `${name}: ${count}`);
      assertSides(levels, name);
    }
    const raw = await account.download('file/film-raw.aac');
    // LC of one channel at 24 kHz: players find the rest.
    assert.deepEqual([(raw[2] ?? 0) >> 6, ((raw[2] ?? 0) >> 2) & 15, (raw[3] ?? 0) >> 6], [1, 6, 1]);
  });

  it('has the bitrate that it was asked for', async () => {
    for (const [name, rate, bitrate] of [
      ['least', 48_000, 20_000],
      ['raw', 48_000, 32_000],
      ['most', 44_100, 64_000],
      ['low', 32_000, 12_000],
      ['lowest', 24_000, 8000],
    ] as const) {
      const bytes = await account.download(`file/film-${name}.aac`);
      const { sampleRate, levels } = await heard(bytes, name);
      assert.equal(sampleRate, rate, name);
      assertSides(levels, name);
      const headers = (SECONDS * rate * 7) / 2048;
      const seen = ((bytes.length - headers) * 8) / SECONDS;
      assert.ok(seen < bitrate * 1.08, `${name}: ${seen}`);
    }
  });

  it('is in HLS segments, and in their manifest’s CODECS', async () => {
    // A player may begin with any segment.
    for (const segment of ['hls/film_180_00001.ts', 'hls/film_180_00002.ts']) {
      const { levels } = await heard(await account.download(segment), segment);
      if (segment.endsWith('1.ts')) assertSides(levels, segment);
    }
    assert.match((await account.download('hls/film.m3u8')).toString(), /CODECS="avc1\.[0-9a-f.]+,mp4a\.40\.29"/);
  });

  it('is named to players before its encrypted frames', async () => {
    const segment = await account.download('samples/film_180_00001.ts');
    const config = Buffer.from('eb098800', 'hex');
    // No priming, version 1, and the configuration.
    assert.ok(segment.includes(Buffer.concat([Buffer.from('zacp'), Buffer.of(0, 0, 1, config.length), config])));
  });

  it('is in DASH and CMAF, and in their manifests as stereo', async () => {
    const { sampleRate, levels } = await heard(await account.download('dash/film_sound.mp4'), 'DASH');
    assert.equal(sampleRate, 48_000);
    assertSides(levels, 'DASH');
    for (const manifest of ['dash/film.mpd', 'cmaf/film.mpd']) {
      const text = (await account.download(manifest)).toString();
      assert.match(text, /codecs="mp4a\.40\.29"/, manifest);
      assert.match(text, /audioSamplingRate="48000"/, manifest);
      assert.match(text, /AudioChannelConfiguration [^>]*value="2"/, manifest);
    }
    const cmaf = (await account.download('cmaf/film.m3u8')).toString();
    assert.match(cmaf, /mp4a\.40\.29/);
    assert.match(cmaf, /CHANNELS="2"/);
  });

  it('is in Smooth Streaming', async () => {
    const { levels } = await heard(await account.download('smooth/film_180.ismv'), 'Smooth');
    assertSides(levels, 'Smooth');
    const manifest = (await account.download('smooth/film.ismc')).toString();
    assert.match(manifest, /FourCC="AACH"/);
    assert.match(manifest, /CodecPrivateData="EB098800"/);
    assert.match(manifest, /Channels="2"/);
  });

  it('plays in a browser, with each tone on its side', { skip: withoutPlayers }, async () => {
    const players = await BrowserPlayers.start();
    try {
      const url = `${host.address}/content/file/film-tv.mp4`;
      const { fatal } = await players.watch(`${host.address}/sound.html`, { url }, 1);
      const decoded = JSON.parse(fatal[0] ?? '{}') as {
        readonly channels: number;
        readonly sampleRate: number;
        readonly duration: number;
        readonly levels: Levels;
      };
      assert.deepEqual([decoded.channels, decoded.sampleRate], [2, 48_000], String(fatal[0]));
      assertSides(decoded.levels, 'Chromium');
      assert.ok(Math.abs(decoded.duration - SECONDS) < 0.15, String(decoded.duration));
      for (const [page, manifest] of [
        ['dash.html', 'dash/film.mpd'],
        ['hls.html', 'hls/film.m3u8'],
        ['hls.html', 'cmaf/film.m3u8'],
        ['hls.html', 'samples/film.m3u8'],
      ] as const) {
        const wish = { url: `${host.address}/content/${manifest}` };
        const seen = await players.watch(`${host.address}/${page}`, wish, 2);
        assert.deepEqual(seen.fatal, [], manifest);
        assert.ok(seen.hasSound, manifest);
      }
    } finally {
      await players.stop();
    }
  });

  const refusals = [
    ['one channel', { CodingMode: 'CODING_MODE_1_0' }, /aacSettings\/codingMode: .*\["CODING_MODE_2_0"\].*HEV2/],
    ['5.1', { CodingMode: 'CODING_MODE_5_1' }, /aacSettings\/codingMode: .*\["CODING_MODE_2_0"\].*HEV2/],
    ['24 kHz and many bits', { SampleRate: 24_000 }, /aacSettings\/bitrate: Should be between 8000 and 10000 for HEV2/],
    ['96 kHz', { SampleRate: 96_000 }, /aacSettings\/sampleRate: .*\[22050,24000,32000,44100,48000\].*HEV2/],
    ['16 kbit/s', { Bitrate: 16_000 }, /aacSettings\/bitrate: Should be between 20000 and 64000 for HEV2/],
    ['80 kbit/s', { Bitrate: 80_000 }, /aacSettings\/bitrate: Should be between 20000 and 64000 for HEV2/],
    ['a quality', { RateControlMode: 'VBR', Bitrate: undefined }, /aacSettings\/rateControlMode: .*HEV2/],
  ] as const;
  for (const [what, settings, expected] of refusals) {
    it(`of ${what} is refused`, async () => {
      const group = withSound(mp4Group({ destination: 's3://outputs/refused/film' }), sound(settings));
      await assert.rejects(account.media.send(new CreateJobCommand(jobOf(account.role, SOURCE, [group]))), expected);
    });
  }
});
