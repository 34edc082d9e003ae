import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobSettings } from '@aws-sdk/client-mediaconvert';
import { makeTestVideo } from '#media/test-video.ts';
import type { Result } from '../result.ts';
import { BUCKET, MediaBench, hasCommand, raceText, timeRatio } from './media-bench.ts';
import { inputOf } from './renditions.ts';

const BYTES = 1024 ** 3;

/**
 * A job that only puts a gibibyte of pictures and sound into another file, from CreateJob to COMPLETE, encrypted in and
 * out and durable, against `ffmpeg -c copy` between plain files on the same disk.
 */
export async function benchRemux(rounds = 5): Promise<readonly Result[]> {
  if (!(await hasCommand('remux'))) return [];
  const folder = await mkdtemp(join(tmpdir(), 'coffer-bench-'));
  const bench = await MediaBench.start();
  try {
    const source = join(folder, 'in.mp4');
    await makeLong(folder, source);
    await bench.put('in.mp4', await readFile(source));
    const copy = ['-v', 'error', '-nostdin', '-y', '-i', source, '-map', '0', '-c', 'copy', join(folder, 'out.mp4')];
    const race = await bench.race(rounds, copy, SETTINGS);
    return [
      {
        name: 'remux of 1 GiB, encrypted',
        value: 1 / timeRatio(race),
        unit: 'of ffmpeg -c copy’s speed',
        target: 0.4,
        isAtMost: false,
        detail: raceText(race),
      },
    ];
  } finally {
    await bench.stop();
    await rm(folder, { recursive: true });
  }
}

/** The same seconds again and again, until it is long enough; with Dolby Digital, as other sound is not passed through. */
async function makeLong(folder: string, path: string): Promise<void> {
  const short = join(folder, 'short.mp4');
  await writeFile(short, await makeTestVideo({ seconds: 10, width: 1920, height: 1080, bitrate: 20_000_000 }));
  const dolby = join(folder, 'dolby.mp4');
  for (const args of [
    ['-i', short, '-c:v', 'copy', '-c:a', 'ac3', dolby],
    ['-stream_loop', '-1', '-i', dolby, '-c', 'copy', '-fs', String(BYTES), path],
  ]) {
    const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', ...args]);
    if (status !== 0) throw new Error(stderr.toString());
  }
}

const SETTINGS: JobSettings = {
  Inputs: [inputOf(`s3://${BUCKET}/in.mp4`)],
  OutputGroups: [
    {
      OutputGroupSettings: {
        Type: 'FILE_GROUP_SETTINGS',
        FileGroupSettings: { Destination: `s3://${BUCKET}/copy` },
      },
      Outputs: [
        {
          ContainerSettings: { Container: 'MP4', Mp4Settings: { MoovPlacement: 'NORMAL' } },
          VideoDescription: { CodecSettings: { Codec: 'PASSTHROUGH' } },
          AudioDescriptions: [{ CodecSettings: { Codec: 'PASSTHROUGH' } }],
        },
      ],
    },
  ],
};
