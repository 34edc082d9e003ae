import type { OutputGroup } from '@aws-sdk/client-mediaconvert';
import { aac, h264 } from './media-job.ts';

/** Small groups of segments of a second, a picture `film_v` and a sound `film_a`, which differ in their encryption. */

const outputs = (Container: 'CMFC' | 'MPD') => [
  {
    NameModifier: '_v',
    ContainerSettings: { Container },
    VideoDescription: { Width: 160, Height: 90, CodecSettings: h264(400_000) },
  },
  { NameModifier: '_a', ContainerSettings: { Container }, AudioDescriptions: [aac] },
];

export function cmaf(folder: string, Encryption?: object): OutputGroup {
  return {
    OutputGroupSettings: {
      Type: 'CMAF_GROUP_SETTINGS',
      CmafGroupSettings: {
        Destination: `s3://outputs/${folder}/film`,
        SegmentLength: 1,
        FragmentLength: 1,
        SegmentControl: 'SEGMENTED_FILES',
        ...(Encryption !== undefined && { Encryption }),
      },
    },
    Outputs: outputs('CMFC'),
  };
}

/** The picture of the input as it is. */
export function copied(folder: string, Encryption?: object): OutputGroup {
  const VideoDescription = { CodecSettings: { Codec: 'PASSTHROUGH' } } as const;
  const ContainerSettings = { Container: 'CMFC' } as const;
  return { ...cmaf(folder, Encryption), Outputs: [{ NameModifier: '_v', ContainerSettings, VideoDescription }] };
}

export function dash(folder: string, Encryption?: object): OutputGroup {
  return {
    OutputGroupSettings: {
      Type: 'DASH_ISO_GROUP_SETTINGS',
      DashIsoGroupSettings: {
        Destination: `s3://outputs/${folder}/film`,
        SegmentLength: 1,
        FragmentLength: 1,
        SegmentControl: 'SEGMENTED_FILES',
        ...(Encryption !== undefined && { Encryption }),
      },
    },
    Outputs: outputs('MPD'),
  };
}

export function hls(folder: string, Encryption?: object): OutputGroup {
  return {
    OutputGroupSettings: {
      Type: 'HLS_GROUP_SETTINGS',
      HlsGroupSettings: {
        Destination: `s3://outputs/${folder}/film`,
        SegmentLength: 1,
        MinSegmentLength: 0,
        ...(Encryption !== undefined && { Encryption }),
      },
    },
    Outputs: [
      {
        NameModifier: '_v',
        ContainerSettings: { Container: 'M3U8' },
        VideoDescription: { Width: 160, Height: 90, CodecSettings: h264(400_000) },
        AudioDescriptions: [aac],
      },
    ],
  };
}

export function smooth(folder: string, Encryption?: object): OutputGroup {
  const Destination = `s3://outputs/${folder}/film`;
  return {
    OutputGroupSettings: {
      Type: 'MS_SMOOTH_GROUP_SETTINGS',
      MsSmoothGroupSettings: { Destination, FragmentLength: 1, ...(Encryption !== undefined && { Encryption }) },
    },
    Outputs: [
      {
        NameModifier: '_v',
        ContainerSettings: { Container: 'ISMV' },
        VideoDescription: { Width: 160, Height: 90, CodecSettings: h264(400_000) },
        AudioDescriptions: [aac],
      },
    ],
  };
}
