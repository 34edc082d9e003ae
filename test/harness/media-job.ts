import type { CreateJobRequest, Job, MediaConvertClient, OutputGroup } from '@aws-sdk/client-mediaconvert';
import { GetJobCommand } from '@aws-sdk/client-mediaconvert';
import { setTimeout as sleep } from 'node:timers/promises';

/** Small MediaConvert jobs, and waiting for their end. */

export function h264(maxBitrate: number) {
  return {
    Codec: 'H_264',
    H264Settings: {
      RateControlMode: 'QVBR',
      MaxBitrate: maxBitrate,
      QvbrSettings: { QvbrQualityLevel: 7 },
      QualityTuningLevel: 'SINGLE_PASS',
      SceneChangeDetect: 'ENABLED',
      GopSize: 2,
      GopSizeUnits: 'SECONDS',
    },
  } as const;
}

export const aac = {
  AudioSourceName: 'Audio Selector 1',
  CodecSettings: {
    Codec: 'AAC',
    AacSettings: { Bitrate: 96_000, CodingMode: 'CODING_MODE_2_0', SampleRate: 48_000 },
  },
} as const;

interface GroupFacts {
  readonly destination: string;
  readonly kmsKeyArn?: string;
}

function destinationSettings(kmsKeyArn: string | undefined) {
  if (kmsKeyArn === undefined) return {};
  const encryption = { EncryptionType: 'SERVER_SIDE_ENCRYPTION_KMS', KmsKeyArn: kmsKeyArn } as const;
  return { DestinationSettings: { S3Settings: { Encryption: encryption } } };
}

export function mp4Group(facts: GroupFacts): OutputGroup {
  return {
    OutputGroupSettings: {
      Type: 'FILE_GROUP_SETTINGS',
      FileGroupSettings: { Destination: facts.destination, ...destinationSettings(facts.kmsKeyArn) },
    },
    Outputs: [
      {
        NameModifier: '-$h$p',
        ContainerSettings: {
          Container: 'MP4',
          Mp4Settings: { MoovPlacement: 'PROGRESSIVE_DOWNLOAD', CslgAtom: 'INCLUDE' },
        },
        VideoDescription: { Width: 320, Height: 180, CodecSettings: h264(800_000) },
        AudioDescriptions: [aac],
      },
    ],
  };
}

export function hlsLadder(facts: GroupFacts): OutputGroup {
  return {
    OutputGroupSettings: {
      Type: 'HLS_GROUP_SETTINGS',
      HlsGroupSettings: {
        Destination: facts.destination,
        ...destinationSettings(facts.kmsKeyArn),
        SegmentLength: 2,
        MinSegmentLength: 0,
        ManifestDurationFormat: 'INTEGER',
      },
    },
    Outputs: [180, 90].map((height) => ({
      NameModifier: `_${height}`,
      ContainerSettings: { Container: 'M3U8' },
      VideoDescription: { Height: height, Width: (height * 16) / 9, CodecSettings: h264(height * 4000) },
      AudioDescriptions: [aac],
    })),
  };
}

/** Two pictures and a sound, in segments of two seconds. */
export function cmafGroup(facts: GroupFacts): OutputGroup {
  return {
    OutputGroupSettings: {
      Type: 'CMAF_GROUP_SETTINGS',
      CmafGroupSettings: {
        Destination: facts.destination,
        ...destinationSettings(facts.kmsKeyArn),
        SegmentLength: 2,
        FragmentLength: 2,
        SegmentControl: 'SEGMENTED_FILES',
        WriteDashManifest: 'ENABLED',
        WriteHlsManifest: 'ENABLED',
        WriteSegmentTimelineInRepresentation: 'ENABLED',
      },
    },
    Outputs: fragmentedOutputs('CMFC'),
  };
}

export function dashGroup(facts: GroupFacts): OutputGroup {
  return {
    OutputGroupSettings: {
      Type: 'DASH_ISO_GROUP_SETTINGS',
      DashIsoGroupSettings: {
        Destination: facts.destination,
        ...destinationSettings(facts.kmsKeyArn),
        SegmentLength: 2,
        FragmentLength: 2,
        SegmentControl: 'SINGLE_FILE',
        MpdProfile: 'ON_DEMAND_PROFILE',
      },
    },
    Outputs: fragmentedOutputs('MPD'),
  };
}

function fragmentedOutputs(Container: 'CMFC' | 'MPD') {
  const ContainerSettings = { Container };
  return [
    ...[180, 90].map((height) => ({
      NameModifier: `_${height}`,
      ContainerSettings,
      VideoDescription: { Height: height, Width: (height * 16) / 9, CodecSettings: h264(height * 4000) },
    })),
    { NameModifier: '_sound', ContainerSettings, AudioDescriptions: [aac] },
  ];
}

export function jobOf(role: string, input: string, groups: OutputGroup[]): CreateJobRequest {
  return {
    Role: role,
    Settings: {
      Inputs: [{ FileInput: input, AudioSelectors: { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' } } }],
      OutputGroups: groups,
    },
  };
}

/** Waits until a job is COMPLETE, ERROR or CANCELED. */
export async function jobEnd(client: MediaConvertClient, id: string | undefined, timeoutMs = 60_000): Promise<Job> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const { Job: job } = await client.send(new GetJobCommand({ Id: id }));
    const status = job?.Status;
    if (job !== undefined && status !== 'SUBMITTED' && status !== 'PROGRESSING') return job;
    if (Date.now() > deadline) throw new Error(`Job ${id} is still ${status}.`);
    await sleep(100);
  }
}
