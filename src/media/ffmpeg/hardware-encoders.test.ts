import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FFVideoEncoder } from 'node-av/constants';
import type { H264Settings, H265Settings, VideoSettings } from '../video-settings.ts';
import { hardwareEncoders, worksHere } from './hardware-encoders.ts';
import { loadFFmpeg } from './load-ffmpeg.ts';

const predicted = {
  rateControl: { mode: 'vbr', bitrate: 1_000_000 },
  preset: 'medium',
  isSceneChangeDetected: true,
  isGopOpen: false,
  isBFrameCountAdaptive: true,
  isTemporalAdaptive: true,
} as const;
const h264: H264Settings = { kind: 'h264', ...predicted, profile: 'high', bitDepth: 8 };
const h265: H265Settings = {
  kind: 'h265',
  ...predicted,
  profile: 'main',
  bitDepth: 8,
  tier: 'main',
  isDeblocked: true,
  isSampleOffsetAdaptive: true,
  isMotionPredictedOverTime: true,
  tag: 'hvc1',
};
const rate = { num: 25, den: 1 };

function choice(codec: VideoSettings['codec'], more: Partial<VideoSettings> = {}) {
  const video = { scaling: 'stretch', scaler: 'bicubic', isColorTagged: true, codec, ...more } as const;
  return hardwareEncoders(video, rate, 2);
}

const names = (codec: VideoSettings['codec'], more?: Partial<VideoSettings>): string[] =>
  choice(codec, more).map(({ name }) => name);

describe('the choice of a hardware encoder', () => {
  test('is NVENC, then Quick Sync, and with a quality NVENC alone', () => {
    assert.deepEqual(names(h264), ['h264_nvenc', 'h264_qsv']);
    assert.deepEqual(names(h265), ['hevc_nvenc', 'hevc_qsv']);
    const rateControl = { mode: 'qvbr', level: 7, maxBitrate: 2_000_000 } as const;
    assert.deepEqual(names({ ...h264, rateControl }), ['h264_nvenc']);
    const [nvenc] = choice({ ...h264, rateControl });
    assert.deepEqual(
      [nvenc?.options['cq'], nvenc?.options['maxrate'], nvenc?.options['crf']],
      [22.5, 2_000_000, undefined],
    );
  });

  test('carries out the rate and the GOP', () => {
    const [nvenc, qsv] = choice({ ...h264, level: '4.1', bFrames: 2, gop: { size: 50, unit: 'frames' } });
    for (const { options } of [nvenc, qsv].filter((each) => each !== undefined)) {
      const { b, g, bf, level, profile } = options;
      assert.deepEqual({ b, g, bf, level, profile }, { b: 1_000_000, g: 50, bf: 2, level: '4.1', profile: 'high' });
    }
  });

  const beyond: readonly (readonly [string, Partial<H264Settings>])[] = [
    ['two passes', { isMultiPass: true }],
    ['open GOPs', { isGopOpen: true }],
    ['a number of references', { references: 3 }],
    ['slices', { slices: 4 }],
    ['a strength of adaptive quantisation', { adaptiveQuantization: 1 }],
    ['ten bits', { bitDepth: 10, profile: 'high10' }],
    ['an entropy coder', { entropy: 'cavlc' }],
    ['a buffer that is filled', { bufferInitialFill: 90 }],
    ['a steady number of B frames', { isBFrameCountAdaptive: false }],
  ];
  for (const [what, settings] of beyond) {
    test(`leaves ${what} to x264`, () => assert.deepEqual(names({ ...h264, ...settings }), []));
  }

  test('leaves fields, SAO that is off and other codecs to software', () => {
    assert.deepEqual(names(h264, { interlaced: { firstField: 'top', isFollowed: false, isOptimized: false } }), []);
    assert.deepEqual(names({ ...h265, isSampleOffsetAdaptive: false }), []);
    assert.deepEqual(names({ kind: 'jpeg', quality: 80 }), []);
  });
});

test('the encoders know the options; one whose hardware is missing does not work', async () => {
  const ffmpeg = await loadFFmpeg();
  const rateControl = { mode: 'qvbr', level: 7, maxBitrate: 2_000_000 } as const;
  const settings = { level: '4.1', bFrames: 2 };
  const all = [h264, h265].flatMap((codec) => [
    ...choice({ ...codec, ...settings }),
    ...choice({ ...codec, rateControl }),
    ...choice({ ...codec, rateControl: { mode: 'cbr', bitrate: 1_000_000 } }),
  ]);
  for (const encoder of all) {
    const codec = ffmpeg.Codec.findEncoderByName(encoder.name as FFVideoEncoder);
    assert.notEqual(codec, null, encoder.name);
    const context = new ffmpeg.CodecContext();
    context.allocContext3(codec);
    for (const [name, value] of Object.entries(encoder.options)) {
      const set = context.setOption(name, String(value), ffmpeg.AV_OPT_TYPE_STRING, ffmpeg.AV_OPT_SEARCH_CHILDREN);
      assert.ok(set >= 0, `${encoder.name} ${name}=${value}: ${ffmpeg.FFmpegError.strerror(set)}`);
    }
    context.freeContext();
    assert.equal(typeof worksHere(ffmpeg, encoder), 'boolean');
  }
});
