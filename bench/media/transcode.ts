import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobSettings } from '@aws-sdk/client-mediaconvert';
import { makeTestVideo } from '#media/test-video.ts';
import type { Result } from '../result.ts';
import { BUCKET, MediaBench, hasCommand, raceText, timeRatio } from './media-bench.ts';
import { AAC, h264Of, inputOf, x264Arguments } from './renditions.ts';

const RENDITIONS = [
  { width: 1920, height: 1080, bitrate: 5_000_000 },
  { width: 1280, height: 720, bitrate: 3_000_000 },
  { width: 640, height: 360, bitrate: 1_000_000 },
];

/**
 * A transcode (1080p30 → three H.264 renditions and AAC, veryfast): a MediaConvert job from CreateJob to COMPLETE, with
 * its input and outputs encrypted under a KMS key, against the `ffmpeg` command with the same settings on plain files
 * in memory. The wall times of both are taken in turn.
 */
export async function benchTranscode(seconds = 20, rounds = 3): Promise<readonly Result[]> {
  if (!(await hasCommand('transcode'))) return [];
  const film = await makeTestVideo({ seconds, width: 1920, height: 1080, bitrate: 8_000_000 });
  const bench = await MediaBench.start();
  try {
    const path = join(bench.folder, 'in.mp4');
    await writeFile(path, film);
    await bench.put('in.mp4', film);
    const race = await bench.race(rounds, commandArguments(path, bench.folder), settings());
    return [
      {
        name: 'transcode 1080p30 to 3 × H.264 + AAC',
        value: timeRatio(race),
        unit: 'of the ffmpeg command’s time',
        target: 1.15,
        isAtMost: true,
        detail: raceText(race),
      },
    ];
  } finally {
    await bench.stop();
  }
}

function commandArguments(input: string, folder: string): string[] {
  const outputs = RENDITIONS.flatMap((facts) => [...x264Arguments(facts), join(folder, `out-${facts.height}.mp4`)]);
  return ['-v', 'quiet', '-nostdin', '-y', '-i', input, ...outputs];
}

function settings(): JobSettings {
  return {
    Inputs: [inputOf(`s3://${BUCKET}/in.mp4`)],
    OutputGroups: [
      {
        OutputGroupSettings: {
          Type: 'FILE_GROUP_SETTINGS',
          FileGroupSettings: { Destination: `s3://${BUCKET}/out` },
        },
        Outputs: RENDITIONS.map((facts) => ({
          NameModifier: `-${facts.height}`,
          ContainerSettings: { Container: 'MP4', Mp4Settings: { MoovPlacement: 'NORMAL' } },
          VideoDescription: { Width: facts.width, Height: facts.height, CodecSettings: h264Of(facts) },
          AudioDescriptions: [{ CodecSettings: AAC }],
        })),
      },
    ],
  };
}
