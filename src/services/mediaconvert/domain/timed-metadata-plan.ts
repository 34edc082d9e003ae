import type {
  CmfcSettings,
  HlsGroupSettings,
  JobSettings,
  M3u8Settings,
  MpdSettings,
} from '@aws-sdk/client-mediaconvert';
import type { HlsOutput } from '#media/output-group.ts';
import type { EventMessages } from '#media/timed-metadata.ts';
import type { TranscodeJob } from '#media/transcode-job.ts';

/** The tags of a job, for the outputs that pass them on. */
export function planTimedMetadata({
  TimedMetadataInsertion: insertion,
}: JobSettings): Pick<TranscodeJob, 'timedMetadata'> {
  const insertions = insertion?.Id3Insertions ?? [];
  if (insertions.length === 0) return {};
  return {
    timedMetadata: insertions.map(({ Id3 = '', Timecode: timecode = '' }) => ({
      timecode,
      tag: new Uint8Array(Buffer.from(Id3, 'base64')),
    })),
  };
}

const DEFAULT_PID = 502;
const DEFAULT_PERIOD = 10;

/** Of an output in transport streams. */
export function planTags(m3u8: M3u8Settings, group: HlsGroupSettings): Pick<HlsOutput, 'tags'> {
  if (m3u8.TimedMetadata !== 'PASSTHROUGH') return {};
  const { TimedMetadataId3Frame: frame = 'NONE', TimedMetadataId3Period: periodSeconds = DEFAULT_PERIOD } = group;
  return {
    tags: {
      pid: m3u8.TimedMetadataPid ?? DEFAULT_PID,
      ...(frame === 'PRIV' && { stamps: { kind: 'clock', periodSeconds } }),
      ...(frame === 'TDRL' && { stamps: { kind: 'date', periodSeconds } }),
    },
  };
}

/** The scheme of ID3 in CMAF, by the Alliance for Open Media. */
const ID3_SCHEME = 'https://aomedia.org/emsg/ID3';

/** Of an output in fragmented MP4. */
export function planEvents(settings: CmfcSettings | MpdSettings = {}): { readonly events?: EventMessages } {
  if (settings.TimedMetadata !== 'PASSTHROUGH') return {};
  return {
    events: {
      version: settings.TimedMetadataBoxVersion === 'VERSION_1' ? 1 : 0,
      scheme: settings.TimedMetadataSchemeIdUri ?? ID3_SCHEME,
      value: settings.TimedMetadataValue ?? '',
      isSignalled: settings.ManifestMetadataSignaling === 'ENABLED',
    },
  };
}
