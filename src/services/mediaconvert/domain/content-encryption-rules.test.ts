import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OutputGroup } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { jobSettingsRule } from './job-settings-rules.ts';
import { presetKeys } from './speke-presets.ts';

const SETTINGS = '/outputGroups/0/outputGroupSettings';
const WIDEVINE = 'edef8ba9-79d6-4ace-a3c8-27dcd51d21ed';
const PLAYREADY = '9a04f079-9840-4286-ab92-e65be0885f95';
const FAIRPLAY = '94ce86fb-07ff-4f43-adb8-93d2fa968ca2';
const speke = { Url: 'https://keys.example.com/cpix', ResourceId: 'film', SystemIds: [WIDEVINE] };
const fixed = { StaticKeyValue: '00112233445566778899aabbccddeeff', Url: 'https://keys.example.com/1' };

function problemsOf(group: OutputGroup): string[] {
  const problems: Problem[] = [];
  jobSettingsRule({ Inputs: [{ FileInput: 's3://b/k.mp4' }], OutputGroups: [group] }, '', problems);
  return problems.map(({ pointer, text }) => `${pointer}: ${text}`);
}

const h264 = {
  Codec: 'H_264',
  H264Settings: { RateControlMode: 'QVBR', MaxBitrate: 1_000_000 },
} as const;
const aac = { Bitrate: 96_000, CodingMode: 'CODING_MODE_2_0', SampleRate: 48_000 } as const;
const sound = { CodecSettings: { Codec: 'AAC', AacSettings: aac } } as const;

function hls(Encryption: object, isMuxed = false): OutputGroup {
  return {
    OutputGroupSettings: {
      Type: 'HLS_GROUP_SETTINGS',
      HlsGroupSettings: { Destination: 's3://b/o', MinSegmentLength: 0, Encryption },
    },
    Outputs: [
      {
        NameModifier: '_1',
        ContainerSettings: { Container: 'M3U8' },
        VideoDescription: { CodecSettings: h264 },
        ...(isMuxed && { AudioDescriptions: [sound] }),
      },
    ],
  };
}

const video = (Container: 'CMFC' | 'MPD', codec: object = h264) => [
  { NameModifier: '_1', ContainerSettings: { Container }, VideoDescription: { CodecSettings: codec } },
];

function cmaf(Encryption: object, codec?: object): OutputGroup {
  return {
    OutputGroupSettings: {
      Type: 'CMAF_GROUP_SETTINGS',
      CmafGroupSettings: { Destination: 's3://b/o', SegmentControl: 'SEGMENTED_FILES', Encryption },
    },
    Outputs: video('CMFC', codec),
  };
}

function dash(Encryption: object): OutputGroup {
  return {
    OutputGroupSettings: {
      Type: 'DASH_ISO_GROUP_SETTINGS',
      DashIsoGroupSettings: { Destination: 's3://b/o', SegmentControl: 'SEGMENTED_FILES', Encryption },
    },
    Outputs: video('MPD'),
  };
}

function smooth(Encryption: object): OutputGroup {
  return {
    OutputGroupSettings: {
      Type: 'MS_SMOOTH_GROUP_SETTINGS',
      MsSmoothGroupSettings: { Destination: 's3://b/o', Encryption },
    },
    Outputs: [
      { NameModifier: '_1', ContainerSettings: { Container: 'ISMV' }, VideoDescription: { CodecSettings: h264 } },
    ],
  };
}

const presets = (SpekeVideoPreset: string, SpekeAudioPreset: string) => ({
  EncryptionContractConfiguration: { SpekeVideoPreset, SpekeAudioPreset },
});

describe('content encryption', () => {
  const spekeOfCmaf = { Url: speke.Url, ResourceId: 'film', DashSignaledSystemIds: [WIDEVINE, PLAYREADY] };
  const aes = { Type: 'SPEKE', EncryptionMethod: 'AES128' };
  const samples = { Type: 'SPEKE', EncryptionMethod: 'SAMPLE_AES' };
  const hlsAt = `${SETTINGS}/hlsGroupSettings/encryption`;
  const cmafAt = `${SETTINGS}/cmafGroupSettings/encryption`;
  const dashAt = `${SETTINGS}/dashIsoGroupSettings/encryption`;

  test('is taken with keys of a job and of key providers', () => {
    for (const group of [
      hls({ ...aes, SpekeKeyProvider: speke }),
      hls({ ...samples, SpekeKeyProvider: { ...speke, ...presets('PRESET_VIDEO_8', 'PRESET_AUDIO_3') } }),
      hls({ ...samples, SpekeKeyProvider: { ...speke, ...presets('SHARED', 'SHARED') } }, true),
      cmaf({
        ...samples,
        SpekeKeyProvider: { ...spekeOfCmaf, HlsSignaledSystemIds: [FAIRPLAY] },
        ClearLeadSegments: 1,
      }),
      cmaf({ Type: 'STATIC_KEY', EncryptionMethod: 'AES_CTR', StaticKeyProvider: fixed }),
      cmaf({
        Type: 'STATIC_KEY',
        EncryptionMethod: 'SAMPLE_AES',
        StaticKeyProvider: fixed,
        ConstantInitializationVector: '00112233445566778899aabbccddeeff',
        InitializationVectorInManifest: 'INCLUDE',
      }),
      smooth({ SpekeKeyProvider: { ...speke, SystemIds: [PLAYREADY] } }),
      dash({ SpekeKeyProvider: speke, PlaybackDeviceCompatibility: 'UNENCRYPTED_SEI' }),
    ]) {
      assert.deepEqual(problemsOf(group), []);
    }
  });

  const refused: readonly (readonly [string, OutputGroup, string])[] = [
    ['no provider', hls(samples), `${hlsAt}: spekeKeyProvider is a required property`],
    ['no method', cmaf({ Type: 'STATIC_KEY', StaticKeyProvider: fixed }), `${cmafAt}: encryptionMethod is a required`],
    [
      'two sources of keys',
      hls({ ...samples, SpekeKeyProvider: speke, StaticKeyProvider: fixed }),
      `${hlsAt}/staticKeyProvider: Needs type STATIC_KEY`,
    ],
    [
      'a certificate, whose private key is not here',
      dash({ SpekeKeyProvider: { ...speke, CertificateArn: 'arn:aws:acm:us-east-1:1:certificate/1' } }),
      `${dashAt}/spekeKeyProvider/certificateArn: Encrypted content keys are not supported`,
    ],
    [
      'more systems than an MPD of this group tells of',
      dash({ SpekeKeyProvider: { ...speke, SystemIds: [WIDEVINE, PLAYREADY, FAIRPLAY] } }),
      `${dashAt}/spekeKeyProvider/systemIds: Should have at most 2 items`,
    ],
    [
      'a system twice',
      dash({ SpekeKeyProvider: { ...speke, SystemIds: [WIDEVINE, WIDEVINE.toUpperCase()] } }),
      `${dashAt}/spekeKeyProvider/systemIds: Should not have the same system twice`,
    ],
    [
      'an address with a user',
      dash({ SpekeKeyProvider: { ...speke, Url: 'https://user@keys/1' } }),
      `${dashAt}/spekeKeyProvider/url: Should be an https address`,
    ],
    [
      'an address in the clear',
      dash({ SpekeKeyProvider: { ...speke, Url: 'http://keys/1' } }),
      `${dashAt}/spekeKeyProvider/url: Should be an https address`,
    ],
    [
      'half of SHARED',
      dash({ SpekeKeyProvider: { ...speke, ...presets('SHARED', 'PRESET_AUDIO_1') } }),
      'spekeAudioPreset: SHARED has to be on both',
    ],
    [
      'nothing to encrypt',
      dash({ SpekeKeyProvider: { ...speke, ...presets('UNENCRYPTED', 'UNENCRYPTED') } }),
      'spekeAudioPreset: Something has to be encrypted',
    ],
    [
      'AES128 with SPEKE 2.0',
      hls({ ...aes, SpekeKeyProvider: { ...speke, ...presets('SHARED', 'SHARED') } }),
      'encryptionContractConfiguration: AES128 needs SPEKE v1.0',
    ],
    [
      'two keys in one transport stream',
      hls({ ...samples, SpekeKeyProvider: { ...speke, ...presets('PRESET_VIDEO_1', 'PRESET_AUDIO_1') } }, true),
      '/outputGroups/0/outputs/0/audioDescriptions: An output with picture and sound needs',
    ],
    [
      'one vector for all with AES_CTR',
      cmaf({
        Type: 'STATIC_KEY',
        EncryptionMethod: 'AES_CTR',
        StaticKeyProvider: fixed,
        ConstantInitializationVector: '00112233445566778899aabbccddeeff',
      }),
      `${cmafAt}/constantInitializationVector: Needs encryptionMethod SAMPLE_AES`,
    ],
    [
      'another system than PlayReady in Smooth Streaming',
      smooth({ SpekeKeyProvider: speke }),
      `${SETTINGS}/msSmoothGroupSettings/encryption/spekeKeyProvider/systemIds: Should be PlayReady's`,
    ],
    [
      'several keys in Smooth Streaming',
      smooth({ SpekeKeyProvider: { ...speke, ...presets('PRESET_VIDEO_1', 'PRESET_AUDIO_1') } }),
      'spekeVideoPreset: Should be SHARED',
    ],
    [
      'AV1',
      cmaf({ Type: 'STATIC_KEY', EncryptionMethod: 'AES_CTR', StaticKeyProvider: fixed }, { Codec: 'AV1' }),
      'videoDescription/codecSettings/codec: Should be H_264 or H_265 or PASSTHROUGH with content encryption',
    ],
  ];
  for (const [what, group, wanted] of refused) {
    test(`is refused with ${what}`, () => {
      const problems = problemsOf(group);
      assert.ok(
        problems.some((problem) => problem.includes(wanted)),
        problems.join('\n'),
      );
    });
  }
});

test('the presets of SPEKE 2.0 leave no picture and no sound without a key', () => {
  for (let number = 1; number <= 8; number++) {
    for (let audio = 1; audio <= 3; audio++) {
      const keys = presetKeys({
        SpekeVideoPreset: `PRESET_VIDEO_${number}` as 'PRESET_VIDEO_1',
        SpekeAudioPreset: `PRESET_AUDIO_${audio}` as 'PRESET_AUDIO_1',
      });
      for (const [kind, ranges] of [
        ['pixels', keys.flatMap(({ use }) => use.pixels)],
        ['channels', keys.flatMap(({ use }) => use.channels)],
      ] as const) {
        const sorted = ranges.toSorted((a, b) => a.from - b.from);
        assert.equal(sorted[0]?.from, 0, kind);
        assert.equal(sorted.at(-1)?.to, Number.MAX_SAFE_INTEGER);
        sorted.slice(1).forEach(({ from }, index) => assert.equal(from, (sorted[index]?.to ?? 0) + 1));
      }
      const words = keys.flatMap(({ intendedTrackType }) => intendedTrackType.split('+'));
      assert.equal(words.length, keys.flatMap(({ use }) => [...use.pixels, ...use.channels]).length);
    }
  }
});
