import type { OutputGroupDetail } from '@aws-sdk/client-mediaconvert';
import type { GroupResult, TranscodeResult } from '#media/transcode-report.ts';

/** One output group of a job that is complete, as the COMPLETE event tells it. */
export interface WrittenGroup {
  readonly outputDetails: readonly WrittenOutput[];
  /** `s3://…`; absent where the group has none. */
  readonly playlistFilePaths?: readonly string[];
  readonly type: string;
}

interface WrittenOutput {
  readonly outputFilePaths?: readonly string[];
  readonly durationInMs: number;
  readonly videoDetails?: {
    readonly widthInPx: number;
    readonly heightInPx: number;
    /** Bits a second. */
    readonly averageBitrate?: number;
  };
}

const TYPES: Readonly<Record<string, string>> = {
  file: 'FILE_GROUP',
  hls: 'HLS_GROUP',
  dash: 'DASH_ISO_GROUP',
  cmaf: 'CMAF_GROUP',
  smooth: 'MS_SMOOTH_GROUP',
};

export function writtenGroups(result: TranscodeResult): readonly WrittenGroup[] {
  return result.groups.map((group: GroupResult) => ({
    outputDetails: group.outputs.map(({ paths, durationMs, width, height, averageBitrate }) => ({
      ...(paths.length > 0 && { outputFilePaths: paths }),
      durationInMs: durationMs,
      ...(width !== undefined &&
        height !== undefined && {
          videoDetails: {
            widthInPx: width,
            heightInPx: height,
            ...(averageBitrate !== undefined && { averageBitrate: Math.round(averageBitrate) }),
          },
        }),
    })),
    ...(group.playlistPaths.length > 0 && { playlistFilePaths: group.playlistPaths }),
    type: TYPES[group.kind] ?? group.kind,
  }));
}

/** What the API tells of them: no paths, which only the event has. */
export function groupDetails(groups: readonly WrittenGroup[]): OutputGroupDetail[] {
  return groups.map(({ outputDetails }) => ({
    OutputDetails: outputDetails.map(({ durationInMs, videoDetails }) => ({
      DurationInMs: durationInMs,
      ...(videoDetails !== undefined && {
        VideoDetails: { WidthInPx: videoDetails.widthInPx, HeightInPx: videoDetails.heightInPx },
      }),
    })),
  }));
}
