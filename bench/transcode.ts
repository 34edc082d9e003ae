import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTestVideo } from '#media/test-video.ts';
import type { TranscodeJob, VideoSettings } from '#media/transcode-job.ts';
import { startTranscode } from '#media/transcoder.ts';
import { ObjectServer } from '#test/fixtures/media/object-server.ts';

/**
 * A transcode (1080p30 → three H.264 renditions and AAC, veryfast) by a worker, over HTTP in and out, against the
 * `ffmpeg` command with the same settings on plain files. The wall times of both are taken in turn.
 */
export interface TranscodeBench {
  readonly name: 'transcode';
  /** The worker's wall time over the command's: the median of the rounds. */
  readonly ratio: number;
  readonly workerSeconds: readonly number[];
  readonly commandSeconds: readonly number[];
}

const RENDITIONS = [
  { width: 1920, height: 1080, bitrate: 5_000_000 },
  { width: 1280, height: 720, bitrate: 3_000_000 },
  { width: 640, height: 360, bitrate: 1_000_000 },
];

/** @returns `undefined` where the `ffmpeg` command is missing */
export async function benchTranscode(seconds = 20, rounds = 3): Promise<TranscodeBench | undefined> {
  if ((await run('ffmpeg', ['-version'])) === undefined) return undefined;
  const film = await makeTestVideo({ seconds, width: 1920, height: 1080, bitrate: 8_000_000 });
  const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const folder = await mkdtemp(join(memory, 'coffer-bench-'));
  const server = await ObjectServer.start();
  const workerSeconds: number[] = [];
  const commandSeconds: number[] = [];
  try {
    const path = join(folder, 'in.mp4');
    await writeFile(path, film);
    server.put('bench/in.mp4', film);
    for (let round = 0; round < rounds; round++) {
      commandSeconds.push((await run('ffmpeg', commandArguments(path, folder))) ?? Number.NaN);
      workerSeconds.push(await timeWorker(server.endpoint));
    }
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
  const ratios = workerSeconds.map((time, index) => time / (commandSeconds[index] ?? Number.NaN)).sort((a, b) => a - b);
  return {
    name: 'transcode',
    ratio: ratios[Math.floor(ratios.length / 2)] ?? Number.NaN,
    workerSeconds,
    commandSeconds,
  };
}

function commandArguments(input: string, folder: string): string[] {
  const outputs = RENDITIONS.flatMap(({ width, height, bitrate }) =>
    [
      `-map 0:v -map 0:a -s ${width}x${height} -c:v libx264 -preset veryfast -profile:v high`,
      `-b:v ${bitrate} -maxrate ${bitrate * 1.5} -bufsize ${bitrate * 3} -g 60 -pix_fmt yuv420p -c:a aac -b:a 128k`,
    ]
      .join(' ')
      .split(' ')
      .concat(join(folder, `out-${height}.mp4`)),
  );
  return ['-v', 'quiet', '-nostdin', '-y', '-i', input, ...outputs];
}

async function timeWorker(endpoint: string): Promise<number> {
  const audio = { bitrate: 128_000, sampleRate: 48_000, channels: 2 } as const;
  const job: TranscodeJob = {
    startedAt: Date.now(),
    inputs: [{ source: { bucket: 'bench', key: 'in.mp4' }, audioSelectors: {} }],
    groups: [
      {
        kind: 'file',
        bucket: 'bench',
        keyBase: 'out',
        inputName: 'in',
        storage: {},
        outputs: RENDITIONS.map((rendition) => ({
          nameModifier: `-${rendition.height}`,
          extension: 'mp4',
          container: 'mp4',
          moov: 'end',
          video: videoSettings(rendition),
          audios: [{ selector: 'Audio Selector 1', codec: audio }],
        })),
      },
    ],
  };
  const expiresAt = Date.now() + 3_600_000;
  const credentials = async () => ({ accessKeyId: 'bench', secretAccessKey: 'bench', sessionToken: '', expiresAt });
  const begin = performance.now();
  await startTranscode(job, { endpoint, region: 'us-east-1', credentials }, () => undefined).result;
  return (performance.now() - begin) / 1000;
}

function videoSettings(rendition: (typeof RENDITIONS)[number]): VideoSettings {
  const { width, height, bitrate } = rendition;
  return {
    width,
    height,
    scaling: 'fit-and-pad',
    scaler: 'bicubic',
    isColorTagged: true,
    codec: {
      rateControl: { mode: 'vbr', bitrate, maxBitrate: bitrate * 1.5 },
      bufferSize: bitrate * 3,
      preset: 'veryfast',
      gop: { size: 60, unit: 'frames' },
      isSceneChangeDetected: true,
      isGopOpen: false,
      isBFrameCountAdaptive: true,
      profile: 'high',
      isTemporalAdaptive: true,
    },
  };
}

/** Runs a command to its end; returns its wall time in seconds, `undefined` when it cannot be started or fails. */
function run(command: string, args: readonly string[]): Promise<number | undefined> {
  return new Promise((resolve) => {
    const begin = performance.now();
    const child = spawn(command, args, { stdio: 'ignore' });
    child.on('error', () => resolve(undefined));
    child.on('exit', (code) => resolve(code === 0 ? (performance.now() - begin) / 1000 : undefined));
  });
}

if (import.meta.main) {
  const result = await benchTranscode();
  console.log(result === undefined ? 'Skipped: the ffmpeg command is not installed.' : JSON.stringify(result, null, 2));
}
