import {
  CreateJobCommand,
  type CreateJobRequest,
  GetJobCommand,
  type Job,
  type OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import type { Narrator } from './narrator.ts';
import type { Stage } from './stage.ts';

const POLL_MS = 250;

/** Submits a job and waits for its end, telling how far it is. */
export async function runJob(stage: Stage, narrator: Narrator, settings: CreateJobRequest['Settings']): Promise<Job> {
  const { Job: submitted } = await stage.mediaConvert.send(
    new CreateJobCommand({ Role: stage.roleArn, Settings: settings, StatusUpdateInterval: 'SECONDS_10' }),
  );
  const Id = submitted?.Id ?? '';
  for (;;) {
    const { Job: job } = await stage.mediaConvert.send(new GetJobCommand({ Id }));
    if (job?.Status === 'COMPLETE' || job?.Status === 'ERROR' || job?.Status === 'CANCELED') {
      narrator.clearProgress();
      return job;
    }
    narrator.progress(`${job?.Status} ${job?.CurrentPhase ?? ''} ${job?.JobPercentComplete ?? 0} %`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** An MP4 and an HLS ladder of two renditions, each object of them encrypted under the key. */
export function ladderSettings(
  stage: Stage,
  keyArn: string,
  input: string,
  folder: string,
): CreateJobRequest['Settings'] {
  const destination = `s3://${stage.outputBucket}/${folder}/`;
  return {
    TimecodeConfig: { Source: 'ZEROBASED' },
    Inputs: [inputOf(input)],
    OutputGroups: [
      {
        Name: 'File Group',
        OutputGroupSettings: {
          Type: 'FILE_GROUP_SETTINGS',
          FileGroupSettings: { Destination: `${destination}mp4/`, DestinationSettings: encrypted(keyArn) },
        },
        Outputs: [
          {
            ContainerSettings: { Container: 'MP4' },
            VideoDescription: video(1280, 720, 2_000_000),
            AudioDescriptions: audio(),
          },
        ],
      },
      {
        Name: 'Apple HLS',
        OutputGroupSettings: {
          Type: 'HLS_GROUP_SETTINGS',
          HlsGroupSettings: {
            Destination: `${destination}hls/`,
            SegmentLength: 2,
            MinSegmentLength: 0,
            DestinationSettings: encrypted(keyArn),
          },
        },
        Outputs: [rendition('_720p', 1280, 720, 2_000_000), rendition('_360p', 640, 360, 700_000)],
      },
    ],
  };
}

/** One small MP4, as short as a job can be. */
export function singleSettings(
  stage: Stage,
  keyArn: string,
  input: string,
  folder: string,
): CreateJobRequest['Settings'] {
  return {
    TimecodeConfig: { Source: 'ZEROBASED' },
    Inputs: [inputOf(input)],
    OutputGroups: [
      {
        OutputGroupSettings: {
          Type: 'FILE_GROUP_SETTINGS',
          FileGroupSettings: {
            Destination: `s3://${stage.outputBucket}/${folder}/`,
            DestinationSettings: encrypted(keyArn),
          },
        },
        Outputs: [
          {
            ContainerSettings: { Container: 'MP4' },
            VideoDescription: video(640, 360, 500_000),
            AudioDescriptions: audio(),
          },
        ],
      },
    ],
  };
}

type Output = NonNullable<OutputGroup['Outputs']>[number];

function inputOf(FileInput: string) {
  return {
    FileInput,
    TimecodeSource: 'ZEROBASED',
    AudioSelectors: { 'Audio Selector 1': { DefaultSelection: 'DEFAULT' } },
  } as const;
}

function encrypted(kmsKeyArn: string) {
  return {
    S3Settings: { Encryption: { EncryptionType: 'SERVER_SIDE_ENCRYPTION_KMS', KmsKeyArn: kmsKeyArn } },
  } as const;
}

function rendition(NameModifier: string, width: number, height: number, bitrate: number): Output {
  return {
    NameModifier,
    ContainerSettings: { Container: 'M3U8' },
    VideoDescription: video(width, height, bitrate),
    AudioDescriptions: audio(),
  };
}

function video(Width: number, Height: number, MaxBitrate: number): NonNullable<Output['VideoDescription']> {
  return {
    Width,
    Height,
    CodecSettings: {
      Codec: 'H_264',
      H264Settings: {
        RateControlMode: 'QVBR',
        MaxBitrate,
        QualityTuningLevel: 'SINGLE_PASS',
        GopSize: 2,
        GopSizeUnits: 'SECONDS',
      },
    },
  };
}

function audio(): NonNullable<Output['AudioDescriptions']> {
  return [
    {
      AudioSourceName: 'Audio Selector 1',
      CodecSettings: {
        Codec: 'AAC',
        AacSettings: { Bitrate: 96_000, CodingMode: 'CODING_MODE_2_0', SampleRate: 48_000 },
      },
    },
  ];
}
