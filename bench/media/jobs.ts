import type { JobSettings } from '@aws-sdk/client-mediaconvert';
import { makeTestVideo } from '#media/test-video.ts';
import { median, type Result } from '../result.ts';
import { BUCKET, MediaBench, secondsText } from './media-bench.ts';
import { AAC, h264Of, inputOf, type RenditionFacts } from './renditions.ts';

/** Ten jobs of one second each, sent at once; and the memory of a job with pictures of 4K. */
export async function benchJobs(): Promise<readonly Result[]> {
  const bench = await MediaBench.start();
  try {
    return [await tenJobs(bench), await memoryOf4k(bench)];
  } finally {
    await bench.stop();
  }
}

async function tenJobs(bench: MediaBench): Promise<Result> {
  await bench.put('short.mp4', await makeTestVideo({ seconds: 1, width: 640, height: 360 }));
  const facts = { width: 640, height: 360, bitrate: 1_000_000 };
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    times.push(await bench.time(...Array.from({ length: 10 }, (_, job) => settings('short.mp4', `${job}`, [facts]))));
  }
  return {
    name: 'ten jobs of one second',
    value: median(times),
    unit: 's',
    target: 6,
    isAtMost: true,
    detail: `${secondsText(times)} s from the first CreateJob to the last COMPLETE`,
  };
}

const MIB = 1024 ** 2;

async function memoryOf4k(bench: MediaBench): Promise<Result> {
  await bench.put('4k.mp4', await makeTestVideo({ seconds: 4, width: 3840, height: 2160, bitrate: 20_000_000 }));
  const renditions = [
    { width: 3840, height: 2160, bitrate: 16_000_000 },
    { width: 1920, height: 1080, bitrate: 5_000_000 },
  ];
  const work = bench.time(settings('4k.mp4', '4k', renditions));
  const peak = await bench.peakWhile(work);
  return {
    name: 'memory of a worker with 4K pictures',
    value: peak / MIB,
    unit: 'MiB',
    target: 4096,
    isAtMost: true,
    detail: `2160p30 to 2160p and 1080p H.264 in ${(await work).toFixed(1)} s; a worker of more is ended`,
  };
}

function settings(input: string, name: string, renditions: readonly RenditionFacts[]): JobSettings {
  return {
    Inputs: [inputOf(`s3://${BUCKET}/${input}`)],
    OutputGroups: [
      {
        OutputGroupSettings: {
          Type: 'FILE_GROUP_SETTINGS',
          FileGroupSettings: { Destination: `s3://${BUCKET}/jobs/${name}` },
        },
        Outputs: renditions.map((facts) => ({
          NameModifier: `-${facts.height}`,
          ContainerSettings: { Container: 'MP4' },
          VideoDescription: { Width: facts.width, Height: facts.height, CodecSettings: h264Of(facts) },
          AudioDescriptions: [{ CodecSettings: AAC }],
        })),
      },
    ],
  };
}
