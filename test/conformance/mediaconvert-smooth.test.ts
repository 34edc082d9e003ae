import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CreateJobCommand, type MsSmoothGroupSettings, type OutputGroup } from '@aws-sdk/client-mediaconvert';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { listBoxes } from '#media/packaging/mp4-boxes.ts';
import { play, probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { aac, h264, jobEnd, jobOf } from '#test/harness/media-job.ts';

/** Smooth Streaming groups, checked against [MS-SSTR]. */

let account: MediaAccount;

before(async () => {
  account = await MediaAccount.start(5);
});

after(() => account.stop());

const ContainerSettings = { Container: 'ISMV' } as const;

function smooth(name: string, settings: Partial<MsSmoothGroupSettings>): OutputGroup {
  return {
    OutputGroupSettings: {
      Type: 'MS_SMOOTH_GROUP_SETTINGS',
      MsSmoothGroupSettings: { Destination: `s3://outputs/${name}/film`, FragmentLength: 2, ...settings },
    },
    Outputs: [180, 90].map((height) => ({
      NameModifier: `_${height}`,
      ContainerSettings,
      VideoDescription: { Height: height, Width: (height * 16) / 9, CodecSettings: h264(height * 4000) },
      AudioDescriptions: [{ ...aac, LanguageCode: 'ENG', LanguageCodeControl: 'USE_CONFIGURED' } as const],
    })),
  };
}

async function run(groups: OutputGroup[]): Promise<void> {
  const { Job } = await account.media.send(new CreateJobCommand(jobOf(account.role, account.source, groups)));
  const job = await jobEnd(account.media, Job?.Id);
  assert.equal(job.Status, 'COMPLETE', job.ErrorMessage ?? '');
}

async function keysBelow(Prefix: string): Promise<string[]> {
  const listed = await account.s3.send(new ListObjectsV2Command({ Bucket: 'outputs', Prefix }));
  return (listed.Contents ?? []).map(({ Key }) => Key ?? '').sort();
}

interface Chunks {
  readonly attributes: string;
  readonly levels: readonly string[];
  readonly chunks: readonly { readonly start: number; readonly ticks: number }[];
}

/** The streams of a client manifest, with the times of their chunks summed up. */
function streamsOf(manifest: string): Chunks[] {
  return [...manifest.matchAll(/<StreamIndex ([^>]*)>(.*?)<\/StreamIndex>/gs)].map(([, attributes = '', body = '']) => {
    let next = 0;
    const chunks = [...body.matchAll(/<c (?:t="(\d+)" )?d="(\d+)"\/>/g)].map(([, given, ticks]) => {
      const start = given === undefined ? next : Number(given);
      next = start + Number(ticks);
      return { start, ticks: Number(ticks) };
    });
    return { attributes, levels: body.match(/<QualityLevel [^>]*>/g) ?? [], chunks };
  });
}

/** Where the index at a file's end says that fragments begin, by track. */
function indexOf(file: Buffer): Map<number, { readonly time: number; readonly offset: number }[]> {
  const size = file.readUInt32BE(file.length - 4);
  const start = file.length - size;
  assert.equal(file.toString('latin1', start + 4, start + 8), 'mfra');
  const found = new Map<number, { time: number; offset: number }[]>();
  for (const { type, body } of listBoxes(file, start + 8, file.length)) {
    if (type !== 'tfra') continue;
    const count = file.readUInt32BE(body + 12);
    const entries = Array.from({ length: count }, (_, index) => {
      const at = body + 16 + index * 19;
      return { time: Number(file.readBigUInt64BE(at)), offset: Number(file.readBigUInt64BE(at + 8)) };
    });
    found.set(file.readUInt32BE(body + 4), entries);
  }
  return found;
}

describe('a Smooth Streaming group', { skip: withoutFfmpeg }, () => {
  test('has files of fragments, an index by which a server finds them, and two manifests', async () => {
    const AdditionalManifests = [{ ManifestNameModifier: '-small', SelectedOutputs: ['_90'] }];
    await run([smooth('smooth', { AudioDeduplication: 'COMBINE_DUPLICATE_STREAMS', AdditionalManifests })]);
    assert.deepEqual(await keysBelow('smooth/'), [
      'smooth/film-small.ism',
      'smooth/film-small.ismc',
      'smooth/film.ism',
      'smooth/film.ismc',
      'smooth/film_180.ismv',
      'smooth/film_90.ismv',
    ]);
    const file = await account.download('smooth/film_180.ismv');
    const streams = await probe(file);
    assert.deepEqual(
      streams.map(({ codec_name }) => codec_name),
      ['h264', 'aac'],
    );
    const played = await play(file, 'v');
    assert.deepEqual([played.checksums.length, played.complaints], [150, '']);
    // The same sound again is left out.
    assert.deepEqual(
      (await probe(await account.download('smooth/film_90.ismv'))).map(({ codec_name }) => codec_name),
      ['h264'],
    );
    const server = (await account.download('smooth/film.ism')).toString();
    assert.match(server, /clientManifestRelativePath" content="film\.ismc"/);
    assert.match(server, /<video src="film_180\.ismv" systemBitrate="\d+"><param name="trackID" value="1"/);
    assert.match(server, /<audio src="film_180\.ismv" systemBitrate="\d+" systemLanguage="eng">/);
    const client = (await account.download('smooth/film.ismc')).toString();
    assert.match(client, /MajorVersion="2" MinorVersion="2" TimeScale="10000000" Duration="50000000"/);
    const [video, sound, ...others] = streamsOf(client);
    assert.ok(video && sound && others.length === 0, client);
    assert.match(video.attributes, /Type="video".*Chunks="3" QualityLevels="2" MaxWidth="320" MaxHeight="180"/);
    assert.match(sound.attributes, /Type="audio".*Language="eng" Subtype="AACL"/);
    assert.match(sound.levels[0] ?? '', /SamplingRate="48000" Channels="2".*CodecPrivateData="1190(?:56E500)?"/);
    assert.deepEqual(
      video.chunks.map(({ ticks }) => ticks),
      [20_000_000, 20_000_000, 10_000_000],
    );
    const total = sound.chunks.reduce((sum, { ticks }) => sum + ticks, 0);
    assert.ok(Math.abs(total - 50_000_000) < 1_000_000, `${total}`);
    const [bitrates] = [video.levels.map((level) => Number(/Bitrate="(\d+)"/.exec(level)?.[1]))];
    assert.equal(new Set(bitrates).size, 2);
    for (const [stem, index] of [
      ['180', 0],
      ['90', 1],
    ] as const) {
      const bytes = await account.download(`smooth/film_${stem}.ismv`);
      const entries = indexOf(bytes);
      // Each quality has its chunks at the times of the manifest, where its file's index says.
      assert.deepEqual(
        entries.get(1)?.map(({ time }) => time),
        video.chunks.map(({ start }) => start),
      );
      for (const { offset } of [...entries.values()].flat()) {
        assert.equal(bytes.toString('latin1', offset + 4, offset + 8), 'moof');
      }
      const config: string = /CodecPrivateData="00000001([0-9A-F]+)"/.exec(video.levels[index] ?? '')?.[1] ?? '';
      const [sequence = '', picture = '']: string[] = config.split('00000001');
      assert.ok(
        bytes.includes(Buffer.from(sequence, 'hex')) && sequence.startsWith('67'),
        'the sequence parameter set',
      );
      assert.ok(bytes.includes(Buffer.from(picture, 'hex')) && picture.startsWith('68'), 'the picture parameter set');
    }
    assert.deepEqual(
      indexOf(file)
        .get(2)
        ?.map(({ time }) => time),
      sound.chunks.map(({ start }) => start),
    );
    const small = (await account.download('smooth/film-small.ismc')).toString();
    assert.equal(streamsOf(small).length, 1);
  });

  test('writes its manifests in UTF-16, and keeps every sound, where it is told to', async () => {
    await run([smooth('wide', { ManifestEncoding: 'UTF16', AudioDeduplication: 'NONE' })]);
    const bytes = await account.download('wide/film.ismc');
    assert.equal(bytes.readUInt16LE(0), 0xfeff);
    const text = bytes.toString('utf16le').slice(1);
    assert.match(text, /^<\?xml version="1\.0" encoding="utf-16"\?>/);
    const names = streamsOf(text).map(({ attributes }) => /Name="([^"]*)"/.exec(attributes)?.[1]);
    assert.deepEqual(names, ['video', 'audio_eng', 'audio_eng_1']);
  });
});
