import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobSettings } from '@aws-sdk/client-mediaconvert';
import { makeTestVideo } from '#media/test-video.ts';
import type { Result } from '../result.ts';
import { BUCKET, MediaBench, hasCommand, raceText, readCommand, timeRatio } from './media-bench.ts';
import { AAC, h264Of, inputOf, type RenditionFacts, x264Arguments } from './renditions.ts';

const RENDITIONS: readonly RenditionFacts[] = [
  { width: 1920, height: 1080, bitrate: 5_000_000 },
  { width: 1280, height: 720, bitrate: 3_000_000 },
  { width: 960, height: 540, bitrate: 2_000_000 },
  { width: 640, height: 360, bitrate: 1_000_000 },
  { width: 480, height: 270, bitrate: 500_000 },
];
const SEGMENT_SECONDS = 6;

/**
 * A ladder for adaptive streaming (1080p30 → five H.264 renditions with AAC in HLS, veryfast), encrypted in and out,
 * against the `ffmpeg` command that makes the same segments in the clear, in memory. Then the quality of both: SSIM of
 * each rendition against the source at its size.
 */
export async function benchLadder(seconds = 20, rounds = 3): Promise<readonly Result[]> {
  if (!(await hasCommand('ladder'))) return [];
  const film = await makeTestVideo({ seconds, width: 1920, height: 1080, bitrate: 8_000_000 });
  const bench = await MediaBench.start();
  try {
    const source = join(bench.folder, 'in.mp4');
    await writeFile(source, film);
    await bench.put('in.mp4', film);
    const race = await bench.race(rounds, commandArguments(source, bench.folder), settings());
    return [
      {
        name: 'ladder of 5 × H.264 + AAC in HLS',
        value: timeRatio(race),
        unit: 'of the ffmpeg command’s time',
        target: 1.1,
        isAtMost: true,
        detail: raceText(race),
      },
      await quality(bench, source, seconds),
    ];
  } finally {
    await bench.stop();
  }
}

/** The least of the renditions' qualities, as a part of the command's. */
async function quality(bench: MediaBench, source: string, seconds: number): Promise<Result> {
  const pairs: { readonly ours: number; readonly theirs: number; readonly text: string }[] = [];
  const segments = Math.ceil(seconds / SEGMENT_SECONDS);
  for (const facts of RENDITIONS) {
    const parts: Uint8Array[] = [];
    for (let number = 1; number <= segments; number++) {
      parts.push(await bench.get(`out-${facts.height}_${String(number).padStart(5, '0')}.ts`));
    }
    const own = join(bench.folder, 'own.ts');
    await writeFile(own, Buffer.concat(parts));
    const ours = await similarity(own, source, facts);
    const theirs = await similarity(join(bench.folder, `out-${facts.height}.m3u8`), source, facts);
    pairs.push({ ours, theirs, text: `${facts.height}p ${ours.toFixed(4)}/${theirs.toFixed(4)}` });
  }
  return {
    name: 'quality of the ladder (SSIM), the least',
    value: Math.min(...pairs.map(({ ours, theirs }) => ours / theirs)),
    unit: 'of the ffmpeg command’s',
    target: 0.99,
    isAtMost: false,
    detail: pairs.map(({ text }) => text).join(', '),
  };
}

async function similarity(path: string, source: string, { width, height }: RenditionFacts): Promise<number> {
  const filter = `[1:v]scale=${width}:${height}:flags=bicubic[reference];[0:v][reference]ssim`;
  const said = await readCommand(['-nostdin', '-i', path, '-i', source, '-lavfi', filter, '-an', '-f', 'null', '-']);
  return Number(/SSIM .*All:([\d.]+)/.exec(said)?.[1] ?? Number.NaN);
}

function commandArguments(input: string, folder: string): string[] {
  const hls = `-f hls -hls_time ${SEGMENT_SECONDS} -hls_playlist_type vod -hls_segment_filename`.split(' ');
  const outputs = RENDITIONS.flatMap((facts) => [
    ...x264Arguments(facts),
    ...hls,
    join(folder, `out-${facts.height}_%05d.ts`),
    join(folder, `out-${facts.height}.m3u8`),
  ]);
  return ['-v', 'quiet', '-nostdin', '-y', '-i', input, ...outputs];
}

function settings(): JobSettings {
  return {
    Inputs: [inputOf(`s3://${BUCKET}/in.mp4`)],
    OutputGroups: [
      {
        OutputGroupSettings: {
          Type: 'HLS_GROUP_SETTINGS',
          HlsGroupSettings: {
            Destination: `s3://${BUCKET}/out`,
            SegmentLength: SEGMENT_SECONDS,
            MinSegmentLength: 0,
          },
        },
        Outputs: RENDITIONS.map((facts) => ({
          NameModifier: `-${facts.height}`,
          ContainerSettings: { Container: 'M3U8' },
          VideoDescription: { Width: facts.width, Height: facts.height, CodecSettings: h264Of(facts) },
          AudioDescriptions: [{ CodecSettings: AAC }],
        })),
      },
    ],
  };
}
