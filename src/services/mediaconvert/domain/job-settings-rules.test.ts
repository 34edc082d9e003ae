import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  CmafGroupSettings,
  H264Settings,
  HlsGroupSettings,
  JobSettings,
  Output,
} from '@aws-sdk/client-mediaconvert';
import { aac, cmafGroup, dashGroup, h264, hlsLadder, jobOf, mp4Group } from '#test/harness/media-job.ts';
import type { Problem } from '../errors.ts';
import { jobSettingsRule } from './job-settings-rules.ts';

function problemsOf(settings: JobSettings): string[] {
  const problems: Problem[] = [];
  jobSettingsRule(settings, '', problems);
  return problems.map(({ pointer, text }) => `${pointer}: ${text}`);
}

const role = 'arn:aws:iam::123456789012:role/Media';

function settingsWith(output: Partial<Output>): JobSettings {
  const group = mp4Group({ destination: 's3://out/' });
  return { ...jobOf(role, 's3://in/a.mp4', [{ ...group, Outputs: [{ ...group.Outputs?.[0], ...output }] }]).Settings };
}

function h264With(extra: Partial<H264Settings>): JobSettings {
  const base = h264(1_000_000);
  const CodecSettings = { Codec: 'H_264' as const, H264Settings: { ...base.H264Settings, ...extra } };
  return settingsWith({ VideoDescription: { CodecSettings } });
}

function hlsWith(extra: Partial<HlsGroupSettings>, output: Partial<Output> = {}): JobSettings {
  const group = hlsLadder({ destination: 's3://out/hls' });
  const settings = group.OutputGroupSettings;
  const HlsGroupSettings = { ...settings?.HlsGroupSettings, ...extra };
  const Outputs = group.Outputs?.map((each, index) => (index === 0 ? { ...each, ...output } : each)) ?? [];
  const changed = { ...group, OutputGroupSettings: { ...settings, HlsGroupSettings }, Outputs };
  return { ...jobOf(role, 's3://in/a.mp4', [changed]).Settings };
}

const OUTPUT = '/outputGroups/0/outputs/0';
const CODEC = `${OUTPUT}/videoDescription/codecSettings/h264Settings`;

function cmafWith(extra: Partial<CmafGroupSettings>, output: Partial<Output> = {}): JobSettings {
  const group = cmafGroup({ destination: 's3://out/cmaf' });
  const CmafGroupSettings = { ...group.OutputGroupSettings?.CmafGroupSettings, ...extra };
  const Outputs = group.Outputs?.map((each, index) => (index === 0 ? { ...each, ...output } : each)) ?? [];
  const changed = { ...group, OutputGroupSettings: { ...group.OutputGroupSettings, CmafGroupSettings }, Outputs };
  return { ...jobOf(role, 's3://in/a.mp4', [changed]).Settings };
}

test('what jobs usually say is accepted', () => {
  assert.deepEqual(problemsOf(cmafWith({})), []);
  assert.deepEqual(problemsOf(cmafWith({ SegmentControl: undefined, MpdProfile: 'ON_DEMAND_PROFILE' })), []);
  assert.deepEqual(
    problemsOf({ ...jobOf(role, 's3://in/a.mp4', [dashGroup({ destination: 's3://out/dash' })]).Settings }),
    [],
  );
  assert.deepEqual(problemsOf(settingsWith({})), []);
  assert.deepEqual(problemsOf(hlsWith({})), []);
});

test('what would be accepted and not be made is refused', () => {
  const H265Settings = { RateControlMode: 'CBR', Bitrate: 300_000, Tiles: 'ENABLED' } as const;
  const CodecSettings = { Codec: 'H_265', H265Settings } as const;
  const pointer = `${OUTPUT}/videoDescription/codecSettings/h265Settings/tiles`;
  assert.deepEqual(problemsOf(settingsWith({ VideoDescription: { CodecSettings } })), [
    `${pointer}: Should be equal to one of the allowed values in ["DISABLED"]; others are not supported`,
  ]);
  const problems = problemsOf(hlsWith({ ProgressiveWriteHlsManifest: 'ENABLED', SegmentControl: 'SINGLE_FILE' }));
  assert.deepEqual(problems, [
    '/outputGroups/0/outputGroupSettings/hlsGroupSettings/progressiveWriteHlsManifest: ' +
      'ENABLED is not supported with segmentControl SINGLE_FILE',
  ]);
});

test('SAMPLE_AES takes H.264 and AAC alone', () => {
  const Encryption = {
    Type: 'STATIC_KEY',
    EncryptionMethod: 'SAMPLE_AES',
    StaticKeyProvider: { StaticKeyValue: '00112233445566778899aabbccddeeff', Url: 'https://keys.example.com/1' },
  } as const;
  assert.deepEqual(problemsOf(hlsWith({ Encryption })), []);
  const odd = hlsWith(
    { Encryption },
    {
      VideoDescription: { CodecSettings: { Codec: 'H_265' } },
      AudioDescriptions: [{ CodecSettings: { Codec: 'AC3' } }],
    },
  );
  const problems = problemsOf(odd);
  for (const [at, codec] of [
    ['videoDescription', 'H_264'],
    ['audioDescriptions/0', 'AAC'],
  ]) {
    const wanted = `${OUTPUT}/${at}/codecSettings/codec: Should be ${codec} with encryptionMethod SAMPLE_AES`;
    assert.ok(problems.includes(wanted), problems.join('\n'));
  }
});

describe('settings that are not carried out', () => {
  const cases: readonly (readonly [string, JobSettings, string])[] = [
    ['another codec', settingsWith({ VideoDescription: { CodecSettings: { Codec: 'VP9' } } }), 'codecSettings/codec'],
    ['telecine by signals', h264With({ InterlaceMode: 'TOP_FIELD', Telecine: 'SOFT' }), 'h264Settings/telecine'],
    [
      'fields alone',
      h264With({ InterlaceMode: 'TOP_FIELD', FieldEncoding: 'FORCE_FIELD' }),
      'h264Settings/fieldEncoding',
    ],
    [
      'a height that has no fields',
      settingsWith({
        VideoDescription: {
          Height: 90,
          CodecSettings: { Codec: 'H_264', H264Settings: { ...h264(1).H264Settings, InterlaceMode: 'TOP_FIELD' } },
        },
      }),
      `${OUTPUT}/videoDescription/height`,
    ],
    ['presets', settingsWith({ Preset: 'System-Generic' }), `${OUTPUT}/preset`],
    ['captions from nowhere', settingsWith({ CaptionDescriptions: [{}] }), `${OUTPUT}/captionDescriptions/0`],
  ];
  for (const [what, settings, pointer] of cases) {
    test(`${what} is refused by name`, () => {
      const problems = problemsOf(settings);
      assert.ok(
        problems.some((problem) => problem.split(': ')[0]?.endsWith(pointer)),
        problems.join('\n'),
      );
    });
  }
});

describe('rules across settings', () => {
  const H265Settings = { RateControlMode: 'CBR', Bitrate: 1_000_000 } as const;
  const FrameCaptureSettings = { FramerateNumerator: 1, FramerateDenominator: 5 };
  const capture = { Codec: 'FRAME_CAPTURE', FrameCaptureSettings } as const;
  const cases: readonly (readonly [string, JobSettings, string])[] = [
    ['QVBR needs maxBitrate', h264With({ MaxBitrate: undefined }), `${CODEC}: maxBitrate is a required property`],
    ['QVBR takes no bitrate', h264With({ Bitrate: 1 }), `${CODEC}/bitrate: Is not allowed with QVBR`],
    [
      'CBR needs bitrate',
      h264With({ RateControlMode: 'CBR', MaxBitrate: undefined, QvbrSettings: undefined }),
      `${CODEC}: bitrate is a required property`,
    ],
    [
      'BASELINE needs CAVLC',
      h264With({ CodecProfile: 'BASELINE', EntropyEncoding: 'CABAC' }),
      `${CODEC}/entropyEncoding: BASELINE needs CAVLC`,
    ],
    [
      'H.265 needs its settings',
      settingsWith({ VideoDescription: { CodecSettings: { Codec: 'H_265' } } }),
      `${OUTPUT}/videoDescription/codecSettings: h265Settings is a required property`,
    ],
    [
      'settings of another codec',
      settingsWith({ VideoDescription: { CodecSettings: { ...h264(1_000_000), Codec: 'H_265', H265Settings } } }),
      `${OUTPUT}/videoDescription/codecSettings/h264Settings: Needs codec H_264`,
    ],
    [
      'H.265 by SAMPLE-AES',
      hlsWith(
        { Encryption: { EncryptionMethod: 'SAMPLE_AES' } },
        { VideoDescription: { CodecSettings: { Codec: 'H_265', H265Settings } } },
      ),
      `${OUTPUT}/videoDescription/codecSettings/codec: H_265 cannot be encrypted by SAMPLE_AES in transport streams`,
    ],
    [
      'a picture and its sound in one CMAF output',
      cmafWith({}, { AudioDescriptions: [aac] }),
      `${OUTPUT}/audioDescriptions: Should be an output of its own: DASH and CMAF outputs have either a picture or one sound`,
    ],
    [
      'CMAF without any manifest',
      cmafWith({ WriteDashManifest: 'DISABLED', WriteHlsManifest: 'DISABLED' }),
      '/outputGroups/0/outputGroupSettings/cmafGroupSettings/writeHlsManifest: At least one manifest has to be written',
    ],
    [
      'fragments longer than segments',
      cmafWith({ FragmentLength: 3 }),
      '/outputGroups/0/outputGroupSettings/cmafGroupSettings/fragmentLength: Should be less than or equal to 2',
    ],
    [
      'on-demand profile of segments',
      cmafWith({ MpdProfile: 'ON_DEMAND_PROFILE' }),
      '/outputGroups/0/outputGroupSettings/cmafGroupSettings/mpdProfile: ON_DEMAND_PROFILE needs segmentControl SINGLE_FILE',
    ],
    [
      'numbers in the name of one file',
      cmafWith({ SegmentControl: 'SINGLE_FILE' }, { NameModifier: '_$Number$' }),
      `${OUTPUT}/nameModifier: $Number$, $Time$ and $RepresentationID$ are only allowed with SEGMENTED_FILES of DASH and CMAF`,
    ],
    [
      'segments of one name',
      cmafWith({}, { NameModifier: '_$RepresentationID$' }),
      `${OUTPUT}/nameModifier: Needs $Number$ or $Time$, as every segment would have the same name`,
    ],
    [
      'settings of another container',
      settingsWith({ ContainerSettings: { Container: 'MP4', MovSettings: {} } }),
      `${OUTPUT}/containerSettings/movSettings: Needs container MOV`,
    ],
    [
      'captures in a film',
      settingsWith({ VideoDescription: { CodecSettings: capture } }),
      `${OUTPUT}/videoDescription/codecSettings/codec: FRAME_CAPTURE is not supported in container MP4; H_264, H_265, AV1, PASSTHROUGH are`,
    ],
    [
      'captures with sound',
      settingsWith({ ContainerSettings: { Container: 'RAW' }, VideoDescription: { CodecSettings: capture } }),
      `${OUTPUT}/audioDescriptions: Is not allowed beside FRAME_CAPTURE`,
    ],
    [
      'a film without container',
      settingsWith({ ContainerSettings: { Container: 'RAW' } }),
      `${OUTPUT}/audioDescriptions: Is not allowed beside H_264`,
    ],
    [
      'captures without a rate',
      settingsWith({ VideoDescription: { CodecSettings: { Codec: 'FRAME_CAPTURE', FrameCaptureSettings: {} } } }),
      `${OUTPUT}/videoDescription/codecSettings/frameCaptureSettings: framerateNumerator is a required property`,
    ],
    [
      'Vorbis in MP4',
      settingsWith({ AudioDescriptions: [{ CodecSettings: { Codec: 'VORBIS', VorbisSettings: {} } }] }),
      `${OUTPUT}/audioDescriptions/0/codecSettings/codec: VORBIS is not supported in container MP4; it has AAC, AC3, EAC3, MP3, FLAC, OPUS, PASSTHROUGH`,
    ],
    [
      'two sounds in one file',
      settingsWith({
        ContainerSettings: { Container: 'RAW' },
        VideoDescription: undefined,
        AudioDescriptions: [
          { CodecSettings: { Codec: 'WAV', WavSettings: {} } },
          { CodecSettings: { Codec: 'WAV', WavSettings: {} } },
        ],
      }),
      `${OUTPUT}/audioDescriptions/1: Should be an output of its own: RAW has one sound`,
    ],
    [
      'MP3 of a quality with a bitrate',
      settingsWith({
        AudioDescriptions: [
          { CodecSettings: { Codec: 'MP3', Mp3Settings: { RateControlMode: 'VBR', VbrQuality: 2, Bitrate: 64_000 } } },
        ],
      }),
      `${OUTPUT}/audioDescriptions/0/codecSettings/mp3Settings/bitrate: Needs CBR`,
    ],
    [
      'AV1 in MOV',
      settingsWith({
        ContainerSettings: { Container: 'MOV' },
        VideoDescription: { CodecSettings: { Codec: 'AV1', Av1Settings: { RateControlMode: 'QVBR', MaxBitrate: 1 } } },
      }),
      `${OUTPUT}/videoDescription/codecSettings/codec: AV1 is not supported in container MOV; H_264, H_265, MPEG2, PRORES, VC3, AVC_INTRA, XAVC, PASSTHROUGH are`,
    ],
    [
      'AV1 without its most',
      settingsWith({ VideoDescription: { CodecSettings: { Codec: 'AV1', Av1Settings: { RateControlMode: 'QVBR' } } } }),
      `${OUTPUT}/videoDescription/codecSettings/av1Settings: maxBitrate is a required property`,
    ],
    [
      'a bandwidth in a name',
      cmafWith({}, { NameModifier: '_$Bandwidth$_$Number$' }),
      `${OUTPUT}/nameModifier: The format identifier $Bandwidth$ is not supported here`,
    ],
    [
      'a width of another form',
      cmafWith({}, { NameModifier: '_$Number%5d$' }),
      `${OUTPUT}/nameModifier: Widths of format identifiers are written as in $Number%05$`,
    ],
    [
      'numbers in a destination',
      cmafWith({ Destination: 's3://out/$Number%05$/film' }),
      '/outputGroups/0/outputGroupSettings/cmafGroupSettings/destination: The format identifier $Number%05$ is not supported here',
    ],
    [
      'numbers in the name of HLS',
      hlsWith({}, { NameModifier: '_$Number$' }),
      `${OUTPUT}/nameModifier: $Number$, $Time$ and $RepresentationID$ are only allowed with SEGMENTED_FILES of DASH and CMAF`,
    ],
    [
      'odd sides',
      settingsWith({ VideoDescription: { Width: 913, CodecSettings: h264(1) } }),
      `${OUTPUT}/videoDescription/width: Invalid resolution [913 x auto], only even values are supported`,
    ],
    [
      'a container',
      settingsWith({ ContainerSettings: undefined }),
      `${OUTPUT}: containerSettings is a required property`,
    ],
    [
      'nothing to write',
      settingsWith({ VideoDescription: undefined, AudioDescriptions: [] }),
      `${OUTPUT}: Should have a videoDescription or audioDescriptions`,
    ],
    [
      'MP4 in HLS',
      hlsWith({}, { ContainerSettings: { Container: 'MP4' } }),
      `${OUTPUT}/containerSettings/container: Should be equal to one of the allowed values in ["M3U8"]`,
    ],
    [
      'the same name twice',
      hlsWith({}, { NameModifier: '_90' }),
      '/outputGroups/0/outputs/1: nameModifier should differ from the other outputs',
    ],
    [
      'segments without a minimum',
      hlsWith({ MinSegmentLength: undefined }),
      '/outputGroups/0/outputGroupSettings/hlsGroupSettings: minSegmentLength is a required property',
    ],
    [
      'AAC out of its range',
      settingsWith({
        AudioDescriptions: [
          {
            ...aac,
            CodecSettings: {
              Codec: 'AAC',
              AacSettings: { Bitrate: 24_000, CodingMode: 'CODING_MODE_2_0', SampleRate: 48_000 },
            },
          },
        ],
      }),
      `${OUTPUT}/audioDescriptions/0/codecSettings/aacSettings/bitrate: ` +
        'Should be between 64000 and 576000 for LC, CODING_MODE_2_0 at 48000 Hz',
    ],
    [
      'a selector that nobody has',
      settingsWith({ AudioDescriptions: [{ ...aac, AudioSourceName: 'Other' }] }),
      `${OUTPUT}/audioDescriptions/0/audioSourceName: No input has an audio selector named "Other"`,
    ],
    [
      'an unknown identifier',
      settingsWith({ NameModifier: '$nope$' }),
      `${OUTPUT}/nameModifier: The format identifier $nope$ is not supported here`,
    ],
  ];
  for (const [what, settings, message] of cases) {
    test(`refuse: ${what}`, () => assert.ok(problemsOf(settings).includes(message), problemsOf(settings).join('\n')));
  }

  test('a KMS key without KMS encryption, and a context that is no map, are refused', () => {
    const s3 = (Encryption: object) => hlsWith({ DestinationSettings: { S3Settings: { Encryption } } });
    const key = s3({ EncryptionType: 'SERVER_SIDE_ENCRYPTION_S3', KmsKeyArn: 'arn' });
    assert.match(problemsOf(key).join(), /kmsKeyArn: Is only allowed with SERVER_SIDE_ENCRYPTION_KMS/);
    const context = s3({ EncryptionType: 'SERVER_SIDE_ENCRYPTION_KMS', KmsEncryptionContext: 'bm90IGpzb24=' });
    assert.match(problemsOf(context).join(), /kmsEncryptionContext: Should be base64 of a JSON object of strings/);
  });
});
