import type {
  AudioDescription,
  H264Settings,
  JobSettings,
  Output,
  OutputGroup,
  VideoDescription,
} from '@aws-sdk/client-mediaconvert';

/**
 * Jobs as consoles and media teams write them: every member is spelt out, most with what it would be anyway. Which
 * members stand together in real jobs, and with which values, is taken from what is public.
 */

/** As the console exports H.264 of a constant quality. */
function h264(own: Partial<H264Settings>): VideoDescription['CodecSettings'] {
  return {
    Codec: 'H_264',
    H264Settings: {
      InterlaceMode: 'PROGRESSIVE',
      ParControl: 'SPECIFIED',
      ParNumerator: 1,
      ParDenominator: 1,
      NumberReferenceFrames: 3,
      Syntax: 'DEFAULT',
      Softness: 0,
      GopClosedCadence: 1,
      GopSize: 2,
      GopSizeUnits: 'SECONDS',
      Slices: 1,
      GopBReference: 'ENABLED',
      HrdBufferInitialFillPercentage: 90,
      SlowPal: 'DISABLED',
      SpatialAdaptiveQuantization: 'ENABLED',
      TemporalAdaptiveQuantization: 'ENABLED',
      FlickerAdaptiveQuantization: 'ENABLED',
      EntropyEncoding: 'CABAC',
      FramerateControl: 'INITIALIZE_FROM_SOURCE',
      FramerateConversionAlgorithm: 'DUPLICATE_DROP',
      Telecine: 'NONE',
      MinIInterval: 0,
      AdaptiveQuantization: 'MEDIUM',
      FieldEncoding: 'PAFF',
      SceneChangeDetect: 'ENABLED',
      QualityTuningLevel: 'SINGLE_PASS_HQ',
      UnregisteredSeiTimecode: 'DISABLED',
      NumberBFramesBetweenReferenceFrames: 2,
      RepeatPps: 'DISABLED',
      DynamicSubGop: 'ADAPTIVE',
      CodecProfile: 'HIGH',
      CodecLevel: 'AUTO',
      ...own,
    },
  };
}

const PICTURE = {
  ScalingBehavior: 'DEFAULT',
  TimecodeInsertion: 'DISABLED',
  AntiAlias: 'ENABLED',
  Sharpness: 100,
  AfdSignaling: 'NONE',
  DropFrameTimecode: 'ENABLED',
  RespondToAfd: 'NONE',
  ColorMetadata: 'INSERT',
} as const;

function sound(CodecProfile: 'LC' | 'HEV1', Bitrate: number): AudioDescription {
  return {
    AudioTypeControl: 'FOLLOW_INPUT',
    AudioSourceName: 'Audio Selector 1',
    AudioType: 0,
    LanguageCodeControl: 'FOLLOW_INPUT',
    CodecSettings: {
      Codec: 'AAC',
      AacSettings: {
        AudioDescriptionBroadcasterMix: 'NORMAL',
        Bitrate,
        RateControlMode: 'CBR',
        CodecProfile,
        CodingMode: 'CODING_MODE_2_0',
        RawFormat: 'NONE',
        SampleRate: 48_000,
        Specification: 'MPEG4',
      },
    },
  };
}

function hlsOutput(height: number, MaxBitrate: number, audio: AudioDescription): Output {
  const width = Math.round((height * 8) / 9) * 2;
  return {
    NameModifier: `_Ott_Hls_Ts_Avc_Aac_16x9_${width}x${height}p_${MaxBitrate / 1e6}Mbps_qvbr`,
    ContainerSettings: {
      Container: 'M3U8',
      M3u8Settings: {
        AudioFramesPerPes: 4,
        PcrControl: 'PCR_EVERY_PES_PACKET',
        PmtPid: 480,
        PrivateMetadataPid: 503,
        ProgramNumber: 1,
        PatInterval: 0,
        PmtInterval: 0,
        Scte35Source: 'NONE',
        Scte35Pid: 500,
        TimedMetadata: 'NONE',
        TimedMetadataPid: 502,
        VideoPid: 481,
        AudioPids: [482, 483, 484, 485, 486, 487, 488, 489, 490, 491, 492, 493, 494, 495, 496, 497, 498],
      },
    },
    VideoDescription: {
      ...PICTURE,
      Width: width,
      Height: height,
      CodecSettings: h264({
        RateControlMode: 'QVBR',
        MaxBitrate,
        HrdBufferSize: MaxBitrate * 2,
        QvbrSettings: { QvbrQualityLevel: 7 },
      }),
    },
    AudioDescriptions: [audio],
    OutputSettings: {
      HlsSettings: {
        AudioGroupId: 'program_audio',
        AudioRenditionSets: 'program_audio',
        SegmentModifier: '$dt$',
        IFrameOnlyManifest: 'EXCLUDE',
      },
    },
  };
}

function hlsGroup(Destination: string, Outputs: Output[]): OutputGroup {
  return {
    Name: 'Apple HLS',
    CustomName: 'HLS',
    OutputGroupSettings: {
      Type: 'HLS_GROUP_SETTINGS',
      HlsGroupSettings: {
        Destination,
        ManifestDurationFormat: 'INTEGER',
        SegmentLength: 2,
        MinSegmentLength: 0,
        TimedMetadataId3Frame: 'PRIV',
        TimedMetadataId3Period: 10,
        CaptionLanguageSetting: 'OMIT',
        CodecSpecification: 'RFC_4281',
        OutputSelection: 'MANIFESTS_AND_SEGMENTS',
        ProgramDateTime: 'EXCLUDE',
        ProgramDateTimePeriod: 600,
        SegmentControl: 'SEGMENTED_FILES',
        DirectoryStructure: 'SINGLE_DIRECTORY',
        ManifestCompression: 'NONE',
        ClientCache: 'ENABLED',
        StreamInfResolution: 'INCLUDE',
      },
    },
    Outputs,
  };
}

const INPUT = {
  AudioSelectors: { 'Audio Selector 1': { Offset: 0, DefaultSelection: 'DEFAULT', ProgramSelection: 1 } },
  VideoSelector: { ColorSpace: 'FOLLOW', Rotate: 'DEGREE_0', AlphaBehavior: 'DISCARD' },
  FilterEnable: 'AUTO',
  PsiControl: 'USE_PSI',
  FilterStrength: 0,
  DeblockFilter: 'DISABLED',
  DenoiseFilter: 'DISABLED',
  InputScanType: 'AUTO',
  TimecodeSource: 'ZEROBASED',
} as const;

/** A ladder for adaptive streaming, HE-AAC below and AAC LC above. */
export function streamingLadder(FileInput: string, destination: string): JobSettings {
  const outputs = [
    hlsOutput(90, 400_000, sound('HEV1', 64_000)),
    hlsOutput(180, 600_000, sound('HEV1', 64_000)),
    hlsOutput(270, 1_200_000, sound('LC', 128_000)),
  ];
  return {
    AdAvailOffset: 0,
    TimecodeConfig: { Source: 'ZEROBASED' },
    Inputs: [{ ...INPUT, FileInput }],
    OutputGroups: [hlsGroup(`${destination}hls/`, outputs)],
  };
}

/** What a watched folder makes of an upload: a part of it as HLS and MP4, and pictures. */
export function watchedFolder(FileInput: string, destination: string): JobSettings {
  const mp4: Output = {
    ContainerSettings: {
      Container: 'MP4',
      Mp4Settings: { CslgAtom: 'INCLUDE', FreeSpaceBox: 'EXCLUDE', MoovPlacement: 'PROGRESSIVE_DOWNLOAD' },
    },
    VideoDescription: {
      ...PICTURE,
      Sharpness: 50,
      Width: 320,
      Height: 180,
      VideoPreprocessors: { Deinterlacer: { Algorithm: 'INTERPOLATE', Mode: 'DEINTERLACE', Control: 'NORMAL' } },
      CodecSettings: h264({ RateControlMode: 'VBR', Bitrate: 600_000, QualityTuningLevel: 'SINGLE_PASS' }),
    },
    AudioDescriptions: [sound('LC', 96_000)],
    Extension: 'mp4',
  };
  const pictures: Output = {
    ContainerSettings: { Container: 'RAW' },
    VideoDescription: {
      ...PICTURE,
      Sharpness: 50,
      Width: 160,
      Height: 90,
      CodecSettings: {
        Codec: 'FRAME_CAPTURE',
        FrameCaptureSettings: { FramerateNumerator: 1, FramerateDenominator: 1, MaxCaptures: 10, Quality: 80 },
      },
    },
    NameModifier: '_tn',
  };
  const fileGroup = (CustomName: string, folder: string, output: Output): OutputGroup => ({
    CustomName,
    Name: 'File Group',
    OutputGroupSettings: {
      Type: 'FILE_GROUP_SETTINGS',
      FileGroupSettings: { Destination: `${destination}${folder}/` },
    },
    Outputs: [output],
  });
  return {
    AdAvailOffset: 0,
    TimecodeConfig: { Source: 'ZEROBASED' },
    Inputs: [{ ...INPUT, FileInput, InputClippings: [{ StartTimecode: '00:00:01:00', EndTimecode: '00:00:02:29' }] }],
    OutputGroups: [
      hlsGroup(`${destination}HLS/`, [hlsOutput(180, 1_000_000, sound('LC', 96_000))]),
      fileGroup('MP4', 'MP4', mp4),
      fileGroup('Thumbnails', 'Thumbnails', pictures),
    ],
  };
}
