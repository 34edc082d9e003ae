import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ColorCorrector, Hdr10Metadata, VideoDescription } from '@aws-sdk/client-mediaconvert';
import { probe, withoutFfmpeg } from '#test/harness/ffmpeg-media.ts';
import { at, PictureJobs } from '#test/harness/picture-jobs.ts';
import { assertColor, colorOf, ffmpeg, lumaOf, makeFilm, makeImage, rawPixels } from '#test/harness/pixels.ts';

let jobs: PictureJobs;

/** A film of ten bits, one luma on the left and one on the right, with marks and without colour. */
function makeHdr(transfer: 'smpte2084' | 'arib-std-b67', left: number, right: number, more = ''): Buffer {
  const source = `color=gray:size=160x90:rate=25:duration=1,format=yuv420p10le,geq=lum='if(lt(X,80),${left},${right})':cb=512:cr=512`;
  const marks = `log-level=none:colorprim=bt2020:transfer=${transfer}:colormatrix=bt2020nc:range=limited:qp=4${more}`;
  const encoder = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', marks, '-pix_fmt', 'yuv420p10le'];
  const tags = ['-color_primaries', 'bt2020', '-color_trc', transfer, '-colorspace', 'bt2020nc', '-color_range', 'tv'];
  const out = ['-movflags', 'frag_keyframe+empty_moov', '-f', 'mp4', 'pipe:1'];
  return ffmpeg(['-v', 'error', '-f', 'lavfi', '-i', source, ...encoder, ...tags, ...out]);
}

const BT709 = ['-color_primaries', 'bt709', '-color_trc', 'bt709', '-colorspace', 'bt709', '-color_range', 'tv'];

before(async () => {
  jobs = await PictureJobs.start();
  // 519 is 10 % over 100 candelas per square metre as PQ, 769 about 1000.
  await jobs.put('pq.mp4', makeHdr('smpte2084', 509, 723));
  await jobs.put('hlg.mp4', makeHdr('arib-std-b67', 400, 940));
  const halves =
    "color=black:size=160x90:rate=25:duration=1,format=yuv420p,geq=lum='if(lt(X,80),126,235)':cb=128:cr=128";
  await jobs.put('sdr.mp4', makeFilm(halves, ...BT709));
  await jobs.put('red.mp4', makeFilm('color=0xc04040:size=160x90:rate=25:duration=1', ...BT709));
  const full = "color=black:size=160x90:rate=25:duration=1,format=yuvj420p,geq=lum='if(lt(X,80),0,255)':cb=128:cr=128";
  await jobs.put('full.mp4', makeFilm(full, '-pix_fmt', 'yuvj420p'));
  await jobs.put('white.png', makeImage('white@1.0', '40x30', 'png'));
});

after(() => jobs.stop());

const corrected = (ColorCorrector: ColorCorrector): VideoDescription => ({ VideoPreprocessors: { ColorCorrector } });

const MAIN10: VideoDescription = {
  CodecSettings: {
    Codec: 'H_265',
    H265Settings: {
      RateControlMode: 'QVBR',
      MaxBitrate: 4_000_000,
      QvbrSettings: { QvbrQualityLevel: 10 },
      QualityTuningLevel: 'SINGLE_PASS',
      CodecProfile: 'MAIN10_MAIN',
    },
  },
};

const METADATA: Hdr10Metadata = {
  MaxContentLightLevel: 900,
  MaxFrameAverageLightLevel: 300,
  MaxLuminance: 10_000_000,
  MinLuminance: 50,
};

async function marksOf(film: Buffer): Promise<unknown[]> {
  const [picture] = await probe(film);
  return ['color_primaries', 'color_transfer', 'color_space', 'color_range'].map((name) => picture?.[name]);
}

/** The first sample of the luma of a film of ten bits, in its middle. */
function deepLuma(film: Buffer, x: number): number {
  return rawPixels(film, 5, `crop=4:4:${x}:40,extractplanes=y`, 'gray10le').readUInt16LE(0);
}

const near = (value: number, wanted: number, tolerance: number, what: string): void =>
  assert.ok(Math.abs(value - wanted) <= tolerance, `${what}: ${value} instead of ${wanted}`);

describe('colour spaces', { skip: withoutFfmpeg }, () => {
  test('HDR10 becomes SDR: marked as such, grey stays grey, and light is mapped in its order', async () => {
    const settings = { ColorSpaceConversion: 'FORCE_709' } as const;
    const [details = Buffer.alloc(0), vibrant = Buffer.alloc(0), untouched = Buffer.alloc(0)] = await jobs.films(
      'pq.mp4',
      {},
      [
        corrected({ ...settings, HdrToSdrToneMapper: 'PRESERVE_DETAILS' }),
        corrected({ ...settings, HdrToSdrToneMapper: 'VIBRANT' }),
        {},
      ],
    );
    assert.deepEqual(await marksOf(details), ['bt709', 'bt709', 'bt709', 'tv']);
    assert.deepEqual(await marksOf(untouched), ['bt2020', 'smpte2084', 'bt2020nc', 'tv']);
    for (const film of [details, vibrant]) {
      const [dark, bright] = [lumaOf(film, 5, at(40, 45)), lumaOf(film, 5, at(120, 45))];
      assert.ok(dark > 60 && dark < 200 && bright > dark + 20 && bright <= 237, `${dark}, ${bright}`);
      const [red, green, blue] = colorOf(film, 5, at(40, 45));
      assert.ok(Math.max(red, green, blue) - Math.min(red, green, blue) <= 4, `${red}, ${green}, ${blue}`);
    }
    const [a, b] = [lumaOf(details, 5, at(40, 45)), lumaOf(vibrant, 5, at(40, 45))];
    assert.ok(b > a + 5, `VIBRANT is brighter: ${b}, ${a}`);
    // What was not converted has the samples that it had.
    near(lumaOf(untouched, 5, at(40, 45)), 509 / 4, 2, 'untouched');
  });

  test('HLG becomes SDR and HDR10', async () => {
    const [sdr = Buffer.alloc(0), pq = Buffer.alloc(0)] = await jobs.films('hlg.mp4', {}, [
      corrected({ ColorSpaceConversion: 'FORCE_709' }),
      { ...MAIN10, ...corrected({ ColorSpaceConversion: 'FORCE_HDR10', Hdr10Metadata: METADATA }) },
    ]);
    assert.deepEqual(await marksOf(sdr), ['bt709', 'bt709', 'bt709', 'tv']);
    assert.ok(lumaOf(sdr, 5, at(120, 45)) > 190 && lumaOf(sdr, 5, at(40, 45)) < 150);
    // The most that HLG has is 1000 candelas per square metre.
    near(deepLuma(pq, 120), 723, 12, 'the brightest light');
  });

  test('SDR becomes HDR10 with the light of its white, and metadata', async () => {
    const conversion = { ColorSpaceConversion: 'FORCE_HDR10', Hdr10Metadata: METADATA } as const;
    const [usual = Buffer.alloc(0), brighter = Buffer.alloc(0)] = await jobs.films('sdr.mp4', {}, [
      { ...MAIN10, ...corrected(conversion) },
      { ...MAIN10, ...corrected({ ...conversion, SdrReferenceWhiteLevel: 203 }) },
    ]);
    assert.deepEqual(await marksOf(usual), ['bt2020', 'smpte2084', 'bt2020nc', 'tv']);
    near(deepLuma(usual, 120), 509, 8, '100 candelas');
    near(deepLuma(brighter, 120), 573, 8, '203 candelas');
    const [picture] = await probe(usual);
    const text = JSON.stringify(picture?.['side_data_list'] ?? []) + JSON.stringify(await sideData(usual));
    assert.match(text, /"max_content":\s*900/);
    assert.match(text, /"max_average":\s*300/);
    assert.match(text, /"max_luminance":\s*"10000000\/10000"/);
  });

  test('HDR10 that stays HDR10 keeps its metadata, unless the job says others', async () => {
    const master = ':hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(12000000,7)';
    await jobs.put('mastered.mp4', makeHdr('smpte2084', 509, 723, `${master}:max-cll=1200,410`));
    const metadataOf = async (input: object, video: VideoDescription = {}): Promise<string> =>
      JSON.stringify(await sideData(await jobs.film('mastered.mp4', input, { ...MAIN10, ...video })));
    const kept = await metadataOf({});
    assert.match(kept, /"max_content":\s*1200/);
    assert.match(kept, /"max_average":\s*410/);
    assert.match(kept, /"max_luminance":\s*"12000000\/10000"/);
    assert.match(kept, /"red_x":\s*"34000\/50000"/);
    const VideoSelector = { ColorSpace: 'HDR10', Hdr10Metadata: METADATA } as const;
    assert.match(await metadataOf({ VideoSelector }), /"max_content":\s*900/);
    const fallback = { VideoSelector: { ...VideoSelector, ColorSpaceUsage: 'FALLBACK' } };
    assert.match(await metadataOf(fallback), /"max_content":\s*1200/);
    assert.doesNotMatch(await metadataOf({}, { ColorMetadata: 'IGNORE' }), /max_content/);
  });

  test("what an input does not say, or says wrongly, is the job's to say", async () => {
    const forced = await jobs.film('sdr.mp4', { VideoSelector: { ColorSpace: 'REC_601' } }, {});
    assert.deepEqual(await marksOf(forced), ['smpte170m', 'smpte170m', 'smpte170m', 'tv']);
    const VideoSelector = { ColorSpace: 'REC_601', ColorSpaceUsage: 'FALLBACK' } as const;
    const kept = await jobs.film('sdr.mp4', { VideoSelector }, {});
    assert.deepEqual(await marksOf(kept), ['bt709', 'bt709', 'bt709', 'tv']);
    // Samples that mean the same colour in another matrix.
    const [as709 = Buffer.alloc(0), as601 = Buffer.alloc(0)] = await jobs.films('red.mp4', {}, [
      corrected({ ColorSpaceConversion: 'FORCE_709' }),
      corrected({ ColorSpaceConversion: 'FORCE_601' }),
    ]);
    assert.ok(Math.abs(lumaOf(as709, 5, at(80, 45)) - lumaOf(as601, 5, at(80, 45))) > 4);
    const [a, b] = [colorOf(as709, 5, at(80, 45)), colorOf(as601, 5, at(80, 45))];
    for (const index of [0, 1, 2]) near(a[index] ?? 0, b[index] ?? 0, 8, `colour ${index}`);
  });

  test('images on HDR10 have the light of their white', async () => {
    const InsertableImages = [{ ImageInserterInput: 's3://source/white.png', ImageX: 0, ImageY: 20, Opacity: 100 }];
    const film = await jobs.film(
      'pq.mp4',
      {},
      {
        ...MAIN10,
        VideoPreprocessors: { ImageInserter: { InsertableImages, SdrReferenceWhiteLevel: 203 } },
      },
    );
    near(deepLuma(film, 10), 573, 10, 'white of 203 candelas');
  });

  test('HDR of eight bits, and HDR10 without metadata, are refused', async () => {
    const eight = corrected({ ColorSpaceConversion: 'FORCE_HDR10', Hdr10Metadata: METADATA });
    await assert.rejects(
      jobs.run('sdr.mp4', {}, [eight]),
      /colorCorrector\/colorSpaceConversion: FORCE_HDR10 is supported/,
    );
    const bare = { ...MAIN10, ...corrected({ ColorSpaceConversion: 'FORCE_HDR10' }) };
    await assert.rejects(jobs.run('sdr.mp4', {}, [bare]), /hdr10Metadata is a required property/);
  });
});

describe('colours', { skip: withoutFfmpeg }, () => {
  test('become brighter, harder, paler, and others', async () => {
    const films = await jobs.films('red.mp4', {}, [
      {},
      corrected({ Brightness: 60 }),
      corrected({ Saturation: 10 }),
      corrected({ Hue: 120 }),
      corrected({ Contrast: 75 }),
    ]);
    const [plain, bright, pale, turned, hard] = films.map((film) => colorOf(film, 5, at(80, 45)));
    assert.ok(plain && bright && pale && turned && hard);
    assert.ok(
      bright.every((value, index) => value > (plain[index] ?? 0) + 10),
      bright.join(),
    );
    assert.ok((pale[0] ?? 0) - (pale[1] ?? 0) < 40, pale.join());
    assert.ok(turned[0] < 100 && Math.max(turned[1], turned[2]) > 110, turned.join());
    assert.ok(hard[1] < plain[1] - 5, hard.join());
  });

  test('of the full range stay there, are squeezed or cut off', async () => {
    const [kept = Buffer.alloc(0), squeezed = Buffer.alloc(0), cut = Buffer.alloc(0)] = await jobs.films(
      'full.mp4',
      {},
      [
        {},
        corrected({ SampleRangeConversion: 'LIMITED_RANGE_SQUEEZE' }),
        corrected({ SampleRangeConversion: 'LIMITED_RANGE_CLIP', ClipLimits: { MinimumYUV: 120, MaximumYUV: 922 } }),
      ],
    );
    assert.equal((await marksOf(kept))[3], 'pc');
    // Nothing said is the limited range.
    assert.notEqual((await marksOf(squeezed))[3], 'pc');
    const samples = (film: Buffer): number[] =>
      [40, 120].map((x) => rawPixels(film, 5, `crop=4:4:${x}:40,extractplanes=y`, 'gray')[0] ?? 0);
    near(samples(kept)[1] ?? 0, 255, 3, 'white of the full range');
    near(samples(squeezed)[0] ?? 0, 16, 3, 'black of the limited range');
    near(samples(squeezed)[1] ?? 0, 235, 3, 'white of the limited range');
    near(samples(cut)[0] ?? 0, 30, 3, 'black that is cut');
    near(samples(cut)[1] ?? 0, 230, 3, 'white that is cut');
  });

  test('lie where they are told to', async () => {
    const [center = Buffer.alloc(0), corner = Buffer.alloc(0)] = await jobs.films('sdr.mp4', {}, [
      { ChromaPositionMode: 'FORCE_CENTER' },
      { ChromaPositionMode: 'FORCE_TOP_LEFT' },
    ]);
    assert.equal((await probe(center))[0]?.['chroma_location'], 'center');
    assert.equal((await probe(corner))[0]?.['chroma_location'], 'topleft');
  });
});

/** What the first picture of a film brings along. */
async function sideData(film: Buffer): Promise<unknown> {
  const { spawnSync } = await import('node:child_process');
  const args = ['-v', 'error', '-show_frames', '-read_intervals', '%+#1', '-of', 'json', 'pipe:0'];
  return JSON.parse(spawnSync('ffprobe', args, { input: film, maxBuffer: 2 ** 26 }).stdout.toString());
}

describe('tables of colours', { skip: withoutFfmpeg }, () => {
  /** Red becomes blue, and blue red. */
  function swapped(): Buffer {
    const lines = ['LUT_3D_SIZE 9'];
    const steps = Array.from({ length: 9 }, (_, index) => index / 8);
    for (const blue of steps) for (const green of steps) for (const red of steps) lines.push(`${blue} ${green} ${red}`);
    return Buffer.from(lines.join('\n'));
  }

  const table = (extra: object = {}) => ({
    ColorConversion3DLUTSettings: [
      { FileInput: 's3://source/swap.cube', InputColorSpace: 'REC_709', OutputColorSpace: 'REC_709', ...extra },
    ],
  });
  const to709 = corrected({ ColorSpaceConversion: 'FORCE_709' });

  test('stand for the conversion between their spaces, and for no other', async () => {
    await jobs.put('swap.cube', swapped());
    const [converted, plain] = await jobs.films('red.mp4', {}, [to709, {}], table());
    const [red, green, blue] = colorOf(plain ?? Buffer.alloc(0), 5, at(80, 45));
    assert.ok(red > 0xb0 && blue < 0x60, 'an output that converts nothing');
    assertColor(colorOf(converted ?? Buffer.alloc(0), 5, at(80, 45)), [blue, green, red], 'one that converts', 6);
    const other = await jobs.film('red.mp4', {}, to709, table({ InputColorSpace: 'HDR10' }));
    assert.ok(colorOf(other, 5, at(80, 45))[0] > 0xb0, 'a table for another input');
  });

  test('of HDR are chosen by the brightest light, too', async () => {
    const gray = Buffer.from(['LUT_3D_SIZE 2', ...Array.from({ length: 8 }, () => '0.5 0.5 0.5')].join('\n'));
    await jobs.put('swap.cube', gray);
    const hdr = { InputColorSpace: 'HDR10', InputMasteringLuminance: 40_000_000 };
    const light = async (MaxLuminance: number) =>
      lumaOf(await jobs.film('pq.mp4', { VideoSelector: { MaxLuminance } }, to709, table(hdr)), 5, at(130, 45));
    const [fits, differs] = [await light(40_000_000), await light(10_000_000)];
    assert.ok(Math.abs(fits - 126) <= 3, `${fits}`);
    assert.ok(Math.abs(differs - 126) > 10, `${differs}`);
  });

  test('that are none end the job, or are refused', async () => {
    await jobs.put('swap.cube', Buffer.from('LUT_3D_SIZE 100000\n'));
    const job = await jobs.run('red.mp4', {}, [to709], table());
    assert.deepEqual([job.Status, job.ErrorCode], ['ERROR', 1010]);
    assert.match(job.ErrorMessage ?? '', /swap\.cube.*LUT_3D_SIZE should be from 2 to 129/);
    await assert.rejects(
      jobs.run('red.mp4', {}, [to709], table({ OutputColorSpace: 'P3DCI' })),
      /\/colorConversion3DLUTSettings\/0\/outputColorSpace: Should be equal to one of/,
    );
  });
});
