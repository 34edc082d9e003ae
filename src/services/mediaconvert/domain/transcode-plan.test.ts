import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  AudioCodecSettings,
  AudioSelector,
  Deinterlacer,
  H264Settings,
  H265Settings,
  JobSettings,
  OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import { aac, cmafGroup, dashGroup, hlsLadder, jobOf, mp4Group } from '#test/harness/media-job.ts';
import { planTranscode } from './transcode-plan.ts';
import { videoSettings } from './video-plan.ts';

const role = 'arn:aws:iam::123456789012:role/Media';
const kmsKeyArn = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';

function plan(settings: JobSettings | undefined) {
  return planTranscode(settings ?? {}, 0);
}

describe('destinations', () => {
  const baseOf = (destination: string) => {
    const [group] = plan(jobOf(role, 's3://in/a/b.c/holiday.2026.mov', [mp4Group({ destination })]).Settings).groups;
    return [group?.bucket, group?.keyBase, group?.inputName];
  };

  test('that end in a slash keep the name of the input, without its extension', () => {
    assert.deepEqual(baseOf('s3://out/films/'), ['out', 'films/$fn$', 'holiday.2026']);
    assert.deepEqual(baseOf('s3://out'), ['out', '$fn$', 'holiday.2026']);
  });

  test('that do not are the name', () => {
    assert.deepEqual(baseOf('s3://out/films/best'), ['out', 'films/best', 'holiday.2026']);
  });
});

test('the encryption of a group is that of all its objects', () => {
  const { groups } = plan(
    jobOf(role, 's3://in/a.mp4', [
      hlsLadder({ destination: 's3://out/', kmsKeyArn }),
      mp4Group({ destination: 's3://o/' }),
    ]).Settings,
  );
  assert.deepEqual(groups[0]?.storage, { encryption: { algorithm: 'aws:kms', kmsKeyArn } });
  assert.deepEqual(groups[1]?.storage, {});
});

test('selectors choose by what they name', () => {
  const selectorOf = (selector: AudioSelector) => {
    const Inputs = [{ FileInput: 's3://in/a.ts', AudioSelectors: { Main: selector } }];
    return plan({ Inputs, OutputGroups: [] }).inputs[0]?.audioSelectors['Main'];
  };
  assert.deepEqual(selectorOf({ Tracks: [2] }), { pick: { kind: 'tracks', tracks: [2] } });
  assert.deepEqual(selectorOf({ SelectorType: 'PID', Pids: [482] }), { pick: { kind: 'pids', pids: [482] } });
  assert.deepEqual(selectorOf({ LanguageCode: 'DEU' }), { pick: { kind: 'language', code: 'deu' } });
  assert.deepEqual(selectorOf({ DefaultSelection: 'DEFAULT' }), { pick: { kind: 'default' } });
});

test('a group of selectors is as many tracks, each with the language of its own', () => {
  const AudioSelectors = { One: { Tracks: [1] }, Two: { Tracks: [2], Offset: -250 } };
  const first = {
    FileInput: 's3://in/a.mp4',
    AudioSelectors,
    AudioSelectorGroups: { All: { AudioSelectorNames: ['Two', 'One'] } },
  };
  const second = {
    FileInput: 's3://in/b.mp4',
    AudioSelectors,
    AudioSelectorGroups: { All: { AudioSelectorNames: ['One'] } },
  };
  const group = mp4Group({ destination: 's3://out/' });
  const Outputs = group.Outputs?.map((output) => ({
    ...output,
    AudioDescriptions: [{ ...aac, AudioSourceName: 'All' }],
  }));
  const job = plan({ Inputs: [first, second], OutputGroups: [{ ...group, ...(Outputs && { Outputs }) }] });
  const [planned] = job.groups;
  assert.ok(planned?.kind === 'file');
  const names = planned.outputs[0]?.audios.map(({ selector }) => selector) ?? [];
  assert.equal(names.length, 2);
  const picked = job.inputs.map(({ audioSelectors }) => names.map((name) => audioSelectors[name]?.pick));
  assert.deepEqual(picked, [
    [
      { kind: 'tracks', tracks: [2] },
      { kind: 'tracks', tracks: [1] },
    ],
    [{ kind: 'tracks', tracks: [1] }, undefined],
  ]);
  assert.equal(job.inputs[0]?.audioSelectors[names[0] ?? '']?.offsetSeconds, -0.25);
  assert.deepEqual(job.inputs[1]?.fallbackAudio, { pick: { kind: 'none' } });
});

test('gains become factors, and those of -60 dB silence', () => {
  const RemixSettings = {
    ChannelsIn: 2,
    ChannelsOut: 2,
    ChannelMapping: { OutputChannels: [{ InputChannels: [0, -60] }, { InputChannelsFineTune: [-6.0206, 6] }] },
  };
  const AudioSelectors = { Main: { RemixSettings } };
  const { inputs } = plan({ Inputs: [{ FileInput: 's3://in/a.mp4', AudioSelectors }], OutputGroups: [] });
  const gains = inputs[0]?.audioSelectors['Main']?.remix?.gains ?? [];
  assert.deepEqual(
    gains.map((row) => row.map((gain) => Number(gain.toFixed(3)))),
    [
      [1, 0],
      [0.5, 1.995],
    ],
  );
});

describe('H.264', () => {
  const codecOf = (H264Settings: H264Settings) => {
    const codec = videoSettings({ CodecSettings: { Codec: 'H_264', H264Settings } })?.codec;
    assert.ok(codec?.kind === 'h264');
    return codec;
  };

  test('rate control keeps its numbers', () => {
    const qvbr = codecOf({
      RateControlMode: 'QVBR',
      MaxBitrate: 5_000_000,
      QvbrSettings: { QvbrQualityLevel: 8, QvbrQualityLevelFineTune: 0.33 },
    });
    assert.deepEqual(qvbr.rateControl, { mode: 'qvbr', level: 8.33, maxBitrate: 5_000_000 });
    const vbr = codecOf({ RateControlMode: 'VBR', Bitrate: 1_000_000, MaxBitrate: 2_000_000 });
    assert.deepEqual(vbr.rateControl, { mode: 'vbr', bitrate: 1_000_000, maxBitrate: 2_000_000 });
  });

  test('groups of pictures are counted in frames or seconds, or left to the encoder', () => {
    assert.deepEqual(codecOf({ GopSize: 48, GopSizeUnits: 'FRAMES' }).gop, { size: 48, unit: 'frames' });
    assert.deepEqual(codecOf({ GopSize: 1.5, GopSizeUnits: 'SECONDS' }).gop, { size: 1.5, unit: 'seconds' });
    assert.equal(codecOf({ GopSizeUnits: 'AUTO' }).gop, undefined);
  });

  test('levels and profiles have x264 names', () => {
    const codec = codecOf({ CodecLevel: 'LEVEL_4_1', CodecProfile: 'BASELINE' });
    assert.deepEqual([codec.level, codec.profile], ['4.1', 'baseline']);
    assert.equal(codecOf({ CodecLevel: 'AUTO' }).level, undefined);
  });
});

describe('H.265', () => {
  const codecOf = (H265Settings: H265Settings, container?: string) => {
    const codec = videoSettings({ CodecSettings: { Codec: 'H_265', H265Settings } }, container)?.codec;
    assert.ok(codec?.kind === 'h265');
    return codec;
  };

  test('profiles are split into profile and tier', () => {
    const codec = codecOf({ CodecProfile: 'MAIN10_HIGH', CodecLevel: 'LEVEL_5_1' });
    assert.deepEqual([codec.profile, codec.tier, codec.level], ['main10', 'high', '5.1']);
    assert.deepEqual([codecOf({}).profile, codecOf({}).tier], ['main', 'main']);
  });

  test('is hev1 in MP4 and hvc1 in MOV where nothing is said', () => {
    assert.equal(codecOf({}, 'MP4').tag, 'hev1');
    assert.equal(codecOf({}, 'MOV').tag, 'hvc1');
    assert.equal(codecOf({ WriteMp4PackagingType: 'HVC1' }, 'MP4').tag, 'hvc1');
  });

  test('filters are what the switches say', () => {
    const codec = codecOf({
      Deblocking: 'DISABLED',
      SampleAdaptiveOffsetFilterMode: 'OFF',
      MvTemporalPredictor: 'DISABLED',
      TreeBlockSize: 'TREE_SIZE_32X32',
    });
    const { isDeblocked, isSampleOffsetAdaptive, isMotionPredictedOverTime, treeBlockSize } = codec;
    assert.deepEqual(
      [isDeblocked, isSampleOffsetAdaptive, isMotionPredictedOverTime, treeBlockSize],
      [false, false, false, 32],
    );
  });
});

test('the deinterlacer looks at marks, at every picture, or at what it sees', () => {
  const planOf = (Deinterlacer: Deinterlacer) => videoSettings({ VideoPreprocessors: { Deinterlacer } })?.deinterlace;
  assert.deepEqual(planOf({}), { method: 'interpolate', pictures: 'interlaced', isDetected: false });
  assert.deepEqual(planOf({ Control: 'FORCE_ALL_FRAMES' }), {
    method: 'interpolate',
    pictures: 'all',
    isDetected: false,
  });
  assert.deepEqual(planOf({ Mode: 'ADAPTIVE' }), { method: 'interpolate', pictures: 'interlaced', isDetected: true });
});

describe('CMAF', () => {
  const groupOf = (change: (group: OutputGroup) => OutputGroup) => {
    const [group] = plan(
      jobOf(role, 's3://in/a.mp4', [change(cmafGroup({ destination: 's3://out/film' }))]).Settings,
    ).groups;
    assert.ok(group?.kind === 'cmaf');
    return group;
  };

  test('gives each sound that names no group one of its own, with which every picture plays', () => {
    const { outputs, dash, hls } = groupOf((group) => group);
    assert.deepEqual(
      outputs.map(({ extension, audioGroupIds }) => [extension, audioGroupIds]),
      [
        ['cmfv', ['program_audio_0']],
        ['cmfv', ['program_audio_0']],
        ['cmfa', []],
      ],
    );
    assert.deepEqual(outputs[2]?.audioRendition, { groupId: 'program_audio_0', isDefault: true, isAutoSelected: true });
    assert.ok(dash?.isTimelineWritten === true && hls !== undefined);
  });

  test('writes the manifests that are wanted', () => {
    const { dash, hls } = groupOf((group) => {
      const settings = group.OutputGroupSettings;
      const CmafGroupSettings = { ...settings?.CmafGroupSettings, WriteDashManifest: 'DISABLED' as const };
      return { ...group, OutputGroupSettings: { ...settings, CmafGroupSettings } };
    });
    assert.ok(dash === undefined && hls !== undefined);
  });
});

test('a DASH group in single files', () => {
  const [group] = plan(jobOf(role, 's3://in/a.mp4', [dashGroup({ destination: 's3://out/film' })]).Settings).groups;
  assert.ok(group?.kind === 'dash');
  assert.deepEqual([group.isSingleFile, group.dash?.profile, group.outputs[0]?.extension], [true, 'on-demand', 'mp4']);
});

test('DASH and CMAF groups that do not say how they are cut are single files', () => {
  const group = cmafGroup({ destination: 's3://out/cmaf' });
  const { SegmentControl: _, ...CmafGroupSettings } = group.OutputGroupSettings?.CmafGroupSettings ?? {};
  const unsaid = { ...group, OutputGroupSettings: { ...group.OutputGroupSettings, CmafGroupSettings } };
  const [planned] = plan(jobOf(role, 's3://in/a.mp4', [unsaid]).Settings).groups;
  assert.ok(planned?.kind === 'cmaf');
  assert.equal(planned.isSingleFile, true);
});

test('what has no container is named after what its codec makes', () => {
  const outputOf = (CodecSettings: AudioCodecSettings) => {
    const Outputs = [{ ContainerSettings: { Container: 'RAW' as const }, AudioDescriptions: [{ CodecSettings }] }];
    const [group] = plan(
      jobOf(role, 's3://in/a.mp4', [{ ...mp4Group({ destination: 's3://out/' }), Outputs }]).Settings,
    ).groups;
    assert.ok(group?.kind === 'file');
    const [output] = group.outputs;
    return [output?.container, output?.extension, output?.audios[0]?.codec];
  };
  assert.deepEqual(outputOf({ Codec: 'MP3', Mp3Settings: { Bitrate: 128_000, RateControlMode: 'CBR' } }), [
    'mp3',
    'mp3',
    { kind: 'mp3', rate: { mode: 'cbr', bitrate: 128_000 }, sampleRate: 48_000, channels: 2 },
  ]);
  const WavSettings = { BitDepth: 24, Format: 'RF64', SampleRate: 96_000, Channels: 6 } as const;
  assert.deepEqual(outputOf({ Codec: 'WAV', WavSettings }), [
    'wav',
    'wav',
    { kind: 'wav', bitDepth: 24, form: 'rf64', sampleRate: 96_000, channels: 6 },
  ]);
});

test('AV1 has its quality, its most, and its depth', () => {
  const Av1Settings = { RateControlMode: 'QVBR', MaxBitrate: 900_000, BitDepth: 'BIT_10', GopSize: 48 } as const;
  const QvbrSettings = { QvbrQualityLevel: 8 };
  const CodecSettings = { Codec: 'AV1' as const, Av1Settings: { ...Av1Settings, QvbrSettings } };
  assert.deepEqual(videoSettings({ CodecSettings })?.codec, {
    kind: 'av1',
    rateControl: { mode: 'qvbr', level: 8, maxBitrate: 900_000 },
    gop: { size: 48, unit: 'frames' },
    bitDepth: 10,
  });
  const wide = {
    ...CodecSettings,
    Av1Settings: { ...Av1Settings, Slices: 4, AdaptiveQuantization: 'MEDIUM' as const },
  };
  const planned = videoSettings({ CodecSettings: wide })?.codec;
  assert.ok(planned?.kind === 'av1');
  assert.deepEqual([planned.tileColumnsLog2, planned.adaptiveQuantization], [2, 2]);
});
